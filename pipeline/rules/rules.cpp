#include "pipeline/rules/rules.h"

#include <algorithm>

#include "pipeline/rules/expression.h"
#include "pipeline/rules/glob.h"
#include "pipeline/rules/pattern.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kMostComparisons = 50'000;  // beyond it GitLab takes the clause for true

bool any_matches(const std::vector<std::string>& patterns, const std::vector<std::string>& paths,
                 const Variables& variables) {
  if (patterns.size() * paths.size() > kMostComparisons) return true;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& written) {
    const std::string pattern = expand_text(written, variables, false);
    return std::any_of(paths.begin(), paths.end(),
                       [&](const std::string& path) { return glob_matches(pattern, path); });
  });
}

bool changed(const std::vector<std::string>& patterns, const Variables& variables,
             const Trigger& trigger) {
  return !trigger.changed_paths || any_matches(patterns, *trigger.changed_paths, variables);
}

// A path that ends in a slash asks for a directory.
bool exists(const std::vector<std::string>& patterns, const Variables& variables,
            const Trigger& trigger) {
  if (!trigger.paths) return true;
  for (const std::string& written : patterns) {
    const std::string pattern = expand_text(written, variables, false);
    if (pattern.empty() || pattern.back() != '/') continue;
    for (const std::string& path : *trigger.paths)
      if (path.rfind(pattern, 0) == 0) return true;
  }
  return any_matches(patterns, *trigger.paths, variables);
}

// `regexp` in the place of globs.
bool any_found(const std::string& regexp, const std::vector<std::string>& paths) {
  const auto pattern = Pattern::parse("/" + regexp + "/");
  return pattern && std::any_of(paths.begin(), paths.end(),
                                [&](const std::string& path) { return pattern->found_in(path); });
}

bool changes_hold(const Changes& changes, const Variables& variables, const Trigger& trigger) {
  if (changes.regexp.empty()) return changed(changes.paths, variables, trigger);
  return !trigger.changed_paths || any_found(changes.regexp, *trigger.changed_paths);
}

// What another project holds is not known, and then it counts as there.
bool exists_holds(const Exists& asked, const Variables& variables, const Trigger& trigger) {
  if (!asked.project.empty()) return true;
  if (asked.regexp.empty()) return exists(asked.paths, variables, trigger);
  return !trigger.paths || any_found(asked.regexp, *trigger.paths);
}

bool matches(const Rule& rule, const Variables& variables, const Trigger& trigger) {
  if (rule.condition) {
    const auto expression = Expression::parse(*rule.condition);
    if (!expression || !expression->holds(variables)) return false;
  }
  if (rule.changes && !changes_hold(*rule.changes, variables, trigger)) return false;
  return !rule.exists || exists_holds(*rule.exists, variables, trigger);
}

std::string list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return "[" + text + "]";
}

std::string patterns(const std::vector<std::string>& paths, const std::string& regexp) {
  return regexp.empty() ? list(paths) : "/" + regexp + "/";
}

// What a rule asks and what it found: `if $X == "a" ($X is not set)`.
std::string describe(const Rule& rule, const Variables& variables) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " and ") + part; };
  if (rule.condition) {
    const auto expression = Expression::parse(*rule.condition);
    const std::string values = expression ? expression->explain(variables) : "";
    add("if " + *rule.condition + (values.empty() ? "" : " (" + values + ")"));
  }
  if (rule.changes) add("changes " + patterns(rule.changes->paths, rule.changes->regexp));
  if (rule.exists) add("exists " + patterns(rule.exists->paths, rule.exists->regexp));
  return text.empty() ? "it has no condition" : text;
}

std::string ref_words(const Trigger& trigger) {
  return (trigger.tag.empty() ? "branch '" : "tag '") + trigger.ref() + "'";
}

// One item of `only: refs`. What follows the first `@` is a project's path, in a pattern too.
bool ref_matches(const std::string& item, const Trigger& trigger) {
  std::string name = item;
  if (const auto at = item.find('@'); at != std::string::npos) {
    if (item.substr(at + 1) != trigger.project.path) return false;
    name = item.substr(0, at);
  }
  const bool is_merge = trigger.source == Source::MergeRequestEvent;
  if (name == "branches") return trigger.tag.empty() && !is_merge;
  if (name == "tags") return !trigger.tag.empty();
  std::string source{to_string(trigger.source)};
  if (const auto suffix = source.find("_event"); suffix != std::string::npos) source.resize(suffix);
  if (name == source || name == source + "s" || (source == "push" && name == "pushes")) return true;
  if (is_merge) return false;
  if (Pattern::looks_like(name)) {
    const auto pattern = Pattern::parse(name);
    return pattern && pattern->found_in(trigger.ref());
  }
  return name == trigger.ref();
}

bool any_ref_matches(const std::vector<std::string>& refs, const Trigger& trigger) {
  return std::any_of(refs.begin(), refs.end(),
                     [&](const std::string& item) { return ref_matches(item, trigger); });
}

bool any_holds(const std::vector<std::string>& expressions, const Variables& variables) {
  return std::any_of(expressions.begin(), expressions.end(), [&](const std::string& text) {
    const auto expression = Expression::parse(text);
    return expression && expression->holds(variables);
  });
}

Verdict refused(const SourceSpan& at, ReasonCode code, const std::string& detail) {
  return {false, nullptr, at, make_reason(code, detail)};
}

Verdict evaluate_only(const Job& job, const Variables& variables, const Trigger& trigger) {
  static const std::vector<std::string> default_refs{"branches", "tags"};
  const RefPolicy& only = *job.only;
  const auto& refs = only.refs ? *only.refs : default_refs;
  if (!any_ref_matches(refs, trigger))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "only: " + list(refs) + " does not include " + ref_words(trigger));
  if (only.kubernetes_active)
    return refused(only.at, ReasonCode::OnlyRefs,
                   "only: kubernetes: active, and this server keeps no cluster");
  if (!only.variables.empty() && !any_holds(only.variables, variables))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "none of only:variables " + list(only.variables) + " holds");
  if (only.changes && !changed(*only.changes, variables, trigger))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "no changed file matches only:changes " + list(*only.changes));
  return {true, nullptr, only.at, {}};
}

}  // namespace

Verdict evaluate_rules(const std::vector<Rule>& rules, const SourceSpan& job_at,
                       const Variables& variables, const Trigger& trigger) {
  std::string tried;
  for (const Rule& rule : rules) {
    if (matches(rule, variables, trigger)) {
      if (rule.when != When::Never) return {true, &rule, rule.at, {}};
      return {false, &rule, rule.at, make_reason(ReasonCode::RuleNever, describe(rule, variables))};
    }
    tried += (tried.empty() ? "" : "; ") + describe(rule, variables);
  }
  return {false, nullptr, rules.empty() ? job_at : rules.front().at,
          make_reason(ReasonCode::NoRuleMatched, tried.empty() ? "it has none" : tried)};
}

Verdict evaluate_refs(const Job& job, const Variables& variables, const Trigger& trigger,
                      bool default_only) {
  Verdict verdict{true, nullptr, job.at, {}};
  if (job.only) {
    verdict = evaluate_only(job, variables, trigger);
  } else if ((default_only || job.except) && trigger.source == Source::MergeRequestEvent) {
    return refused(job.at, ReasonCode::OnlyRefs,
                   "only: [branches, tags], the default, does not include merge requests");
  }
  if (!verdict.let_in || !job.except) return verdict;
  const RefPolicy& except = *job.except;
  if (except.refs && any_ref_matches(*except.refs, trigger))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "except: " + list(*except.refs) + " includes " + ref_words(trigger));
  if (any_holds(except.variables, variables))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "one of except:variables " + list(except.variables) + " holds");
  if (except.changes && changed(*except.changes, variables, trigger))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "a changed file matches except:changes " + list(*except.changes));
  return job.only ? verdict : Verdict{true, nullptr, except.at, {}};
}

}  // namespace slipway::pipeline::rules
