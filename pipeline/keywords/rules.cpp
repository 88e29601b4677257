#include <algorithm>

#include "pipeline/keywords/families.h"
#include "pipeline/rules/expression.h"
#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostPatterns = 50;
constexpr std::size_t kLongestRegexp = 255;

std::optional<std::vector<std::string>> patterns_in(const Node& node, const Place& place) {
  auto patterns = strings_in(node, place);
  if (!patterns || patterns->size() <= kMostPatterns) return patterns;
  place.error(node.at, "has too many entries (maximum 50)");
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

// `regexp` in the place of `paths`.
std::string regexp_under(const Node& node, const Place& place) {
  const Node* regexp = value_of(node, "regexp");
  if (regexp == nullptr) return {};
  const Place at = place.attribute("regexp");
  std::string text = string_in(*regexp, at).value_or("");
  if (text.size() > kLongestRegexp)
    at.error(regexp->at, "is too long (maximum is 255 characters)");
  else if (const auto pattern = rules::Pattern::parse("/" + text + "/"); !pattern)
    at.error(regexp->at, "must be a regular expression", pattern.error().message);
  return text;
}

// `paths` or `regexp` of `changes` and `exists`. False after a finding.
bool read_patterns(const Node& node, const Place& place, std::vector<std::string>& paths,
                   std::string& regexp) {
  const Node* list = value_of(node, "paths");
  regexp = regexp_under(node, place);
  if (list == nullptr && value_of(node, "regexp") == nullptr) {
    place.error(node.at, "config missing required keys: paths");
    return false;
  }
  check_exclusive(node, "paths", "regexp", place);
  if (list == nullptr) return true;
  auto patterns = patterns_in(*list, place.attribute("paths"));
  if (!patterns) return false;
  paths = std::move(*patterns);
  return true;
}

std::optional<Changes> changes_in(const Node& node, const Place& place) {
  Changes changes;
  if (node.kind == Kind::Mapping) {
    check_family(node, "changes", place);
    if (!read_patterns(node, place, changes.paths, changes.regexp)) return std::nullopt;
    changes.compare_to = text_under(node, "compare_to", place);
  } else if (node.kind == Kind::Sequence) {
    auto patterns = patterns_in(node, place.attribute("config"));
    if (!patterns) return std::nullopt;
    changes.paths = std::move(*patterns);
  } else {
    place.error(node.at, "should be an array or a hash",
                node.is_scalar() ? "write it as a list: [\"" + node.text + "\"]" : "");
    return std::nullopt;
  }
  return changes;
}

std::optional<Exists> exists_in(const Node& node, const Place& place) {
  Exists exists;
  if (node.kind == Kind::Sequence) {
    auto patterns = patterns_in(node, place.attribute("config"));
    if (!patterns) return std::nullopt;
    exists.paths = std::move(*patterns);
    return exists;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be an array or a hash",
                node.is_scalar() ? "write it as a list: [\"" + node.text + "\"]" : "");
    return std::nullopt;
  }
  check_family(node, "exists", place);
  if (!read_patterns(node, place, exists.paths, exists.regexp)) return std::nullopt;
  exists.project = text_under(node, "project", place);
  exists.ref = text_under(node, "ref", place);
  if (!exists.ref.empty() && exists.project.empty())
    place.error(node.at, "config missing required keys: project");
  return exists;
}

void read_conditions(const Node& node, const Place& place, Rule& rule) {
  if (const Node* condition = value_of(node, "if"))
    rule.condition = expression_in(*condition, place.attribute("if"));
  if (const Node* changes = value_of(node, "changes"))
    rule.changes = changes_in(*changes, place.below("changes"));
  if (const Node* exists = value_of(node, "exists"))
    rule.exists = exists_in(*exists, place.below("exists"));
}

void read_timing(const Node& node, const Place& place, RuleKind kind, Rule& rule) {
  if (const Node* when = value_of(node, "when")) {
    const std::vector<std::string> words =
        kind == RuleKind::Workflow
            ? std::vector<std::string>{"always", "never"}
            : std::vector<std::string>{"on_success", "on_failure", "always",
                                       "never",      "manual",     "delayed"};
    if (when->is_scalar() && std::find(words.begin(), words.end(), when->text) != words.end())
      rule.when = parse_when(when->text).value_or(When::OnSuccess);
    else
      place.attribute("when").error(
          when->at, "unknown value: " + (when->is_scalar() ? when->text : std::string{"a list"}),
          "one of " + joined(words));
  }
  const Node* start = value_of(node, "start_in");
  if (rule.when == When::Delayed && start == nullptr)
    place.attribute("start_in")
        .error(node.at, "can't be blank", "`when: delayed` and `start_in` belong together");
  if (rule.when != When::Delayed && start != nullptr && kind == RuleKind::Job)
    place.error(node.find_entry("start_in")->at, "config contains disallowed keys: start_in",
                "`when: delayed` and `start_in` belong together");
  if (start != nullptr) rule.start_in = delay_in(*start, place.attribute("start_in"));
}

std::optional<WrittenRule> read_rule(const Node& node, const Place& place, RuleKind kind) {
  if (node.entries.empty()) {
    place.error(node.at, "config can't be blank");
    return std::nullopt;
  }
  check_family(node, kind == RuleKind::Workflow ? "workflow_rule" : "rule", place);
  WrittenRule written;
  Rule& rule = written.rule;
  rule.at = node.entries.front().at;
  written.only_when = node.entries.size() == 1 && node.entries.front().key == "when";
  read_conditions(node, place, rule);
  read_timing(node, place, kind, rule);
  if (const Node* variables = value_of(node, "variables"))
    rule.variables = read_variables(*variables, place.below("variables"), Described::scalars)
                         .value_or(Variables{});
  if (const Node* cancel = value_of(node, "auto_cancel"); cancel && kind == RuleKind::Workflow)
    rule.auto_cancel = read_auto_cancel(*cancel, place.below("auto_cancel"));
  if (kind == RuleKind::Workflow) return written;
  if (const Node* allow = value_of(node, "allow_failure"))
    if (const auto value = bool_in(*allow, place.attribute("allow_failure")))
      rule.allow_failure = AllowFailure{*value, {}};
  if (const Node* needs = value_of(node, "needs"))
    if (auto read = read_needs(*needs, NeedsOf::Rule, place.below("needs")))
      written.needs = std::move(read->jobs);
  if (const Node* interruptible = value_of(node, "interruptible"))
    rule.interruptible = bool_in(*interruptible, place.attribute("interruptible"));
  return written;
}

// Lists in lists, as a !reference leaves them, up to ten levels deep.
bool holds_only_hashes(const Node& node, int depth) {
  constexpr int kDeepestList = 10;
  return std::all_of(node.items.begin(), node.items.end(), [&](const NodePtr& item) {
    return item->kind == Kind::Mapping ||
           (item->kind == Kind::Sequence && depth + 1 < kDeepestList &&
            holds_only_hashes(*item, depth + 1));
  });
}

void collect(const Node& node, const Place& place, RuleKind kind, std::vector<WrittenRule>& rules) {
  for (const NodePtr& item : node.items) {
    if (item->kind == Kind::Sequence)
      collect(*item, place, kind, rules);
    else if (auto rule = read_rule(*item, place.below("rule"), kind))
      rules.push_back(std::move(*rule));
  }
}

}  // namespace

AutoCancel read_auto_cancel(const Node& node, const Place& place) {
  AutoCancel cancel;
  if (!check_family(node, "auto_cancel", place)) return cancel;
  const auto word = [&](const char* key, const std::vector<std::string>& words) {
    const Node* value = value_of(node, key);
    if (value == nullptr) return std::string{};
    if (value->is_scalar() && std::find(words.begin(), words.end(), value->text) != words.end())
      return value->text;
    place.attribute(key).error(value->at, "must be one of: " + joined(words));
    return std::string{};
  };
  cancel.on_new_commit = word("on_new_commit", {"conservative", "interruptible", "none"});
  cancel.on_job_failure = word("on_job_failure", {"none", "all"});
  return cancel;
}

std::optional<std::vector<WrittenRule>> read_rules(const Node& node, const Place& place,
                                                   RuleKind kind) {
  if (node.kind != Kind::Sequence || !holds_only_hashes(node, 0)) {
    place.attribute("rules").error(node.at,
                                   "should be an array containing hashes and arrays of hashes");
    return std::nullopt;
  }
  std::vector<WrittenRule> rules;
  collect(node, place.below("rules"), kind, rules);
  return rules;
}

namespace {

// "should be an array …" when one of them is no string, or a regular expression that is none.
std::optional<std::vector<std::string>> refs_in(const Node& node, const Place& place) {
  constexpr const char* kShape =
      "should be an array of strings or regular expressions using re2 syntax";
  std::string why;
  bool good = node.kind == Kind::Sequence;
  std::vector<std::string> refs;
  for (const NodePtr& item : node.items) {
    // A reference leaves a list in the list.
    std::vector<NodePtr> inner = item->kind == Kind::Sequence ? item->items : std::vector{item};
    for (const NodePtr& ref : inner) {
      good = good && ref->kind == Kind::String;
      if (!good) break;
      refs.push_back(ref->text);
      if (!rules::Pattern::looks_like(ref->text)) continue;
      if (const auto pattern = rules::Pattern::parse(ref->text); !pattern) {
        good = false;
        why = pattern.error().message;
      }
    }
  }
  if (good) return refs;
  place.error(node.at, kShape, why);
  return std::nullopt;
}

}  // namespace

std::optional<RefPolicy> read_ref_policy(const Node& node, const Place& place) {
  RefPolicy policy;
  policy.at = node.at;
  if (node.kind == Kind::Sequence) {
    policy.refs = refs_in(node, place.attribute("config"));
    return policy;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "has to be either an array of conditions or a hash",
                node.is_scalar() ? "write it as a list: [" + node.text + "]" : "");
    return std::nullopt;
  }
  if (node.entries.empty()) place.error(node.at, "config can't be blank");
  check_family(node, "policy", place);
  if (const Node* refs = value_of(node, "refs"))
    policy.refs = refs_in(*refs, place.attribute("refs"));
  if (const Node* variables = value_of(node, "variables")) {
    const auto expressions = strings_in(*variables, place.attribute("variables"));
    for (const std::string& text : expressions.value_or(std::vector<std::string>{}))
      if (auto expression =
              expression_in(*read::make_string(text, variables->at), place.attribute("variables")))
        policy.variables.push_back(std::move(*expression));
  }
  if (const Node* changes = value_of(node, "changes"))
    policy.changes = patterns_in(*changes, place.attribute("changes"));
  if (const Node* kubernetes = value_of(node, "kubernetes")) {
    policy.kubernetes_active = true;
    if (!kubernetes->is_scalar() || kubernetes->text != "active")
      place.attribute("kubernetes")
          .error(kubernetes->at, "unknown value: " + kubernetes->text,
                 "the one word here is 'active'");
  }
  return policy;
}

}  // namespace slipway::pipeline::keywords
