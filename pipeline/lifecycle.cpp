#include "pipeline/lifecycle.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace slipway::pipeline {
namespace {

using enum Status;

constexpr std::array kStatuses{Created, WaitingForResource, Preparing, Pending, Running, Success,
                               Failed,  Canceling,          Canceled,  Skipped, Manual,  Scheduled};
constexpr std::array kEvents{
    EventKind::Begin,       EventKind::Start,   EventKind::Succeed,   EventKind::Fail,
    EventKind::LoseRunner,  EventKind::Requeue, EventKind::CancelJob, EventKind::CancelPipeline,
    EventKind::ForceCancel, EventKind::Play,    EventKind::RetryJob,  EventKind::RetryPipeline,
    EventKind::ElapseDelay};

bool is_completed(Status status) {
  return is_final(status);
}

// "a, b, c and 4 more"
std::string names_of(const std::vector<const JobNode*>& jobs) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(jobs.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + jobs[i]->name;
  if (jobs.size() > kShown) text += fmt::format(" and {} more", jobs.size() - kShown);
  return text;
}

bool retry_covers(const JobNode& job, std::string_view failure_reason,
                  std::optional<int> exit_code) {
  if (job.attempt > job.retry.max) return false;
  const auto& words = job.retry.when;
  const auto& codes = job.retry.exit_codes;
  if (words.empty() && codes.empty()) return true;
  if (exit_code && std::find(codes.begin(), codes.end(), *exit_code) != codes.end()) return true;
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == "always" || word == failure_reason ||
           (word == "stuck_or_timeout_failure" && failure_reason == "runner_lost") ||
           (word == "runner_system_failure" &&
            (failure_reason == "runner_lost" || failure_reason == "image_pull_failure"));
  });
}

// Applies one event to a copy of the state and follows its consequences.
class Machine {
 public:
  explicit Machine(PipelineState& state) : state_(state) {}

  Result<void> take(const Event& event) {
    switch (event.kind) {
      case EventKind::Begin: return {};
      case EventKind::CancelPipeline: return cancel_pipeline(event);
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
      case EventKind::ElapseDelay: break;
    }
    const auto at = std::find_if(state_.jobs.begin(), state_.jobs.end(),
                                 [&](const JobNode& job) { return job.id == event.job; });
    if (at == state_.jobs.end())
      return fail(ErrorKind::NotFound, fmt::format("there is no job {}", event.job));
    return of_job(event, static_cast<std::size_t>(at - state_.jobs.begin()));
  }

  // The processing loop: what may start, starts; what cannot any more, is skipped.
  void process() {
    for (const JobNode& job : state_.jobs)
      if (!job.retried) newest_[job.name] = &job;
    for (bool changed = true; changed;) {
      changed = false;
      int stages = 0;
      for (const JobNode& job : state_.jobs) stages = std::max(stages, job.stage_index + 1);
      for (int stage = 0; stage < stages; ++stage) changed = process_stage(stage) || changed;
    }
    state_.status = pipeline_status(state_).status;
  }

  std::vector<Transition> transitions() { return std::move(transitions_); }

 private:
  static Error conflict(const Event& event, const JobNode& job) {
    return fail(ErrorKind::Conflict,
                fmt::format("cannot {} job '{}' because it is {}", to_string(event.kind), job.name,
                            to_string(job.status)));
  }

  void move(JobNode& job, Status to, Reason reason) {
    if (job.status == to && job.reason == reason) return;
    transitions_.push_back({job.id, job.status, to, reason, 0});
    job.status = to;
    job.reason = std::move(reason);
  }

  Result<void> of_job(const Event& event, std::size_t index) {
    JobNode& job = state_.jobs[index];
    const bool canceling = job.status == Canceling;
    switch (event.kind) {
      case EventKind::Start:
        if (job.status != Pending) return conflict(event, job);
        move(job, Running, make_reason(ReasonCode::Running));
        return {};
      case EventKind::Succeed:
        if (canceling) return end_canceled(job);
        if (job.status != Running) return conflict(event, job);
        move(job, Success, make_reason(ReasonCode::Succeeded));
        return {};
      case EventKind::Fail:
        if (canceling) return end_canceled(job);
        if (job.status != Running && job.status != Pending) return conflict(event, job);
        return fail_job(index, event, failure_reason(event));
      case EventKind::LoseRunner:
        if (canceling) return end_canceled(job);
        if (job.status != Running) return conflict(event, job);
        return fail_job(index, {EventKind::Fail, event.job, "runner_lost", std::nullopt, {}},
                        make_reason(ReasonCode::RunnerLost));
      case EventKind::Requeue:
        if (job.status != Pending) return conflict(event, job);
        move(job, Pending, make_reason(ReasonCode::AckTimeout));
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
        enqueue(job);
        revive_dependants();
        return {};
      case EventKind::ElapseDelay:
        if (job.status != Scheduled) return conflict(event, job);
        enqueue(job);
        return {};
      case EventKind::RetryJob:
        if (job.retried || !is_final(job.status) || job.status == Skipped)
          return conflict(event, job);
        retry(index, Pending);
        revive_dependants();
        return {};
      case EventKind::Begin:
      case EventKind::CancelPipeline:
      case EventKind::RetryPipeline: break;
    }
    return {};
  }

  static Reason failure_reason(const Event& event) {
    const ReasonCode code = reason_of_failure(event.failure_reason);
    const bool told = code == ReasonCode::ScriptFailure && event.exit_code.has_value();
    return make_reason(code, told ? fmt::format(" with exit code {}", *event.exit_code) : "");
  }

  Result<void> end_canceled(JobNode& job) {
    move(job, Canceled, make_reason(ReasonCode::CanceledByUser));
    return {};
  }

  void enqueue(JobNode& job) { move(job, Pending, make_reason(ReasonCode::WaitingForRunner)); }

  void cancel(JobNode& job, const Reason& why) {
    if (job.status == Running)
      move(job, Canceling, make_reason(ReasonCode::Canceling));
    else
      move(job, Canceled,
           why.code == ReasonCode::None ? make_reason(ReasonCode::CanceledByUser) : why);
  }

  Result<void> fail_job(std::size_t index, const Event& event, Reason reason) {
    JobNode& job = state_.jobs[index];
    const auto& codes = job.allow_failure.exit_codes;
    job.failure_allowed =
        event.exit_code && std::find(codes.begin(), codes.end(), *event.exit_code) != codes.end();
    move(job, Failed, std::move(reason));
    if (retry_covers(job, event.failure_reason, event.exit_code)) {
      retry(index, Pending);
      return {};
    }
    if (state_.cancel_on_failure && !job.allow_failure.always && !job.failure_allowed)
      for (JobNode& other : state_.jobs)
        if (is_cancelable(other.status))
          cancel(other, make_reason(ReasonCode::JobFailed, job.name));
    return {};
  }

  // A new try of the job at `index`.
  void retry(std::size_t index, Status status) {
    JobNode next = state_.jobs[index];
    state_.jobs[index].retried = true;
    next.id = --last_provisional_;
    next.attempt += 1;
    next.failure_allowed = false;
    next.status = status;
    next.reason =
        make_reason(status == Pending ? ReasonCode::WaitingForRunner : ReasonCode::WaitingForStage);
    transitions_.push_back({next.id, Created, status, next.reason, state_.jobs[index].id});
    state_.jobs.push_back(std::move(next));
  }

  // Skipped jobs may have their chance again: the loop decides anew about each.
  void revive_dependants() {
    for (JobNode& job : state_.jobs)
      if (!job.retried && job.status == Skipped)
        move(job, Created, make_reason(ReasonCode::WaitingForStage));
  }

  Result<void> cancel_pipeline(const Event& event) {
    bool any = false;
    for (JobNode& job : state_.jobs) {
      if (job.retried || !is_cancelable(job.status)) continue;
      cancel(job, event.reason);
      any = true;
    }
    if (any) return {};
    return fail(ErrorKind::Conflict,
                fmt::format("cannot cancel a pipeline that is {}", to_string(state_.status)));
  }

  Result<void> retry_pipeline() {
    const std::size_t count = state_.jobs.size();
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
      const JobNode& job = state_.jobs[i];
      if (job.retried || (job.status != Failed && job.status != Canceled)) continue;
      retry(i, Created);
      any = true;
    }
    if (!any)
      return fail(ErrorKind::Conflict, "the pipeline has no failed or canceled job to retry");
    revive_dependants();
    return {};
  }

  // The newest try of each needed job, in the order of the needs.
  std::vector<const JobNode*> needed_by(const JobNode& job) const {
    std::vector<const JobNode*> jobs;
    for (const std::string& name : job.needs)
      if (const auto at = newest_.find(name); at != newest_.end()) jobs.push_back(at->second);
    return jobs;
  }

  std::vector<const JobNode*> before_stage(int stage) const {
    std::vector<const JobNode*> jobs;
    for (const JobNode& job : state_.jobs)
      if (!job.retried && job.stage_index < stage) jobs.push_back(&job);
    return jobs;
  }

  bool process_stage(int stage) {
    bool changed = false;
    std::optional<std::vector<const JobNode*>> earlier;
    for (JobNode& job : state_.jobs) {
      if (job.stage_index != stage || job.retried || job.status != Created) continue;
      if (!job.dag && !earlier) earlier = before_stage(stage);
      const auto previous = job.dag ? needed_by(job) : *earlier;
      changed = decide(job, previous) || changed;
    }
    return changed;
  }

  // True when the job left Created.
  bool decide(JobNode& job, const std::vector<const JobNode*>& previous) {
    const Status status =
        composite_status(previous, job.dag ? Question::Dag : Question::Stage).status;
    if (!is_completed(status)) {
      move(job, Created, waiting_reason(job, previous));
      return false;
    }
    if (!may_run(job, status)) {
      move(job, Skipped, skip_reason(job, status, previous));
      return true;
    }
    switch (job.when) {
      case When::Manual: move(job, Manual, make_reason(ReasonCode::Manual)); return true;
      case When::Delayed:
        move(job, Scheduled,
             make_reason(
                 ReasonCode::Delayed,
                 fmt::format("{} s", job.start_in.value_or(std::chrono::seconds{0}).count())));
        return true;
      case When::OnSuccess:
      case When::OnFailure:
      case When::Always:
      case When::Never: break;
    }
    enqueue(job);
    return true;
  }

  static bool may_run(const JobNode& job, Status previous) {
    switch (job.when) {
      case When::OnSuccess:
      case When::Manual:
      case When::Delayed: return previous == Success || (!job.dag && previous == Skipped);
      case When::OnFailure: return previous == Failed;
      case When::Always: return previous == Success || previous == Failed || previous == Skipped;
      case When::Never: return false;
    }
    return false;
  }

  static Reason waiting_reason(const JobNode& job, const std::vector<const JobNode*>& previous) {
    if (!job.dag) return make_reason(ReasonCode::WaitingForStage);
    std::vector<const JobNode*> open;
    for (const JobNode* needed : previous)
      if (!is_completed(needed->status)) open.push_back(needed);
    return make_reason(ReasonCode::WaitingForNeeds, names_of(open));
  }

  static Reason skip_reason(const JobNode& job, Status previous,
                            const std::vector<const JobNode*>& before) {
    const auto with_status = [&](Status status) {
      std::vector<const JobNode*> jobs;
      for (const JobNode* other : before)
        if (other->status == status && !(other->allow_failure.always || other->failure_allowed))
          jobs.push_back(other);
      return names_of(jobs);
    };
    if (job.when == When::OnFailure && previous != Canceled)
      return make_reason(ReasonCode::NothingFailed);
    if (job.dag) {
      std::vector<const JobNode*> unmet;
      for (const JobNode* needed : before)
        if (needed->status != Success) unmet.push_back(needed);
      return make_reason(ReasonCode::NeedFailed, names_of(unmet));
    }
    if (previous == Failed)
      return make_reason(ReasonCode::PreviousStageFailed, with_status(Failed));
    if (previous == Canceled)
      return make_reason(ReasonCode::PreviousStageCanceled, with_status(Canceled));
    return make_reason(ReasonCode::PreviousStageSkipped);
  }

  PipelineState& state_;
  std::vector<Transition> transitions_;
  std::unordered_map<std::string_view, const JobNode*> newest_;  // while processing
  std::int64_t last_provisional_ = 0;
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Created: return "created";
    case WaitingForResource: return "waiting_for_resource";
    case Preparing: return "preparing";
    case Pending: return "pending";
    case Running: return "running";
    case Success: return "success";
    case Failed: return "failed";
    case Canceling: return "canceling";
    case Canceled: return "canceled";
    case Skipped: return "skipped";
    case Manual: return "manual";
    case Scheduled: return "scheduled";
  }
  return "created";
}

Result<Status> parse_status(std::string_view text) {
  for (const Status status : kStatuses)
    if (to_string(status) == text) return status;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no status");
}

std::span<const Status> all_statuses() {
  return kStatuses;
}

bool is_final(Status status) {
  return status == Success || status == Failed || status == Canceled || status == Skipped;
}

bool is_active(Status status) {
  return status == WaitingForResource || status == Preparing || status == Pending ||
         status == Running || status == Canceling;
}

bool is_cancelable(Status status) {
  return !is_final(status) && status != Canceling;
}

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::Begin: return "begin";
    case EventKind::Start: return "start";
    case EventKind::Succeed: return "succeed";
    case EventKind::Fail: return "fail";
    case EventKind::LoseRunner: return "lose the runner of";
    case EventKind::Requeue: return "requeue";
    case EventKind::CancelJob: return "cancel";
    case EventKind::CancelPipeline: return "cancel the pipeline of";
    case EventKind::ForceCancel: return "force the cancellation of";
    case EventKind::Play: return "play";
    case EventKind::RetryJob: return "retry";
    case EventKind::RetryPipeline: return "retry the pipeline of";
    case EventKind::ElapseDelay: return "end the delay of";
  }
  return "begin";
}

std::span<const EventKind> all_event_kinds() {
  return kEvents;
}

Result<std::vector<Transition>> apply(PipelineState& state, const Event& event) {
  Machine machine{state};
  // An event is refused before it changes anything.
  if (auto taken = machine.take(event); !taken) return std::move(taken).error();
  machine.process();
  return machine.transitions();
}

void renumber(PipelineState& state, std::int64_t provisional, std::int64_t id) {
  for (JobNode& job : state.jobs)
    if (job.id == provisional) job.id = id;
}

Reason pipeline_reason(const PipelineState& state) {
  const CompositeStatus composite = pipeline_status(state);
  std::vector<const JobNode*> failed;
  std::vector<const JobNode*> allowed;
  for (const JobNode& job : state.jobs) {
    if (job.retried || job.status != Failed) continue;
    (job.allow_failure.always || job.failure_allowed ? allowed : failed).push_back(&job);
  }
  switch (composite.status) {
    case Success:
      return composite.warnings ? make_reason(ReasonCode::SucceededWithWarnings, names_of(allowed))
                                : make_reason(ReasonCode::Succeeded);
    case Failed: return make_reason(ReasonCode::JobFailed, names_of(failed));
    case Canceled: return make_reason(ReasonCode::CanceledByUser);
    case Skipped: return make_reason(ReasonCode::PreviousStageSkipped);
    case Canceling: return make_reason(ReasonCode::Canceling);
    case Running: return make_reason(ReasonCode::Running);
    case Manual: return make_reason(ReasonCode::Manual);
    case Scheduled: return make_reason(ReasonCode::Delayed, "a job");
    case WaitingForResource: return make_reason(ReasonCode::WaitingForResource, "of a job");
    case Created:
    case Preparing:
    case Pending: break;
  }
  return make_reason(ReasonCode::WaitingForRunner);
}

}  // namespace slipway::pipeline
