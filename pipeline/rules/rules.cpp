#include "pipeline/rules/rules.h"

#include <algorithm>

#include "pipeline/rules/pattern.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kMostComparisons = 50'000;  // beyond it GitLab takes the clause for true

std::string list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return "[" + text + "]";
}

std::string patterns(const std::vector<std::string>& paths, const std::string& regexp) {
  return regexp.empty() ? list(paths) : "/" + regexp + "/";
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

Verdict refused(const SourceSpan& at, ReasonCode code, const std::string& detail) {
  return {false, nullptr, at, make_reason(code, detail)};
}

}  // namespace

// Null when it is no expression; GitLab takes such a clause for false.
const Expression* Evaluator::condition(const std::string& text) {
  const auto [at, is_new] = conditions_.try_emplace(text);
  if (is_new)
    if (auto parsed = Expression::parse(text)) at->second = std::move(*parsed);
  return at->second ? &*at->second : nullptr;
}

bool Evaluator::holds(const std::string& text, const Variables& variables) {
  const Expression* expression = condition(text);
  return expression != nullptr && expression->holds(variables);
}

bool Evaluator::any_holds(const std::vector<std::string>& expressions, const Variables& variables) {
  return std::any_of(expressions.begin(), expressions.end(),
                     [&](const std::string& text) { return holds(text, variables); });
}

// With `directories` a pattern that ends in a slash asks for one.
bool Evaluator::glob_is_found(const std::string& pattern, Paths& paths, bool directories) {
  const auto [at, is_new] = paths.matched.try_emplace(pattern);
  if (!is_new) return at->second;
  const bool directory = directories && pattern.ends_with('/');
  at->second = std::any_of(paths.all->begin(), paths.all->end(), [&](const std::string& path) {
    return (directory && path.starts_with(pattern)) || glob_matches(pattern, path, work_);
  });
  return at->second;
}

bool Evaluator::globs_hold(const std::vector<std::string>& patterns, const Variables& variables,
                           Paths& paths, bool directories) {
  if (!paths.all) return true;
  const auto glob_of = [&](const std::string& written) {
    return written.find_first_of("$%") == std::string::npos
               ? written
               : expand_text(written, variables, false);
  };
  if (patterns.size() * paths.all->size() > kMostComparisons) return true;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& written) {
    return glob_is_found(glob_of(written), paths, directories);
  });
}

// `regexp` in the place of globs.
bool Evaluator::regexp_holds(const std::string& regexp, Paths& paths) {
  if (!paths.all) return true;
  const auto [at, is_new] = paths.found.try_emplace(regexp);
  if (!is_new) return at->second;
  const auto pattern = Pattern::parse("/" + regexp + "/");
  at->second =
      pattern && std::any_of(paths.all->begin(), paths.all->end(),
                             [&](const std::string& path) { return pattern->found_in(path); });
  return at->second;
}

bool Evaluator::changes_hold(const Changes& changes, const Variables& variables) {
  return changes.regexp.empty() ? globs_hold(changes.paths, variables, changed_, false)
                                : regexp_holds(changes.regexp, changed_);
}

// What another project holds is not known, and then it counts as there.
bool Evaluator::exists_holds(const Exists& asked, const Variables& variables) {
  if (!asked.project.empty()) return true;
  return asked.regexp.empty() ? globs_hold(asked.paths, variables, present_, true)
                              : regexp_holds(asked.regexp, present_);
}

bool Evaluator::matches(const Rule& rule, const Variables& variables) {
  if (rule.condition && !holds(*rule.condition, variables)) return false;
  if (rule.changes && !changes_hold(*rule.changes, variables)) return false;
  return !rule.exists || exists_holds(*rule.exists, variables);
}

// What a rule asks and what it found: `if $X == "a" ($X is not set)`.
std::string Evaluator::describe(const Rule& rule, const Variables& variables) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " and ") + part; };
  if (rule.condition) {
    const Expression* expression = condition(*rule.condition);
    const std::string values = expression != nullptr ? expression->explain(variables) : "";
    add("if " + *rule.condition + (values.empty() ? "" : " (" + values + ")"));
  }
  if (rule.changes) add("changes " + patterns(rule.changes->paths, rule.changes->regexp));
  if (rule.exists) add("exists " + patterns(rule.exists->paths, rule.exists->regexp));
  return text.empty() ? "it has no condition" : text;
}

Verdict Evaluator::evaluate_only(const Job& job, const Variables& variables) {
  static const std::vector<std::string> default_refs{"branches", "tags"};
  const RefPolicy& only = *job.only;
  const auto& refs = only.refs ? *only.refs : default_refs;
  if (!any_ref_matches(refs, trigger_))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "only: " + list(refs) + " does not include " + ref_words(trigger_));
  if (only.kubernetes_active)
    return refused(only.at, ReasonCode::OnlyRefs,
                   "only: kubernetes: active, and this server keeps no cluster");
  if (!only.variables.empty() && !any_holds(only.variables, variables))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "none of only:variables " + list(only.variables) + " holds");
  if (only.changes && !globs_hold(*only.changes, variables, changed_, false))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "no changed file matches only:changes " + list(*only.changes));
  return {true, nullptr, only.at, {}};
}

Verdict Evaluator::evaluate_rules(const std::vector<Rule>& rules, const SourceSpan& job_at,
                                  const Variables& variables) {
  for (const Rule& rule : rules) {
    if (!matches(rule, variables)) continue;
    if (rule.when != When::Never) return {true, &rule, rule.at, {}};
    return {false, &rule, rule.at, make_reason(ReasonCode::RuleNever, describe(rule, variables))};
  }
  std::string tried;
  for (const Rule& rule : rules) tried += (tried.empty() ? "" : "; ") + describe(rule, variables);
  return {false, nullptr, rules.empty() ? job_at : rules.front().at,
          make_reason(ReasonCode::NoRuleMatched, tried.empty() ? "it has none" : tried)};
}

Verdict Evaluator::evaluate_refs(const Job& job, const Variables& variables, bool default_only) {
  Verdict verdict{true, nullptr, job.at, {}};
  if (job.only) {
    verdict = evaluate_only(job, variables);
  } else if ((default_only || job.except) && trigger_.source == Source::MergeRequestEvent) {
    return refused(job.at, ReasonCode::OnlyRefs,
                   "only: [branches, tags], the default, does not include merge requests");
  }
  if (!verdict.let_in || !job.except) return verdict;
  const RefPolicy& except = *job.except;
  if (except.refs && any_ref_matches(*except.refs, trigger_))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "except: " + list(*except.refs) + " includes " + ref_words(trigger_));
  if (any_holds(except.variables, variables))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "one of except:variables " + list(except.variables) + " holds");
  if (except.changes && globs_hold(*except.changes, variables, changed_, false))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "a changed file matches except:changes " + list(*except.changes));
  return job.only ? verdict : Verdict{true, nullptr, except.at, {}};
}

}  // namespace slipway::pipeline::rules
