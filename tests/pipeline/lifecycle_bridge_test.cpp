// Trigger jobs: what becomes of one when its downstream pipeline is made, goes on and ends.
#include "pipeline/lifecycle.h"
#include "tests/pipeline/job_nodes.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using slipway::pipeline::test::node;

namespace {

struct Bridges {
  PipelineState state;

  // build → child → report.
  explicit Bridges(BridgeStrategy strategy) {
    state.jobs = {node(1, "build", 0), node(2, "child", 1), node(3, "report", 2)};
    state.jobs[1].bridge = strategy;
    state.jobs[0].status = Status::Success;
    happen({EventKind::Begin});
  }
  Result<std::vector<Transition>> attempt(Event event) { return apply(state, event); }
  void happen(const Event& event) { REQUIRE(apply(state, event)); }
  void happen(EventKind kind, std::int64_t job = 2) {
    Event event{kind};
    event.job = job;
    happen(event);
  }
  Result<std::vector<Transition>> downstream(Status status, std::string text = "") {
    Event event{EventKind::DownstreamIs};
    event.job = 2;
    event.downstream = status;
    event.reason.text = std::move(text);
    return attempt(event);
  }
  [[nodiscard]] const JobNode& bridge() const { return state.jobs[1]; }
  [[nodiscard]] Status report() const { return state.jobs[2].status; }
};

}  // namespace

TEST_CASE("a trigger job waits for its pipeline and not for a runner", "[lifecycle][bridge]") {
  Bridges some{BridgeStrategy::None};
  CHECK(some.bridge().status == Status::Pending);
  CHECK(some.bridge().reason.code == ReasonCode::WaitingForDownstream);
  some.happen(EventKind::Triggered);
  CHECK(some.bridge().status == Status::Success);
  CHECK(some.report() == Status::Pending);
  SECTION("and has done its work then, whatever becomes of that") {
    CHECK_FALSE(some.downstream(Status::Failed));
    CHECK(some.bridge().status == Status::Success);
  }
  SECTION("which is noted once") {
    CHECK_FALSE(some.attempt({EventKind::Triggered, 2, "", std::nullopt, {}}));
  }
}

TEST_CASE("with `depend` a trigger job ends as its pipeline does", "[lifecycle][bridge]") {
  struct Row {
    Status downstream;
    Status bridge;
    Status report;
  };
  using enum Status;
  const auto row = GENERATE(values<Row>({{Created, Running, Created},
                                         {Pending, Running, Created},
                                         {Running, Running, Created},
                                         {Manual, Running, Created},
                                         {Scheduled, Running, Created},
                                         {Canceling, Running, Created},
                                         {Success, Success, Pending},
                                         {Failed, Failed, Skipped},
                                         {Canceled, Canceled, Skipped},
                                         {Skipped, Failed, Skipped}}));
  CAPTURE(to_string(row.downstream));
  Bridges some{BridgeStrategy::Depend};
  some.happen(EventKind::Triggered);
  CHECK(some.bridge().status == Running);
  REQUIRE(some.downstream(row.downstream));
  CHECK(some.bridge().status == row.bridge);
  CHECK(some.report() == row.report);
}

TEST_CASE("with `mirror` a trigger job has the status of its pipeline", "[lifecycle][bridge]") {
  using enum Status;
  Bridges some{BridgeStrategy::Mirror};
  some.happen(EventKind::Triggered);
  REQUIRE(some.downstream(Manual));
  CHECK(some.bridge().status == Manual);
  CHECK(some.state.status == Manual);
  SECTION("what waits for a hand is there and not here") {
    const auto played = some.attempt({EventKind::Play, 2, "", std::nullopt, {}});
    REQUIRE_FALSE(played);
    CHECK(played.error().message ==
          "cannot play job 'child': what waits for a hand is the pipeline that it triggered, play "
          "the job there");
  }
  SECTION("it goes on when somebody has started it there") {
    REQUIRE(some.downstream(Running));
    CHECK(some.bridge().status == Running);
  }
  SECTION("skipped is no failure, and is not tried again by what else happens") {
    REQUIRE(some.downstream(Skipped));
    CHECK(some.bridge().status == Skipped);
    some.state.jobs.push_back(node(4, "by_hand", 1, When::Manual));
    some.state.jobs.back().status = Manual;
    some.happen(EventKind::Play, 4);
    CHECK(some.bridge().status == Skipped);
  }
}

TEST_CASE("a failure says which pipeline it was", "[lifecycle][bridge]") {
  Bridges some{BridgeStrategy::Depend};
  some.happen(EventKind::Triggered);
  REQUIRE(some.downstream(Status::Failed, "pipeline #7 is failed"));
  CHECK(some.bridge().reason.code == ReasonCode::DownstreamFailed);
  CHECK(some.bridge().reason.text ==
        "The pipeline that it triggered did not end well. Pipeline #7 is failed.");
}

TEST_CASE("a pipeline that could not be made fails its trigger job", "[lifecycle][bridge]") {
  Bridges some{BridgeStrategy::None};
  Event event{EventKind::Fail};
  event.job = 2;
  event.failure_reason = "reached_max_descendant_pipelines_depth";
  some.happen(event);
  CHECK(some.bridge().status == Status::Failed);
  CHECK(some.bridge().reason.code == ReasonCode::ReachedMaxDescendantDepth);
  CHECK(some.report() == Status::Skipped);
  some.happen(EventKind::RetryJob);
  const JobNode& again = some.state.jobs.back();
  CHECK(again.status == Status::Pending);
  CHECK_FALSE(again.triggered);
}

TEST_CASE("a trigger job goes on when its pipeline does", "[lifecycle][bridge]") {
  Bridges some{BridgeStrategy::Depend};
  some.happen(EventKind::Triggered);
  REQUIRE(some.downstream(Status::Failed));
  CHECK(some.report() == Status::Skipped);
  some.happen(EventKind::DownstreamResumes);
  CHECK(some.bridge().status == Status::Running);
  CHECK(some.report() == Status::Created);
  REQUIRE(some.downstream(Status::Success));
  CHECK(some.state.jobs.size() == 3);
  CHECK(some.report() == Status::Pending);
}

TEST_CASE("a running trigger job is canceled at once, since no runner has it",
          "[lifecycle][bridge]") {
  Bridges some{BridgeStrategy::Depend};
  some.happen(EventKind::Triggered);
  some.happen(EventKind::CancelPipeline);
  CHECK(some.bridge().status == Status::Canceled);
}

TEST_CASE("what cancels a trigger job's pipeline", "[lifecycle][bridge]") {
  JobNode none = node(1, "none", 0);
  none.bridge = BridgeStrategy::None;
  none.triggered = true;
  JobNode depend = none;
  depend.bridge = BridgeStrategy::Depend;
  const auto cancels = [](EventKind cause, const JobNode& bridge, bool canceled, bool child) {
    return cancels_downstream(cause, bridge, canceled, child);
  };
  // A child goes with its parent, even when the trigger job had ended.
  CHECK(cancels(EventKind::CancelPipeline, none, false, true));
  CHECK(cancels(EventKind::CancelPipeline, depend, true, true));
  // Another project's pipeline only while this one waits for it.
  CHECK_FALSE(cancels(EventKind::CancelPipeline, none, false, false));
  CHECK_FALSE(cancels(EventKind::CancelPipeline, depend, false, false));
  CHECK(cancels(EventKind::CancelPipeline, depend, true, false));
  CHECK(cancels(EventKind::CancelJob, depend, true, true));
  CHECK_FALSE(cancels(EventKind::CancelJob, depend, false, true));
  CHECK(cancels(EventKind::Fail, depend, true, true));
  CHECK_FALSE(cancels(EventKind::Fail, depend, false, true));
  CHECK_FALSE(cancels(EventKind::Supersede, depend, true, true));
  CHECK_FALSE(cancels(EventKind::DownstreamIs, depend, true, true));
}
