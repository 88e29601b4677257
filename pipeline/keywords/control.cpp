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
const std::vector<std::string> kActions{"start", "prepare", "stop", "verify", "access"};
const std::vector<std::string> kTiers{"production", "staging", "testing", "development", "other"};

std::vector<int> exit_codes_in(const Node& node, const Place& place) {
  std::vector<int> codes;
  const auto add = [&](const Node& item) {
    if (item.kind == Kind::Integer) {
      if (const auto code = integer_in(item, place)) codes.push_back(*code);
    } else {
      place.error(item.at, "should be an array of integers or an integer");
    }
  };
  if (node.kind == Kind::Sequence)
    for (const NodePtr& item : node.items) add(*item);
  else
    add(node);
  return codes;
}

int retry_count(const Node& node, const Place& place) {
  const auto count = integer_in(node, place);
  if (!count) return 0;
  if (*count >= 0 && *count <= 2) return *count;
  place.error(node.at, *count > 2 ? "must be less than or equal to 2"
                                  : "must be greater than or equal to 0");
  return 0;
}

bool is_environment_name(const std::string& name) {
  static constexpr std::string_view kMarks = "-_/${}. ";
  return !name.empty() && name.front() != '/' && name.back() != '/' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  kMarks.find(static_cast<char>(c)) != std::string_view::npos;
         });
}

std::string text_under(const Node& node, const char* key, const Place& place) {
  const Node* value = value_of(node, key);
  return value == nullptr ? "" : string_in(*value, place.below(key)).value_or("");
}

}  // namespace

std::optional<When> read_when(const Node& node, const Place& place) {
  const auto word =
      word_in(node, {"on_success", "on_failure", "always", "manual", "delayed"}, place);
  if (!word) return std::nullopt;
  return parse_when(*word).value_or(When::OnSuccess);
}

std::optional<AllowFailure> read_allow_failure(const Node& node, const Place& place) {
  if (node.kind == Kind::Bool) return AllowFailure{node.text == "true", {}};
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be a hash or a boolean value");
    return std::nullopt;
  }
  check_keys(node, {"exit_codes"}, place);
  const Node* codes = value_of(node, "exit_codes");
  if (codes == nullptr) {
    place.error(node.at, "config missing required keys: exit_codes");
    return std::nullopt;
  }
  return AllowFailure{false, exit_codes_in(*codes, place.below("exit_codes"))};
}

std::optional<Retry> read_retry(const Node& node, const Place& place) {
  Retry retry;
  if (node.kind == Kind::Integer) {
    retry.max = retry_count(node, place);
    return retry;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "has to be either an integer or a hash");
    return std::nullopt;
  }
  check_keys(node, {"max", "when", "exit_codes"}, place);
  retry.max = 2;
  if (const Node* max = value_of(node, "max")) retry.max = retry_count(*max, place.below("max"));
  if (const Node* when = value_of(node, "when")) {
    const auto words = strings_in(*when, place.below("when"), Single::accepted);
    for (const std::string& word : words.value_or(std::vector<std::string>{}))
      if (word_in(*read::make_string(word, when->at), kRetryReasons, place.below("when")))
        retry.when.push_back(word);
  }
  if (const Node* codes = value_of(node, "exit_codes"))
    retry.exit_codes = exit_codes_in(*codes, place.below("exit_codes"));
  return retry;
}

std::optional<std::string> read_coverage(const Node& node, const Place& place) {
  const bool shape = node.is_scalar() && node.text.size() > 1 && node.text.front() == '/' &&
                     node.text.back() == '/';
  if (!shape) {
    place.error(node.at, "config must be a regular expression",
                "write it between slashes: '/Coverage: \\d+\\.\\d+/'");
    return std::nullopt;
  }
  if (const auto pattern = rules::Pattern::parse(node.text); !pattern) {
    place.error(node.at, "config must be a regular expression", pattern.error().message);
    return std::nullopt;
  }
  return node.text.substr(1, node.text.size() - 2);
}

std::optional<Environment> read_environment(const Node& node, const Place& place) {
  Environment environment;
  const Node* name = &node;
  if (node.kind == Kind::Mapping) {
    check_keys(
        node, {"name", "url", "action", "on_stop", "auto_stop_in", "deployment_tier", "kubernetes"},
        place);
    name = value_of(node, "name");
    environment.url = text_under(node, "url", place);
    environment.on_stop = text_under(node, "on_stop", place);
    environment.auto_stop_in = text_under(node, "auto_stop_in", place);
    if (const Node* action = value_of(node, "action"))
      environment.action = word_in(*action, kActions, place.below("action")).value_or("start");
    if (const Node* tier = value_of(node, "deployment_tier"))
      environment.deployment_tier =
          word_in(*tier, kTiers, place.below("deployment_tier")).value_or("");
  }
  if (name == nullptr || name->kind != Kind::String) {
    place.error(node.at, name == nullptr ? "config missing required keys: name"
                                         : "config should be a hash or a string");
    return std::nullopt;
  }
  environment.name = name->text;
  if (!is_environment_name(environment.name))
    place.error(name->at,
                "name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and "
                "spaces, but it cannot start or end with '/'");
  return environment;
}

}  // namespace slipway::pipeline::keywords
