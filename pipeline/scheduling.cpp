#include "pipeline/scheduling.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace slipway::pipeline {
namespace {

using enum Status;

// A failure, or a cancellation, of it stops nothing.
bool may_fail(const JobNode& job) {
  return job.allow_failure.always || job.failure_allowed;
}

class Scheduling {
 public:
  Scheduling(PipelineState& state, Moves& moves) : state_(state), moves_(moves) {
    for (const JobNode& job : state_.jobs) {
      if (!job.retried) newest_[job.name] = &job;
      stages_ = std::max(stages_, job.stage_index + 1);
    }
  }

  // True when a job left Created. What one pass decides lets others be decided in the next.
  bool pass() {
    bool changed = false;
    for (int stage = 0; stage < stages_; ++stage) changed = pass_stage(stage) || changed;
    return changed;
  }

 private:
  using Jobs = std::vector<const JobNode*>;

  bool pass_stage(int stage) {
    bool changed = false;
    std::optional<Jobs> earlier;
    for (JobNode& job : state_.jobs) {
      if (job.stage_index != stage || job.retried || job.status != Created) continue;
      if (!job.dag && !earlier) earlier = before_stage(stage);
      changed = decide(job, job.dag ? needed_by(job) : *earlier) || changed;
    }
    return changed;
  }

  // The newest try of each needed job, in the order of the needs.
  Jobs needed_by(const JobNode& job) const {
    Jobs jobs;
    for (const std::string& name : job.needs)
      if (const auto at = newest_.find(name); at != newest_.end()) jobs.push_back(at->second);
    return jobs;
  }

  Jobs before_stage(int stage) const {
    Jobs jobs;
    for (const JobNode& job : state_.jobs)
      if (!job.retried && job.stage_index < stage) jobs.push_back(&job);
    return jobs;
  }

  // True when the job left Created.
  bool decide(JobNode& job, const Jobs& previous) {
    const Status status =
        composite_status(previous, job.dag ? Question::Dag : Question::Stage).status;
    if (!is_final(status)) {
      moves_.move(job, Created, waiting_reason(job, previous));
      return false;
    }
    if (!may_run(job, status))
      moves_.move(job, Skipped, skip_reason(job, status, previous));
    else if (job.when == When::Manual && !job.at_once)
      moves_.move(job, Manual, make_reason(ReasonCode::Manual));
    else if (job.when == When::Delayed && !job.at_once)
      moves_.move(job, Scheduled, delay_reason(job));
    else
      moves_.enqueue(job);
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

  static Reason delay_reason(const JobNode& job) {
    const auto delay = job.start_in.value_or(std::chrono::seconds{0});
    return make_reason(ReasonCode::Delayed, fmt::format("{} s", delay.count()));
  }

  static Reason waiting_reason(const JobNode& job, const Jobs& previous) {
    if (!job.dag) return make_reason(ReasonCode::WaitingForStage);
    Jobs open;
    for (const JobNode* needed : previous)
      if (!is_final(needed->status)) open.push_back(needed);
    return make_reason(ReasonCode::WaitingForNeeds, names_of(open));
  }

  static Reason skip_reason(const JobNode& job, Status previous, const Jobs& before) {
    const auto with_status = [&](Status status) {
      Jobs jobs;
      for (const JobNode* other : before)
        if (other->status == status && !may_fail(*other)) jobs.push_back(other);
      return names_of(jobs);
    };
    if (job.when == When::OnFailure && previous != Canceled)
      return make_reason(ReasonCode::NothingFailed);
    if (job.dag) {
      Jobs unmet;
      for (const JobNode* needed : before)
        if (needed->status != Success && !(may_fail(*needed) && needed->status != Manual))
          unmet.push_back(needed);
      return make_reason(ReasonCode::NeedFailed, names_of(unmet));
    }
    if (previous == Failed)
      return make_reason(ReasonCode::PreviousStageFailed, with_status(Failed));
    if (previous == Canceled)
      return make_reason(ReasonCode::PreviousStageCanceled, with_status(Canceled));
    return make_reason(ReasonCode::PreviousStageSkipped);
  }

  PipelineState& state_;
  Moves& moves_;
  std::unordered_map<std::string_view, const JobNode*> newest_;
  int stages_ = 0;
};

}  // namespace

void Moves::move(JobNode& job, Status to, Reason reason) {
  if (job.status == to && job.reason == reason) return;
  made_.push_back({job.id, job.status, to, reason, 0});
  job.status = to;
  job.reason = std::move(reason);
}

void Moves::enqueue(JobNode& job) {
  if (job.resource_group.empty())
    ready(job);
  else
    move(job, WaitingForResource, make_reason(ReasonCode::WaitingForResource, job.resource_group));
}

void Moves::ready(JobNode& job) {
  move(job, Pending,
       make_reason(job.bridge ? ReasonCode::WaitingForDownstream : ReasonCode::WaitingForRunner));
}

void Moves::add_try(const JobNode& job, std::int64_t retry_of) {
  made_.push_back({job.id, Created, Created, job.reason, retry_of});
}

void schedule(PipelineState& state, Moves& moves) {
  const bool waits = std::any_of(state.jobs.begin(), state.jobs.end(), [](const JobNode& job) {
    return !job.retried && job.status == Created;
  });
  if (waits) {
    Scheduling scheduling{state, moves};
    while (scheduling.pass()) {
    }
  }
  state.status = pipeline_status(state).status;
}

std::string names_of(const std::vector<const JobNode*>& jobs) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(jobs.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + jobs[i]->name;
  if (jobs.size() > kShown) text += fmt::format(" and {} more", jobs.size() - kShown);
  return text;
}

}  // namespace slipway::pipeline
