// Resource groups, newer commits, tries that were asked for, and who canceled: what a pipeline
// takes from outside itself.
#include <algorithm>

#include "pipeline/resource_group.h"
#include "tests/pipeline/job_nodes.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using slipway::pipeline::test::node;

namespace {

const JobNode& newest(const PipelineState& state, std::string_view name) {
  const auto found = std::find_if(state.jobs.begin(), state.jobs.end(), [&](const JobNode& job) {
    return job.name == name && !job.retried;
  });
  REQUIRE(found != state.jobs.end());
  return *found;
}

Status status_of(const PipelineState& state, std::string_view name) {
  return newest(state, name).status;
}

void happens(PipelineState& state, EventKind kind, std::string_view name = {}, Reason why = {}) {
  const std::int64_t id = name.empty() ? 0 : newest(state, name).id;
  const auto done = apply(state, {kind, id, "script_failure", 1, std::move(why)});
  CAPTURE(to_string(kind), name);
  REQUIRE(done);
  for (const Transition& change : *done)
    if (change.job < 0)
      renumber(state, change.job, 100 + static_cast<std::int64_t>(state.jobs.size()));
}

JobNode grouped(std::int64_t id, std::string name, int stage) {
  JobNode job = node(id, std::move(name), stage);
  job.resource_group = "production";
  return job;
}

const Reason kNewer = make_reason(ReasonCode::CanceledByNewPipeline, "0a1b2c3d, pipeline #7");

}  // namespace

TEST_CASE("a job of a resource group waits until the group is granted", "[lifecycle]") {
  PipelineState state;
  state.jobs = {grouped(1, "deploy", 0), node(2, "after", 1)};
  happens(state, EventKind::Begin);
  CHECK(status_of(state, "deploy") == Status::WaitingForResource);
  CHECK(newest(state, "deploy").reason.text ==
        "Waits for the resource group production to become free.");
  CHECK(state.status == Status::WaitingForResource);
  CHECK(pipeline_reason(state) == newest(state, "deploy").reason);
  happens(state, EventKind::GrantResource, "deploy");
  CHECK(status_of(state, "deploy") == Status::Pending);
  happens(state, EventKind::Start, "deploy");
  SECTION("and once more for its next try") {
    happens(state, EventKind::Succeed, "deploy");
    happens(state, EventKind::RetryJob, "deploy");
    CHECK(status_of(state, "deploy") == Status::WaitingForResource);
  }
  SECTION("also when that comes by itself") {
    state.jobs[0].retry.max = 1;
    happens(state, EventKind::Fail, "deploy");
    CHECK(status_of(state, "deploy") == Status::WaitingForResource);
  }
}

TEST_CASE("by hand or after a delay, the group comes first", "[lifecycle]") {
  PipelineState state;
  state.jobs = {grouped(1, "deploy", 0)};
  const auto [when, kind] =
      GENERATE(table<When, EventKind>({{When::Manual, EventKind::Play},
                                       {When::Delayed, EventKind::Play},
                                       {When::Delayed, EventKind::ElapseDelay}}));
  state.jobs[0].when = when;
  happens(state, EventKind::Begin);
  happens(state, kind, "deploy");
  CHECK(status_of(state, "deploy") == Status::WaitingForResource);
}

TEST_CASE("which job gets the group, in each mode", "[lifecycle]") {
  using enum Status;
  using Claims = std::vector<Claim>;
  struct Row {
    const char* what;
    Claims claims;
    std::int64_t unordered;  // 0: nobody
    std::int64_t oldest;
    std::int64_t newest;
    std::int64_t newest_ready;
  };
  const auto row = GENERATE(values<Row>({
      {"nobody", {}, 0, 0, 0, 0},
      {"one waits", {{1, 10, WaitingForResource}}, 10, 10, 10, 10},
      {"all wait", {{2, 20, WaitingForResource}, {1, 10, WaitingForResource}}, 10, 10, 20, 20},
      {"one is pending", {{1, 10, Pending}, {2, 20, WaitingForResource}}, 0, 0, 0, 0},
      {"one is preparing", {{1, 10, Preparing}, {2, 20, WaitingForResource}}, 0, 0, 0, 0},
      {"one runs", {{1, 10, Running}, {2, 20, WaitingForResource}}, 0, 0, 0, 0},
      {"one is canceling", {{1, 10, Canceling}, {2, 20, WaitingForResource}}, 0, 0, 0, 0},
      {"the older is not ready", {{1, 10, Created}, {2, 20, WaitingForResource}}, 20, 0, 20, 20},
      {"the older is delayed", {{1, 10, Scheduled}, {2, 20, WaitingForResource}}, 20, 0, 20, 20},
      {"the newer is not ready", {{1, 10, WaitingForResource}, {2, 20, Created}}, 10, 10, 0, 10},
      {"the older waits for a hand",
       {{1, 10, Manual}, {2, 20, WaitingForResource}},
       20,
       20,
       20,
       20},
      {"the others have ended",
       {{1, 10, Success}, {1, 11, Failed}, {2, 20, Skipped}, {3, 30, WaitingForResource}},
       30,
       30,
       30,
       30},
      {"one of two of a pipeline is ready",
       {{1, 10, Created}, {1, 11, WaitingForResource}},
       11,
       11,
       11,
       11},
  }));
  CAPTURE(row.what);
  CHECK(next_holder(ProcessMode::Unordered, row.claims).value_or(0) == row.unordered);
  CHECK(next_holder(ProcessMode::OldestFirst, row.claims).value_or(0) == row.oldest);
  CHECK(next_holder(ProcessMode::NewestFirst, row.claims).value_or(0) == row.newest);
  CHECK(next_holder(ProcessMode::NewestReadyFirst, row.claims).value_or(0) == row.newest_ready);
}

TEST_CASE("words of modes and choices read back, and others are refused", "[lifecycle]") {
  for (const ProcessMode mode : all_process_modes())
    CHECK(*parse_process_mode(to_string(mode)) == mode);
  CHECK(to_string(ProcessMode::NewestReadyFirst) == "newest_ready_first");
  CHECK(parse_process_mode("random").error().message == "'random' is no process mode");
  for (const OnNewCommit choice :
       {OnNewCommit::Conservative, OnNewCommit::Interruptible, OnNewCommit::None})
    CHECK(*parse_on_new_commit(to_string(choice)) == choice);
  CHECK(parse_on_new_commit("all").error().message == "'all' is no word of on_new_commit");
}

TEST_CASE("a newer commit cancels what the older pipeline allows", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "build", 0), node(2, "test", 0), node(3, "deploy", 1)};
  state.jobs[0].interruptible = true;
  happens(state, EventKind::Begin);
  SECTION("conservative: everything while only interruptible jobs have started") {
    happens(state, EventKind::Start, "build");
    happens(state, EventKind::Supersede, {}, kNewer);
    CHECK(status_of(state, "build") == Status::Canceling);
    CHECK(status_of(state, "test") == Status::Canceled);
    CHECK(status_of(state, "deploy") == Status::Canceled);
    happens(state, EventKind::Fail, "build");
    CHECK(newest(state, "build").reason == kNewer);
    CHECK(pipeline_reason(state) == kNewer);
  }
  SECTION("conservative: nothing once another one has started, or has ended") {
    happens(state, EventKind::Start, "test");
    if (GENERATE(false, true)) happens(state, EventKind::Succeed, "test");
    happens(state, EventKind::Supersede, {}, kNewer);
    CHECK(status_of(state, "build") == Status::Pending);
    CHECK(status_of(state, "deploy") == Status::Created);
  }
  SECTION("interruptible: those jobs and no other") {
    state.on_new_commit = OnNewCommit::Interruptible;
    happens(state, EventKind::Start, "test");
    happens(state, EventKind::Supersede, {}, kNewer);
    CHECK(status_of(state, "build") == Status::Canceled);
    CHECK(status_of(state, "test") == Status::Running);
    happens(state, EventKind::Succeed, "test");
    CHECK(status_of(state, "deploy") == Status::Skipped);
    CHECK(state.status == Status::Canceled);
  }
  SECTION("none") {
    state.on_new_commit = OnNewCommit::None;
    happens(state, EventKind::Supersede, {}, kNewer);
    CHECK(status_of(state, "build") == Status::Pending);
  }
}

TEST_CASE("a try that was asked for waits for no hand and no delay", "[lifecycle]") {
  const auto when = GENERATE(When::Manual, When::Delayed);
  PipelineState state;
  state.jobs = {node(1, "deploy", 0, when)};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Play, "deploy");
  happens(state, EventKind::Start, "deploy");
  SECTION("by a person") {
    happens(state, EventKind::Succeed, "deploy");
    happens(state, EventKind::RetryJob, "deploy");
    CHECK(status_of(state, "deploy") == Status::Pending);
  }
  SECTION("by its own retry") {
    state.jobs[0].retry.max = 1;
    happens(state, EventKind::Fail, "deploy");
    CHECK(status_of(state, "deploy") == Status::Pending);
  }
  SECTION("but not with the whole pipeline") {
    happens(state, EventKind::Fail, "deploy");
    happens(state, EventKind::RetryPipeline);
    CHECK(status_of(state, "deploy") ==
          (when == When::Manual ? Status::Manual : Status::Scheduled));
  }
}

TEST_CASE("a new try has to find its turn as any other job", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "build", 0), node(2, "test", 1)};
  happens(state, EventKind::Begin);
  happens(state, EventKind::CancelPipeline);
  SECTION("after what is canceled it has none") {
    happens(state, EventKind::RetryJob, "test");
    CHECK(status_of(state, "test") == Status::Skipped);
    CHECK(newest(state, "test").reason.text ==
          "Was not run because an earlier stage was canceled: build.");
  }
  SECTION("after what runs again it waits") {
    happens(state, EventKind::RetryJob, "build");
    happens(state, EventKind::RetryJob, "test");
    CHECK(status_of(state, "test") == Status::Created);
    happens(state, EventKind::Start, "build");
    happens(state, EventKind::Succeed, "build");
    CHECK(status_of(state, "test") == Status::Pending);
  }
}

TEST_CASE("a retry for a failed script covers an image that cannot be pulled", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "build", 0)};
  const char* word =
      GENERATE("script_failure", "runner_system_failure", "always", "image_pull_failure");
  state.jobs[0].retry = {1, {word}, {}};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "build");
  REQUIRE(apply(state, {EventKind::Fail, 1, "image_pull_failure", std::nullopt, {}}));
  CHECK(state.jobs.size() == 2);
}

TEST_CASE("a cancellation is explained by who did it, to its end", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0), node(2, "b", 0)};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "a");
  happens(state, EventKind::CancelPipeline, {}, make_reason(ReasonCode::CanceledByUser, "ann"));
  CHECK(newest(state, "a").reason.text == "Was canceled by ann.");
  CHECK(pipeline_reason(state).text == "Was canceled by ann.");
  const auto kind =
      GENERATE(EventKind::Succeed, EventKind::Fail, EventKind::LoseRunner, EventKind::ForceCancel);
  happens(state, kind, "a");
  CHECK(newest(state, "a").reason.text == "Was canceled by ann.");
  CHECK(newest(state, "b").reason.text == "Was canceled by ann.");
  CHECK(pipeline_reason(state).text == "Was canceled by ann.");
}

TEST_CASE("jobs that were canceling before reasons named somebody end by a user", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0)};
  state.jobs[0].status = Status::Canceling;
  state.jobs[0].reason = make_reason(ReasonCode::Canceling);
  happens(state, EventKind::Succeed, "a");
  CHECK(newest(state, "a").reason.text == "Was canceled by a user.");
}

TEST_CASE("what a failure canceled names the job that failed", "[lifecycle]") {
  PipelineState state;
  state.cancel_on_failure = true;
  state.jobs = {node(1, "a", 0), node(2, "b", 0), node(3, "c", 1)};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "a");
  happens(state, EventKind::Start, "b");
  happens(state, EventKind::Fail, "a");
  CHECK(status_of(state, "b") == Status::Canceling);
  CHECK(newest(state, "b").reason.text == "Was canceled because a job failed: a.");
  CHECK(newest(state, "c").reason.code == ReasonCode::CanceledByJobFailure);
  happens(state, EventKind::Succeed, "b");
  CHECK(pipeline_reason(state).text == "A job failed: a.");
}

TEST_CASE("a pipeline that has nothing but skipped or optional jobs says so", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "alarm", 0, When::OnFailure)};
  SECTION("skipped") {
    happens(state, EventKind::Begin);
    CHECK(state.status == Status::Skipped);
    CHECK(pipeline_reason(state).code == ReasonCode::NothingFailed);
  }
  SECTION("optional") {
    state.jobs[0].when = When::Manual;
    state.jobs[0].allow_failure.always = true;
    happens(state, EventKind::Begin);
    CHECK(state.status == Status::Skipped);
    CHECK(pipeline_reason(state).code == ReasonCode::Manual);
  }
}
