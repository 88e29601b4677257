#include "pipeline/lifecycle.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "pipeline/scheduling.h"

namespace slipway::pipeline {
namespace {

using enum Status;

bool lists(const std::vector<int>& codes, std::optional<int> code) {
  return code && std::find(codes.begin(), codes.end(), *code) != codes.end();
}

// Whether `word` of `retry:when` covers what the runner, or the server, calls `failure`.
bool covers(std::string_view word, std::string_view failure) {
  if (word == "always" || word == failure) return true;
  if (failure == "runner_lost")
    return word == "stuck_or_timeout_failure" || word == "runner_system_failure";
  // Runners that know no word for it say one of these.
  if (failure == "image_pull_failure")
    return word == "script_failure" || word == "runner_system_failure";
  return false;
}

// What was decided about a deployment stays decided, and of one whose runner is gone nobody knows
// how far it came.
bool is_settled_deployment(const JobNode& job, const Event& event) {
  switch (reason_of_failure(event.failure_reason)) {
    case ReasonCode::OutdatedDeployment:
    case ReasonCode::DeploymentRejected:
    case ReasonCode::ProtectedEnvironmentFailure: return true;
    case ReasonCode::RunnerLost: return job.deploys;
    default: return false;
  }
}

bool retry_covers(const JobNode& job, const Event& event) {
  if (job.attempt > job.retry.max || is_settled_deployment(job, event)) return false;
  const auto& words = job.retry.when;
  if (words.empty() && job.retry.exit_codes.empty()) return true;
  if (lists(job.retry.exit_codes, event.exit_code)) return true;
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return covers(word, event.failure_reason); });
}

// Of a job that has started, as auto_cancel counts it.
bool has_started(const JobNode& job) {
  return job.status == Running || job.status == Success || job.status == Failed;
}

// What one event itself does; what follows from it is scheduling.
class Machine {
 public:
  Machine(PipelineState& state, Moves& moves) : state_(state), moves_(moves) {}

  // An event is refused before it changes anything.
  Result<void> take(const Event& event) {
    switch (event.kind) {
      case EventKind::Begin: return {};
      case EventKind::CancelPipeline: return cancel_pipeline(event);
      case EventKind::Supersede: return supersede(event);
      case EventKind::RetryPipeline: return retry_pipeline();
      case EventKind::Start:
      case EventKind::Succeed:
      case EventKind::Fail:
      case EventKind::LoseRunner:
      case EventKind::Requeue:
      case EventKind::CancelJob:
      case EventKind::ForceCancel:
      case EventKind::Play:
      case EventKind::RetryJob:
      case EventKind::ElapseDelay:
      case EventKind::GrantResource:
      case EventKind::Triggered:
      case EventKind::DownstreamIs:
      case EventKind::DownstreamResumes: break;
    }
    const auto at = std::find_if(state_.jobs.begin(), state_.jobs.end(),
                                 [&](const JobNode& job) { return job.id == event.job; });
    if (at == state_.jobs.end())
      return fail(ErrorKind::NotFound, fmt::format("there is no job {}", event.job));
    return of_job(event, static_cast<std::size_t>(at - state_.jobs.begin()));
  }

 private:
  static Error conflict(const Event& event, const JobNode& job) {
    return fail(ErrorKind::Conflict,
                fmt::format("cannot {} job '{}' because it is {}", to_string(event.kind), job.name,
                            to_string(job.status)));
  }

  Result<void> of_job(const Event& event, std::size_t index) {
    JobNode& job = state_.jobs[index];
    const bool canceling = job.status == Canceling;
    switch (event.kind) {
      case EventKind::Start:
        if (job.status != Pending) return conflict(event, job);
        moves_.move(job, Running, make_reason(ReasonCode::Running));
        return {};
      case EventKind::Succeed:
        if (canceling) return end_canceled(job);
        if (job.status != Running) return conflict(event, job);
        moves_.move(job, Success, make_reason(ReasonCode::Succeeded));
        return {};
      case EventKind::Fail:
        if (canceling) return end_canceled(job);
        if (job.status != Running && job.status != Pending && job.status != WaitingForResource)
          return conflict(event, job);
        return fail_job(index, event, failure_reason(event));
      case EventKind::LoseRunner:
        if (canceling) return end_canceled(job);
        if (job.status != Running) return conflict(event, job);
        return fail_job(index, {EventKind::Fail, event.job, "runner_lost", std::nullopt, {}},
                        make_reason(ReasonCode::RunnerLost));
      case EventKind::Requeue:
        if (job.status != Pending) return conflict(event, job);
        moves_.move(job, Pending, make_reason(ReasonCode::AckTimeout));
        return {};
      case EventKind::CancelJob:
        if (!is_cancelable(job.status)) return conflict(event, job);
        cancel(job, event.reason);
        return {};
      case EventKind::ForceCancel:
        if (!canceling) return conflict(event, job);
        return end_canceled(job);
      case EventKind::Play:
        if (job.status != Manual && job.status != Scheduled) return conflict(event, job);
        if (job.triggered)
          return fail(
              ErrorKind::Conflict,
              fmt::format("cannot play job '{}': what waits for a hand is the pipeline that "
                          "it triggered, play the job there",
                          job.name));
        moves_.enqueue(job);
        revive_dependants();
        return {};
      case EventKind::ElapseDelay:
        if (job.status != Scheduled) return conflict(event, job);
        moves_.enqueue(job);
        return {};
      case EventKind::GrantResource:
        if (job.status != WaitingForResource) return conflict(event, job);
        moves_.ready(job);
        return {};
      case EventKind::RetryJob:
        if (job.retried || !is_final(job.status) || job.status == Skipped)
          return conflict(event, job);
        retry(index, true);
        revive_dependants();
        return {};
      case EventKind::Triggered:
        if (!job.bridge || job.status != Pending) return conflict(event, job);
        job.triggered = true;
        if (job.bridge == BridgeStrategy::None)
          moves_.move(job, Success, make_reason(ReasonCode::Succeeded));
        else
          moves_.move(job, Running, make_reason(ReasonCode::FollowsDownstream));
        return {};
      case EventKind::DownstreamIs:
        if (!follows(job) || (job.status != Running && job.status != Manual))
          return conflict(event, job);
        return follow(index, event);
      case EventKind::DownstreamResumes:
        if (!follows(job) || job.retried || !is_final(job.status)) return conflict(event, job);
        moves_.move(job, Running, make_reason(ReasonCode::FollowsDownstream));
        revive_dependants();
        return {};
      case EventKind::Begin:
      case EventKind::CancelPipeline:
      case EventKind::Supersede:
      case EventKind::RetryPipeline: break;
    }
    return {};
  }

  static bool follows(const JobNode& job) {
    return job.bridge && *job.bridge != BridgeStrategy::None && job.triggered;
  }

  // Source: GitLab's Ci::Bridge, inherit_status_from_downstream!.
  Result<void> follow(std::size_t index, const Event& event) {
    JobNode& job = state_.jobs[index];
    const bool mirrors = job.bridge == BridgeStrategy::Mirror;
    switch (event.downstream) {
      case Success: moves_.move(job, Success, make_reason(ReasonCode::Succeeded)); return {};
      case Canceled:
        moves_.move(job, Canceled, make_reason(ReasonCode::DownstreamCanceled));
        return {};
      case Skipped:
        if (mirrors) {
          moves_.move(job, Skipped, make_reason(ReasonCode::DownstreamSkipped));
          return {};
        }
        [[fallthrough]];
      case Failed: {
        Event failed{EventKind::Fail, event.job, "downstream_failed", std::nullopt, event.reason};
        return fail_job(index, failed, failure_reason(failed));
      }
      case Manual:
        if (mirrors) {
          moves_.move(job, Manual, make_reason(ReasonCode::WaitsWithDownstream));
          return {};
        }
        [[fallthrough]];
      case Created:
      case WaitingForResource:
      case Preparing:
      case Pending:
      case Running:
      case Canceling:
      case Scheduled: moves_.move(job, Running, make_reason(ReasonCode::FollowsDownstream));
    }
    return {};
  }

  static Reason failure_reason(const Event& event) {
    const ReasonCode code = reason_of_failure(event.failure_reason);
    const bool told = code == ReasonCode::ScriptFailure && event.exit_code.has_value();
    Reason reason =
        make_reason(code, told ? fmt::format(" with exit code {}", *event.exit_code) : "");
    if (event.reason.text.empty()) return reason;
    std::string sentence = event.reason.text;
    if (sentence.front() >= 'a' && sentence.front() <= 'z')
      sentence.front() = static_cast<char>(sentence.front() - 'a' + 'A');
    reason.text += " " + sentence + (sentence.back() == '.' ? "" : ".");
    return reason;
  }

  static Reason by_a_user() { return make_reason(ReasonCode::CanceledByUser, "a user"); }

  void cancel(JobNode& job, const Reason& why) {
    // Nobody has to be told of a trigger job.
    moves_.move(job, job.status == Running && !job.bridge ? Canceling : Canceled,
                why.code == ReasonCode::None ? by_a_user() : why);
  }

  // Its reason says since the cancelling why.
  Result<void> end_canceled(JobNode& job) {
    const bool told =
        job.reason.code != ReasonCode::None && job.reason.code != ReasonCode::Canceling;
    moves_.move(job, Canceled, told ? job.reason : by_a_user());
    return {};
  }

  Result<void> fail_job(std::size_t index, const Event& event, Reason reason) {
    JobNode& job = state_.jobs[index];
    job.failure_allowed = lists(job.allow_failure.exit_codes, event.exit_code);
    moves_.move(job, Failed, std::move(reason));
    if (retry_covers(job, event)) {
      retry(index, true);
      return {};
    }
    if (state_.cancel_on_failure && !job.allow_failure.always && !job.failure_allowed)
      cancel_all(make_reason(ReasonCode::CanceledByJobFailure, job.name));
    return {};
  }

  // A new try of the job at `index`.
  void retry(std::size_t index, bool at_once) {
    JobNode next = state_.jobs[index];
    state_.jobs[index].retried = true;
    const std::int64_t retry_of = std::exchange(next.id, --last_provisional_);
    next.attempt += 1;
    next.at_once = at_once;
    next.failure_allowed = false;
    next.triggered = false;
    next.status = Created;
    next.reason = make_reason(ReasonCode::WaitingForStage);
    moves_.add_try(next, retry_of);
    state_.jobs.push_back(std::move(next));
  }

  // Skipped jobs may have their chance again: scheduling decides anew about each.
  void revive_dependants() {
    for (JobNode& job : state_.jobs)
      if (!job.retried && job.status == Skipped && !job.triggered)
        moves_.move(job, Created, make_reason(ReasonCode::WaitingForStage));
  }

  // True when there was something to cancel.
  bool cancel_all(const Reason& why, bool only_interruptible = false) {
    bool any = false;
    for (JobNode& job : state_.jobs) {
      if (job.retried || !is_cancelable(job.status)) continue;
      if (only_interruptible && !job.interruptible) continue;
      cancel(job, why);
      any = true;
    }
    return any;
  }

  Result<void> cancel_pipeline(const Event& event) {
    if (cancel_all(event.reason)) return {};
    return fail(ErrorKind::Conflict,
                fmt::format("cannot cancel a pipeline that is {}", to_string(state_.status)));
  }

  Result<void> supersede(const Event& event) {
    if (is_final(state_.status))
      return fail(ErrorKind::Conflict,
                  fmt::format("cannot supersede a pipeline that is {}", to_string(state_.status)));
    const bool bound = std::any_of(state_.jobs.begin(), state_.jobs.end(), [](const JobNode& job) {
      return has_started(job) && !job.interruptible;
    });
    switch (state_.on_new_commit) {
      case OnNewCommit::Conservative:
        if (!bound) cancel_all(event.reason);
        break;
      case OnNewCommit::Interruptible: cancel_all(event.reason, true); break;
      case OnNewCommit::None: break;
    }
    return {};
  }

  Result<void> retry_pipeline() {
    const std::size_t count = state_.jobs.size();
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
      const JobNode& job = state_.jobs[i];
      if (job.retried || (job.status != Failed && job.status != Canceled)) continue;
      retry(i, false);
      any = true;
    }
    if (!any)
      return fail(ErrorKind::Conflict, "the pipeline has no failed or canceled job to retry");
    revive_dependants();
    return {};
  }

  PipelineState& state_;
  Moves& moves_;
  std::int64_t last_provisional_ = 0;
};

}  // namespace

Result<std::vector<Transition>> apply(PipelineState& state, const Event& event) {
  Moves moves;
  if (auto taken = Machine{state, moves}.take(event); !taken) return std::move(taken).error();
  schedule(state, moves);
  return moves.take();
}

bool cancels_downstream(EventKind cause, const JobNode& bridge, bool canceled, bool child) {
  const bool follows =
      bridge.bridge.value_or(BridgeStrategy::None) != BridgeStrategy::None && bridge.triggered;
  switch (cause) {
    case EventKind::CancelPipeline: return child || (follows && canceled);
    case EventKind::CancelJob: return follows && canceled;
    // workflow:auto_cancel:on_job_failure
    case EventKind::Fail:
    case EventKind::LoseRunner: return (child || follows) && canceled;
    case EventKind::Begin:
    case EventKind::Start:
    case EventKind::Succeed:
    case EventKind::Requeue:
    case EventKind::ForceCancel:
    case EventKind::Supersede:
    case EventKind::Play:
    case EventKind::RetryJob:
    case EventKind::RetryPipeline:
    case EventKind::ElapseDelay:
    case EventKind::GrantResource:
    case EventKind::Triggered:
    case EventKind::DownstreamIs:
    case EventKind::DownstreamResumes: break;
  }
  return false;
}

void renumber(PipelineState& state, std::int64_t provisional, std::int64_t id) {
  for (JobNode& job : state.jobs)
    if (job.id == provisional) job.id = id;
}

}  // namespace slipway::pipeline
