// Pipelines of one project that bear on each other: resource groups, newer commits, and who it was
// that canceled.
#include "tests/server/coordinator/coordinator_fixture.h"

using namespace slipway;
using namespace slipway::server;
using namespace slipway::server::test;

namespace {

struct Exclusion : CoordinatorFixture {
  // build → deploy, which wants the group.
  static pipeline::Plan deploying(const std::string& group = "production") {
    pipeline::Plan plan = two_stages();
    plan.jobs[1].job.resource_group = group;
    return plan;
  }
  // One job that wants the group at once.
  static pipeline::Plan deploy_only(const std::string& group = "production") {
    pipeline::Plan plan;
    plan.stages = {"deploy"};
    plan.jobs = {planned("deploy", "deploy", 0)};
    plan.jobs[0].job.resource_group = group;
    return plan;
  }
  PipelineId create_at(
      const std::string& sha, pipeline::Plan plan = two_stages(),
      const std::function<void(PipelineRow&)>& change = [](PipelineRow&) {}) {
    NewPipeline made = new_pipeline(std::move(plan));
    made.row.sha = sha;
    change(made.row);
    auto id = ask<PipelineId>(
        [&](auto done) { coordinator->create_pipeline(std::move(made), std::move(done)); });
    REQUIRE(id);
    return *id;
  }
  // Until it runs.
  JobCredential start(PipelineId id, const std::string& name) {
    const auto assigned = assign(job(id, name).id, runner());
    REQUIRE(acknowledge(assigned.token));
    return credential(assigned.token);
  }
  std::string status(PipelineId id, const std::string& name) { return job(id, name).status; }
};

constexpr const char* kOld = "aaaaaaaa11111111";
constexpr const char* kNew = "bbbbbbbb22222222";

pipeline::Plan with_choice(const std::string& on_new_commit, bool interruptible) {
  pipeline::Plan plan = CoordinatorFixture::two_stages();
  plan.auto_cancel_on_new_commit = on_new_commit;
  plan.jobs[0].interruptible = interruptible;
  return plan;
}

}  // namespace

TEST_CASE_METHOD(Exclusion, "jobs of one resource group run one after the other", "[coordinator]") {
  const PipelineId first = create(deploy_only());
  const PipelineId second = create(deploy_only());
  const PipelineId third = create(deploy_only());
  CHECK(status(first, "deploy") == "pending");
  CHECK(status(second, "deploy") == "waiting_for_resource");
  CHECK(job(second, "deploy").reason_text ==
        "Waits for the resource group production to become free.");
  CHECK(row_of(second).status == "waiting_for_resource");
  CHECK(row_of(second).reason_text == job(second, "deploy").reason_text);
  CHECK(observed->queue.at(job(first, "deploy").id) == QueueState::Waiting);
  CHECK(observed->queue.at(job(second, "deploy").id) == QueueState::Gone);

  const JobCredential who = start(first, "deploy");
  CHECK(status(second, "deploy") == "waiting_for_resource");
  REQUIRE(finish(who));
  CHECK(status(second, "deploy") == "pending");
  CHECK(observed->queue.at(job(second, "deploy").id) == QueueState::Waiting);
  CHECK(status(third, "deploy") == "waiting_for_resource");
  REQUIRE(finish(start(second, "deploy")));
  REQUIRE(finish(start(third, "deploy")));
  CHECK(row_of(third).status == "success");
}

TEST_CASE_METHOD(Exclusion, "a resource group is of one name in one project", "[coordinator]") {
  create(deploy_only("production"));
  CHECK(status(create(deploy_only("staging")), "deploy") == "pending");
  project_id = project("group/other");
  CHECK(status(create(deploy_only("production")), "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "a job that waits for its stage leaves the group to others",
                 "[coordinator]") {
  const PipelineId first = create(deploying());
  const PipelineId second = create(deploy_only());
  CHECK(status(second, "deploy") == "pending");
  REQUIRE(finish(start(first, "compile")));
  CHECK(status(first, "unit") == "waiting_for_resource");
  CHECK(row_of(first).status == "waiting_for_resource");
}

TEST_CASE_METHOD(Exclusion, "the group is free again however its holder ends", "[coordinator]") {
  const PipelineId first = create(deploy_only());
  const PipelineId second = create(deploy_only());
  SECTION("canceled before it runs") {
    REQUIRE(ask<void>([&](auto done) { coordinator->cancel_pipeline(first, std::move(done)); }));
  }
  SECTION("failed") {
    REQUIRE(finish(start(first, "deploy"),
                   {JobOutcome::Failed, "script_failure", 1, std::nullopt, 0, ""}));
  }
  SECTION("lost with its runner") {
    start(first, "deploy");
    tick(std::chrono::seconds{91});
    CHECK(status(first, "deploy") == "failed");
  }
  SECTION("canceling is not the end yet") {
    const JobCredential who = start(first, "deploy");
    REQUIRE(ask<void>([&](auto done) { coordinator->cancel_pipeline(first, std::move(done)); }));
    CHECK(status(second, "deploy") == "waiting_for_resource");
    REQUIRE(finish(who));
  }
  CHECK(status(second, "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "a retry queues for the group behind its next holder",
                 "[coordinator]") {
  const PipelineId first = create(deploy_only());
  const PipelineId second = create(deploy_only());
  REQUIRE(finish(start(first, "deploy")));
  const JobCredential holder = start(second, "deploy");
  const JobId old = job(first, "deploy").id;
  REQUIRE(ask<JobId>([&](auto done) { coordinator->retry_job(old, std::move(done)); }));
  CHECK(status(first, "deploy") == "waiting_for_resource");
  REQUIRE(finish(holder));
  CHECK(status(first, "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "who has the group and who waits is known after a crash",
                 "[coordinator]") {
  const PipelineId first = create(deploy_only());
  const PipelineId second = create(deploy_only());
  crash();
  CHECK(status(second, "deploy") == "waiting_for_resource");
  REQUIRE(finish(start(first, "deploy")));
  CHECK(status(second, "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "a project that goes takes its claims along", "[coordinator]") {
  create(deploy_only());
  create(deploy_only());
  REQUIRE(ask<void>([&](auto done) { coordinator->delete_project(project_id, std::move(done)); }));
  project_id = project("group/next");
  CHECK(status(create(deploy_only()), "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "a newer commit cancels what has not begun, and is named",
                 "[coordinator]") {
  const PipelineId old = create_at(kOld);
  const PipelineId fresh = create_at(kNew);
  CHECK(row_of(old).status == "canceled");
  const std::string why = "Was canceled because a newer commit came: bbbbbbbb, pipeline #" +
                          std::to_string(fresh.value) + ".";
  CHECK(row_of(old).reason_code == "canceled_by_new_pipeline");
  CHECK(row_of(old).reason_text == why);
  CHECK(job(old, "compile").reason_text == why);
  CHECK(job(old, "unit").reason_text == why);
  CHECK(row_of(fresh).status == "pending");
  CHECK(status(fresh, "compile") == "pending");
}

TEST_CASE_METHOD(Exclusion, "what a newer commit may cancel is said by the older pipeline",
                 "[coordinator]") {
  struct Row {
    const char* choice;
    bool interruptible;  // the job that runs
    const char* compile;
    const char* unit;
  };
  const auto row = GENERATE(values<Row>({{"conservative", false, "running", "created"},
                                         {"conservative", true, "canceling", "canceled"},
                                         {"interruptible", false, "running", "created"},
                                         {"interruptible", true, "canceling", "created"},
                                         {"none", true, "running", "created"}}));
  CAPTURE(row.choice, row.interruptible);
  const PipelineId old = create_at(kOld, with_choice(row.choice, row.interruptible));
  start(old, "compile");
  const PipelineId fresh = create_at(kNew);
  CHECK(status(old, "compile") == row.compile);
  CHECK(status(old, "unit") == row.unit);
  CHECK(row_of(fresh).status == "pending");
  crash();
  CHECK(status(old, "compile") == row.compile);
}

TEST_CASE_METHOD(Exclusion, "the choice of a pipeline outlives a crash", "[coordinator]") {
  const PipelineId old = create_at(kOld, with_choice("none", true));
  crash();
  create_at(kNew);
  CHECK(row_of(old).status == "pending");
}

TEST_CASE_METHOD(Exclusion, "a newer commit leaves others in peace", "[coordinator]") {
  SECTION("the same commit") {
    const PipelineId old = create_at(kOld);
    create_at(kOld);
    CHECK(row_of(old).status == "pending");
  }
  SECTION("another branch") {
    const PipelineId old = create_at(kOld, two_stages(), [](PipelineRow& row) { row.ref = "dev"; });
    create_at(kNew);
    CHECK(row_of(old).status == "pending");
  }
  SECTION("tags") {
    const auto tag = [](PipelineRow& row) { row.tag = true; };
    const PipelineId old = create_at(kOld, two_stages(), tag);
    create_at(kNew, two_stages(), tag);
    CHECK(row_of(old).status == "pending");
  }
  SECTION("a merge request of the branch") {
    const PipelineId old =
        create_at(kOld, two_stages(), [](PipelineRow& row) { row.source = "merge_request_event"; });
    create_at(kNew);
    CHECK(row_of(old).status == "pending");
  }
  SECTION("another project") {
    const PipelineId old = create_at(kOld);
    project_id = project("group/other");
    create_at(kNew);
    CHECK(row_of(old).status == "pending");
  }
  SECTION("a pipeline that has ended") {
    const PipelineId old = create_at(kOld, deploy_only());
    REQUIRE(finish(start(old, "deploy")));
    create_at(kNew);
    CHECK(row_of(old).status == "success");
  }
}

TEST_CASE_METHOD(Exclusion, "a newer commit gets the group that it frees", "[coordinator]") {
  const PipelineId old = create_at(kOld, deploy_only());
  const PipelineId fresh = create_at(kNew, deploy_only());
  CHECK(status(old, "deploy") == "canceled");
  CHECK(status(fresh, "deploy") == "pending");
}

TEST_CASE_METHOD(Exclusion, "a cancellation names its user, to the end and after a crash",
                 "[coordinator]") {
  const PipelineId id = create();
  start(id, "compile");
  REQUIRE(ask<void>([&](auto done) { coordinator->cancel_pipeline(id, std::move(done), "ann"); }));
  CHECK(status(id, "compile") == "canceling");
  CHECK(job(id, "compile").reason_text == "Was canceled by ann.");
  CHECK(row_of(id).reason_text == "Was canceled by ann.");
  crash();
  tick(std::chrono::minutes{11});
  CHECK(status(id, "compile") == "canceled");
  CHECK(job(id, "compile").reason_text == "Was canceled by ann.");
  CHECK(row_of(id).reason_text == "Was canceled by ann.");
}

TEST_CASE_METHOD(Exclusion, "a job that is canceled alone names its user too", "[coordinator]") {
  const PipelineId id = create();
  const JobId first = job(id, "compile").id;
  REQUIRE(ask<void>([&](auto done) { coordinator->cancel_job(first, std::move(done), "bob"); }));
  CHECK(job(id, "compile").reason_text == "Was canceled by bob.");
  CHECK(job(id, "unit").reason_text ==
        "Was not run because an earlier stage was canceled: compile.");
}

TEST_CASE_METHOD(Exclusion, "a failure that cancels the others is named by them", "[coordinator]") {
  pipeline::Plan plan = two_stages();
  plan.auto_cancel_on_job_failure = "all";
  plan.jobs.insert(plan.jobs.begin() + 1, planned("docs", "build", 1));
  const PipelineId id = create(std::move(plan));
  REQUIRE(
      finish(start(id, "compile"), {JobOutcome::Failed, "script_failure", 2, std::nullopt, 0, ""}));
  CHECK(job(id, "docs").reason_code == "canceled_by_job_failure");
  CHECK(job(id, "docs").reason_text == "Was canceled because a job failed: compile.");
  CHECK(row_of(id).reason_text == "A job failed: compile.");
}

TEST_CASE_METHOD(Exclusion,
                 "a manual job that is tried again needs no second hand, also after a crash",
                 "[coordinator]") {
  pipeline::Plan plan = two_stages();
  plan.jobs[1].when = pipeline::When::Manual;
  const PipelineId id = create(std::move(plan));
  REQUIRE(finish(start(id, "compile")));
  REQUIRE(
      ask<void>([&](auto done) { coordinator->play_job(job(id, "unit").id, std::move(done)); }));
  REQUIRE(finish(start(id, "unit")));
  // Both are tried again; the manual one has to wait for the other.
  REQUIRE(ask<JobId>(
      [&](auto done) { coordinator->retry_job(job(id, "compile").id, std::move(done)); }));
  REQUIRE(
      ask<JobId>([&](auto done) { coordinator->retry_job(job(id, "unit").id, std::move(done)); }));
  CHECK(status(id, "unit") == "created");
  crash();
  REQUIRE(finish(start(id, "compile")));
  CHECK(status(id, "unit") == "pending");
}
