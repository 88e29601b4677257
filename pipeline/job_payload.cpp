#include "pipeline/job_payload.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "pipeline/report_kind.h"
#include "pipeline/variables.h"

namespace slipway::pipeline {
namespace {

std::string project_page(const Trigger& trigger) {
  return trigger.server.url + "/" + trigger.project.path + "/-/";
}

void add_raw(Variables& all, const char* name, std::string value) {
  set_variable(all, Variable{.name = name, .value = std::move(value), .raw = true});
}

void add_pipeline_variables(Variables& all, const JobFacts& facts) {
  const std::string pipeline = std::to_string(facts.pipeline_id);
  add_raw(all, "CI_PIPELINE_ID", pipeline);
  add_raw(all, "CI_PIPELINE_IID", std::to_string(facts.pipeline_iid));
  add_raw(all, "CI_PIPELINE_URL", project_page(facts.trigger) + "pipelines/" + pipeline);
  add_raw(all, "CI_PIPELINE_CREATED_AT", facts.pipeline_created_at);
  if (!facts.pipeline_name.empty()) add_raw(all, "CI_PIPELINE_NAME", facts.pipeline_name);
}

class Builder {
 public:
  Builder(const PlannedJob& planned, const JobFacts& facts) : planned_(planned), facts_(facts) {}

  Result<JobSpec> build() {
    spec_.id = facts_.id;
    spec_.token = facts_.token;
    spec_.name = planned_.job.name;
    spec_.stage = planned_.job.stage;
    spec_.pipeline_id = facts_.pipeline_id;
    const ProjectFacts& project = facts_.trigger.project;
    spec_.project_id = project.id;
    spec_.project_full_path = project.path;
    spec_.project_name = project.path.substr(project.path.rfind('/') + 1);
    spec_.time_in_queue_seconds = facts_.seconds_in_queue;
    spec_.timeout = job_timeout(planned_, facts_).count();
    auto expanded = variables();
    if (!expanded) return std::move(expanded).error();
    git(*expanded);
    steps();
    images();
    artifacts();
    caches();
    spec_.dependencies = facts_.dependencies;
    spec_.token_mask_prefixes = {"glpat-", "glrt-", "glcbt-"};
    spec_.failure_reasons = {"unknown_failure",
                             "script_failure",
                             "runner_system_failure",
                             "job_execution_timeout",
                             "image_pull_failure",
                             "runner_configuration_error",
                             "runner_external_dependency_failure",
                             "runner_interrupted"};
    return std::move(spec_);
  }

 private:
  // GitLab's order, later ones overriding: predefined, those of the job's run, YAML, what earlier
  // jobs hand on, the project's, then what was given with the trigger.
  Result<Variables> variables() {
    Variables all = predefined_variables(facts_.trigger);
    set_variables(all, planned_.of_event);
    set_variables(all, job_variables(planned_));
    run_variables(all);
    const Variables of_settings =
        variables_for(facts_.trigger.project_variables, environment_name(planned_));
    for (const Variables* more :
         {&planned_.variables, &facts_.handed_on, &of_settings, &facts_.trigger.pipeline_variables})
      set_variables(all, *more);
    auto expanded = expand_variables(all);
    if (!expanded) return std::move(expanded).error().in(planned_.job.name);
    // What comes from the settings or with the trigger is no part of the file, hence not public.
    const auto is_public = [&](const Variable& variable) {
      return !variable.masked && find_variable(of_settings, variable.name) == nullptr &&
             find_variable(facts_.trigger.pipeline_variables, variable.name) == nullptr;
    };
    for (const Variable& variable : *expanded)
      spec_.variables.push_back({variable.name, variable.value, is_public(variable), variable.file,
                                 variable.masked, variable.raw});
    return expanded;
  }

  void run_variables(Variables& all) const {
    const std::string job = std::to_string(facts_.id);
    add_raw(all, "CI_JOB_ID", job);
    add_raw(all, "CI_JOB_URL", project_page(facts_.trigger) + "jobs/" + job);
    add_pipeline_variables(all, facts_);
    if (!facts_.started_at.empty()) add_raw(all, "CI_JOB_STARTED_AT", facts_.started_at);
    add_raw(all, "CI_RUNNER_ID", std::to_string(facts_.runner_id));
    add_raw(all, "CI_RUNNER_DESCRIPTION", facts_.runner_description);
    add_raw(all, "CI_RUNNER_TAGS", nlohmann::json(facts_.runner_tags).dump());
    const auto secret = [&](const char* name, const std::string& value) {
      set_variable(all, Variable{.name = name, .value = value, .raw = true, .masked = true});
    };
    secret("CI_JOB_TOKEN", facts_.token);
    secret("CI_REPOSITORY_URL", facts_.clone_url);
    set_variables(all, facts_.id_tokens);
  }

  void git(const Variables& variables) {
    const Trigger& trigger = facts_.trigger;
    const bool is_tag = !trigger.tag.empty();
    spec_.repo_url = facts_.clone_url;
    spec_.ref = trigger.ref();
    spec_.sha = trigger.sha;
    spec_.before_sha = trigger.before_sha.empty() ? std::string(40, '0') : trigger.before_sha;
    spec_.ref_type = is_tag ? "tag" : "branch";
    spec_.ref_protected = trigger.ref_protected;
    if (const Variable* depth = find_variable(variables, "GIT_DEPTH"))
      std::from_chars(depth->value.data(), depth->value.data() + depth->value.size(), spec_.depth);
    spec_.depth = std::max<std::int64_t>(0, spec_.depth);
    const std::string own = "refs/pipelines/" + std::to_string(facts_.pipeline_id);
    if (spec_.depth == 0)
      spec_.refspecs = {"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"};
    else if (is_tag)
      spec_.refspecs = {"+refs/tags/" + spec_.ref + ":refs/tags/" + spec_.ref};
    else if (!facts_.stored_ref.empty())
      spec_.refspecs = {"+" + facts_.stored_ref + ":refs/remotes/origin/" + spec_.ref};
    else
      spec_.refspecs = {"+refs/heads/" + spec_.ref + ":refs/remotes/origin/" + spec_.ref};
    // By its id: the mirror keeps commits, not a ref for each pipeline.
    spec_.refspecs.push_back("+" + spec_.sha + ":" + own);
  }

  void steps() {
    const Job& job = planned_.job;
    spec_.steps.push_back({"script", job.script, spec_.timeout, "on_success", false});
    if (!job.after_script.empty())
      spec_.steps.push_back({"after_script", job.after_script, spec_.timeout, "always", true});
    spec_.hooks = job.hooks;
  }

  static JobImage image_of(const Image& image) {
    JobImage made;
    made.name = image.name;
    if (image.has_entrypoint) made.entrypoint = image.entrypoint;
    made.pull_policy = image.pull_policy;
    made.docker_user = image.docker_user;
    made.docker_platform = image.docker_platform;
    return made;
  }

  void images() {
    if (planned_.job.image) spec_.image = image_of(*planned_.job.image);
    for (const Service& service : planned_.job.services) {
      JobImage made = image_of(service.image);
      made.alias = service.alias;
      if (!service.command.empty()) made.command = service.command;
      for (const Variable& variable : service.variables)
        made.variables.push_back({variable.name, variable.value, true, false, false, false});
      spec_.services.push_back(std::move(made));
    }
  }

  void artifacts() {
    if (!planned_.job.artifacts) return;
    const Artifacts& artifacts = *planned_.job.artifacts;
    if (!artifacts.paths.empty() || artifacts.untracked)
      spec_.artifacts.push_back({artifacts.name.empty() ? "artifacts" : artifacts.name,
                                 artifacts.untracked, artifacts.paths, artifacts.exclude,
                                 std::string{to_string(artifacts.when)}, "archive", "zip",
                                 artifacts.expire_in});
    for (const Report& report : artifacts.reports) {
      const ReportKind kind = report_kind(report.type);
      spec_.artifacts.push_back({std::string{kind.file_name},
                                 false,
                                 report.paths,
                                 {},
                                 "always",
                                 report.type,
                                 std::string{kind.format},
                                 artifacts.expire_in});
    }
  }

  void caches() {
    for (const Cache& cache : planned_.job.caches) {
      std::string side = cache.unprotect || !spec_.ref_protected ? "-non_protected" : "-protected";
      if (!facts_.cache_scope.empty()) side = "-" + facts_.cache_scope;
      const auto on_this_side = [&](std::string key) { return key.append(side); };
      auto fallback_keys = cache.fallback_keys;
      std::transform(fallback_keys.begin(), fallback_keys.end(), fallback_keys.begin(),
                     on_this_side);
      spec_.caches.push_back({on_this_side(cache.key), cache.untracked, cache.policy, cache.paths,
                              std::string{to_string(cache.when)}, std::move(fallback_keys)});
    }
  }

  const PlannedJob& planned_;
  const JobFacts& facts_;
  JobSpec spec_;
};

}  // namespace

std::chrono::seconds job_timeout(const PlannedJob& planned, const JobFacts& facts) {
  auto timeout = planned.job.timeout.value_or(facts.default_timeout);
  const auto most = facts.longest_timeout.value_or(std::chrono::seconds{0});
  if (most.count() > 0) timeout = std::min(timeout, most);
  return std::max(std::chrono::seconds{1}, timeout);
}

Result<JobSpec> make_job_spec(const PlannedJob& planned, const JobFacts& facts) {
  // Neither has a script, so a runner would end it as a success at once.
  if (planned.job.bridge)
    return fail(ErrorKind::Internal, "job '" + planned.job.name + "' is for no runner");
  if (!planned.job.steps_json.empty())
    return fail(ErrorKind::Unavailable, "this server does not run steps yet");
  return Builder{planned, facts}.build();
}

std::string environment_name(const PlannedJob& planned) {
  return planned.job.environment ? planned.job.environment->name : std::string{};
}

Result<Variables> variables_before_run(const PlannedJob& planned, const JobFacts& facts) {
  Variables all = predefined_variables(facts.trigger);
  set_variables(all, planned.of_event);
  set_variables(all, job_variables(planned));
  add_pipeline_variables(all, facts);
  const Variables of_settings =
      variables_for(facts.trigger.project_variables, environment_name(planned));
  for (const Variables* more :
       {&planned.variables, &facts.handed_on, &of_settings, &facts.trigger.pipeline_variables})
    set_variables(all, *more);
  std::erase_if(all, [](const Variable& variable) { return variable.masked; });
  auto expanded = expand_variables(all);
  if (!expanded) return std::move(expanded).error().in(planned.job.name);
  return expanded;
}

bool takes_artifacts_of(const PlannedJob& planned, std::string_view other, int other_stage_index) {
  const Job& job = planned.job;
  if (job.dependencies && std::find(job.dependencies->begin(), job.dependencies->end(), other) ==
                              job.dependencies->end())
    return false;
  if (!planned.dag) return other_stage_index < job.stage_index;
  return std::any_of(planned.needs.begin(), planned.needs.end(),
                     [&](const Need& need) { return need.job == other && need.artifacts; });
}

BridgeStrategy strategy_of(const Bridge& bridge) {
  // Whoever names an upstream project wants its status.
  if (bridge.strategy == "mirror" || !bridge.upstream.empty()) return BridgeStrategy::Mirror;
  return bridge.strategy == "depend" ? BridgeStrategy::Depend : BridgeStrategy::None;
}

JobNode job_node(const PlannedJob& planned) {
  JobNode node;
  node.name = planned.job.name;
  node.stage_index = planned.job.stage_index;
  for (const Need& need : planned.needs) node.needs.push_back(need.job);
  node.dag = planned.dag;
  node.when = planned.when;
  node.allow_failure = planned.allow_failure;
  node.retry = planned.job.retry;
  node.interruptible = planned.interruptible;
  node.start_in = planned.start_in;
  node.resource_group = planned.job.resource_group;
  node.deploys = planned.job.environment && planned.job.environment->action == "start";
  if (planned.job.bridge) node.bridge = strategy_of(*planned.job.bridge);
  return node;
}

}  // namespace slipway::pipeline
