#include <algorithm>

#include "pipeline/keywords/families.h"
#include "pipeline/rules/expression.h"
#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostPatterns = 50;

std::optional<std::vector<std::string>> patterns_in(const Node& node, const Place& place) {
  auto patterns = strings_in(node, place);
  if (!patterns || patterns->size() <= kMostPatterns) return patterns;
  place.error(node.at, "config has too many entries (maximum 50)");
  return std::nullopt;
}

std::optional<std::string> expression_in(const Node& node, const Place& place) {
  if (node.kind != Kind::String) {
    place.error(node.at, "invalid expression syntax", "it must be a string");
    return std::nullopt;
  }
  const auto parsed = rules::Expression::parse(node.text);
  if (parsed) return node.text;
  place.error(node.at, parsed.error().message, parsed.error().hint);
  return std::nullopt;
}

std::optional<Changes> changes_in(const Node& node, const Place& place) {
  Changes changes;
  const Node* paths = &node;
  if (node.kind == Kind::Mapping) {
    check_keys(node, {"paths", "compare_to"}, place);
    paths = value_of(node, "paths");
    if (paths == nullptr) {
      place.error(node.at, "config missing required keys: paths");
      return std::nullopt;
    }
    if (const Node* compare = value_of(node, "compare_to"))
      changes.compare_to = string_in(*compare, place.below("compare_to")).value_or("");
  }
  if (paths->kind != Kind::Sequence) {
    place.error(paths->at, "should be an array of strings",
                paths->is_scalar() ? "write it as a list: [\"" + paths->text + "\"]" : "");
    return std::nullopt;
  }
  changes.paths = patterns_in(*paths, place).value_or(std::vector<std::string>{});
  for (const std::string& pattern : changes.paths)
    if (pattern.size() > 3 && pattern.substr(pattern.size() - 3) == "/**")
      place.warning(paths->at, "shallow_glob",
                    "'" + pattern + "' matches only one level of directories",
                    "write '" + pattern + "/*' for everything below");
  return changes;
}

void read_conditions(const Node& node, const Place& place, Rule& rule) {
  if (const Node* condition = value_of(node, "if"))
    rule.condition = expression_in(*condition, place.below("if"));
  if (const Node* changes = value_of(node, "changes"))
    rule.changes = changes_in(*changes, place.below("changes"));
  if (const Node* exists = value_of(node, "exists")) {
    const Node* paths = exists->kind == Kind::Mapping ? value_of(*exists, "paths") : exists;
    if (exists->kind == Kind::Mapping) check_keys(*exists, {"paths"}, place.below("exists"));
    if (paths != nullptr) rule.exists = patterns_in(*paths, place.below("exists"));
  }
}

void read_timing(const Node& node, const Place& place, RuleKind kind, Rule& rule) {
  if (const Node* when = value_of(node, "when")) {
    const std::vector<std::string> words =
        kind == RuleKind::Workflow
            ? std::vector<std::string>{"always", "never"}
            : std::vector<std::string>{"on_success", "on_failure", "always",
                                       "never",      "manual",     "delayed"};
    if (const auto word = word_in(*when, words, place.below("when")))
      rule.when = parse_when(*word).value_or(When::OnSuccess);
  }
  if (const Node* start = value_of(node, "start_in"))
    rule.start_in = duration_in(*start, place.below("start_in"));
  if ((rule.when == When::Delayed) != rule.start_in.has_value() && kind == RuleKind::Job)
    place.error(
        node.at,
        rule.start_in ? "config start in must be blank" : "config start in should be a duration",
        "`when: delayed` and `start_in` belong together");
}

std::optional<WrittenRule> read_rule(const Node& node, const Place& place, RuleKind kind) {
  if (node.kind != Kind::Mapping || node.entries.empty()) {
    place.error(node.at,
                node.kind == Kind::Mapping ? "config can't be blank" : "config should be a hash");
    return std::nullopt;
  }
  check_keys(node,
             kind == RuleKind::Workflow
                 ? std::vector<std::string>{"if", "changes", "exists", "when", "variables",
                                            "auto_cancel", "start_in", "allow_failure", "needs"}
                 : std::vector<std::string>{"if", "changes", "exists", "when", "start_in",
                                            "allow_failure", "variables", "needs", "interruptible"},
             place);
  WrittenRule written;
  Rule& rule = written.rule;
  rule.at = node.entries.front().at;
  read_conditions(node, place, rule);
  read_timing(node, place, kind, rule);
  if (const Node* variables = value_of(node, "variables"))
    rule.variables =
        read_variables(*variables, place.below("variables"), Described::no).value_or(Variables{});
  if (kind == RuleKind::Workflow) return written;
  if (const Node* allow = value_of(node, "allow_failure"))
    rule.allow_failure = read_allow_failure(*allow, place.below("allow_failure"));
  if (const Node* needs = value_of(node, "needs"))
    written.needs = read_needs(*needs, place.below("needs"));
  if (const Node* interruptible = value_of(node, "interruptible"))
    rule.interruptible = bool_in(*interruptible, place.below("interruptible"));
  return written;
}

void collect(const Node& node, int depth, const Place& place, RuleKind kind,
             std::vector<WrittenRule>& rules) {
  for (const NodePtr& item : node.items) {
    if (item->kind == Kind::Sequence && depth < 9) {
      collect(*item, depth + 1, place, kind, rules);
      continue;
    }
    if (auto rule = read_rule(*item, place.below("rule"), kind)) rules.push_back(std::move(*rule));
  }
}

}  // namespace

std::optional<std::vector<WrittenRule>> read_rules(const Node& node, const Place& place,
                                                   RuleKind kind) {
  if (node.kind != Kind::Sequence) {
    place.error(node.at, "should be an array containing hashes and arrays of hashes");
    return std::nullopt;
  }
  std::vector<WrittenRule> rules;
  collect(node, 0, place, kind, rules);
  return rules;
}

std::optional<RefPolicy> read_ref_policy(const Node& node, const Place& place) {
  RefPolicy policy;
  policy.at = node.at;
  const Node* refs = node.kind == Kind::Sequence ? &node : nullptr;
  if (node.kind == Kind::Mapping) {
    check_keys(node, {"refs", "variables", "changes", "kubernetes"}, place);
    refs = value_of(node, "refs");
    if (const Node* variables = value_of(node, "variables")) {
      const auto expressions = strings_in(*variables, place.below("variables"));
      for (const std::string& text : expressions.value_or(std::vector<std::string>{}))
        if (auto expression =
                expression_in(*read::make_string(text, variables->at), place.below("variables")))
          policy.variables.push_back(std::move(*expression));
    }
    if (const Node* changes = value_of(node, "changes"))
      policy.changes = patterns_in(*changes, place.below("changes"));
  } else if (refs == nullptr) {
    place.error(node.at, "has to be either an array of conditions or a hash",
                node.is_scalar() ? "write it as a list: [" + node.text + "]" : "");
    return std::nullopt;
  }
  if (refs == nullptr) return policy;
  policy.refs = strings_in(*refs, place.below("refs"));
  for (const std::string& ref : policy.refs.value_or(std::vector<std::string>{}))
    if (!ref.empty() && ref.front() == '/' && rules::Pattern::looks_like(ref))
      if (const auto pattern = rules::Pattern::parse(ref); !pattern)
        place.error(refs->at, "config should be an array of strings or regular expressions",
                    pattern.error().message);
  return policy;
}

}  // namespace slipway::pipeline::keywords
