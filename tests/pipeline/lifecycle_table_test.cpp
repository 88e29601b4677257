// The whole life cycle on one page: what every event does in every status, of a job and of a
// pipeline. A status or an event without its row or column does not compile, or fails the first
// test.
#include <array>

#include "pipeline/lifecycle.h"
#include "tests/pipeline/job_nodes.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using slipway::pipeline::test::node;

namespace {

constexpr std::size_t kStatuses = 12;
constexpr std::size_t kEvents = 18;

constexpr std::size_t column_of(Status status) {
  switch (status) {
    case Status::Created: return 0;
    case Status::WaitingForResource: return 1;
    case Status::Preparing: return 2;
    case Status::Pending: return 3;
    case Status::Running: return 4;
    case Status::Canceling: return 5;
    case Status::Success: return 6;
    case Status::Failed: return 7;
    case Status::Canceled: return 8;
    case Status::Skipped: return 9;
    case Status::Manual: return 10;
    case Status::Scheduled: return 11;
  }
  return kStatuses;
}

constexpr std::size_t row_of(EventKind kind) {
  switch (kind) {
    case EventKind::Begin: return 0;
    case EventKind::Start: return 1;
    case EventKind::Succeed: return 2;
    case EventKind::Fail: return 3;
    case EventKind::LoseRunner: return 4;
    case EventKind::Requeue: return 5;
    case EventKind::CancelJob: return 6;
    case EventKind::CancelPipeline: return 7;
    case EventKind::ForceCancel: return 8;
    case EventKind::Supersede: return 9;
    case EventKind::Play: return 10;
    case EventKind::RetryJob: return 11;
    case EventKind::RetryPipeline: return 12;
    case EventKind::ElapseDelay: return 13;
    case EventKind::GrantResource: return 14;
    case EventKind::Triggered: return 15;
    case EventKind::DownstreamIs: return 16;
    case EventKind::DownstreamResumes: return 17;
  }
  return kEvents;
}

// The status after the event; "-" when nothing changes; "conflict" when it is refused.
using Row = std::array<const char*, kStatuses>;
using Table = std::array<Row, kEvents>;

// clang-format off
// A job that is alone in its pipeline, and not interruptible. After a retry: the new try.
constexpr Table kJob{{
  //  created     waiting     preparing   pending     running      canceling   success     failed      canceled    skipped     manual      scheduled
  {"pending",  "-",        "-",        "-",        "-",         "-",        "-",        "-",        "-",        "-",        "-",        "-"},         // begin
  {"conflict", "conflict", "conflict", "running",  "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // start
  {"conflict", "conflict", "conflict", "conflict", "success",   "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // succeed
  {"conflict", "failed",   "conflict", "failed",   "failed",    "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // fail
  {"conflict", "conflict", "conflict", "conflict", "failed",    "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // lose the runner
  {"conflict", "conflict", "conflict", "-",        "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // requeue
  {"canceled", "canceled", "canceled", "canceled", "canceling", "conflict", "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // cancel the job
  {"canceled", "canceled", "canceled", "canceled", "canceling", "conflict", "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // cancel the pipeline
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // force
  {"canceled", "canceled", "canceled", "canceled", "-",         "-",        "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // supersede
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "pending",  "pending"},   // play
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "pending",  "pending",  "pending",  "conflict", "conflict", "conflict"},  // retry the job
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "pending",  "pending",  "conflict", "conflict", "conflict"},  // retry the pipeline
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "pending"},   // delay elapsed
  {"conflict", "pending",  "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // grant the group
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // triggered
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // the downstream is
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // the downstream resumes
}};

// A pipeline of two stages (see in_status), whose first job the event is for.
constexpr Table kPipeline{{
  //  created     waiting     preparing   pending     running      canceling   success     failed      canceled    skipped     manual      scheduled
  {"pending",  "-",        "-",        "-",        "-",         "-",        "-",        "-",        "-",        "-",        "-",        "-"},         // begin
  {"conflict", "conflict", "conflict", "running",  "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // start
  {"conflict", "conflict", "conflict", "conflict", "-",         "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // succeed
  {"conflict", "failed",   "conflict", "failed",   "failed",    "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // fail
  {"conflict", "conflict", "conflict", "conflict", "failed",    "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // lose the runner
  {"conflict", "conflict", "conflict", "-",        "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // requeue
  {"canceled", "canceled", "canceled", "canceled", "canceling", "conflict", "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // cancel the job
  {"canceled", "canceled", "canceled", "canceled", "canceling", "conflict", "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // cancel the pipeline
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "canceled", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // force
  {"canceled", "canceled", "canceled", "canceled", "-",         "-",        "conflict", "conflict", "conflict", "conflict", "canceled", "canceled"},  // supersede
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "pending",  "pending"},   // play
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "running",  "pending",  "pending",  "conflict", "conflict", "conflict"},  // retry the job
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "-",        "conflict", "pending",  "pending",  "conflict", "conflict", "conflict"},  // retry the pipeline
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "pending"},   // delay elapsed
  {"conflict", "pending",  "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // grant the group
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // triggered
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // the downstream is
  {"conflict", "conflict", "conflict", "conflict", "conflict",  "conflict", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict"},  // the downstream resumes
}};
// clang-format on

// A pipeline in that status, by way of its first job.
PipelineState in_status(Status status) {
  PipelineState state;
  state.jobs = {node(1, "first", 0), node(2, "second", 1)};
  state.jobs[0].status = status;
  switch (status) {
    case Status::Success: state.jobs[1].status = Status::Success; break;
    case Status::Failed:
    case Status::Canceled:
    case Status::Skipped: state.jobs[1].status = Status::Skipped; break;
    case Status::Canceling: state.jobs[1].status = Status::Canceled; break;
    case Status::Created:
    case Status::WaitingForResource:
    case Status::Preparing:
    case Status::Pending:
    case Status::Running:
    case Status::Manual:
    case Status::Scheduled: break;
  }
  state.status = pipeline_status(state).status;
  return state;
}

std::string outcome(const Result<std::vector<Transition>>& done, Status before, Status after) {
  if (!done) return std::string{to_string(done.error().kind)};
  return before == after ? "-" : std::string{to_string(after)};
}

Event event_for(EventKind kind, std::int64_t job) {
  return {kind, job, "script_failure", 1, {}};
}

bool same(const JobNode& left, const JobNode& right) {
  return left.id == right.id && left.status == right.status && left.reason == right.reason &&
         left.retried == right.retried && left.attempt == right.attempt;
}

}  // namespace

TEST_CASE("the tables have a column for each status and a row for each event", "[lifecycle]") {
  REQUIRE(all_statuses().size() == kStatuses);
  REQUIRE(all_event_kinds().size() == kEvents);
  std::array<int, kStatuses> columns{};
  std::array<int, kEvents> rows{};
  for (const Status status : all_statuses()) ++columns.at(column_of(status));
  for (const EventKind kind : all_event_kinds()) ++rows.at(row_of(kind));
  for (const int times : columns) CHECK(times == 1);
  for (const int times : rows) CHECK(times == 1);
  for (const Table* table : {&kJob, &kPipeline})
    for (const Row& row : *table)
      for (const char* cell : row) CHECK(cell != nullptr);
}

TEST_CASE("every event has its effect on a job or is refused, in every status", "[lifecycle]") {
  for (const Status from : all_statuses()) {
    for (const EventKind kind : all_event_kinds()) {
      CAPTURE(to_string(from), to_string(kind));
      PipelineState state;
      state.jobs = {node(1, "job", 0)};
      state.jobs[0].status = from;
      state.status = pipeline_status(state).status;
      const JobNode before = state.jobs[0];
      const auto done = apply(state, event_for(kind, 1));
      CHECK(outcome(done, from, state.jobs.back().status) ==
            kJob.at(row_of(kind)).at(column_of(from)));
      if (done) continue;
      REQUIRE(state.jobs.size() == 1);
      CHECK(same(state.jobs[0], before));
    }
  }
}

TEST_CASE("every event has its effect on a pipeline or is refused, in every status",
          "[lifecycle]") {
  for (const Status from : all_statuses()) {
    REQUIRE(in_status(from).status == from);
    for (const EventKind kind : all_event_kinds()) {
      CAPTURE(to_string(from), to_string(kind));
      PipelineState state = in_status(from);
      const auto before = state.jobs;
      const auto done = apply(state, event_for(kind, 1));
      CHECK(outcome(done, from, state.status) == kPipeline.at(row_of(kind)).at(column_of(from)));
      if (done) continue;
      REQUIRE(state.jobs.size() == 2);
      for (std::size_t i = 0; i < 2; ++i) CHECK(same(state.jobs[i], before[i]));
    }
  }
}

TEST_CASE("what a refusal says, for each event", "[lifecycle]") {
  const auto refusal = [](EventKind kind, Status from) {
    PipelineState state = in_status(from);
    const auto done = apply(state, event_for(kind, 1));
    REQUIRE_FALSE(done);
    return done.error().message;
  };
  using enum Status;
  CHECK(refusal(EventKind::Start, Running) == "cannot start job 'first' because it is running");
  CHECK(refusal(EventKind::Succeed, Success) == "cannot succeed job 'first' because it is success");
  CHECK(refusal(EventKind::Fail, Manual) == "cannot fail job 'first' because it is manual");
  CHECK(refusal(EventKind::LoseRunner, Pending) ==
        "cannot lose the runner of job 'first' because it is pending");
  CHECK(refusal(EventKind::Requeue, Running) == "cannot requeue job 'first' because it is running");
  CHECK(refusal(EventKind::CancelJob, Canceling) ==
        "cannot cancel job 'first' because it is canceling");
  CHECK(refusal(EventKind::CancelPipeline, Success) == "cannot cancel a pipeline that is success");
  CHECK(refusal(EventKind::ForceCancel, Running) ==
        "cannot force the cancellation of job 'first' because it is running");
  CHECK(refusal(EventKind::Supersede, Failed) == "cannot supersede a pipeline that is failed");
  CHECK(refusal(EventKind::Play, Created) == "cannot play job 'first' because it is created");
  CHECK(refusal(EventKind::RetryJob, Skipped) == "cannot retry job 'first' because it is skipped");
  CHECK(refusal(EventKind::RetryPipeline, Running) ==
        "the pipeline has no failed or canceled job to retry");
  CHECK(refusal(EventKind::ElapseDelay, Pending) ==
        "cannot end the delay of job 'first' because it is pending");
  CHECK(refusal(EventKind::GrantResource, Pending) ==
        "cannot grant its resource group to job 'first' because it is pending");
  CHECK(refusal(EventKind::Triggered, Pending) ==
        "cannot note the downstream pipeline of job 'first' because it is pending");
  CHECK(refusal(EventKind::DownstreamIs, Running) ==
        "cannot pass the downstream status on to job 'first' because it is running");
  CHECK(refusal(EventKind::DownstreamResumes, Success) ==
        "cannot resume job 'first' because it is success");
}

TEST_CASE("an event for a job that is not there is refused in every status", "[lifecycle]") {
  for (const Status status : all_statuses()) {
    for (const EventKind kind : all_event_kinds()) {
      if (kind == EventKind::Begin || kind == EventKind::CancelPipeline ||
          kind == EventKind::RetryPipeline || kind == EventKind::Supersede)
        continue;
      CAPTURE(to_string(status), to_string(kind));
      PipelineState state = in_status(status);
      const auto done = apply(state, event_for(kind, 99));
      REQUIRE_FALSE(done);
      CHECK(done.error().kind == ErrorKind::NotFound);
      CHECK(done.error().message == "there is no job 99");
    }
  }
}
