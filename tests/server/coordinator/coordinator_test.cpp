#include "tests/server/coordinator/coordinator_fixture.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::CoordinatorFixture;
using namespace std::chrono_literals;

TEST_CASE("a pipeline runs from its first job to its end", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  const PipelineId id = fixture.create();
  CHECK(fixture.job(id, "compile").status == "pending");
  CHECK(fixture.job(id, "unit").status == "created");

  const auto first = fixture.assign(fixture.job(id, "compile").id, runner);
  CHECK(first.token.rfind("glcbt-", 0) == 0);
  CHECK(first.plan.find("compile") != std::string::npos);
  CHECK(fixture.acknowledge(first.token).value() == "running");
  CHECK(fixture.row_of(id).status == "running");
  CHECK(fixture.finish(fixture.credential(first.token)).value() == "success");
  const auto second = fixture.assign(fixture.job(id, "unit").id, runner);
  FinishedJob result;
  result.coverage = 91.5;
  CHECK(fixture.finish(fixture.credential(second.token), result).value() == "success");

  const auto row = fixture.row_of(id);
  CHECK(row.status == "success");
  CHECK(row.coverage == 91.5);
  CHECK(row.finished_at);
  CHECK(fixture.database->read()->outbox.count_waiting() > 0);
}

TEST_CASE("a failed job stops the later stages and says so", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, fixture.runner());

  FinishedJob failed{JobOutcome::Failed, "script_failure", 2, {}, 0, ""};
  CHECK(fixture.finish(fixture.credential(first.token), failed).value() == "failed");

  CHECK(fixture.job(id, "compile").failure_reason == "script_failure");
  CHECK(fixture.job(id, "compile").exit_code == 2);
  CHECK(fixture.job(id, "unit").status == "skipped");
  CHECK(fixture.job(id, "unit").reason_code == "previous_stage_failed");
  CHECK(fixture.row_of(id).status == "failed");
}

TEST_CASE("everything that was answered is there after a crash", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, runner);

  fixture.crash();
  CHECK(fixture.observed->queue.at(first.job.id) == QueueState::Assigned);
  CHECK(fixture.acknowledge(first.token).value() == "running");
  fixture.crash();
  CHECK(fixture.finish(fixture.credential(first.token)).value() == "success");
  fixture.crash();

  // The last answer may have been lost: asked again, it is the same.
  CHECK(fixture.finish(fixture.credential(first.token)).value() == "success");
  CHECK(fixture.job(id, "unit").status == "pending");
}

TEST_CASE("a hand-out that is not acknowledged goes back, and its token is void", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, runner);
  const auto late = fixture.credential(first.token);

  fixture.tick(29s);
  CHECK(fixture.coordinator->find_job(first.token));
  fixture.tick(1s);

  CHECK_FALSE(fixture.coordinator->find_job(first.token));
  CHECK(fixture.observed->queue.at(first.job.id) == QueueState::Waiting);
  const auto refused = fixture.finish(late);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Denied);
  const auto second = fixture.assign(first.job.id, runner);
  CHECK(second.token != first.token);
  CHECK(second.job.dispatches == 2);
  CHECK_FALSE(fixture.finish(late));
  CHECK(fixture.finish(fixture.credential(second.token)).value() == "success");
}

TEST_CASE("a runner that falls silent loses its job", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, fixture.runner());
  REQUIRE(fixture.acknowledge(first.token));

  fixture.tick(80s);
  fixture.coordinator->heard_from(fixture.credential(first.token));
  fixture.tick(80s);
  CHECK(fixture.job(id, "compile").status == "running");
  fixture.tick(10s);

  CHECK(fixture.job(id, "compile").status == "failed");
  CHECK(fixture.job(id, "compile").failure_reason == "runner_lost");
  CHECK_FALSE(fixture.coordinator->find_job(first.token));
}

TEST_CASE("a hand-out that nobody takes up, time after time, is the job's end", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  const PipelineId id = fixture.create();
  for (int times = 1; times <= 5; ++times) {
    CHECK(fixture.assign(fixture.job(id, "compile").id, runner).job.dispatches == times);
    fixture.tick(30s);
    CHECK(fixture.job(id, "compile").status == (times < 5 ? "pending" : "failed"));
  }
  CHECK(fixture.job(id, "compile").failure_reason == "runner_system_failure");
  CHECK(fixture.job(id, "compile")
            .reason_text.ends_with("It was handed out 5 times, and no runner said that it began."));
}

TEST_CASE("a job's calls are signs of life of the manager that has it", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  RunnerManagerRow manager;
  manager.runner_id = runner;
  manager.system_id = "s_1";
  fixture.coordinator->runner_contacted(manager);
  fixture.settle();
  const PipelineId id = fixture.create();
  const auto taken = fixture.ask<Assignment>([&](auto done) {
    fixture.coordinator->assign(fixture.job(id, "compile").id, {runner, "s_1"}, std::move(done));
  });
  REQUIRE(taken);
  REQUIRE(fixture.acknowledge(taken->token));
  const auto contacts = [&] {
    auto read = fixture.database->read();
    return std::pair{*read->runners.find(runner)->contacted_at,
                     read->runners.managers(runner).at(0).contacted_at};
  };

  fixture.clock.tick(61s);
  fixture.coordinator->heard_from(fixture.credential(taken->token));
  fixture.settle();
  const auto now = fixture.clock.now();
  CHECK(contacts() == std::pair{now, now});

  fixture.clock.tick(59s);  // within the same minute nothing is written
  fixture.coordinator->heard_from(fixture.credential(taken->token));
  fixture.settle();
  CHECK(contacts() == std::pair{now, now});
}

TEST_CASE("a cancelling by force waits for no runner", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto taken = fixture.assign(fixture.job(id, "compile").id, fixture.runner());
  REQUIRE(fixture.acknowledge(taken.token));
  const auto cancel = [&](bool force) {
    return fixture.ask<void>([&](auto done) {
      fixture.coordinator->cancel_job(taken.job.id, std::move(done), "ann", force);
    });
  };

  REQUIRE(cancel(false));
  CHECK(fixture.job(id, "compile").status == "canceling");
  CHECK_FALSE(cancel(false));
  REQUIRE(cancel(true));
  CHECK(fixture.job(id, "compile").status == "canceled");
  CHECK(fixture.job(id, "compile").reason_text == "Was canceled by ann.");
  CHECK(fixture.credential(taken.token).status == "canceled");
  const auto again = cancel(true);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::Conflict);
}

TEST_CASE("a lease starts again when the server does", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, fixture.runner());
  REQUIRE(fixture.acknowledge(first.token));
  fixture.clock.tick(1h);

  fixture.crash();
  fixture.tick(80s);

  CHECK(fixture.job(id, "compile").status == "running");
}

TEST_CASE("cancelling: what waits ends at once, what runs is told", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, fixture.runner());
  REQUIRE(fixture.acknowledge(first.token));

  CHECK(fixture.ask<void>(
      [&](auto done) { fixture.coordinator->cancel_pipeline(id, std::move(done)); }));
  CHECK(fixture.job(id, "unit").status == "canceled");
  CHECK(fixture.credential(first.token).status == "canceling");
  FinishedJob failed{JobOutcome::Failed, "script_failure", 1, {}, 0, ""};
  CHECK(fixture.finish(fixture.credential(first.token), failed).value() == "canceled");

  CHECK(fixture.row_of(id).status == "canceled");
  CHECK_FALSE(fixture.ask<void>(
      [&](auto done) { fixture.coordinator->cancel_pipeline(id, std::move(done)); }));
}

TEST_CASE("a new try is like the one before in all that the plan says", "[coordinator]") {
  CoordinatorFixture fixture;
  auto plan = CoordinatorFixture::two_stages();
  plan.jobs[0].allow_failure.always = true;
  plan.jobs[0].job.tags = {"linux"};
  plan.jobs[0].interruptible = true;
  const auto pipeline = fixture.ask<PipelineId>([&](auto done) {
    fixture.coordinator->create_pipeline(fixture.new_pipeline(plan), std::move(done));
  });
  REQUIRE(pipeline);
  const JobRow before = fixture.database->read()->jobs.of_pipeline(*pipeline).front();
  REQUIRE(before.allow_failure);
  REQUIRE(fixture.ask<void>(
      [&](auto done) { fixture.coordinator->cancel_job(before.id, std::move(done)); }));

  const auto next = fixture.ask<JobId>(
      [&](auto done) { fixture.coordinator->retry_job(before.id, std::move(done)); });

  REQUIRE(next);
  const auto after = fixture.database->read()->jobs.find(*next);
  REQUIRE(after);
  CHECK(after->attempt == 2);
  CHECK_FALSE(after->retried);
  CHECK(after->allow_failure);
  CHECK(after->interruptible);
  CHECK(after->tags == before.tags);
  CHECK(after->stage_index == before.stage_index);
  CHECK_FALSE(after->finished_at);
  CHECK(after->token_hash.empty());
}

TEST_CASE("a retry is a new try of the same plan, also of an ended pipeline", "[coordinator]") {
  CoordinatorFixture fixture;
  const RunnerId runner = fixture.runner();
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, runner);
  FinishedJob failed{JobOutcome::Failed, "script_failure", 1, {}, 0, ""};
  REQUIRE(fixture.finish(fixture.credential(first.token), failed));

  const auto retried = fixture.ask<JobId>(
      [&](auto done) { fixture.coordinator->retry_job(first.job.id, std::move(done)); });

  REQUIRE(retried);
  const auto row = fixture.job(id, "compile");
  CHECK(row.id == *retried);
  CHECK(row.attempt == 2);
  CHECK(row.status == "pending");
  CHECK(row.plan_id == first.job.plan_id);
  CHECK(fixture.job(id, "unit").status == "created");
  CHECK(fixture.finish(fixture.credential(fixture.assign(*retried, runner).token)).value() ==
        "success");
}

TEST_CASE("when a commit fails nobody is told otherwise, and work goes on", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const JobId job = fixture.job(id, "compile").id;
  const RunnerId runner = fixture.runner();

  fixture.database->fail_next_commit();
  const auto refused = fixture.ask<Assignment>(
      [&](auto done) { fixture.coordinator->assign(job, runner, std::move(done)); });

  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unavailable);
  CHECK(refused.error().message == "nothing was stored: database: disk is full");
  CHECK_FALSE(fixture.coordinator->healthy());
  CHECK(fixture.job(id, "compile").dispatches == 0);
  CHECK(fixture.assign(job, runner).job.dispatches == 1);
  CHECK(fixture.coordinator->healthy());
  CHECK(fixture.observed->reloads == 2);
}

TEST_CASE("a running job's token is known while the store is read anew", "[coordinator]") {
  JobTokens tokens;
  const auto credential = [](std::int64_t job) {
    JobCredential made;
    made.job_id = JobId{job};
    made.acknowledged = true;
    return made;
  };
  const SteadyTime begin{};
  const SteadyTime later = begin + std::chrono::minutes{5};
  tokens.put(token_hash("one"), credential(1), begin);
  tokens.put(token_hash("two"), credential(2), begin);

  tokens.begin_reload();
  CHECK(tokens.find("one", later));
  CHECK(tokens.find("two", later));
  // It could not be read; the next time it can.
  tokens.begin_reload();
  tokens.put(token_hash("one"), credential(1), later);
  tokens.end_reload(later);

  CHECK(tokens.find("one", later));
  CHECK_FALSE(tokens.find("two", later));
  CHECK(tokens.last_heard(JobId{1}) == later);
}

TEST_CASE("a request that is refused undoes what it wrote and no other", "[coordinator]") {
  CoordinatorFixture fixture;
  std::optional<Result<int>> refused;
  std::optional<Result<int>> kept;
  fixture.coordinator->submit<int>(
      [](WriteTransaction& tx) -> Result<int> {
        tx.stores.settings.put("a", "1");
        return fail(ErrorKind::Conflict, "not so");
      },
      [&](Result<int> result) { refused = std::move(result); });
  fixture.coordinator->submit<int>(
      [](WriteTransaction& tx) -> Result<int> {
        tx.stores.settings.put("b", "2");
        return 2;
      },
      [&](Result<int> result) { kept = std::move(result); });

  CHECK(fixture.coordinator->run_waiting() == 2);

  CHECK(refused->error().message == "not so");
  CHECK(kept->value() == 2);
  CHECK_FALSE(fixture.database->read()->settings.get("a"));
  CHECK(fixture.database->read()->settings.get("b") == "2");
}

TEST_CASE("a pending job says which tags no runner has, until one comes", "[coordinator]") {
  CoordinatorFixture fixture;
  auto plan = CoordinatorFixture::two_stages();
  plan.jobs[0].job.tags = {"gpu"};
  const PipelineId id = fixture.create(plan);
  CHECK(fixture.job(id, "compile").reason_code == "no_matching_runner");
  CHECK(fixture.job(id, "compile").reason_text.find("gpu") != std::string::npos);

  fixture.runner({"gpu"});

  CHECK(fixture.job(id, "compile").reason_code == "waiting_for_runner");
}

TEST_CASE("a delivery counts once", "[coordinator]") {
  CoordinatorFixture fixture;
  DeliveryRow row;
  row.project_id = fixture.project_id;
  row.delivery_key = "abc";
  row.verdict = "accepted";
  const auto store = [&] {
    return fixture.ask<StoredDelivery>(
        [&](auto done) { fixture.coordinator->store_delivery(row, std::move(done)); });
  };

  const auto first = store();
  const auto again = store();

  CHECK_FALSE(first->duplicate);
  CHECK(again->duplicate);
  CHECK(again->id == first->id);
}

TEST_CASE("a project that goes takes its running jobs' tokens along", "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const auto first = fixture.assign(fixture.job(id, "compile").id, fixture.runner());

  CHECK(fixture.ask<void>([&](auto done) {
    fixture.coordinator->delete_project(fixture.project_id, std::move(done));
  }));

  CHECK_FALSE(fixture.coordinator->find_job(first.token));
  CHECK_FALSE(fixture.database->read()->pipelines.find(id));
}
