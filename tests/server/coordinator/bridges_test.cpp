// Trigger jobs and the pipelines that they trigger: each hears of the other in the transaction of
// the change, so that a server that dies between two commits goes on where it was.
#include "pipeline/resource_group.h"
#include "tests/server/coordinator/coordinator_fixture.h"

using namespace slipway;
using namespace slipway::server;
using namespace slipway::server::test;

namespace {

struct Bridges : CoordinatorFixture {
  // trigger → after.
  static pipeline::Plan triggering(const std::string& strategy) {
    pipeline::Plan plan;
    plan.stages = {"trigger", "after"};
    plan.jobs = {planned("bridge", "trigger", 0), planned("after", "after", 1)};
    plan.jobs[0].job.script.clear();
    pipeline::Bridge bridge;
    bridge.files = {{.kind = "local", .from = "child.yml"}};
    bridge.strategy = strategy;
    plan.jobs[0].job.bridge = bridge;
    return plan;
  }
  static pipeline::Plan one_job() {
    pipeline::Plan plan;
    plan.stages = {"test"};
    plan.jobs = {planned("unit", "test", 0)};
    return plan;
  }
  NewPipeline downstream_of(PipelineId upstream, const char* source = "parent_pipeline",
                            pipeline::Plan plan = one_job()) {
    NewPipeline made = new_pipeline(std::move(plan));
    made.row.source = source;
    made.bridge = job(upstream, "bridge").id;
    return made;
  }
  Result<PipelineId> make(NewPipeline pipeline) {
    return ask<PipelineId>(
        [&](auto done) { coordinator->create_pipeline(std::move(pipeline), std::move(done)); });
  }
  PipelineId trigger(PipelineId upstream, const char* source = "parent_pipeline") {
    auto made = make(downstream_of(upstream, source));
    REQUIRE(made);
    return *made;
  }
  void end(PipelineId id, const std::string& name, JobOutcome outcome) {
    const auto assigned = assign(job(id, name).id, runner());
    REQUIRE(acknowledge(assigned.token));
    FinishedJob result;
    result.outcome = outcome;
    REQUIRE(finish(credential(assigned.token), result));
  }
  std::string status(PipelineId id, const std::string& name) { return job(id, name).status; }
  template <typename F>
  Result<void> done(F&& call) {
    return ask<void>(std::forward<F>(call));
  }
};

}  // namespace

TEST_CASE_METHOD(Bridges, "a trigger job is for no runner and asks for its pipeline once",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering(""));
  const JobRow bridge = job(upstream, "bridge");
  CHECK(bridge.status == "pending");
  CHECK(bridge.reason_text == "The pipeline that it triggers is being made.");
  CHECK(observed->queue.at(bridge.id) == QueueState::Gone);
  CHECK(observed->bridges == std::vector<JobId>{bridge.id});

  const PipelineId child = trigger(upstream);
  CHECK(status(upstream, "bridge") == "success");
  CHECK(status(upstream, "after") == "pending");
  CHECK(database->read()->bridges.source_of(child)->job_id == bridge.id);
  // A second answer, as after a crash of the one that was heard.
  NewPipeline again = new_pipeline(one_job());
  again.bridge = bridge.id;
  const auto refused = make(std::move(again));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Conflict);
  CHECK(refused.error().message == "job 'bridge' does not wait for a pipeline: it is success");
  CHECK(database->read()->bridges.of_upstream(upstream).size() == 1);
}

TEST_CASE_METHOD(Bridges,
                 "with a strategy a trigger job follows its pipeline to the end, over "
                 "crashes at every commit",
                 "[coordinator][bridge]") {
  const bool fails = GENERATE(false, true);
  const PipelineId upstream = create(triggering("depend"));
  crash();
  CHECK(observed->bridges == std::vector<JobId>{job(upstream, "bridge").id});
  const PipelineId child = trigger(upstream);
  crash();
  CHECK(observed->bridges.empty());
  CHECK(status(upstream, "bridge") == "running");
  CHECK(status(upstream, "after") == "created");
  const auto assigned = assign(job(child, "unit").id, runner());
  crash();
  REQUIRE(acknowledge(assigned.token));
  crash();
  FinishedJob result;
  result.outcome = fails ? JobOutcome::Failed : JobOutcome::Success;
  REQUIRE(finish(credential(assigned.token), result));
  crash();
  CHECK(status(upstream, "bridge") == (fails ? "failed" : "success"));
  CHECK(status(upstream, "after") == (fails ? "skipped" : "pending"));
  if (!fails) return;
  CHECK(row_of(upstream).status == "failed");
  CHECK(job(upstream, "bridge").failure_reason == "downstream_failed");
  CHECK(job(upstream, "bridge").reason_text ==
        "The pipeline that it triggered did not end well. Pipeline #" +
            std::to_string(child.value) + " is failed.");

  // A try there lets the upstream go on, though both had ended.
  REQUIRE(ask<JobId>(
      [&](auto then) { coordinator->retry_job(job(child, "unit").id, std::move(then)); }));
  crash();
  CHECK(status(upstream, "bridge") == "running");
  CHECK(row_of(upstream).status == "running");
  end(child, "unit", JobOutcome::Success);
  crash();
  CHECK(status(upstream, "bridge") == "success");
  CHECK(status(upstream, "after") == "pending");
}

TEST_CASE_METHOD(Bridges, "a commit that fails leaves neither the pipeline nor its mark",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("depend"));
  database->fail_next_commit();
  const auto made = make(downstream_of(upstream));
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::Unavailable);
  settle();
  CHECK(status(upstream, "bridge") == "pending");
  CHECK(database->read()->bridges.of_upstream(upstream).empty());
  trigger(upstream);
  CHECK(status(upstream, "bridge") == "running");
}

TEST_CASE_METHOD(Bridges, "canceling a pipeline cancels its children", "[coordinator][bridge]") {
  const std::string strategy = GENERATE("", "depend");
  const PipelineId upstream = create(triggering(strategy));
  const PipelineId child = trigger(upstream);
  REQUIRE(done([&](auto then) { coordinator->cancel_pipeline(upstream, std::move(then)); }));
  CHECK(row_of(child).status == "canceled");
  CHECK(job(child, "unit").reason_text ==
        "Was canceled with the pipeline that triggered it: pipeline #" +
            std::to_string(upstream.value) + ".");
  CHECK(row_of(upstream).status == "canceled");
}

TEST_CASE_METHOD(Bridges, "another project's pipeline is canceled only while somebody waits for it",
                 "[coordinator][bridge]") {
  const std::string strategy = GENERATE("", "depend");
  const PipelineId upstream = create(triggering(strategy));
  const PipelineId other = trigger(upstream, "pipeline");
  REQUIRE(done([&](auto then) { coordinator->cancel_pipeline(upstream, std::move(then)); }));
  CHECK(row_of(other).status == (strategy.empty() ? "pending" : "canceled"));
}

TEST_CASE_METHOD(Bridges, "canceling a trigger job cancels what it follows",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("mirror"));
  const PipelineId child = trigger(upstream);
  REQUIRE(done([&](auto then) {
    coordinator->cancel_job(job(upstream, "bridge").id, std::move(then), "ann");
  }));
  CHECK(status(upstream, "bridge") == "canceled");
  CHECK(job(upstream, "bridge").reason_text == "Was canceled by ann.");
  CHECK(row_of(child).status == "canceled");
}

TEST_CASE_METHOD(Bridges, "a trigger job that was canceled gets no pipeline any more",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("depend"));
  NewPipeline late = downstream_of(upstream);
  REQUIRE(done([&](auto then) { coordinator->cancel_pipeline(upstream, std::move(then)); }));
  CHECK_FALSE(make(std::move(late)));
  const auto failed = done([&](auto then) {
    coordinator->fail_bridge(job(upstream, "bridge").id, "pipeline_loop_detected", "",
                             std::move(then));
  });
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::Conflict);
}

TEST_CASE_METHOD(Bridges, "a pipeline that cannot be made fails its trigger job with the reason",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("depend"));
  SECTION("no pipeline at all") {
    REQUIRE(done([&](auto then) {
      coordinator->fail_bridge(job(upstream, "bridge").id, "downstream_bridge_project_not_found",
                               "this server has no project 'a/b'", std::move(then));
    }));
    CHECK(job(upstream, "bridge").failure_reason == "downstream_bridge_project_not_found");
    CHECK(job(upstream, "bridge").reason_text ==
          "The project that it triggers is not there. This server has no project 'a/b'.");
    CHECK(row_of(upstream).status == "failed");
  }
  SECTION("one whose file is wrong, which is kept for what it says") {
    NewPipeline wrong = downstream_of(upstream);
    wrong.plan = nullptr;
    wrong.row.reason_code = "configuration_invalid";
    wrong.row.reason_text = "The pipeline file is not valid: child.yml:1: x.";
    const auto made = make(std::move(wrong));
    REQUIRE(made);
    CHECK(row_of(*made).status == "failed");
    CHECK(job(upstream, "bridge").failure_reason == "downstream_pipeline_creation_failed");
    CHECK(job(upstream, "bridge").reason_text ==
          "The pipeline that it triggers could not be created. The pipeline file is not valid: "
          "child.yml:1: x.");
  }
}

TEST_CASE_METHOD(Bridges, "a new try of a trigger job asks for a pipeline of its own",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("depend"));
  const PipelineId first = trigger(upstream);
  end(first, "unit", JobOutcome::Failed);
  const JobId old = job(upstream, "bridge").id;
  const auto again = ask<JobId>([&](auto then) { coordinator->retry_job(old, std::move(then)); });
  REQUIRE(again);
  CHECK(observed->bridges.back() == *again);
  const PipelineId second = trigger(upstream);
  CHECK(second != first);
  CHECK(status(upstream, "bridge") == "running");
  // The first one is history: what happens there concerns nobody.
  REQUIRE(ask<JobId>(
      [&](auto then) { coordinator->retry_job(job(first, "unit").id, std::move(then)); }));
  CHECK(status(upstream, "bridge") == "running");
  CHECK(database->read()->jobs.find(old)->status == "failed");
}

TEST_CASE_METHOD(Bridges, "a job follows another pipeline without having made it",
                 "[coordinator][bridge]") {
  pipeline::Plan plan = triggering("");
  plan.jobs[0].job.bridge.own().upstream = "group/other";
  const PipelineId other = create(one_job());
  const PipelineId upstream = create(std::move(plan));
  REQUIRE(done([&](auto then) {
    coordinator->follow_pipeline(job(upstream, "bridge").id, other, std::move(then));
  }));
  crash();
  CHECK(status(upstream, "bridge") == "running");
  CHECK_FALSE(database->read()->bridges.source_of(other));
  SECTION("it ends as that one does") {
    end(other, "unit", JobOutcome::Success);
    CHECK(status(upstream, "bridge") == "success");
  }
  SECTION("and does not cancel it") {
    REQUIRE(done([&](auto then) { coordinator->cancel_pipeline(upstream, std::move(then)); }));
    CHECK(row_of(other).status == "pending");
  }
}

TEST_CASE_METHOD(Bridges, "a project that goes takes its pipelines from those who follow them",
                 "[coordinator][bridge]") {
  const PipelineId upstream = create(triggering("depend"));
  const ProjectId own = project_id;
  project_id = project("group/other");
  const PipelineId other = [&] {
    NewPipeline made = new_pipeline(one_job());
    made.row.source = "pipeline";
    made.bridge = job(upstream, "bridge").id;
    auto id = make(std::move(made));
    REQUIRE(id);
    return *id;
  }();
  REQUIRE(done([&](auto then) { coordinator->delete_project(project_id, std::move(then)); }));
  CHECK_FALSE(database->read()->pipelines.find(other));
  CHECK(job(upstream, "bridge").failure_reason == "downstream_bridge_project_not_found");
  project_id = own;
}

TEST_CASE_METHOD(Bridges, "a child pipeline cancels no pipeline of an older commit again",
                 "[coordinator][bridge]") {
  NewPipeline older = new_pipeline(one_job());
  older.row.sha = "aaaaaaaa";
  const auto old = make(std::move(older));
  REQUIRE(old);
  const auto assigned = assign(job(*old, "unit").id, runner());
  REQUIRE(acknowledge(assigned.token));  // it has started, so a newer commit leaves it alone
  const PipelineId upstream = create(triggering("depend"));
  CHECK(row_of(*old).status == "running");
  trigger(upstream);
  CHECK(row_of(*old).status == "running");
}

TEST_CASE_METHOD(Bridges, "a resource group is held until the downstream pipeline has ended",
                 "[coordinator][bridge]") {
  pipeline::Plan plan = triggering("depend");
  plan.jobs[0].job.resource_group = "production";
  const PipelineId first = create(plan);
  const PipelineId second = create(plan);
  const PipelineId child = trigger(first);
  CHECK(status(second, "bridge") == "waiting_for_resource");
  end(child, "unit", JobOutcome::Success);
  CHECK(status(second, "bridge") == "pending");
}

TEST_CASE_METHOD(Bridges, "the process mode of a resource group decides who is next",
                 "[coordinator]") {
  pipeline::Plan plan = one_job();
  plan.jobs[0].job.resource_group = "production";
  const PipelineId first = create(plan);
  const PipelineId second = create(plan);
  const PipelineId third = create(plan);
  const auto set = [&](const std::string& group, pipeline::ProcessMode mode) {
    return done([&](auto then) {
      coordinator->set_process_mode(project_id, group, mode, std::move(then));
    });
  };
  CHECK(set("other", pipeline::ProcessMode::OldestFirst).error().message ==
        "no job had the resource group 'other' yet");
  REQUIRE(set("production", pipeline::ProcessMode::NewestReadyFirst));
  crash();
  end(first, "unit", JobOutcome::Success);
  CHECK(status(second, "unit") == "waiting_for_resource");
  CHECK(status(third, "unit") == "pending");
}

TEST_CASE_METHOD(Bridges, "a delayed job starts at its time though the server was away",
                 "[coordinator]") {
  pipeline::Plan plan = one_job();
  plan.jobs[0].when = pipeline::When::Delayed;
  plan.jobs[0].start_in = std::chrono::hours{1};
  const PipelineId id = create(plan);
  CHECK(status(id, "unit") == "scheduled");
  const auto due = job(id, "unit").scheduled_at;
  tick(std::chrono::minutes{59});
  crash();
  CHECK(status(id, "unit") == "scheduled");
  CHECK(job(id, "unit").scheduled_at == due);
  tick(std::chrono::seconds{59});
  CHECK(status(id, "unit") == "scheduled");
  tick(std::chrono::seconds{1});
  CHECK(status(id, "unit") == "pending");
}
