// Rules that can never match, and jobs that no event can start.
//
// Every combination of what the rules name is tried: each variable is unset, has one of the texts
// that it is compared with, or has another. What GitLab sets together is tried together: a pipeline
// is of a branch, of a tag or of a merge request. Where it depends on more (a pattern, changed
// files), or where there are too many combinations, nothing is said.

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "pipeline/lint/warnings.h"
#include "pipeline/rules/expression.h"

namespace slipway::pipeline::lint {
namespace {

using rules::Assumed;
using rules::Assumptions;
using rules::Expression;
using rules::Likely;

constexpr std::size_t kMostCombinations = 4'000;  // of one list of rules
constexpr std::size_t kMostTrials = 200'000;      // of one file

const std::vector<std::string> kSources{"push",
                                        "web",
                                        "api",
                                        "schedule",
                                        "trigger",
                                        "pipeline",
                                        "parent_pipeline",
                                        "merge_request_event",
                                        "external",
                                        "external_pull_request_event",
                                        "chat",
                                        "webide",
                                        "ondemand_dast_scan",
                                        "ondemand_dast_validation",
                                        "security_orchestration_policy",
                                        "container_registry_push",
                                        "duo_workflow",
                                        "pipeline_execution_policy_schedule"};

enum class World : std::uint8_t { Branch, Tag, MergeRequest };

bool is_source_in(World world, const std::string& source) {
  if (world == World::MergeRequest)
    return source == "merge_request_event" || source == "external_pull_request_event" ||
           source == "parent_pipeline" || source == "chat" ||
           source == "security_orchestration_policy";
  return source != "merge_request_event" &&
         std::find(kSources.begin(), kSources.end(), source) != kSources.end();
}

// What `name`, which is compared with `texts`, can be in `world`.
std::vector<Assumed> choices(World world, const std::string& name,
                             const std::set<std::string>& texts) {
  const auto set_in = [&](World only) { return world == only; };
  std::vector<Assumed> found;
  const bool branch = name == "CI_COMMIT_BRANCH";
  const bool tag = name == "CI_COMMIT_TAG";
  const bool merge = name.rfind("CI_MERGE_REQUEST_", 0) == 0;
  if ((branch && !set_in(World::Branch)) || (tag && !set_in(World::Tag)) ||
      (merge && !set_in(World::MergeRequest)))
    return {{}};
  const bool source = name == "CI_PIPELINE_SOURCE";
  const bool ref = branch || tag || name == "CI_COMMIT_REF_NAME";
  found.push_back({Assumed::Is::Other, {}});
  for (const std::string& text : texts)
    if ((!source || is_source_in(world, text)) && (!ref || is_possible_ref(text)))
      found.push_back({Assumed::Is::Text, text});
  if (ref || source) return found;
  found.push_back({});
  if (texts.count("") == 0) found.push_back({Assumed::Is::Text, {}});
  return found;
}

struct Outcome {
  bool known = false;
  bool starts = false;
  std::vector<char> may_match;  // of each rule, taken alone
  std::vector<char> may_decide;
};

class Analyst {
 public:
  Outcome outcome_of(const std::vector<Rule>& rules) {
    Outcome outcome;
    outcome.may_match.resize(rules.size());
    outcome.may_decide.resize(rules.size());
    std::map<std::string, std::set<std::string>> names;
    std::vector<const Expression*> conditions;
    for (const Rule& rule : rules) {
      conditions.push_back(rule.condition ? expression(*rule.condition) : nullptr);
      if (rule.condition && conditions.back() == nullptr) return outcome;
      if (rule.condition) add_names(*conditions.back(), names);
    }
    for (const World world : {World::Branch, World::Tag, World::MergeRequest})
      if (!try_all(world, names, rules, conditions, outcome)) return outcome;
    outcome.known = true;
    return outcome;
  }

 private:
  const Expression* expression(const std::string& text) {
    auto found = expressions_.find(text);
    if (found == expressions_.end())
      found = expressions_.emplace(text, Expression::parse(text)).first;
    return found->second ? &*found->second : nullptr;
  }

  static void add_names(const Expression& condition,
                        std::map<std::string, std::set<std::string>>& names) {
    for (const std::string& name : condition.names()) names[name];
    for (const auto& [name, text] : condition.comparisons()) names[name].insert(text);
  }

  // False when there are too many combinations.
  bool try_all(World world, const std::map<std::string, std::set<std::string>>& names,
               const std::vector<Rule>& rules, const std::vector<const Expression*>& conditions,
               Outcome& outcome) {
    std::vector<std::pair<std::string, std::vector<Assumed>>> free;
    std::size_t combinations = 1;
    for (const auto& [name, texts] : names) {
      free.emplace_back(name, choices(world, name, texts));
      combinations *= free.back().second.size();
      if (combinations > kMostCombinations) return false;
    }
    if ((trials_ += combinations * std::max<std::size_t>(rules.size(), 1)) > kMostTrials)
      return false;
    Assumptions assumptions;
    for (std::size_t i = 0; i < combinations; ++i) {
      std::size_t rest = i;
      for (const auto& [name, options] : free) {
        assumptions[name] = options[rest % options.size()];
        rest /= options.size();
      }
      try_one(rules, conditions, assumptions, outcome);
    }
    return true;
  }

  static void try_one(const std::vector<Rule>& rules,
                      const std::vector<const Expression*>& conditions,
                      const Assumptions& assumptions, Outcome& outcome) {
    bool decided = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Rule& rule = rules[i];
      Likely matches =
          conditions[i] == nullptr ? Likely::Yes : conditions[i]->may_hold(assumptions);
      if (matches == Likely::No) continue;
      if (rule.changes || rule.exists) matches = Likely::Maybe;
      outcome.may_match[i] = 1;
      if (decided) continue;
      outcome.may_decide[i] = 1;
      outcome.starts = outcome.starts || rule.when != When::Never;
      decided = matches == Likely::Yes;
    }
  }

  std::map<std::string, Result<Expression>> expressions_;
  std::size_t trials_ = 0;
};

// A source that does not exist, with the one that was meant; a wildcard where none is known; a
// boolean where there are only texts.
std::string hint_for(const Rule& rule) {
  const auto condition = Expression::parse(rule.condition.value_or(""));
  if (condition)
    for (const auto& [name, text] : condition->comparisons()) {
      if (name.starts_with("CI_COMMIT_") && text.find('*') != std::string::npos)
        return "== knows no wildcards; write $" + name + " =~ with a pattern between slashes";
      if (name != "CI_PIPELINE_SOURCE" ||
          std::find(kSources.begin(), kSources.end(), text) != kSources.end())
        continue;
      const std::string near = text == "merge_request" || text == "merge_requests"
                                   ? "merge_request_event"
                                   : nearest(text, kSources);
      return near.empty() ? "'" + text + "' is no value of CI_PIPELINE_SOURCE"
                          : "did you mean '" + near + "'?";
    }
  const std::string written = rule.condition.value_or("");
  if (written.find("= true") != std::string::npos || written.find("= false") != std::string::npos)
    return "variables are texts, so write \"true\" in quotes";
  return "a pipeline is of a branch, of a tag or of a merge request, and has only the variables of "
         "that one";
}

class Checker {
 public:
  explicit Checker(Diagnostics& findings) : findings_(findings) {}

  void check(const std::string& what, const std::vector<Rule>& rules, const SourceSpan& at) {
    const Outcome outcome = analyst_.outcome_of(rules);
    if (!outcome.known) return;
    if (!outcome.starts)
      add("job_never_starts",
          "no event can start " + what +
              (rules.empty() ? ": it has no rules"
                             : ": each of its rules says never or cannot match"),
          rules.empty() ? at : rules.front().at, "let one rule say when to start it, or remove it");
    for (std::size_t i = 0; i < rules.size(); ++i) {
      Seen& seen = seen_[{rules[i].at.file, rules[i].at.line, rules[i].at.column}];
      seen.rule = &rules[i];
      seen.may_match = seen.may_match || outcome.may_match[i] != 0;
      // Where nothing starts, that has been said.
      seen.may_decide = seen.may_decide || outcome.may_decide[i] != 0 || !outcome.starts;
    }
  }

  void check_refs(const Job& job) {
    if (!job.only || !job.only->refs || !job.except || !job.except->refs) return;
    const auto& except = *job.except->refs;
    const bool all =
        std::all_of(job.only->refs->begin(), job.only->refs->end(), [&](const auto& ref) {
          return std::find(except.begin(), except.end(), ref) != except.end();
        });
    if (all)
      add("job_never_starts",
          "no event can start '" + job.base_name + "': `except` names all that `only` names",
          job.except->at, "take from `except` what should start it");
  }

  // A rule that several jobs share is of use when one of them can use it.
  void finish() {
    for (const auto& [at, seen] : seen_) {
      if (!seen.may_match)
        add("rule_never_matches", "this rule can never match: " + seen.rule->condition.value_or(""),
            seen.rule->at, hint_for(*seen.rule));
      else if (!seen.may_decide)
        add("rule_never_reached", "this rule is never reached: an earlier one always decides",
            seen.rule->at, "the first rule that matches decides; put it further up, or remove it");
    }
  }

 private:
  struct Seen {
    const Rule* rule = nullptr;
    bool may_match = false;
    bool may_decide = false;
  };

  void add(std::string code, std::string message, const SourceSpan& at, std::string hint) {
    findings_.push_back(
        {Severity::Warning, std::move(code), std::move(message), at, std::move(hint)});
  }

  Diagnostics& findings_;
  Analyst analyst_;
  std::map<std::tuple<std::string, int, int>, Seen> seen_;
};

}  // namespace

void warn_of_rules(const Configuration& configuration, Diagnostics& findings) {
  Checker checker{findings};
  if (configuration.workflow.rules) checker.check("a pipeline", *configuration.workflow.rules, {});
  std::set<std::string_view> checked;  // instances of a parallel job have the same rules
  for (const Job& job : configuration.jobs) {
    if (!checked.insert(job.base_name).second) continue;
    if (job.rules) checker.check("'" + job.base_name + "'", *job.rules, job.at);
    checker.check_refs(job);
  }
  checker.finish();
}

}  // namespace slipway::pipeline::lint
