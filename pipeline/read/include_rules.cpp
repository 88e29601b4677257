#include "pipeline/read/include_rules.h"

#include <algorithm>

#include "pipeline/rules/expression.h"
#include "pipeline/rules/glob.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kMostPatterns = 50;
constexpr std::size_t kMostComparisons = 50'000;

// A set of patterns: `paths: […]` or just the list.
struct Patterns {
  std::vector<std::string> globs;
  std::string project;
  std::string ref;
  std::string compare_to;
};

class RuleReader {
 public:
  RuleReader(const IncludeFacts& facts, Diagnostics& findings)
      : facts_(facts), findings_(findings) {}

  // nullopt after an error.
  std::optional<bool> matches(const Node& rule) {
    if (rule.kind != Kind::Mapping) return refuse("rule config should be a hash", rule.at);
    for (const Entry& entry : rule.entries) {
      static const std::vector<std::string> known{"if", "exists", "changes", "when"};
      if (std::find(known.begin(), known.end(), entry.key) == known.end())
        return refuse("rule config contains unknown keys: " + entry.key, entry.at,
                      "rules of an include take if, exists, changes and when");
    }
    if (const NodePtr* when = value(rule, "when");
        when && (*when)->text != "always" && (*when)->text != "never")
      return refuse("rule when unknown value: " + (*when)->text, (*when)->at,
                    "`when` of an include is always or never");
    const auto condition = condition_holds(rule);
    const auto changed = condition ? changes_hold(rule) : std::nullopt;
    const auto exists = changed ? exists_holds(rule) : std::nullopt;
    if (!exists) return std::nullopt;
    return *condition && *changed && *exists;
  }

 private:
  std::nullopt_t refuse(const std::string& message, const SourceSpan& at, std::string hint = {}) {
    findings_.push_back(
        {Severity::Error, "include_rules", "include:rules:" + message, at, std::move(hint)});
    return std::nullopt;
  }

  static const NodePtr* value(const Node& rule, const char* key) {
    const NodePtr* found = rule.find(key);
    return found == nullptr || (*found)->kind == Kind::Null ? nullptr : found;
  }

  std::optional<bool> condition_holds(const Node& rule) {
    const NodePtr* condition = value(rule, "if");
    if (condition == nullptr) return true;
    const auto expression = rules::Expression::parse((*condition)->text);
    if (!expression)
      return refuse("rule if " + expression.error().message, (*condition)->at,
                    expression.error().hint);
    return expression->holds(facts_.variables);
  }

  std::optional<bool> changes_hold(const Node& rule) {
    const NodePtr* node = value(rule, "changes");
    if (node == nullptr) return true;
    const auto patterns = read_patterns(**node, "changes", {"paths", "compare_to"});
    if (!patterns) return std::nullopt;
    if (patterns->compare_to.empty())
      return !facts_.changed_paths || any_matches(*patterns, *facts_.changed_paths);
    if (facts_.repository == nullptr) return true;
    const auto changed = facts_.repository->changed_since(patterns->compare_to);
    if (!changed && changed.error().kind == ErrorKind::InvalidInput)
      return refuse("changes:compare_to is not a valid ref", (*node)->at, changed.error().message);
    return !changed || any_matches(*patterns, *changed);
  }

  std::optional<bool> exists_holds(const Node& rule) {
    const NodePtr* node = value(rule, "exists");
    if (node == nullptr) return true;
    const auto patterns = read_patterns(**node, "exists", {"paths", "project", "ref"});
    if (!patterns) return std::nullopt;
    if (!patterns->project.empty()) return exists_elsewhere(*patterns, (*node)->at);
    const auto paths = facts_.paths();
    return !paths || any_matches(*patterns, *paths);
  }

  std::optional<bool> exists_elsewhere(const Patterns& patterns, const SourceSpan& at) {
    if (facts_.repository == nullptr) return true;
    const std::string ref = patterns.ref.empty() ? "HEAD" : patterns.ref;
    const auto paths = facts_.repository->paths_of(patterns.project, ref);
    if (paths) return any_matches(patterns, *paths);
    if (paths.error().kind == ErrorKind::InvalidInput)
      return refuse(
          "exists:ref `" + ref + "` is not a valid ref in project `" + patterns.project + "`", at);
    if (paths.error().kind == ErrorKind::NotFound)
      return refuse("exists:project `" + patterns.project + "` not found or access denied", at,
                    paths.error().hint);
    return true;
  }

  std::optional<Patterns> read_patterns(const Node& node, const std::string& key,
                                        const std::vector<std::string>& known) {
    Patterns patterns;
    const Node* list = &node;
    if (node.kind == Kind::Mapping) {
      for (const Entry& entry : node.entries)
        if (std::find(known.begin(), known.end(), entry.key) == known.end())
          return refuse("rule:" + key + " config contains unknown keys: " + entry.key, entry.at);
      const NodePtr* paths = node.find("paths");
      if (paths == nullptr)
        return refuse("rule:" + key + " config missing required keys: paths", node.at);
      list = paths->get();
      if (const NodePtr* project = value(node, "project"))
        patterns.project = expand_text((*project)->text, facts_.variables, true);
      if (const NodePtr* ref = value(node, "ref"))
        patterns.ref = expand_text((*ref)->text, facts_.variables, true);
      if (const NodePtr* compare_to = value(node, "compare_to"))
        patterns.compare_to = expand_text((*compare_to)->text, facts_.variables, false);
    }
    // One pattern as a plain text is a kindness of ours that GitLab has for `exists` only.
    if (list->is_scalar()) {
      patterns.globs.push_back(list->text);
    } else {
      for (const NodePtr& item : list->items) {
        if (!item->is_scalar())
          return refuse("rule:" + key + " config should be an array of strings", item->at);
        patterns.globs.push_back(item->text);
      }
    }
    if (patterns.globs.size() > kMostPatterns)
      return refuse(
          "rule:" + key + " config is too long (maximum is " + std::to_string(kMostPatterns) + ")",
          list->at);
    return patterns;
  }

  // Holds, as GitLab has it, when there is too much to compare.
  [[nodiscard]] bool any_matches(const Patterns& patterns,
                                 const std::vector<std::string>& paths) const {
    if (patterns.globs.size() * paths.size() > kMostComparisons) return true;
    return std::any_of(patterns.globs.begin(), patterns.globs.end(), [&](const std::string& glob) {
      const std::string pattern = expand_text(glob, facts_.variables, true);
      return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
        return rules::glob_matches(pattern, path, facts_.glob_work);
      });
    });
  }

  const IncludeFacts& facts_;
  Diagnostics& findings_;
};

}  // namespace

std::optional<bool> include_rules_hold(const Node& rules, const IncludeFacts& facts,
                                       Diagnostics& findings) {
  if (rules.kind == Kind::Null) return true;
  if (rules.kind != Kind::Sequence) {
    findings.push_back(
        {Severity::Error, "include_rules", "include:rules config should be a array", rules.at, {}});
    return std::nullopt;
  }
  RuleReader reader{facts, findings};
  for (const NodePtr& rule : rules.items) {
    const auto matched = reader.matches(*rule);
    if (!matched) return std::nullopt;
    if (facts.glob_work.left <= 0) {
      findings.push_back(
          {Severity::Error, "too_many_globs", rules::too_many_globs(), rule->at, {}});
      return std::nullopt;
    }
    if (!*matched) continue;
    const NodePtr* when = rule->find("when");
    return when == nullptr || (*when)->text != "never";
  }
  return false;
}

}  // namespace slipway::pipeline::read
