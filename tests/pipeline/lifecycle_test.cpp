#include "pipeline/lifecycle.h"

#include <algorithm>

#include "tests/pipeline/job_nodes.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using slipway::pipeline::test::node;

namespace {

// The newest try of that name.
const JobNode& newest(const PipelineState& state, std::string_view name) {
  const JobNode* found = nullptr;
  for (const JobNode& job : state.jobs)
    if (job.name == name && !job.retried) found = &job;
  REQUIRE(found != nullptr);
  return *found;
}

Status status_of(const PipelineState& state, std::string_view name) {
  return newest(state, name).status;
}

void happens(PipelineState& state, EventKind kind, std::string_view name = {}) {
  Event event{kind, name.empty() ? 0 : newest(state, name).id, "", std::nullopt, {}};
  if (kind == EventKind::Fail) event.failure_reason = "script_failure";
  CAPTURE(to_string(kind), name);
  REQUIRE(apply(state, event));
}

void run(PipelineState& state, std::string_view name, EventKind end) {
  happens(state, EventKind::Start, name);
  happens(state, end, name);
}

PipelineState three_stages() {
  PipelineState state;
  state.jobs = {node(1, "build", 0), node(2, "test", 1), node(3, "deploy", 2)};
  happens(state, EventKind::Begin);
  return state;
}

}  // namespace

TEST_CASE("stages follow each other", "[lifecycle]") {
  PipelineState state = three_stages();
  CHECK(status_of(state, "build") == Status::Pending);
  CHECK(status_of(state, "test") == Status::Created);
  CHECK(newest(state, "test").reason.code == ReasonCode::WaitingForStage);
  run(state, "build", EventKind::Succeed);
  CHECK(status_of(state, "test") == Status::Pending);
  CHECK(state.status == Status::Running);
  run(state, "test", EventKind::Succeed);
  run(state, "deploy", EventKind::Succeed);
  CHECK(state.status == Status::Success);
}

TEST_CASE("a failure skips what follows, and a retry brings it back", "[lifecycle]") {
  PipelineState state = three_stages();
  run(state, "build", EventKind::Fail);
  CHECK(status_of(state, "deploy") == Status::Skipped);
  CHECK(newest(state, "test").reason.text == "Was not run because an earlier stage failed: build.");
  CHECK(state.status == Status::Failed);

  const auto done = apply(state, {EventKind::RetryJob, 1, "", std::nullopt, {}});
  REQUIRE(done);
  CHECK(state.jobs.size() == 4);
  CHECK(state.jobs[0].retried);
  CHECK(newest(state, "build").attempt == 2);
  CHECK(status_of(state, "test") == Status::Created);
  const auto fresh = std::find_if(done->begin(), done->end(),
                                  [](const Transition& change) { return change.retry_of == 1; });
  REQUIRE(fresh != done->end());
  CHECK(fresh->job == -1);
  renumber(state, -1, 40);
  run(state, "build", EventKind::Succeed);
  CHECK(newest(state, "build").id == 40);
  CHECK(status_of(state, "test") == Status::Pending);
}

TEST_CASE("a job that retries by itself stops at its maximum", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "flaky", 0)};
  state.jobs[0].retry.max = 2;
  happens(state, EventKind::Begin);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    run(state, "flaky", EventKind::Fail);
    CHECK(status_of(state, "flaky") == Status::Pending);
    renumber(state, -1, attempt + 1);
  }
  run(state, "flaky", EventKind::Fail);
  CHECK(status_of(state, "flaky") == Status::Failed);
  CHECK(state.jobs.size() == 3);
}

TEST_CASE("a retry for other failures does not happen", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "flaky", 0)};
  state.jobs[0].retry = {2, {"runner_system_failure"}, {}};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "flaky");
  SECTION("a script's own failure") {
    happens(state, EventKind::Fail, "flaky");
    CHECK(status_of(state, "flaky") == Status::Failed);
  }
  SECTION("a lost runner counts as the system's") {
    happens(state, EventKind::LoseRunner, "flaky");
    CHECK(status_of(state, "flaky") == Status::Pending);
  }
}

TEST_CASE("an allowed failure lets the next stage run, with a warning", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "lint", 0), node(2, "test", 1)};
  state.jobs[0].allow_failure.exit_codes = {42};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "lint");
  SECTION("with the exit code that is allowed") {
    REQUIRE(apply(state, {EventKind::Fail, 1, "script_failure", 42, {}}));
    run(state, "test", EventKind::Succeed);
    CHECK(state.status == Status::Success);
    CHECK(pipeline_status(state).warnings);
  }
  SECTION("not with another") {
    REQUIRE(apply(state, {EventKind::Fail, 1, "script_failure", 1, {}}));
    CHECK(state.status == Status::Failed);
  }
}

TEST_CASE("what `when` asks of the stages before", "[lifecycle]") {
  struct Row {
    When when;
    EventKind end;
    Status then;
  };
  using enum Status;
  const auto row = GENERATE(values<Row>({{When::OnSuccess, EventKind::Succeed, Pending},
                                         {When::OnSuccess, EventKind::Fail, Skipped},
                                         {When::OnFailure, EventKind::Succeed, Skipped},
                                         {When::OnFailure, EventKind::Fail, Pending},
                                         {When::Always, EventKind::Succeed, Pending},
                                         {When::Always, EventKind::Fail, Pending},
                                         {When::Manual, EventKind::Succeed, Manual},
                                         {When::Manual, EventKind::Fail, Skipped},
                                         {When::Delayed, EventKind::Succeed, Scheduled},
                                         {When::Delayed, EventKind::Fail, Skipped}}));
  CAPTURE(to_string(row.when), to_string(row.end));
  PipelineState state;
  const bool dag = GENERATE(false, true);
  state.jobs = {node(1, "first", 0), node(2, "second", 1, row.when)};
  state.jobs[1].dag = dag;
  if (dag) state.jobs[1].needs = {"first"};
  happens(state, EventKind::Begin);
  run(state, "first", row.end);
  CHECK(status_of(state, "second") == row.then);
}

TEST_CASE("a canceled stage skips even what always runs", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "first", 0), node(2, "cleanup", 1, When::Always)};
  happens(state, EventKind::Begin);
  happens(state, EventKind::CancelJob, "first");
  CHECK(status_of(state, "cleanup") == Status::Skipped);
}

TEST_CASE("a job with needs does not wait for its stage", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0), node(2, "b", 0), node(3, "after a", 1), node(4, "free", 1)};
  state.jobs[2].dag = true;
  state.jobs[2].needs = {"a"};
  state.jobs[3].dag = true;
  happens(state, EventKind::Begin);
  CHECK(status_of(state, "free") == Status::Pending);
  CHECK(newest(state, "after a").reason.code == ReasonCode::WaitingForNeeds);
  run(state, "a", EventKind::Succeed);
  CHECK(status_of(state, "after a") == Status::Pending);
}

TEST_CASE("a manual job blocks unless it may fail", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "approve", 0, When::Manual), node(2, "next", 1)};
  SECTION("blocking") {
    happens(state, EventKind::Begin);
    CHECK(state.status == Status::Manual);
    CHECK(status_of(state, "next") == Status::Created);
    happens(state, EventKind::Play, "approve");
    run(state, "approve", EventKind::Succeed);
    CHECK(status_of(state, "next") == Status::Pending);
  }
  SECTION("optional") {
    state.jobs[0].allow_failure.always = true;
    happens(state, EventKind::Begin);
    CHECK(status_of(state, "next") == Status::Pending);
  }
  SECTION("optional, but needed") {
    state.jobs[0].allow_failure.always = true;
    state.jobs[1].dag = true;
    state.jobs[1].needs = {"approve"};
    happens(state, EventKind::Begin);
    CHECK(status_of(state, "next") == Status::Skipped);
    happens(state, EventKind::Play, "approve");
    CHECK(status_of(state, "next") == Status::Created);
  }
}

TEST_CASE("canceling a pipeline ends what waits and asks what runs", "[lifecycle]") {
  PipelineState state = three_stages();
  happens(state, EventKind::Start, "build");
  happens(state, EventKind::CancelPipeline);
  CHECK(status_of(state, "build") == Status::Canceling);
  CHECK(status_of(state, "deploy") == Status::Canceled);
  CHECK(state.status == Status::Canceling);
  happens(state, EventKind::Succeed, "build");
  CHECK(state.status == Status::Canceled);
}

TEST_CASE("the first failure cancels the rest when the file asks for it", "[lifecycle]") {
  PipelineState state;
  state.cancel_on_failure = true;
  state.jobs = {node(1, "a", 0), node(2, "b", 0), node(3, "c", 1)};
  happens(state, EventKind::Begin);
  run(state, "a", EventKind::Fail);
  CHECK(status_of(state, "b") == Status::Canceled);
  CHECK(status_of(state, "c") == Status::Canceled);
}

TEST_CASE("words of statuses read back, and others are refused", "[lifecycle]") {
  for (const Status status : all_statuses()) CHECK(*parse_status(to_string(status)) == status);
  CHECK_FALSE(parse_status("finished"));
  for (const ReasonCode code : all_reason_codes()) {
    CHECK(*parse_reason_code(to_string(code)) == code);
    CHECK(make_reason(code, "x").text.find("{}") == std::string::npos);
  }
  CHECK_FALSE(parse_reason_code("because"));
}

TEST_CASE("composites follow GitLab's rules in their order", "[lifecycle]") {
  using enum Status;
  struct Row {
    std::vector<Status> jobs;
    Status stage;
    Status dag;
  };
  const auto row =
      GENERATE(values<Row>({{{}, Success, Success},
                            {{Skipped}, Skipped, Skipped},
                            {{Success, Skipped}, Success, Skipped},
                            {{Success, Success}, Success, Success},
                            {{Created, Created}, Created, Pending},
                            {{Preparing}, Preparing, Pending},
                            {{Canceled, Success}, Canceled, Canceled},
                            {{Canceling, Running}, Canceling, Pending},
                            {{Pending, Created}, Pending, Pending},
                            {{Running, Failed}, Running, Pending},
                            {{WaitingForResource, Success}, WaitingForResource, Pending},
                            {{Manual, Success}, Manual, Pending},
                            {{Scheduled, Success}, Scheduled, Pending},
                            {{Created, Success}, Running, Pending},
                            {{Failed, Success}, Failed, Failed},
                            {{Failed, Canceled}, Failed, Failed}}));
  std::vector<JobNode> nodes;
  for (const Status status : row.jobs) {
    nodes.push_back(node(1, "job", 0));
    nodes.back().status = status;
  }
  std::vector<const JobNode*> jobs;
  for (const JobNode& job : nodes) jobs.push_back(&job);
  CAPTURE(to_string(row.stage), jobs.size());
  CHECK(composite_status(jobs, Question::Stage).status == row.stage);
  CHECK(composite_status(jobs, Question::Dag).status == row.dag);
}
