#include "pipeline/rules/rules.h"

#include <algorithm>

#include "base/text.h"
#include "pipeline/rules/pattern.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kMostComparisons = 50'000;  // beyond it GitLab takes the clause for true

// Every job that is left out has its reason: of one that is longer the beginning is told.
constexpr std::size_t kLongestReason = 2000;

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
  return {false, nullptr, at, make_reason(code, cut_off(detail, kLongestReason))};
}

}  // namespace

// Null when it is no expression; GitLab takes such a clause for false.
const Expression* Evaluator::condition(const std::string& text) {
  const auto [at, is_new] = conditions_.try_emplace(text);
  if (is_new)
    if (auto parsed = Expression::parse(text)) at->second = std::move(*parsed);
  return at->second ? &*at->second : nullptr;
}

bool Evaluator::holds(const std::string& text, const Scope& variables) {
  const Expression* expression = condition(text);
  return expression != nullptr && expression->holds(variables);
}

bool Evaluator::any_holds(const std::vector<std::string>& expressions, const Scope& variables) {
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

bool Evaluator::globs_hold(const std::vector<std::string>& patterns, const Scope& variables,
                           Paths& paths, bool directories) {
  if (!paths.all) return true;
  if (patterns.size() * paths.all->size() > kMostComparisons) return true;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& written) {
    return glob_is_found(expanded(written, variables), paths, directories);
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

std::string Evaluator::expanded(const std::string& text, const Scope& variables) {
  return expand_nested(text, variables, false);
}

Evaluator::Elsewhere& Evaluator::elsewhere(
    const std::string& key, const std::string& what,
    const std::function<Result<std::vector<std::string>>()>& ask,
    const std::function<std::string(const Error&)>& refusal) {
  auto& known = elsewhere_[key];
  if (known) return *known;
  known = std::make_unique<Elsewhere>();
  if (trigger_.repository == nullptr) {
    known->assumed = what + " is not known";
    return *known;
  }
  auto paths = ask();
  if (paths)
    known->paths = std::move(*paths);
  else if (known->error = refusal(paths.error()); known->error.empty())
    known->assumed = what + " is not known: " + paths.error().message;
  return *known;
}

Evaluator::Elsewhere& Evaluator::changed_since(const std::string& ref) {
  return elsewhere(
      "since " + ref, "what has changed since '" + ref + "'",
      [&] { return trigger_.repository->changed_since(ref); },
      [](const Error& error) -> std::string {
        if (error.kind == ErrorKind::InvalidInput)
          return "rules:changes:compare_to is not a valid ref";
        return {};
      });
}

Evaluator::Elsewhere& Evaluator::paths_of(const std::string& project, const std::string& ref) {
  return elsewhere(
      "in " + project + "@" + ref, "what there is in project '" + project + "'",
      [&] { return trigger_.repository->paths_of(project, ref); },
      [&](const Error& error) -> std::string {
        if (error.kind == ErrorKind::InvalidInput)
          return "rules:exists:ref `" + ref + "` is not a valid ref in project `" + project + "`";
        if (error.kind == ErrorKind::NotFound)
          return "rules:exists:project `" + project + "` not found or access denied";
        return {};
      });
}

bool Evaluator::is_known(const Elsewhere& other) {
  if (!other.error.empty()) error_ = other.error;
  if (!other.assumed.empty()) assumed_.push_back(other.assumed);
  return other.error.empty();
}

bool Evaluator::changes_hold(const Changes& changes, const Scope& variables) {
  Paths* paths = &changed_;
  if (!changes.compare_to.empty()) {
    Elsewhere& other = changed_since(expanded(changes.compare_to, variables));
    if (!is_known(other)) return false;
    paths = &other.matched;
  }
  return changes.regexp.empty() ? globs_hold(changes.paths, variables, *paths, false)
                                : regexp_holds(changes.regexp, *paths);
}

bool Evaluator::exists_holds(const Exists& asked, const Scope& variables) {
  Paths* paths = &present_;
  if (!asked.project.empty()) {
    Elsewhere& other = paths_of(expanded(asked.project, variables),
                                asked.ref.empty() ? "HEAD" : expanded(asked.ref, variables));
    if (!is_known(other)) return false;
    paths = &other.matched;
  }
  return asked.regexp.empty() ? globs_hold(asked.paths, variables, *paths, true)
                              : regexp_holds(asked.regexp, *paths);
}

bool Evaluator::matches(const Rule& rule, const Scope& variables) {
  if (rule.condition && !holds(*rule.condition, variables)) return false;
  if (rule.changes && !changes_hold(*rule.changes, variables)) return false;
  return !rule.exists || exists_holds(*rule.exists, variables);
}

// The one way in which an expression is shown with its values: `$X == "a" ($X is "b")`.
std::string Evaluator::explained(const std::string& text, const Scope& variables) {
  const Expression* expression = condition(text);
  const std::string values = expression != nullptr ? expression->explain(variables) : "";
  return text + (values.empty() ? "" : " (" + values + ")");
}

// "[$A == "x" ($A is not set), …]"
std::string Evaluator::explained_list(const std::vector<std::string>& texts,
                                      const Scope& variables) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(explained(text, variables));
  return list(all);
}

// What a rule asks and what it found: `if $X == "a" ($X is not set)`.
std::string Evaluator::describe(const Rule& rule, const Scope& variables) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " and ") + part; };
  if (rule.condition) add("if " + explained(*rule.condition, variables));
  if (rule.changes) {
    const std::string& ref = rule.changes->compare_to;
    add("changes " + patterns(rule.changes->paths, rule.changes->regexp) +
        (ref.empty() ? "" : " since " + ref));
  }
  if (rule.exists) {
    const std::string& project = rule.exists->project;
    add("exists " + patterns(rule.exists->paths, rule.exists->regexp) +
        (project.empty() ? "" : " in " + project));
  }
  return text.empty() ? "it has no condition" : text;
}

Verdict Evaluator::evaluate_only(const Job& job, const Scope& variables) {
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
    return refused(
        only.at, ReasonCode::OnlyRefs,
        "none of only:variables " + explained_list(only.variables, variables) + " holds");
  if (only.changes && !globs_hold(*only.changes, variables, changed_, false))
    return refused(only.at, ReasonCode::OnlyRefs,
                   "no changed file matches only:changes " + list(*only.changes));
  return {true, nullptr, only.at, {}};
}

Verdict Evaluator::evaluate_rules(const std::vector<Rule>& rules, const SourceSpan& job_at,
                                  const Scope& variables) {
  begin_job();
  Verdict verdict = first_match(rules, job_at, variables);
  verdict.assumed = std::move(assumed_);
  return verdict;
}

Verdict Evaluator::first_match(const std::vector<Rule>& rules, const SourceSpan& job_at,
                               const Scope& variables) {
  for (const Rule& rule : rules) {
    const bool matched = matches(rule, variables);
    if (!error_.empty())
      return {false, &rule, rule.at, make_reason(ReasonCode::ConfigurationInvalid, error_), error_};
    if (!matched) continue;
    if (rule.when != When::Never) return {true, &rule, rule.at, {}};
    return {false, &rule, rule.at,
            make_reason(ReasonCode::RuleNever, cut_off(describe(rule, variables), kLongestReason))};
  }
  std::string tried;
  for (std::size_t i = 0; i < rules.size() && tried.size() <= kLongestReason; ++i)
    tried += (tried.empty() ? "" : "; ") + describe(rules[i], variables);
  return {false, nullptr, rules.empty() ? job_at : rules.front().at,
          make_reason(ReasonCode::NoRuleMatched,
                      tried.empty() ? "it has none" : cut_off(tried, kLongestReason))};
}

void Evaluator::begin_job() {
  error_.clear();
  assumed_.clear();
}

Verdict Evaluator::evaluate_refs(const Job& job, const Scope& variables, bool default_only) {
  begin_job();
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
    return refused(
        except.at, ReasonCode::ExceptRefs,
        "one of except:variables " + explained_list(except.variables, variables) + " holds");
  if (except.changes && globs_hold(*except.changes, variables, changed_, false))
    return refused(except.at, ReasonCode::ExceptRefs,
                   "a changed file matches except:changes " + list(*except.changes));
  return job.only ? verdict : Verdict{true, nullptr, except.at, {}};
}

}  // namespace slipway::pipeline::rules
