// How one event of a pipeline's life becomes rows: the only place where a status changes.
#include "pipeline/resource_group.h"
#include "server/coordinator/findings_gate.h"
#include "server/coordinator/work.h"
#include "server/store/run_refs.h"

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include <set>

namespace slipway::server {

namespace {

using pipeline::ProcessMode;

// GitLab's words are those of our reason codes, as far as GitLab has them.
std::string failure_word(const pipeline::Reason& reason) {
  return std::string{pipeline::to_string(reason.code)};
}

std::optional<double> mean_coverage(const AlivePipeline& alive) {
  double sum = 0;
  int count = 0;
  for (const auto& [id, job] : alive.jobs) {
    if (job.retried || !job.coverage) continue;
    sum += *job.coverage;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

Result<void> Coordinator::Work::apply(AlivePipeline& alive, const pipeline::Event& event) {
  touched_.insert(alive.row.id);
  auto transitions = pipeline::apply(alive.state, event);
  if (!transitions) return transitions.error();

  std::map<std::int64_t, JobId> made;          // provisional → real
  std::map<JobId, std::string> status_before;  // of each job that changed
  for (const pipeline::Transition& transition : *transitions) {
    JobId id{transition.job};
    if (transition.job < 0) {
      if (!made.contains(transition.job)) {
        const JobId old{transition.retry_of};
        status_before.emplace(old, alive.jobs.at(old).status);
        made[transition.job] = insert_new_try(alive, transition);
        status_before.emplace(made[transition.job], "");
      }
      id = made[transition.job];
    }
    JobRow& row = alive.jobs.at(id);
    status_before.emplace(id, row.status);
    enter(row, transition, alive);
  }
  std::set<std::string> groups;
  std::set<JobId> canceled;
  std::set<JobId> ready;
  for (const auto& [id, before] : status_before) {
    JobRow& row = alive.jobs.at(id);
    write_job(row, before);
    if (before != row.status)
      if (auto told = tell_deployment(row); !told) return told;
    if (!row.resource_group.empty()) groups.insert(row.resource_group);
    if (row.status == "canceled" && before != row.status) canceled.insert(id);
    if (row.status == "pending" && before != row.status && !row.environment.empty())
      ready.insert(id);
  }
  const std::string before = alive.row.status;
  write_pipeline(alive);
  if (auto done = cancel_downstream(alive, event.kind, canceled); !done) return done;
  if (auto told = tell_followers(alive, before); !told) return told;
  if (auto refused = refuse_environments(alive, ready); !refused) return refused;
  for (const std::string& group : groups)
    if (auto granted = grant_resource(alive.row.project_id, group); !granted) return granted;
  return {};
}

Result<void> Coordinator::Work::grant_resource(ProjectId project, const std::string& group) {
  const auto found = claims_.find({project, group});
  if (found == claims_.end()) return {};
  std::vector<pipeline::Claim> claims;
  for (const JobId id : found->second) {
    AlivePipeline& alive = alive_.at(pipeline_of_.at(id));
    JobRow& row = alive.jobs.at(id);
    const DeploymentGate gate = check_gate(alive, row);
    if (!gate.refused_as.empty()) {
      pipeline::Event event{pipeline::EventKind::Fail};
      event.job = id.value;
      event.failure_reason = gate.refused_as;
      event.reason.text = gate.refused_because;
      return apply(alive, event);  // which comes back here for the others
    }
    if (!gate.waits_for) claims.push_back({alive.row.id.value, id.value, alive.node(id).status});
  }
  const auto known = stores().resource_groups.find(project, group);
  const auto mode =
      known ? pipeline::parse_process_mode(known->process_mode).value_or(ProcessMode::Unordered)
            : ProcessMode::Unordered;
  const auto next = pipeline::next_holder(mode, claims);
  if (!next) return {};
  return job_event(JobId{*next}, pipeline::EventKind::GrantResource);
}

JobId Coordinator::Work::insert_new_try(AlivePipeline& alive,
                                        const pipeline::Transition& transition) {
  JobRow& old = alive.jobs.at(JobId{transition.retry_of});
  old.retried = true;
  JobRow row;
  row.pipeline_id = old.pipeline_id;
  row.project_id = old.project_id;
  row.plan_id = old.plan_id;
  row.name = old.name;
  row.stage = old.stage;
  row.stage_index = old.stage_index;
  row.attempt = old.attempt + 1;
  row.when = old.when;
  row.tags = old.tags;
  row.needs = old.needs;
  row.environment = old.environment;
  row.environment_action = old.environment_action;
  row.rule_file = old.rule_file;
  row.rule_line = old.rule_line;
  row.ref_protected = old.ref_protected;
  // A try that nobody asked for is on behalf of whoever wanted the first one.
  row.user_id = acting_ ? acting_ : old.user_id;
  row.interruptible = old.interruptible;
  row.coverage_regex = old.coverage_regex;
  row.resource_group = old.resource_group;
  row.is_bridge = old.is_bridge;
  row.at_once = alive.node(JobId{transition.job}).at_once;
  row.created_at = now();
  const JobId id = stores().jobs.insert(row);
  pipeline::renumber(alive.state, transition.job, id.value);
  pipeline_of_[id] = alive.row.id;
  add_deployment(alive, row, {});
  alive.jobs.emplace(id, std::move(row));
  return id;
}

void Coordinator::Work::enter(JobRow& row, const pipeline::Transition& transition,
                              AlivePipeline& alive) {
  using pipeline::Status;
  const pipeline::JobNode& node = alive.node(row.id);
  const bool moved = transition.from != transition.to || transition.retry_of != 0;
  row.status = pipeline::to_string(transition.to);
  row.reason_code = pipeline::to_string(transition.reason.code);
  row.reason_text = transition.reason.text;
  row.allow_failure = node.allow_failure.always || node.failure_allowed;
  switch (transition.to) {
    case Status::Pending:
      // A reason that is told again says nothing about who has the job.
      if (moved) wait_again(alive, row);
      break;
    case Status::Scheduled:
      if (moved)
        row.scheduled_at =
            now() +
            std::chrono::milliseconds{node.start_in.value_or(std::chrono::seconds{0})}.count();
      break;
    case Status::Running:
      if (moved) row.started_at = now();
      row.finished_at.reset();  // a trigger job that goes on
      break;
    case Status::Failed:
      if (moved) row.finished_at = now();
      row.failure_reason = failure_word(transition.reason);
      break;
    case Status::Success:
    case Status::Canceled:
    case Status::Skipped:
      if (moved) row.finished_at = now();
      break;
    case Status::Created: row.finished_at.reset(); break;
    case Status::WaitingForResource:
    case Status::Preparing:
    case Status::Canceling:
    case Status::Manual: break;
  }
}

void Coordinator::Work::wait_again(AlivePipeline& alive, JobRow& row) {
  row.queued_at = now();
  if (row.is_bridge) return;
  row.runner_id.reset();
  row.runner_system_id.clear();
  row.token_hash.clear();
  row.assigned_at.reset();
  explain_waiting(alive, row);
}

void Coordinator::Work::set_reason(AlivePipeline& alive, JobRow& row, pipeline::Reason reason) {
  row.reason_code = pipeline::to_string(reason.code);
  row.reason_text = reason.text;
  alive.node(row.id).reason = std::move(reason);
}

void Coordinator::Work::explain_waiting(AlivePipeline& alive, JobRow& row) {
  set_reason(alive, row, pending_reason(demand_of(row), runners_->rows));
}

void Coordinator::Work::write_job(JobRow& row, const std::string& status_before) {
  stores().jobs.update_state(row);
  file_job(row);
  touched_jobs_.insert(row.id);
  changes_.jobs.push_back(
      {row.id, row.pipeline_id, row.project_id, status_before, row.status, row.failure_reason});
  changes_.queue.push_back(queue_change(row));
  if (row.is_bridge && row.status == "pending") changes_.bridges.push_back(row.id);
}

void Coordinator::Work::write_pipeline(AlivePipeline& alive) {
  PipelineRow& row = alive.row;
  const std::string before = row.status;
  const pipeline::Reason reason = pipeline::pipeline_reason(alive.state);
  row.status = pipeline::to_string(alive.state.status);
  row.reason_code = pipeline::to_string(reason.code);
  row.reason_text = reason.text;
  row.coverage = mean_coverage(alive);
  row.updated_at = now();
  if (!row.started_at)
    for (const auto& [id, job] : alive.jobs)
      if (job.started_at)
        row.started_at = std::min(row.started_at.value_or(*job.started_at), *job.started_at);
  if (!is_final_word(row.status))
    row.finished_at.reset();
  else if (!row.finished_at)
    row.finished_at = now();
  if (before != row.status) judge_findings(row);
  stores().pipelines.update_state(row);
  changes_.pipelines.push_back({row.id, row.project_id, before, row.status});
  if (before != row.status) owe_status(alive);
}

void Coordinator::Work::owe_status(const AlivePipeline& alive) {
  const PipelineRow& row = alive.row;
  // What a git host shows: that it waits, for runners or a hand, that it runs, and how it ended.
  if (row.status != "pending" && row.status != "manual" && row.status != "running" &&
      !is_final_word(row.status))
    return;
  if (!is_told(row)) return;
  // What is said of one commit under one name is said in order; the rest does not wait for it.
  owe_effect("pipeline_status",
             fmt::format("status/{}/{}/{}", row.project_id.value, row.sha, row.source),
             {{"pipeline_id", row.id.value}, {"status", row.status}, {"reason", row.reason_text}});
}

void Coordinator::Work::judge_findings(PipelineRow& row) {
  row.findings_gate.clear();
  row.findings_gate_text.clear();
  if (!is_final_word(row.status) && row.status != "manual") return;
  const auto project = stores().projects.find(row.project_id);
  if (!project) return;
  GateVerdict verdict = findings_gate(stores().findings, *project, row);
  row.findings_gate = std::move(verdict.state);
  row.findings_gate_text = std::move(verdict.text);
  if (row.findings_gate.empty() || !is_told(row)) return;
  owe_effect("gate_status", fmt::format("status/{}/{}/findings", row.project_id.value, row.sha),
             {{"pipeline_id", row.id.value},
              {"gate", "findings"},
              {"status", row.findings_gate == "passed" ? "success" : "failed"},
              {"reason", row.findings_gate_text}});
}

bool Coordinator::Work::is_told(const PipelineRow& row) {
  // Of a commit that the git host has never seen there is nothing to tell it.
  if (row.ref.starts_with(kRunRefs)) return false;
  const auto project = stores().projects.find(row.project_id);
  return project && !project->forge.empty();
}

void Coordinator::Work::owe_effect(std::string kind, std::string channel,
                                   const nlohmann::json& payload) {
  EffectRow effect;
  effect.kind = std::move(kind);
  effect.channel = std::move(channel);
  effect.payload = payload.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  effect.created_at = now();
  effect.due_at = now();
  stores().outbox.insert(effect);
  changes_.effects = true;
}

}  // namespace slipway::server
