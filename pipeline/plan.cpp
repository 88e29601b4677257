#include "pipeline/plan.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "pipeline/rules/rules.h"
#include "pipeline/unsupported.h"
#include "pipeline/variables.h"
#include "pipeline/work.h"

namespace slipway::pipeline {
namespace {

constexpr std::array kSources{Source::Push,
                              Source::Web,
                              Source::Api,
                              Source::Schedule,
                              Source::Trigger,
                              Source::Pipeline,
                              Source::ParentPipeline,
                              Source::MergeRequestEvent};

const Variables kNoVariables;

class Planner {
 public:
  Planner(const Configuration& configuration, const Trigger& trigger, const Limits& limits)
      : configuration_(configuration),
        trigger_(trigger),
        of_event_(event_variables(trigger)),
        predefined_(predefined_variables(trigger)),
        of_settings_(variables_for(trigger.project_variables, "")),
        settings_refer_(std::any_of(
            trigger.project_variables.begin(), trigger.project_variables.end(),
            [](const auto& one) { return !one.variable.raw && refers(one.variable.value); })),
        most_of_jobs_(static_cast<std::size_t>(limits.jobs_bytes)),
        evaluator_(trigger) {}

  Plan plan() {
    globals_ = configuration_.variables;
    take_auto_cancel(configuration_.workflow.auto_cancel);
    if (!workflow_lets_in()) return std::move(plan_);
    name_pipeline();
    plan_.jobs.reserve(configuration_.jobs.size());
    for (const Job& job : configuration_.jobs) {
      consider(job);
      if (taken_ > most_of_jobs_) return refuse_size(job);
      if (Work::exhausted()) break;
    }
    sort_by_stage();
    settle_needs();
    finish();
    check_work();
    return std::move(plan_);
  }

 private:
  // Planned jobs are large: each is moved once, and none where the file has them in order.
  void sort_by_stage() {
    const auto by_stage = [](const PlannedJob& a, const PlannedJob& b) {
      return a.job.stage_index < b.job.stage_index;
    };
    if (std::is_sorted(plan_.jobs.begin(), plan_.jobs.end(), by_stage)) return;
    std::vector<PlannedJob*> order;
    order.reserve(plan_.jobs.size());
    for (PlannedJob& planned : plan_.jobs) order.push_back(&planned);
    std::stable_sort(order.begin(), order.end(),
                     [&](const PlannedJob* a, const PlannedJob* b) { return by_stage(*a, *b); });
    std::vector<PlannedJob> sorted;
    sorted.reserve(order.size());
    for (PlannedJob* planned : order) sorted.push_back(std::move(*planned));
    plan_.jobs = std::move(sorted);
  }

  // What was not done any more is not known.
  void check_work() {
    const SourceSpan file{configuration_.jobs.empty() ? "" : configuration_.jobs.front().at.file, 0,
                          0};
    if (evaluator_.too_many_globs())
      plan_.findings.push_back(
          {Severity::Error, "too_many_globs", rules::too_many_globs(), file, ""});
    if (Work::exhausted())
      plan_.findings.push_back({Severity::Error, "too_much_work", Work::too_much(), file, ""});
  }

  Plan refuse_size(const Job& job) {
    plan_.findings.push_back(
        {Severity::Error, "too_big",
         too_big("the variables and names of its jobs come to more than " +
                     std::to_string(most_of_jobs_) + " bytes",
                 "pipeline_jobs_limit"),
         job.at,
         "each job has a copy of the variables of the file, of workflow:rules and of the "
         "rule that let it in"});
    return std::move(plan_);
  }

  // Counts what a planned job has of its own, beside what the configuration has.
  void take(const PlannedJob& planned) {
    for (const Variable& variable : planned.variables)
      taken_ += sizeof(Variable) + variable.name.size() + variable.value.size();
    for (const std::string& tag : planned.job.tags) taken_ += tag.size();
    taken_ += planned.job.resource_group.size();
    if (!planned.job.environment) return;
    const Environment& environment = *planned.job.environment;
    taken_ += environment.name.size() + environment.auto_stop_in.size() +
              environment.deployment_tier.size() + environment.kubernetes_namespace.size();
  }

  // Later ones override: predefined, YAML, then those from outside. Of the settings' variables
  // those for all environments, or `of_environment`.
  Scope scope_of(const Variables& yaml, const Variables& of_job,
                 const std::optional<Variables>& of_environment = {}) const {
    return {&predefined_, &of_job, &yaml, of_environment ? &*of_environment : &of_settings_,
            &trigger_.pipeline_variables};
  }

  bool workflow_lets_in() {
    if (!configuration_.workflow.rules) return true;
    const auto verdict = evaluator_.evaluate_rules(*configuration_.workflow.rules, {},
                                                   scope_of(globals_, kNoVariables));
    tell_assumed("the workflow", verdict);
    if (verdict.let_in) {
      set_variables(globals_, verdict.rule->variables);
      take_auto_cancel(verdict.rule->auto_cancel);
      return true;
    }
    plan_.no_pipeline = make_reason(ReasonCode::WorkflowFiltered,
                                    verdict.error.empty() ? why(verdict.reason) : verdict.error);
    plan_.no_pipeline_rule = verdict.at;
    check_work();
    return false;
  }

  void tell_assumed(const std::string& whose, const rules::Verdict& verdict) {
    for (const std::string& assumed : verdict.assumed)
      plan_.findings.push_back({Severity::Warning,
                                "assumed",
                                whose + ": " + assumed + "; the clause is taken to hold",
                                verdict.at,
                                {}});
  }

  void take_auto_cancel(const AutoCancel& said) {
    if (!said.on_new_commit.empty()) plan_.auto_cancel_on_new_commit = said.on_new_commit;
    if (!said.on_job_failure.empty()) plan_.auto_cancel_on_job_failure = said.on_job_failure;
  }

  // The sentence inside another: without its full stop.
  static std::string why(const Reason& reason) {
    std::string text = reason.text;
    if (!text.empty() && text.back() == '.') text.pop_back();
    return text;
  }

  void name_pipeline() {
    const std::string name =
        expand_nested(configuration_.workflow.name, scope_of(globals_, kNoVariables), true);
    constexpr const char* kBlank = " \t\r\n";
    const auto begin = name.find_first_not_of(kBlank);
    if (begin != std::string::npos)
      plan_.name = name.substr(begin, name.find_last_not_of(kBlank) - begin + 1);
  }

  // Where the file's variables of these names are, in its order.
  std::set<std::size_t> places_of(const std::vector<std::string>& names) {
    if (places_.empty())
      for (std::size_t place = 0; place < globals_.size(); ++place)
        places_.emplace(globals_[place].name, place);
    std::set<std::size_t> places;
    for (const std::string& name : names)
      for (auto [at, end] = places_.equal_range(name); at != end; ++at) places.insert(at->second);
    return places;
  }

  Variables yaml_variables(const Job& job) {
    Variables variables;
    if (job.inherit_all_variables) {
      variables = globals_;
    } else {
      for (const std::size_t place : places_of(job.inherited_variables))
        variables.push_back(globals_[place]);
    }
    set_variables(variables, job.variables);
    return variables;
  }

  // The settings' variables of a job's environment, whose name is made from those for all
  // environments; nullopt when it has none.
  std::optional<Variables> settings_of(const PlannedJob& planned, const Variables& of_job) const {
    if (!planned.job.environment || trigger_.project_variables.empty()) return std::nullopt;
    const std::string name =
        expand_nested(planned.job.environment->name, scope_of(planned.variables, of_job), true);
    return variables_for(trigger_.project_variables, name);
  }

  void consider(const Job& job) {
    PlannedJob planned;
    planned.job = job;
    planned.variables = yaml_variables(job);
    const Variables of_job = job_variables(planned);
    const std::optional<Variables> of_environment = settings_of(planned, of_job);
    const Scope scope = scope_of(planned.variables, of_job, of_environment);
    const auto verdict = job.rules
                             ? evaluator_.evaluate_rules(*job.rules, job.at, scope)
                             : evaluator_.evaluate_refs(job, scope, !configuration_.workflow.rules);
    tell_assumed("job '" + job.name + "'", verdict);
    if (!verdict.error.empty()) {
      plan_.findings.push_back({Severity::Error,
                                "rule_failed",
                                "Failed to parse rule for " + job.name + ": " + verdict.error,
                                verdict.at,
                                {}});
      return;
    }
    if (!verdict.let_in) {
      plan_.left_out.push_back({job.name, job.stage, verdict.reason, verdict.at});
      return;
    }
    settle(planned, verdict);
    if (planned.when == When::Never) {
      plan_.left_out.push_back(
          {job.name, job.stage, make_reason(ReasonCode::RuleNever, "when: never"), verdict.at});
      return;
    }
    planned.of_event = of_event_;
    expand_names(planned);
    check_variables(planned);
    warn_of_what_does_not_run(planned.job, plan_.findings);
    take(planned);
    plan_.jobs.push_back(std::move(planned));
  }

  static void settle(PlannedJob& planned, const rules::Verdict& verdict) {
    const Job& job = planned.job;
    const Rule* rule = verdict.rule;
    planned.when = job.when.value_or(When::OnSuccess);
    planned.start_in = job.start_in;
    planned.interruptible = job.interruptible.value_or(false);
    // Optional by itself when it is manual at job level; a manual job by a rule blocks.
    planned.allow_failure = job.allow_failure.value_or(AllowFailure{job.when == When::Manual, {}});
    std::optional<std::vector<Need>> needs = job.needs;
    if (rule != nullptr) {
      planned.rule = rule->at;
      if (rule->when) planned.when = *rule->when;
      if (rule->start_in) planned.start_in = rule->start_in;
      if (rule->allow_failure) planned.allow_failure = *rule->allow_failure;
      if (rule->interruptible) planned.interruptible = *rule->interruptible;
      if (rule->needs) needs = rule->needs;
      set_variables(planned.variables, rule->variables);
    } else if (job.only || job.except) {
      planned.rule = verdict.at;
    }
    planned.dag = needs.has_value();
    if (needs) planned.needs = std::move(*needs);
    planned.job.rules.reset();
    planned.job.only.reset();
    planned.job.except.reset();
  }

  static bool refers(const std::string& text) {
    return text.find_first_of("$%") != std::string::npos;
  }

  // Variables that refer to each other in a circle have no value.
  void check_variables(const PlannedJob& planned) {
    const auto any_refers = [](const Variables& variables) {
      return std::any_of(variables.begin(), variables.end(), [](const Variable& variable) {
        return !variable.raw && refers(variable.value);
      });
    };
    const bool by_settings = settings_refer_ || any_refers(trigger_.pipeline_variables);
    if (!by_settings && !any_refers(planned.variables)) return;
    const Variables of_job = job_variables(planned);
    const std::optional<Variables> of_environment = settings_of(planned, of_job);
    const auto expanded = expand_variables(scope_of(planned.variables, of_job, of_environment));
    if (!expanded)
      plan_.findings.push_back({Severity::Error, "circular_variables",
                                planned.job.name + ": " + expanded.error().message, planned.job.at,
                                "let one of them have a plain value"});
  }

  void expand_names(PlannedJob& planned) {
    const Job& job = planned.job;
    if (!job.environment && !refers(job.resource_group) &&
        std::none_of(job.tags.begin(), job.tags.end(), refers))
      return;
    const Variables of_job = job_variables(planned);
    const Scope variables = scope_of(planned.variables, of_job);
    // Tags alone take values as they are written, as GitLab does it.
    for (std::string& tag : planned.job.tags) tag = expand_text(tag, variables, false);
    planned.job.resource_group = expand_nested(planned.job.resource_group, variables, false);
    if (!planned.job.environment) return;
    Environment& environment = planned.job.environment.own();
    environment.name = expand_nested(environment.name, variables, true);
    if (!is_environment_name(environment.name))
      plan_.findings.push_back(
          {Severity::Warning, "environment_name",
           "job '" + planned.job.name + "': the name of its environment is '" + environment.name +
               "' now, but it can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', "
               "and spaces, and it cannot start or end with '/'",
           planned.job.at, "GitLab fails such a job; $CI_COMMIT_REF_SLUG is always a good part"});
    environment.auto_stop_in = expand_nested(environment.auto_stop_in, variables, true);
    environment.deployment_tier = expand_nested(environment.deployment_tier, variables, true);
    environment.kubernetes_namespace =
        expand_nested(environment.kubernetes_namespace, variables, true);
  }

  void settle_needs() {
    std::unordered_set<std::string_view> names;
    for (const PlannedJob& planned : plan_.jobs) names.insert(planned.job.name);
    for (PlannedJob& planned : plan_.jobs) {
      std::vector<Need> present;
      for (Need& need : planned.needs) {
        if (names.contains(need.job)) {
          present.push_back(std::move(need));
        } else if (!need.optional) {
          plan_.findings.push_back(
              {Severity::Error, "missing_need",
               fmt::format("'{0}' job needs '{1}' job, but '{1}' does not exist in the pipeline. "
                           "This might be because of the only, except, or rules keywords. To need "
                           "a job that sometimes does not exist in the pipeline, use "
                           "needs:optional.",
                           planned.job.name, need.job),
               need.at, "write it as {job: \"" + need.job + "\", optional: true}"});
        }
      }
      planned.needs = std::move(present);
    }
  }

  void finish() {
    bool any = false;
    for (const PlannedJob& planned : plan_.jobs) {
      if (plan_.stages.empty() || plan_.stages.back() != planned.job.stage)
        plan_.stages.push_back(planned.job.stage);
      any = any || (planned.job.stage != ".pre" && planned.job.stage != ".post");
    }
    if (!any && !has_errors(plan_.findings)) plan_.no_pipeline = make_reason(ReasonCode::NoJobs);
  }

  const Configuration& configuration_;
  const Trigger& trigger_;
  const Variables of_event_;
  const Variables predefined_;
  const Variables of_settings_;  // those for all environments
  const bool settings_refer_;    // to other variables, one of them
  const Work work_;
  const std::size_t most_of_jobs_;
  std::size_t taken_ = 0;  // by all jobs so far
  rules::Evaluator evaluator_;
  Variables globals_;
  std::unordered_multimap<std::string_view, std::size_t> places_;  // of globals_; made when asked
  Plan plan_;
};

}  // namespace

std::string_view to_string(Source source) {
  switch (source) {
    case Source::Push: return "push";
    case Source::Web: return "web";
    case Source::Api: return "api";
    case Source::Schedule: return "schedule";
    case Source::Trigger: return "trigger";
    case Source::Pipeline: return "pipeline";
    case Source::ParentPipeline: return "parent_pipeline";
    case Source::MergeRequestEvent: return "merge_request_event";
  }
  return "push";
}

Result<Source> parse_source(std::string_view text) {
  for (const Source source : kSources)
    if (to_string(source) == text) return source;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no source of a pipeline");
}

bool asks_for_paths(const Configuration& configuration) {
  const auto asks = [](const auto& rules) {
    return rules && std::any_of(rules->begin(), rules->end(),
                                [](const Rule& rule) { return rule.exists.has_value(); });
  };
  return asks(configuration.workflow.rules) ||
         std::any_of(configuration.jobs.begin(), configuration.jobs.end(),
                     [&](const Job& job) { return asks(job.rules); });
}

Plan make_plan(const Configuration& configuration, const Trigger& trigger, const Limits& limits) {
  return Planner{configuration, trigger, limits}.plan();
}

}  // namespace slipway::pipeline
