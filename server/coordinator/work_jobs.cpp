#include "server/coordinator/work.h"

#include "base/crypto.h"
#include "base/logging.h"

#include <spdlog/fmt/fmt.h>

namespace slipway::server {

namespace {

using pipeline::EventKind;

pipeline::Event event_of(EventKind kind, JobId job) {
  pipeline::Event event{kind};
  event.job = job.value;
  return event;
}

}  // namespace

Result<Assignment> Coordinator::Work::assign(JobId job, const Taker& by) {
  const auto pipeline = pipeline_of_.find(job);
  if (pipeline == pipeline_of_.end() || !waiting_.contains(job))
    return fail(ErrorKind::Conflict, fmt::format("job {} waits for no runner", job.value));
  const RunnerRow* taker = runners_->find(by.runner);
  AlivePipeline& alive = alive_.at(pipeline->second);
  JobRow& row = alive.jobs.at(job);
  // The runner may have been paused since dispatch chose it.
  if (taker == nullptr || !may_take(*taker, demand_of(row)))
    return fail(ErrorKind::Denied,
                fmt::format("runner {} may not take job {}", by.runner.value, job.value));
  auto project = stores().projects.find(row.project_id);
  if (!project)
    return fail(ErrorKind::NotFound, fmt::format("no project {}", row.project_id.value));

  touched_.insert(alive.row.id);
  Assignment assignment;
  assignment.token = random_token("glcbt-");
  row.token_hash = token_hash(assignment.token);
  row.runner_id = by.runner;
  row.runner_system_id = by.system_id;
  row.assigned_at = now();
  ++row.dispatches;
  set_reason(alive, row, pipeline::make_reason(pipeline::ReasonCode::WaitingForAcknowledgement));
  write_job(row, row.status);

  assignment.plan = stores().jobs.plan(row.plan_id);
  assignment.variables = stores().pipelines.variables(alive.row.id);
  assignment.job = row;
  assignment.pipeline = alive.row;
  assignment.project = std::move(*project);
  assignment.runner = *taker;
  return assignment;
}

Result<void> Coordinator::Work::give_back(JobId job, int dispatch) {
  const auto pipeline = pipeline_of_.find(job);
  if (pipeline == pipeline_of_.end()) return {};
  AlivePipeline& alive = alive_.at(pipeline->second);
  const JobRow& row = alive.jobs.at(job);
  if (row.status != "pending" || !row.runner_id || row.dispatches != dispatch) return {};
  return requeue(alive, job);
}

Result<void> Coordinator::Work::requeue(AlivePipeline& alive, JobId job) {
  if (auto applied = apply(alive, event_of(EventKind::Requeue, job)); !applied)
    return applied.error();
  JobRow& row = alive.jobs.at(job);
  if (row.status != "pending" || !row.runner_id) return {};
  // For the life cycle nothing happened: the job was pending and is. Its hand-out is void.
  wait_again(alive, row);
  write_job(row, row.status);
  return {};
}

Result<JobRow*> Coordinator::Work::held_job(const JobCredential& who) {
  const auto pipeline = pipeline_of_.find(who.job_id);
  if (pipeline != pipeline_of_.end()) {
    JobRow& row = alive_.at(pipeline->second).jobs.at(who.job_id);
    if (row.runner_id && row.dispatches == who.dispatch && !row.token_hash.empty()) return &row;
  }
  return fail(ErrorKind::Denied,
              fmt::format("job {} is not with this runner any more", who.job_id.value));
}

Result<std::string> Coordinator::Work::acknowledge(const JobCredential& who) {
  auto row = held_job(who);
  if (!row) {
    // It may have ended meanwhile; its last holder is told how.
    const auto ended = stores().jobs.find(who.job_id);
    if (ended && ended->dispatches == who.dispatch && is_final_word(ended->status))
      return ended->status;
    return row.error();
  }
  if ((*row)->status != "pending") return (*row)->status;
  if (auto started = job_event(who.job_id, EventKind::Start); !started) return started.error();
  return (*row)->status;
}

Result<std::string> Coordinator::Work::finish_job(const JobCredential& who,
                                                  const FinishedJob& result) {
  auto status = acknowledge(who);
  if (!status || is_final_word(*status)) return status;
  auto alive = find_pipeline_of(who.job_id);
  if (!alive) return alive.error();
  JobRow& row = (*alive)->jobs.at(who.job_id);
  row.exit_code = result.exit_code;
  row.coverage = result.coverage;
  row.trace_size = result.trace_size;
  row.trace_checksum = result.trace_checksum;

  pipeline::Event event = event_of(
      result.outcome == JobOutcome::Success ? EventKind::Succeed : EventKind::Fail, who.job_id);
  if (result.outcome == JobOutcome::Failed)
    event.failure_reason = result.failure_reason.empty() ? "script_failure" : result.failure_reason;
  event.exit_code = result.exit_code;
  event.reason.text = result.failure_text;
  if (auto applied = apply(**alive, event); !applied) return applied.error();
  if (!result.transfers.empty()) stores().jobs.put_transfers(who.job_id, result.transfers);
  return row.status;
}

Result<void> Coordinator::Work::check_deadlines() {
  const SteadyTime steady = clock_.steady();
  // An event changes memory only when it succeeds, so one that is refused stops no other.
  const auto note = [](JobId id, const Result<void>& result) {
    if (!result)
      log::error("job.deadline_failed", {{"job", id.value}, {"error", result.error().message}});
  };
  for (const JobId id : std::vector<JobId>(held_.begin(), held_.end()))
    note(id, check_held(id, steady));
  for (const JobId id : std::vector<JobId>(scheduled_.begin(), scheduled_.end())) {
    const JobRow& row = alive_.at(pipeline_of_.at(id)).jobs.at(id);
    if (row.status == "scheduled" && row.scheduled_at.value_or(0) <= now())
      note(id, job_event(id, EventKind::ElapseDelay));
  }
  tokens_.drop_finished(steady);
  return {};
}

Result<void> Coordinator::Work::not_acknowledged(AlivePipeline& alive, JobId id) {
  JobRow& row = alive.jobs.at(id);
  log::warn("job.not_acknowledged", {{"job", id.value},
                                     {"runner", row.runner_id.value_or(RunnerId{}).value},
                                     {"times", row.dispatches}});
  if (row.dispatches < options_.most_dispatches) return requeue(alive, id);
  auto event = event_of(EventKind::Fail, id);
  event.failure_reason = "runner_system_failure";
  event.reason.text =
      fmt::format("It was handed out {} times, and no runner said that it began", row.dispatches);
  const std::string token = std::exchange(row.token_hash, {});
  auto applied = apply(alive, event);
  if (!applied) row.token_hash = token;
  return applied;
}

Result<void> Coordinator::Work::check_held(JobId id, SteadyTime now_steady) {
  AlivePipeline& alive = alive_.at(pipeline_of_.at(id));
  JobRow& row = alive.jobs.at(id);
  if (queue_state(row) != QueueState::Assigned) return {};
  // Assigned in this very round: the token is not published yet and the time has just begun.
  const auto heard = tokens_.last_heard(id);
  if (!heard) return {};
  const auto silence = now_steady - *heard;

  if (row.status == "pending") {
    return silence < options_.ack_timeout ? Result<void>{} : not_acknowledged(alive, id);
  }
  const auto canceling = canceling_since_.find(id);
  const bool disobeys = canceling != canceling_since_.end() &&
                        now_steady - canceling->second >= options_.cancel_grace;
  if (silence < options_.lease && !disobeys) return {};
  log::warn("job.runner_lost",
            {{"job", id.value}, {"runner", row.runner_id.value_or(RunnerId{}).value}});
  const std::string token = std::exchange(row.token_hash, {});
  auto applied =
      apply(alive, event_of(disobeys ? EventKind::ForceCancel : EventKind::LoseRunner, id));
  if (!applied) row.token_hash = token;
  return applied;
}

}  // namespace slipway::server
