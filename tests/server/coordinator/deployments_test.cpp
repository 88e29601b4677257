// What jobs do to environments: in order, the newest wins, nothing starts before people and the
// calendar allow it, and a server that dies between two commits goes on where it was.
#include <algorithm>
#include <random>

#include "server/store/run_refs.h"
#include "tests/server/coordinator/coordinator_fixture.h"

using namespace slipway;
using namespace slipway::server;
using namespace slipway::server::test;

namespace {

struct Deployments : CoordinatorFixture {
  static pipeline::PlannedJob deploy_job(const std::string& name, const std::string& environment,
                                         const std::string& action = "start") {
    pipeline::PlannedJob job = planned(name, "deploy", 0);
    pipeline::Environment& its = job.job.environment.emplace();
    its.name = environment;
    its.action = action;
    return job;
  }
  static pipeline::Plan deploying(const std::string& environment = "production") {
    pipeline::Plan plan;
    plan.stages = {"deploy"};
    plan.jobs = {deploy_job("deploy", environment)};
    return plan;
  }
  PipelineId create_at(
      const std::string& sha, pipeline::Plan plan = deploying(),
      const std::function<void(PipelineRow&)>& change = [](PipelineRow&) {}) {
    NewPipeline made = new_pipeline(std::move(plan));
    made.row.sha = sha;
    made.row.source = "schedule";  // so that no pipeline cancels an older one
    change(made.row);
    auto id = ask<PipelineId>(
        [&](auto done) { coordinator->create_pipeline(std::move(made), std::move(done)); });
    REQUIRE(id);
    return *id;
  }
  JobCredential start(JobId id) {
    const auto assigned = assign(id, taker_);
    REQUIRE(acknowledge(assigned.token));
    return credential(assigned.token);
  }
  void run(PipelineId id, const std::string& name = "deploy") {
    REQUIRE(finish(start(job(id, name).id)));
  }
  EnvironmentRow environment(const std::string& name = "production") {
    const auto found = database->read()->environments.find(project_id, name);
    REQUIRE(found);
    return *found;
  }
  DeploymentRow deployment(PipelineId id, const std::string& name = "deploy") {
    const auto found = database->read()->deployments.of_job(job(id, name).id);
    REQUIRE(found);
    return *found;
  }
  std::string status(PipelineId id, const std::string& name = "deploy") {
    return job(id, name).status;
  }
  template <typename F>
  void write(F&& act) {
    REQUIRE(ask<bool>([&](auto done) {
      coordinator->submit<bool>(
          [&](WriteTransaction& open) -> Result<bool> {
            act(open.stores);
            return true;
          },
          std::move(done));
    }));
  }
  void protect(const std::string& name, int approvals, int deploy_level = 40) {
    write([&](Stores& stores) {
      ProtectedEnvironmentRow rule;
      rule.project_id = project_id;
      rule.name = name;
      rule.required_approvals = approvals;
      rule.deploy_level = deploy_level;
      stores.deployment_rules.protect(rule);
    });
  }
  UserId person(const std::string& name, Level level = Level::None) {
    UserId id;
    write([&](Stores& stores) {
      UserRow user;
      user.username = name;
      id = stores.users.insert(user);
      if (level == Level::None) return;
      MemberRow member;
      member.user_id = id;
      member.project_id = project_id;
      member.level = level;
      stores.members.put(member);
    });
    return id;
  }
  Result<void> say(DeploymentId id, UserId who, const std::string& word,
                   const std::string& sha = {}) {
    ApprovalRow row;
    row.deployment_id = id;
    row.user_id = who;
    row.username = "person" + std::to_string(who.value);
    row.status = word;
    return ask<void>(
        [&](auto done) { coordinator->approve_deployment(row, sha, std::move(done)); });
  }

  RunnerId taker_ = runner();
};

constexpr const char* kOld = "aaaaaaaa11111111";
constexpr const char* kNew = "bbbbbbbb22222222";

}  // namespace

TEST_CASE_METHOD(Deployments, "a job with an environment is a deployment of it", "[coordinator]") {
  pipeline::Plan plan = deploying("review/Feature-1");
  plan.jobs[0].job.environment.own().auto_stop_in = "2 days";
  plan.jobs[0].job.environment.own().on_stop = "stop";
  const PipelineId id = create_at(kOld, plan);
  CHECK(environment("review/Feature-1").state == "stopped");
  CHECK(environment("review/Feature-1").tier == "development");
  CHECK(environment("review/Feature-1").slug.starts_with("review-feature-1"));
  CHECK(deployment(id).status == "created");
  CHECK(deployment(id).iid == 1);
  CHECK(deployment(id).sha == kOld);

  const JobCredential who = start(job(id, "deploy").id);
  CHECK(deployment(id).status == "running");
  CHECK(environment("review/Feature-1").state == "available");
  REQUIRE(finish(who));
  CHECK(deployment(id).status == "success");
  CHECK(deployment(id).finished_at == clock.now());
  CHECK(environment("review/Feature-1").on_stop == "stop");
  CHECK(environment("review/Feature-1").auto_stop_at ==
        clock.now() + std::chrono::milliseconds{std::chrono::hours{48}}.count());
  CHECK(database->read()->deployments.current(environment("review/Feature-1").id)->id ==
        deployment(id).id);
}

TEST_CASE_METHOD(Deployments, "what verifies or prepares deploys nothing", "[coordinator]") {
  pipeline::Plan plan = deploying();
  plan.jobs.push_back(deploy_job("verify", "production", "verify"));
  const PipelineId id = create_at(kOld, plan);
  CHECK(deployment(id).iid == 1);
  CHECK_FALSE(database->read()->deployments.of_job(job(id, "verify").id));
  CHECK(job(id, "verify").status == "pending");
}

TEST_CASE_METHOD(Deployments, "how a job ends is how its deployment ends", "[coordinator]") {
  const PipelineId id = create_at(kOld);
  SECTION("failed") {
    REQUIRE(finish(start(job(id, "deploy").id),
                   {JobOutcome::Failed, "script_failure", 1, std::nullopt, 0, ""}));
    CHECK(deployment(id).status == "failed");
    CHECK_FALSE(database->read()->deployments.current(environment().id));
  }
  SECTION("canceled") {
    REQUIRE(ask<void>([&](auto done) { coordinator->cancel_pipeline(id, std::move(done)); }));
    CHECK(deployment(id).status == "canceled");
    CHECK(environment().state == "stopped");
  }
  SECTION("lost with its runner, and not tried again by itself") {
    pipeline::Plan plan = deploying("staging");
    plan.jobs[0].job.retry.max = 2;
    const PipelineId lost = create_at(kOld, plan);
    start(job(lost, "deploy").id);
    tick(std::chrono::seconds{91});
    CHECK(job(lost, "deploy").failure_reason == "runner_lost");
    CHECK(job(lost, "deploy").attempt == 1);
    CHECK(deployment(lost).status == "failed");
  }
}

TEST_CASE_METHOD(Deployments, "fifty deployments at once end in order and the newest wins",
                 "[coordinator]") {
  std::vector<PipelineId> pipelines;
  std::mt19937 random{20261130};
  for (int i = 0; i < 50; ++i) pipelines.push_back(create_at("sha" + std::to_string(1000 + i)));
  std::vector<std::string> order;
  int running = 0;
  for (;;) {
    std::vector<PipelineId> ready;
    for (const PipelineId id : pipelines)
      if (status(id) == "pending") ready.push_back(id);
    if (ready.empty()) break;
    REQUIRE(ready.size() == 1);
    const JobCredential who = start(job(ready[0], "deploy").id);
    for (const PipelineId id : pipelines) running += status(id) == "running" ? 1 : 0;
    CHECK(std::exchange(running, 0) == 1);
    if (random() % 10 == 0) crash();  // between any two commits
    REQUIRE(finish(who));
    order.push_back(row_of(ready[0]).sha);
  }
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order.size() == 50);
  CHECK(database->read()->deployments.current(environment().id)->sha == "sha1049");
}

TEST_CASE_METHOD(Deployments, "an older pipeline never overwrites a newer deployment",
                 "[coordinator]") {
  pipeline::Plan plan = deploying();
  plan.jobs[0].when = pipeline::When::Manual;
  plan.jobs[0].job.retry.max = 2;
  const PipelineId older = create_at(kOld, plan);
  const PipelineId newer = create_at(kNew);
  run(newer);
  REQUIRE(ask<void>(
      [&](auto done) { coordinator->play_job(job(older, "deploy").id, std::move(done)); }));
  CHECK(status(older) == "failed");
  CHECK(job(older, "deploy").failure_reason == "failed_outdated_deployment_job");
  CHECK(job(older, "deploy").attempt == 1);
  CHECK(job(older, "deploy").reason_text.find("bbbbbbbb") != std::string::npos);
  CHECK(deployment(older).status == "failed");
  CHECK(observed->queue.at(job(older, "deploy").id) == QueueState::Gone);

  // On purpose it may.
  const auto again = ask<JobId>(
      [&](auto done) { coordinator->retry_job(job(older, "deploy").id, std::move(done)); });
  REQUIRE(again);
  REQUIRE(finish(start(*again)));
  CHECK(database->read()->deployments.current(environment().id)->sha == kOld);
}

TEST_CASE_METHOD(Deployments, "two jobs of one pipeline may deploy to one environment",
                 "[coordinator]") {
  pipeline::Plan plan = deploying();
  plan.jobs.push_back(deploy_job("more", "production"));
  const PipelineId id = create_at(kOld, plan);
  CHECK(status(id) == "pending");
  CHECK(status(id, "more") == "waiting_for_resource");
  run(id);
  run(id, "more");
  CHECK(row_of(id).status == "success");
}

TEST_CASE_METHOD(Deployments, "a retry tells whether it rolls back", "[coordinator]") {
  const PipelineId older = create_at(kOld);
  run(older);
  const PipelineId newer = create_at(kNew);
  run(newer);
  CHECK(deployment(newer).kind == "deploy");
  const UserId ann = person("ann", Level::Maintainer);
  const auto again = ask<JobId>(
      [&](auto done) { coordinator->retry_job(job(older, "deploy").id, std::move(done), ann); });
  REQUIRE(again);
  const auto row = database->read()->deployments.of_job(*again);
  REQUIRE(row);
  CHECK(row->kind == "rollback");
  CHECK(database->read()->jobs.find(*again)->user_id == ann);
  REQUIRE(finish(start(*again)));
  CHECK(database->read()->deployments.current(environment().id)->sha == kOld);
  CHECK(database->read()->deployments.before(*row)->sha == kNew);
  const auto redeployed =
      ask<JobId>([&](auto done) { coordinator->retry_job(*again, std::move(done)); });
  REQUIRE(redeployed);
  CHECK(database->read()->deployments.of_job(*redeployed)->kind == "redeploy");
}

TEST_CASE_METHOD(Deployments, "a protected environment waits for its approvals", "[coordinator]") {
  protect("prod*", 2);
  const PipelineId id =
      create_at(kOld, deploying(), [](PipelineRow& row) { row.ref_protected = true; });
  CHECK(status(id) == "waiting_for_resource");
  CHECK(job(id, "deploy").reason_code == "waiting_for_approval");
  CHECK(job(id, "deploy").reason_text ==
        "The deployment waits for 2 approvals before it may start.");
  CHECK(row_of(id).reason_text == job(id, "deploy").reason_text);
  CHECK(deployment(id).status == "blocked");
  CHECK(observed->queue.at(job(id, "deploy").id) == QueueState::Gone);
  const UserId ann = person("ann");
  const UserId ben = person("ben");
  REQUIRE(say(deployment(id).id, ann, "approved"));
  CHECK(job(id, "deploy").reason_text ==
        "The deployment waits for another approval before it may start.");

  SECTION("nobody counts twice") {
    REQUIRE(say(deployment(id).id, ann, "approved"));
    CHECK(status(id) == "waiting_for_resource");
  }
  SECTION("the last one lets it go") {
    REQUIRE(say(deployment(id).id, ben, "approved", kOld));
    CHECK(status(id) == "pending");
    CHECK(deployment(id).status == "created");
    run(id);
    const auto late = say(deployment(id).id, ben, "rejected");
    CHECK(late.error().kind == ErrorKind::Conflict);
  }
  SECTION("an approval of another commit is none") {
    const auto wrong = say(deployment(id).id, ben, "approved", kNew);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().kind == ErrorKind::Conflict);
    CHECK(status(id) == "waiting_for_resource");
    // Nor does it count for the next deployment.
    REQUIRE(say(deployment(id).id, ben, "approved"));
    const PipelineId next =
        create_at(kNew, deploying(), [](PipelineRow& row) { row.ref_protected = true; });
    run(id);
    CHECK(status(next) == "waiting_for_resource");
    CHECK(deployment(next).status == "blocked");
  }
  SECTION("a rejected one fails and leaves the environment to the next") {
    const PipelineId next =
        create_at(kNew, deploying(), [](PipelineRow& row) { row.ref_protected = true; });
    REQUIRE(say(deployment(next).id, ann, "approved"));
    REQUIRE(say(deployment(next).id, ben, "approved"));
    CHECK(status(next) == "pending");
    REQUIRE(say(deployment(id).id, ben, "rejected"));
    CHECK(status(id) == "failed");
    CHECK(job(id, "deploy").failure_reason == "deployment_rejected");
    run(next);
  }
  SECTION("it waits on after a crash") {
    crash();
    CHECK(status(id) == "waiting_for_resource");
    REQUIRE(say(deployment(id).id, ben, "approved"));
    CHECK(status(id) == "pending");
  }
  SECTION("a try of it wants approvals of its own") {
    REQUIRE(say(deployment(id).id, ben, "approved"));
    REQUIRE(finish(start(job(id, "deploy").id),
                   {JobOutcome::Failed, "script_failure", 1, std::nullopt, 0, ""}));
    const auto again = ask<JobId>(
        [&](auto done) { coordinator->retry_job(job(id, "deploy").id, std::move(done)); });
    REQUIRE(again);
    CHECK(database->read()->jobs.find(*again)->status == "waiting_for_resource");
  }
}

TEST_CASE_METHOD(Deployments, "not everybody deploys to a protected environment", "[coordinator]") {
  protect("production", 0, 40);
  SECTION("a push to a branch that is not protected") {
    const PipelineId id = create_at(kOld);
    CHECK(status(id) == "failed");
    CHECK(job(id, "deploy").failure_reason == "protected_environment_failure");
  }
  SECTION("a push to a protected one") {
    const PipelineId id =
        create_at(kOld, deploying(), [](PipelineRow& row) { row.ref_protected = true; });
    CHECK(status(id) == "pending");
  }
  SECTION("a developer, whichever the branch") {
    const UserId dev = person("dev", Level::Developer);
    const PipelineId id = create_at(kOld, deploying(), [&](PipelineRow& row) {
      row.ref_protected = true;
      row.user_id = dev;
    });
    CHECK(status(id) == "failed");
  }
  SECTION("who starts it counts, not who made the pipeline") {
    const UserId dev = person("dev", Level::Developer);
    const UserId ann = person("ann", Level::Maintainer);
    pipeline::Plan plan = deploying();
    plan.jobs[0].when = pipeline::When::Manual;
    const PipelineId id = create_at(kOld, plan, [&](PipelineRow& row) { row.user_id = ann; });
    REQUIRE(ask<void>(
        [&](auto done) { coordinator->play_job(job(id, "deploy").id, std::move(done), dev); }));
    CHECK(status(id) == "failed");
    const auto again = ask<JobId>(
        [&](auto done) { coordinator->retry_job(job(id, "deploy").id, std::move(done), ann); });
    REQUIRE(again);
    // A job that was to be started by hand is started by the retry.
    CHECK(database->read()->jobs.find(*again)->status == "pending");
  }
}

TEST_CASE_METHOD(Deployments, "a protected environment is closed to jobs that deploy nothing, too",
                 "[coordinator]") {
  const std::string action = GENERATE("verify", "prepare", "access", "stop");
  pipeline::Plan plan;
  plan.stages = {"deploy"};
  plan.jobs = {deploy_job("job", "production", action)};
  CAPTURE(action);
  const PipelineId before = create_at(kOld, plan);
  CHECK(status(before, "job") == "pending");
  protect("production", 2);
  REQUIRE(ask<void>(
      [&](auto done) { coordinator->reconsider_deployments(project_id, std::move(done)); }));
  CHECK(status(before, "job") == "failed");
  CHECK(observed->queue.at(job(before, "job").id) == QueueState::Gone);

  const PipelineId id = create_at(kNew, plan);
  CHECK(status(id, "job") == "failed");
  CHECK(job(id, "job").failure_reason == "protected_environment_failure");
  const UserId dev = person("dev", Level::Developer);
  const UserId ann = person("ann", Level::Maintainer);
  const auto again = [&](JobId of, UserId who) {
    return *ask<JobId>([&](auto done) { coordinator->retry_job(of, std::move(done), who); });
  };
  const JobId of_dev = again(job(id, "job").id, dev);
  CHECK(database->read()->jobs.find(of_dev)->status == "failed");
  // It waits for no approval, since it deploys nothing.
  CHECK(database->read()->jobs.find(again(of_dev, ann))->status == "pending");
  const PipelineId guarded =
      create_at(kNew, plan, [](PipelineRow& row) { row.ref_protected = true; });
  CHECK(status(guarded, "job") == "pending");
}

TEST_CASE_METHOD(Deployments, "a stop that did not happen can be tried again", "[coordinator]") {
  pipeline::Plan plan = deploying("review/x");
  plan.jobs[0].job.environment.own().on_stop = "stop";
  plan.jobs.push_back(deploy_job("stop", "review/x", "stop"));
  plan.jobs[1].when = pipeline::When::Manual;
  plan.jobs[1].allow_failure.always = true;
  const PipelineId id = create_at(kOld, plan);
  run(id);
  const auto stop = [&] {
    const auto stops = ask<std::optional<JobId>>([&](auto done) {
      coordinator->stop_environment(environment("review/x").id, std::move(done));
    });
    REQUIRE(stops);
    REQUIRE(*stops);
    return **stops;
  };
  REQUIRE(finish(start(stop()), {JobOutcome::Failed, "script_failure", 1, std::nullopt, 0, ""}));
  CHECK(environment("review/x").state == "available");
  const JobId second = stop();
  CHECK(environment("review/x").state == "stopping");
  REQUIRE(ask<void>([&](auto done) { coordinator->cancel_job(second, std::move(done)); }));
  CHECK(environment("review/x").state == "available");
  REQUIRE(finish(start(stop())));
  CHECK(environment("review/x").state == "stopped");
}

TEST_CASE_METHOD(Deployments, "a fork deploys nothing and stops nothing", "[coordinator]") {
  run(create_at(kOld));
  pipeline::Plan plan = deploying();
  plan.jobs.push_back(deploy_job("stop", "production", "stop"));
  plan.jobs.push_back(deploy_job("own", "of-the-fork"));
  const PipelineId id =
      create_at(kNew, plan, [](PipelineRow& row) { row.ref = std::string{kForkRefs} + "7/head"; });
  CHECK(status(id) == "failed");
  CHECK(job(id, "deploy").failure_reason == "protected_environment_failure");
  CHECK(status(id, "own") == "failed");
  run(id, "stop");
  CHECK(environment().state == "available");
  CHECK(database->read()->deployments.current(environment().id)->sha == kOld);
  CHECK_FALSE(database->read()->environments.find(project_id, "of-the-fork"));
}

TEST_CASE_METHOD(Deployments, "nothing is deployed while the project is frozen", "[coordinator]") {
  const PipelineId before = create_at(kOld);
  run(before);
  FreezePeriodRow freeze;
  freeze.project_id = project_id;
  freeze.frozen_from = clock.now();
  freeze.frozen_until = clock.now() + 60'000;
  write([&](Stores& stores) { stores.deployment_rules.insert(freeze); });
  const PipelineId id = create_at(kNew);
  CHECK(status(id) == "waiting_for_resource");
  CHECK(job(id, "deploy").reason_code == "deploy_freeze");
  CHECK(deployment(id).status == "blocked");
  // Back to what was there is possible at any time.
  const PipelineId other = create_at("cccccccc33333333", deploying("staging"));
  CHECK(status(other) == "waiting_for_resource");
  const auto again = ask<JobId>(
      [&](auto done) { coordinator->retry_job(job(before, "deploy").id, std::move(done)); });
  REQUIRE(again);
  CHECK(database->read()->deployments.of_job(*again)->kind == "redeploy");

  clock.tick(std::chrono::minutes{2});
  REQUIRE(ask<void>(
      [&](auto done) { coordinator->reconsider_deployments(project_id, std::move(done)); }));
  CHECK(status(other) == "pending");
}

TEST_CASE_METHOD(Deployments, "stopping starts the job that stops it", "[coordinator]") {
  pipeline::Plan plan = deploying("review/x");
  plan.jobs[0].job.environment.own().on_stop = "stop";
  plan.jobs.push_back(deploy_job("stop", "review/x", "stop"));
  plan.jobs[1].when = pipeline::When::Manual;
  plan.jobs[1].allow_failure.always = true;
  const PipelineId id = create_at(kOld, plan);
  run(id);
  const auto stops = ask<std::optional<JobId>>([&](auto done) {
    coordinator->stop_environment(environment("review/x").id, std::move(done));
  });
  REQUIRE(stops);
  REQUIRE(*stops == job(id, "stop").id);
  CHECK(environment("review/x").state == "stopping");
  CHECK(status(id, "stop") == "pending");
  run(id, "stop");
  CHECK(environment("review/x").state == "stopped");
  const auto twice = ask<std::optional<JobId>>([&](auto done) {
    coordinator->stop_environment(environment("review/x").id, std::move(done));
  });
  CHECK(twice.error().kind == ErrorKind::Conflict);
}

TEST_CASE_METHOD(Deployments, "without a job for it an environment just stops", "[coordinator]") {
  run(create_at(kOld));
  const auto stops = ask<std::optional<JobId>>(
      [&](auto done) { coordinator->stop_environment(environment().id, std::move(done)); });
  REQUIRE(stops);
  CHECK_FALSE(*stops);
  CHECK(environment().state == "stopped");
}

TEST_CASE_METHOD(Deployments, "the address is complete when the job has told its part",
                 "[coordinator]") {
  const PipelineId id = create_at(kOld);
  const std::string url = GENERATE("https://$HOST/app", "$HOST", "http://plain.example");
  write([&](Stores& stores) {
    auto row = *stores.deployments.of_job(job(id, "deploy").id);
    row.url = url;
    stores.deployments.update(row);
    stores.artifacts.put_dotenv(job(id, "deploy").id,
                                R"([{"name":"HOST","value":"javascript:x"}])");
  });
  run(id);
  // What is no web address is none.
  CHECK(environment().external_url == (url == "$HOST" ? ""
                                       : url == "http://plain.example"
                                           ? url
                                           : "https://javascript:x/app"));
}
