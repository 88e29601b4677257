// Composite statuses; source: Gitlab::Ci::Status::Composite, its rules in its order.

#include <algorithm>
#include <bitset>

#include "pipeline/scheduling.h"

namespace slipway::pipeline {
namespace {

// What a job counts as: its status, or one of two more.
constexpr std::size_t kWarning = 12;  // may fail, and did
constexpr std::size_t kIgnored = 13;  // may fail, and waits for a hand
using Set = std::bitset<14>;

std::size_t counts_as(const JobNode& job) {
  const bool allowed = job.allow_failure.always || job.failure_allowed;
  if (allowed && (job.status == Status::Failed || job.status == Status::Canceled)) return kWarning;
  if (job.allow_failure.always && job.status == Status::Manual) return kIgnored;
  return static_cast<std::size_t>(job.status);
}

Set set_of(std::initializer_list<Status> statuses, bool warning = false, bool ignored = false) {
  Set set;
  for (const Status status : statuses) set.set(static_cast<std::size_t>(status));
  set.set(kWarning, warning);
  set.set(kIgnored, ignored);
  return set;
}

Status composite(const Set& present, Question question) {
  const auto only = [&](const Set& allowed) { return (present & ~allowed).none(); };
  const auto any = [&](std::initializer_list<Status> statuses) {
    return (present & set_of(statuses)).any();
  };
  using enum Status;
  if (question == Question::Dag) {
    if (any({Skipped}) || present.test(kIgnored)) return Skipped;
    if (!only(set_of({Success, Failed, Canceled, Skipped}, true))) return Pending;
  }
  if (only(set_of({Skipped}, false, true))) return Skipped;
  if (only(set_of({Success, Skipped}, true, true))) return Success;
  if (only(set_of({Created}, true, true))) return Created;
  if (only(set_of({Preparing}, true, true))) return Preparing;
  if (only(set_of({Canceled, Success, Skipped}, true, true))) return Canceled;
  if (any({Canceling})) return Canceling;
  if (only(set_of({Pending, Created, Skipped}, true, true))) return Pending;
  if (any({Running, Pending})) return Running;
  if (any({WaitingForResource})) return WaitingForResource;
  if (any({Manual})) return Manual;
  if (any({Scheduled})) return Scheduled;
  if (any({Preparing})) return Preparing;
  if (any({Created})) return Running;
  return Failed;
}

}  // namespace

CompositeStatus composite_status(std::span<const JobNode* const> jobs, Question question) {
  Set present;
  for (const JobNode* job : jobs)
    if (!job->retried) present.set(counts_as(*job));
  if (present.none()) return {Status::Success, false};
  return {composite(present, question), present.test(kWarning)};
}

CompositeStatus pipeline_status(const PipelineState& state) {
  std::vector<const JobNode*> jobs;
  for (const JobNode& job : state.jobs) jobs.push_back(&job);
  return composite_status(jobs, Question::Stage);
}

CompositeStatus stage_status(const PipelineState& state, int stage_index) {
  std::vector<const JobNode*> jobs;
  for (const JobNode& job : state.jobs)
    if (job.stage_index == stage_index && !job.retried) jobs.push_back(&job);
  if (jobs.empty()) return {Status::Created, false};
  return composite_status(jobs, Question::Stage);
}

Reason pipeline_reason(const PipelineState& state) {
  const CompositeStatus composite = pipeline_status(state);
  // The reason of the first job in that status; none of them may be when all are optional.
  const auto of_first = [&](Status status) {
    for (const JobNode& job : state.jobs)
      if (!job.retried && job.status == status) return job.reason;
    return make_reason(ReasonCode::Manual);
  };
  const auto failed = [&](bool allowed) {
    std::vector<const JobNode*> jobs;
    for (const JobNode& job : state.jobs)
      if (!job.retried && job.status == Status::Failed &&
          (job.allow_failure.always || job.failure_allowed) == allowed)
        jobs.push_back(&job);
    return names_of(jobs);
  };
  switch (composite.status) {
    case Status::Success:
      return composite.warnings ? make_reason(ReasonCode::SucceededWithWarnings, failed(true))
                                : make_reason(ReasonCode::Succeeded);
    case Status::Failed: return make_reason(ReasonCode::JobFailed, failed(false));
    case Status::Canceled:
    case Status::Skipped:
    case Status::Canceling:
    case Status::Scheduled:
    case Status::WaitingForResource: return of_first(composite.status);
    case Status::Running: return make_reason(ReasonCode::Running);
    case Status::Manual: return make_reason(ReasonCode::Manual);
    case Status::Created:
    case Status::Preparing:
    case Status::Pending: break;
  }
  return make_reason(ReasonCode::WaitingForRunner);
}

}  // namespace slipway::pipeline
