#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;

TEST_CASE("a job comes back with what it was made from and what became of it", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  JobRow row;
  row.pipeline_id = pipeline.id;
  row.project_id = pipeline.project_id;
  row.name = "test: [a, b]";
  row.stage = "test";
  row.stage_index = 2;
  row.attempt = 3;
  row.allow_failure = true;
  row.when = "always";
  row.tags = {"docker", "big"};
  row.needs = std::vector<std::string>{"build"};
  row.environment = "staging";
  row.rule_file = ".gitlab-ci.yml";
  row.rule_line = 9;
  row.ref_protected = true;
  row.interruptible = true;
  row.coverage_regex = "/Coverage: (.*)/";
  row.created_at = 10;
  fixture.commit([&](Stores& stores) { return stores.jobs.insert(row); });
  row.status = "failed";
  row.reason_code = "script_failure";
  row.reason_text = "the script failed";
  row.dispatches = 2;
  row.retried = true;
  row.runner_id = RunnerId{4};
  row.runner_system_id = "s_4";
  row.token_hash = "hash";
  row.assigned_at = 11;
  row.queued_at = 10;
  row.scheduled_at = 9;
  row.started_at = 12;
  row.finished_at = 13;
  row.trace_size = 5'000'000'000;
  row.trace_checksum = "crc32:00000001";
  row.coverage = 12.5;
  row.failure_reason = "script_failure";
  row.exit_code = 2;
  fixture.commit([&](Stores& stores) {
    stores.jobs.update_state(row);
    return 0;
  });

  const auto found = fixture.database->read()->jobs.find(row.id);

  REQUIRE(found);
  CHECK(found->name == "test: [a, b]");
  CHECK(found->stage_index == 2);
  CHECK(found->status == "failed");
  CHECK(found->reason_code == "script_failure");
  CHECK(found->reason_text == "the script failed");
  CHECK(found->attempt == 3);
  CHECK(found->dispatches == 2);
  CHECK(found->retried);
  CHECK(found->allow_failure);
  CHECK(found->when == "always");
  CHECK(found->tags == row.tags);
  CHECK(found->needs == row.needs);
  CHECK(found->environment == "staging");
  CHECK(found->rule_file == ".gitlab-ci.yml");
  CHECK(found->rule_line == 9);
  CHECK(found->ref_protected);
  CHECK(found->interruptible);
  CHECK(found->coverage_regex == "/Coverage: (.*)/");
  CHECK(found->runner_id == RunnerId{4});
  CHECK(found->runner_system_id == "s_4");
  CHECK(found->token_hash == "hash");
  CHECK(found->assigned_at == 11);
  CHECK(found->queued_at == 10);
  CHECK(found->scheduled_at == 9);
  CHECK(found->started_at == 12);
  CHECK(found->finished_at == 13);
  CHECK(found->trace_size == 5'000'000'000);
  CHECK(found->trace_checksum == "crc32:00000001");
  CHECK(found->coverage == 12.5);
  CHECK(found->exit_code == 2);
}

TEST_CASE("a job that follows its stage has no needs, which is not an empty list", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  const auto follows = fixture.job(pipeline, "follows");
  auto starts_at_once = fixture.job(pipeline, "at once");
  JobRow copy = starts_at_once;
  copy.needs = std::vector<std::string>{};
  fixture.commit([&](Stores& stores) { return stores.jobs.insert(copy); });

  CHECK_FALSE(fixture.stores().jobs.find(follows.id)->needs);
  CHECK(fixture.stores().jobs.find(copy.id)->needs == std::vector<std::string>{});
}

TEST_CASE("the plan of a job is kept as it was given, and as long as a job needs it", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  const auto job = fixture.job(fixture.pipeline(project), "build");
  CHECK(fixture.stores().jobs.plan(job.plan_id) == R"({"name":"build"})");

  fixture.commit([&](Stores& stores) {
    stores.projects.remove(project);
    return 0;
  });

  CHECK(fixture.stores().jobs.plan(job.plan_id).empty());
  CHECK_FALSE(fixture.stores().jobs.find(job.id));
}

TEST_CASE("the jobs of a pipeline come in stage order", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  for (const auto& [name, stage] : {std::pair{"late", 1}, {"first", 0}, {"second", 0}}) {
    JobRow row;
    row.pipeline_id = pipeline.id;
    row.name = name;
    row.stage_index = stage;
    fixture.commit([&](Stores& stores) { return stores.jobs.insert(row); });
  }

  const auto jobs = fixture.database->read()->jobs.of_pipeline(pipeline.id);

  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].name == "first");
  CHECK(jobs[1].name == "second");
  CHECK(jobs[2].name == "late");
}

TEST_CASE("the states of stages are told once each, without retried jobs", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  const auto add = [&](int stage, const char* status, bool retried, bool allowed) {
    JobRow row;
    row.pipeline_id = pipeline.id;
    row.name = "job";
    row.stage = "stage " + std::to_string(stage);
    row.stage_index = stage;
    row.status = status;
    row.retried = retried;
    row.allow_failure = allowed;
    fixture.commit([&](Stores& stores) {
      const JobId id = stores.jobs.insert(row);
      stores.jobs.update_state(row);
      return id;
    });
  };
  add(1, "created", false, false);
  add(0, "failed", true, false);
  add(0, "success", false, false);
  add(0, "success", false, false);
  add(0, "failed", false, true);

  const auto states = fixture.database->read()->jobs.stage_states(pipeline.id);

  REQUIRE(states.size() == 3);
  CHECK(states[0].stage == "stage 0");
  CHECK(states[1].stage_index == 0);
  CHECK(states[0].status != states[1].status);
  CHECK(states[0].allow_failure == (states[0].status == "failed"));
  CHECK(states[2].status == "created");
}

TEST_CASE("jobs are listed by status, pipeline and whether they were retried", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  const auto pipeline = fixture.pipeline(project);
  fixture.job(pipeline, "a");
  auto retried = fixture.job(pipeline, "b");
  fixture.job(fixture.pipeline(project), "c");
  retried.retried = true;
  retried.status = "failed";
  fixture.commit([&](Stores& stores) {
    stores.jobs.update_state(retried);
    return 0;
  });
  auto reader = fixture.database->read();

  CHECK(reader->jobs.list(project, {}, {}).total == 3);
  CHECK(reader->jobs.list(project, {}, {}).rows.front().name == "c");
  CHECK(reader->jobs.list(project, {.status = "failed"}, {}).total == 1);
  CHECK(reader->jobs.list(project, {.pipeline = pipeline.id}, {}).total == 2);
  CHECK(reader->jobs.list(project, {.pipeline = pipeline.id, .include_retried = false}, {}).total ==
        1);
  CHECK(reader->jobs.count_by_status() ==
        std::vector<std::pair<std::string, long long>>{{"created", 2}, {"failed", 1}});
}

TEST_CASE("tokens of jobs that ended lately are found again after a restart", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  auto old = fixture.job(pipeline, "old");
  auto fresh = fixture.job(pipeline, "fresh");
  auto never_ran = fixture.job(pipeline, "never ran");
  old.token_hash = fresh.token_hash = "hash";
  old.finished_at = 10;
  fresh.finished_at = never_ran.finished_at = 20;
  fixture.commit([&](Stores& stores) {
    for (const JobRow& row : {old, fresh, never_ran}) stores.jobs.update_state(row);
    return 0;
  });

  const auto found = fixture.database->read()->jobs.finished_since(15);

  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "fresh");
}

TEST_CASE("a runner's running jobs are counted, and an erased log has no size", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  auto row = fixture.job(pipeline, "a");
  row.status = "running";
  row.runner_id = RunnerId{7};
  row.trace_size = 12;
  fixture.commit([&](Stores& stores) {
    stores.jobs.update_state(row);
    stores.jobs.erase_log(row.id, 99);
    return 0;
  });
  auto reader = fixture.database->read();

  CHECK(reader->jobs.count_running(RunnerId{7}) == 1);
  CHECK(reader->jobs.count_running(RunnerId{8}) == 0);
  CHECK(reader->jobs.find(row.id)->erased_at == 99);
  CHECK(reader->jobs.find(row.id)->trace_size == 0);
}
