#include <algorithm>

#include "pipeline/keywords/families.h"
#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kRetryReasons{"always",
                                             "unknown_failure",
                                             "script_failure",
                                             "api_failure",
                                             "stuck_or_timeout_failure",
                                             "runner_system_failure",
                                             "runner_configuration_error",
                                             "runner_external_dependency_failure",
                                             "runner_interrupted",
                                             "runner_unsupported",
                                             "stale_schedule",
                                             "job_execution_timeout",
                                             "archived_failure",
                                             "unmet_prerequisites",
                                             "scheduler_failure",
                                             "data_integrity_failure"};

std::vector<int> exit_codes_in(const Node& node, const Place& place) {
  std::vector<int> codes;
  const auto add = [&](const Node& item) {
    if (item.kind != Kind::Integer)
      place.error(item.at, "should be an array of integers or an integer");
    else if (const auto code = integer_in(item, place))
      codes.push_back(*code);
  };
  if (node.kind == Kind::Sequence)
    for (const NodePtr& item : node.items) add(*item);
  else
    add(node);
  return codes;
}

int retry_count(const Node& node, const Place& place) {
  if (node.kind != Kind::Integer) {
    place.error(node.at, node.kind == Kind::Float ? "must be an integer" : "is not a number");
    return 0;
  }
  const int count = integer_in(node, place).value_or(0);
  if (count >= 0 && count <= 2) return count;
  place.error(node.at,
              count > 2 ? "must be less than or equal to 2" : "must be greater than or equal to 0");
  return 0;
}

// One reason, or a list of them.
std::vector<std::string> retry_reasons(const Node& node, const Place& place) {
  std::vector<std::string> reasons;
  const auto words = strings_in(node, place, Single::accepted);
  for (const std::string& word : words.value_or(std::vector<std::string>{})) {
    if (std::find(kRetryReasons.begin(), kRetryReasons.end(), word) != kRetryReasons.end()) {
      reasons.push_back(word);
      continue;
    }
    const std::string near = nearest(word, kRetryReasons);
    place.error(node.at,
                node.kind == Kind::Sequence ? "contains unknown values: " + word
                                            : "is not included in the list",
                near.empty() ? "" : "did you mean '" + near + "'?");
  }
  return reasons;
}

}  // namespace

std::optional<When> read_when(const Node& node, const std::vector<std::string>& words,
                              const Place& place) {
  const auto word = word_in(node, words, place);
  if (!word) return std::nullopt;
  return parse_when(*word).value_or(When::OnSuccess);
}

std::optional<AllowFailure> read_allow_failure(const Node& node, const Place& place) {
  if (node.kind == Kind::Bool) return AllowFailure{node.text == "true", {}};
  if (node.kind != Kind::Mapping) {
    place.attribute("allow_failure").error(node.at, "should be a hash or a boolean value");
    return std::nullopt;
  }
  const Place below = place.below("allow_failure");
  check_family(node, "allow_failure", below);
  const Node* codes = value_of(node, "exit_codes");
  if (codes == nullptr) {
    below.error(node.at, "config missing required keys: exit_codes");
    return std::nullopt;
  }
  return AllowFailure{false, exit_codes_in(*codes, below.attribute("exit_codes"))};
}

std::optional<Retry> read_retry(const Node& node, const Place& place) {
  Retry retry;
  if (node.kind == Kind::Integer) {
    retry.max = retry_count(node, place.attribute("config"));
    return retry;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config has to be either an integer or a hash");
    return std::nullopt;
  }
  check_family(node, "retry", place);
  retry.max = 2;
  if (const Node* max = value_of(node, "max"))
    retry.max = retry_count(*max, place.attribute("max"));
  if (const Node* when = value_of(node, "when"))
    retry.when = retry_reasons(*when, place.attribute("when"));
  if (const Node* codes = value_of(node, "exit_codes"))
    retry.exit_codes = exit_codes_in(*codes, place.attribute("exit_codes"));
  return retry;
}

std::optional<std::string> read_coverage(const Node& node, const Place& place) {
  const bool shape = node.is_scalar() && node.text.size() > 1 && node.text.front() == '/' &&
                     node.text.back() == '/';
  if (!shape) {
    place.error(node.at, "config must be a regular expression with re2 syntax",
                "write it between slashes: '/Coverage: \\d+\\.\\d+/'");
    return std::nullopt;
  }
  if (const auto pattern = rules::Pattern::parse(node.text); !pattern) {
    place.error(node.at, "config must be a regular expression with re2 syntax",
                pattern.error().message);
    return std::nullopt;
  }
  return node.text.substr(1, node.text.size() - 2);
}

}  // namespace slipway::pipeline::keywords
