// What jobs do to environments, in the transaction of the job's change: deployments are made with
// their jobs, wait for approvals and freezes before they hold their environment, and say what is
// there when they have ended.
#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "pipeline/keywords/fields.h"
#include "pipeline/variables.h"
#include "server/coordinator/deployment_rules.h"
#include "server/coordinator/work.h"
#include "server/store/run_refs.h"

namespace slipway::server {

namespace {

constexpr const char* kStart = "start";
constexpr const char* kStop = "stop";

// GitLab's words for a deployment whose job has that status.
std::string deployment_status(std::string_view job_status) {
  if (is_final_word(job_status)) return std::string{job_status};
  return job_status == "running" || job_status == "canceling" ? "running" : "created";
}

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

// With the variables that the job itself has told by a dotenv report.
std::string finished_url(Stores& stores, const JobRow& job, const std::string& url) {
  if (url.find('$') == std::string::npos) return url;
  pipeline::Variables told;
  for (const auto& [id, text] : stores.artifacts.dotenv_of_pipeline(job.pipeline_id)) {
    if (id != job.id) continue;
    for (const auto& entry : nlohmann::json::parse(text))
      pipeline::set_variable(
          told,
          pipeline::Variable{.name = entry.at("name"), .value = entry.at("value"), .raw = true});
  }
  return pipeline::expand_text(url, pipeline::Scope{&told}, true);
}

std::string approvals_text(long long missing, bool some) {
  if (missing == 1) return some ? "another approval" : "an approval";
  return fmt::format("{}{} approvals", missing, some ? " more" : "");
}

}  // namespace

void Coordinator::Work::add_deployment(const AlivePipeline& alive, const JobRow& job,
                                       const std::string& tier) {
  // What somebody's fork says of environments is not the project's.
  if (job.environment.empty() || is_fork_ref(alive.row.ref)) return;
  auto environment = stores().environments.find(job.project_id, job.environment);
  if (!environment) {
    environment.emplace();
    environment->project_id = job.project_id;
    environment->name = job.environment;
    environment->slug = pipeline::environment_slug(job.environment);
    environment->tier = tier.empty() ? pipeline::environment_tier(job.environment) : tier;
    // Nothing is there before the first deployment has begun.
    environment->state = "stopped";
    environment->created_at = environment->updated_at = now();
    stores().environments.insert(*environment);
  }
  if (job.environment_action != kStart) return;
  DeploymentRow row;
  row.project_id = job.project_id;
  row.environment_id = environment->id;
  row.job_id = job.id;
  row.pipeline_id = job.pipeline_id;
  row.ref = alive.row.ref;
  row.tag = alive.row.tag;
  row.sha = alive.row.sha;
  if (const auto current = stores().deployments.current(environment->id)) {
    if (current->sha == row.sha)
      row.kind = "redeploy";
    else if (stores().deployments.was_deployed(environment->id, row.sha))
      row.kind = "rollback";
  }
  row.created_at = row.updated_at = now();
  stores().deployments.insert(row);
}

Result<void> Coordinator::Work::tell_deployment(const JobRow& job) {
  if (job.environment.empty() || is_fork_ref(alive_.at(job.pipeline_id).row.ref)) return {};
  if (job.environment_action == kStop && is_final_word(job.status)) {
    auto environment = stores().environments.find(job.project_id, job.environment);
    if (!environment) return {};
    // A job that did not stop it can be tried again.
    if (job.status == "success")
      environment->state = "stopped";
    else if (environment->state == "stopping")
      environment->state = "available";
    if (job.status == "success") environment->auto_stop_at.reset();
    environment->updated_at = now();
    stores().environments.update(*environment);
    return {};
  }
  auto row = stores().deployments.of_job(job.id);
  if (!row) return {};
  row->status = deployment_status(job.status);
  row->updated_at = now();
  row->finished_at = is_final_word(row->status) ? std::optional{now()} : std::nullopt;
  stores().deployments.update(*row);
  if (row->status != "running" && row->status != "success") return {};
  return deployed(job, *row);
}

Result<void> Coordinator::Work::deployed(const JobRow& job, const DeploymentRow& deployment) {
  auto environment = stores().environments.find(deployment.environment_id);
  if (!environment) return {};
  // Something may be there from the moment the job has begun.
  environment->state = "available";
  environment->updated_at = now();
  if (deployment.status == "success") {
    const auto json = nlohmann::json::parse(stores().jobs.plan(job.plan_id), nullptr, false);
    const auto planned = pipeline::planned_job_from_json(json);
    if (!planned) return planned.error();
    const std::string url = finished_url(stores(), job, deployment.url);
    environment->external_url = is_url(url) ? url : "";
    environment->auto_stop_at.reset();
    if (planned->job.environment) {
      environment->on_stop = planned->job.environment->on_stop;
      const std::string& tier = planned->job.environment->deployment_tier;
      if (!tier.empty()) environment->tier = tier;
      if (const auto time =
              pipeline::keywords::parse_duration(planned->job.environment->auto_stop_in);
          time && time->count() > 0)
        environment->auto_stop_at = now() + std::chrono::milliseconds(*time).count();
    }
  }
  stores().environments.update(*environment);
  return {};
}

std::string Coordinator::Work::why_not_there(const JobRow& job) {
  if (job.environment.empty()) return {};
  const auto rule =
      rule_for(stores().deployment_rules.protections(job.project_id), job.environment);
  if (!rule) return {};
  if (!job.user_id)
    return job.ref_protected
               ? std::string{}
               : fmt::format("nobody started it by hand, and '{}' is no protected branch or tag",
                             alive_.at(job.pipeline_id).row.ref);
  const auto project = stores().projects.find(job.project_id);
  if (project && stores().members.level(*job.user_id, *project, now()) >=
                     static_cast<Level>(rule->deploy_level))
    return {};
  return fmt::format("who started it has not the access level {} in this project",
                     rule->deploy_level);
}

Result<void> Coordinator::Work::refuse_environments(AlivePipeline& alive,
                                                    const std::set<JobId>& ready) {
  for (const JobId id : ready) {
    const JobRow& job = alive.jobs.at(id);
    // What was done about another may have ended it.
    if (job.status != "pending") continue;
    std::string why = why_not_there(job);
    if (why.empty()) continue;
    pipeline::Event event{pipeline::EventKind::Fail};
    event.job = id.value;
    event.failure_reason = "protected_environment_failure";
    event.reason.text = std::move(why);
    if (auto failed = apply(alive, event); !failed) return failed;
  }
  return {};
}

Coordinator::Work::DeploymentGate Coordinator::Work::gate_of(const JobRow& job,
                                                             const DeploymentRow& deployment) {
  DeploymentGate gate;
  // Before anybody is asked to approve it.
  if (std::string why = why_not_there(job); !why.empty()) {
    gate.refused_as = "protected_environment_failure";
    gate.refused_because = std::move(why);
    return gate;
  }
  // Two jobs of one pipeline that deploy to one environment are no older and newer ones.
  const auto current = stores().deployments.current(deployment.environment_id);
  if (current && current->id > deployment.id && current->pipeline_id != deployment.pipeline_id) {
    gate.refused_as = "failed_outdated_deployment_job";
    gate.refused_because =
        fmt::format("commit {} of pipeline #{} is there since {}", current->sha.substr(0, 8),
                    current->pipeline_id.value, to_rfc3339(current->finished_at.value_or(0)));
    return gate;
  }
  if (const auto rule =
          rule_for(stores().deployment_rules.protections(job.project_id), job.environment)) {
    const auto words = stores().deployments.approvals(deployment.id);
    long long approved = 0;
    for (const ApprovalRow& word : words) {
      if (word.status == "approved") {
        ++approved;
        continue;
      }
      gate.refused_as = "deployment_rejected";
      gate.refused_because =
          fmt::format("by {}{}{}", word.username, word.comment.empty() ? "" : ": ", word.comment);
      return gate;
    }
    if (const long long missing = rule->required_approvals - approved; missing > 0) {
      gate.waits_for = pipeline::make_reason(pipeline::ReasonCode::WaitingForApproval,
                                             approvals_text(missing, approved > 0));
      return gate;
    }
  }
  // What is broken may be put right at any time.
  const auto until = stores().deployment_rules.frozen_until(job.project_id, now());
  if (until && deployment.kind != "rollback")
    gate.waits_for = pipeline::make_reason(pipeline::ReasonCode::DeployFreeze, to_rfc3339(*until));
  return gate;
}

Coordinator::Work::DeploymentGate Coordinator::Work::check_gate(AlivePipeline& alive, JobRow& job) {
  if (job.status != "waiting_for_resource" || job.environment_action != kStart) return {};
  if (is_fork_ref(alive.row.ref)) {
    DeploymentGate gate;
    gate.refused_as = "protected_environment_failure";
    gate.refused_because = "nothing is deployed from a fork";
    return gate;
  }
  auto deployment = stores().deployments.of_job(job.id);
  if (!deployment) return {};
  DeploymentGate gate = gate_of(job, *deployment);
  const std::string status = gate.waits_for ? "blocked" : "created";
  const pipeline::Reason reason = gate.waits_for.value_or(
      pipeline::make_reason(pipeline::ReasonCode::WaitingForResource, job.resource_group));
  if (deployment->status != status) {
    deployment->status = status;
    deployment->updated_at = now();
    stores().deployments.update(*deployment);
  }
  if (job.reason_text != reason.text) {
    touched_.insert(alive.row.id);
    set_reason(alive, job, reason);
    write_job(job, job.status);
    write_pipeline(alive);
  }
  return gate;
}

Result<void> Coordinator::Work::approve_deployment(const ApprovalRow& approval,
                                                   const std::string& sha) {
  const auto deployment = stores().deployments.find(approval.deployment_id);
  if (!deployment)
    return fail(ErrorKind::NotFound, fmt::format("no deployment {}", approval.deployment_id.value));
  if (!sha.empty() && sha != deployment->sha)
    return fail(ErrorKind::Conflict, fmt::format("this deployment is of commit {}, not of {}",
                                                 deployment->sha.substr(0, 8), sha.substr(0, 8)))
        .with_hint("look at what it deploys, and approve that");
  if (deployment->status != "blocked" && deployment->status != "created")
    return fail(ErrorKind::Conflict,
                fmt::format("the deployment waits for nobody: it is {}", deployment->status));
  ApprovalRow row = approval;
  row.created_at = now();
  stores().deployments.approve(row);
  auto alive = find_pipeline_of(deployment->job_id);
  if (!alive) return alive.error();
  const JobRow job = (*alive)->jobs.at(deployment->job_id);
  return grant_resource(job.project_id, job.resource_group);
}

Result<void> Coordinator::Work::reconsider_deployments(ProjectId project) {
  std::map<PipelineId, std::set<JobId>> ready;
  for (const JobId id : waiting_)
    if (alive_.at(pipeline_of_.at(id)).row.project_id == project)
      ready[pipeline_of_.at(id)].insert(id);
  for (const auto& [pipeline, jobs] : ready)
    if (auto done = refuse_environments(alive_.at(pipeline), jobs); !done) return done;
  std::set<std::string> groups;
  for (const auto& [key, jobs] : claims_)
    if (key.first == project) groups.insert(key.second);
  for (const std::string& group : groups)
    if (auto granted = grant_resource(project, group); !granted) return granted;
  return {};
}

Result<std::optional<JobId>> Coordinator::Work::stop_environment(EnvironmentId id) {
  auto environment = stores().environments.find(id);
  if (!environment) return fail(ErrorKind::NotFound, fmt::format("no environment {}", id.value));
  if (environment->state != "available")
    return fail(ErrorKind::Conflict,
                fmt::format("the environment '{}' is {}", environment->name, environment->state));
  std::optional<JobId> stops;
  const auto current = stores().deployments.current(id);
  if (current && !environment->on_stop.empty()) {
    // The newest try of the job that stops it, of the pipeline that deployed.
    for (const JobRow& job : stores().jobs.of_pipeline(current->pipeline_id))
      if (job.name == environment->on_stop && !job.retried) stops = job.id;
  }
  if (stops) {
    const std::string status = stores().jobs.find(*stops)->status;
    if (status == "manual") {
      if (auto played = play_job(*stops); !played) return played.error();
    } else if (status == "skipped") {
      stops.reset();  // cannot be run any more
    } else if (is_final_word(status)) {
      auto again = retry_job(*stops);
      if (!again) return again.error();
      stops = *again;
    } else if (status == "created" || status == "scheduled") {
      return fail(ErrorKind::Conflict,
                  fmt::format("job '{}', which stops the environment '{}', is {}",
                              environment->on_stop, environment->name, status))
          .with_hint("wait until its pipeline has come that far");
    }
  }
  // It may have been refused already, which has said so.
  if (stops && is_final_word(stores().jobs.find(*stops)->status)) return stops;
  environment->state = stops ? "stopping" : "stopped";
  environment->auto_stop_at.reset();
  environment->updated_at = now();
  stores().environments.update(*environment);
  return stops;
}

}  // namespace slipway::server
