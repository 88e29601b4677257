#include "server/dispatch/dispatch.h"

#include "tests/server/coordinator/coordinator_fixture.h"
#include "tests/support/slowdown.h"

#include <condition_variable>

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::CoordinatorFixture;
using slipway::test::kSlowdown;

namespace {

struct DispatchFixture : CoordinatorFixture {
  Dispatch dispatch{*coordinator};
  std::vector<Assignment> given;

  Ticket poll(RunnerId runner) {
    return dispatch.request(runner, [this](Result<Assignment> result) {
      if (result) given.push_back(std::move(*result));
    });
  }
  static pipeline::Plan one_job() {
    pipeline::Plan plan;
    plan.stages = {"test"};
    plan.jobs = {planned("unit", "test", 1)};
    return plan;
  }
};

}  // namespace

TEST_CASE("of two runners that wait exactly one gets the job", "[dispatch]") {
  DispatchFixture fixture;
  fixture.poll(fixture.runner());
  fixture.poll(fixture.runner());

  fixture.create(DispatchFixture::one_job());

  CHECK(fixture.given.size() == 1);
  CHECK(fixture.dispatch.waiting_runners() == 1);
  CHECK(fixture.dispatch.waiting_jobs() == 0);
}

TEST_CASE("a job that waits is given to the first poll that comes", "[dispatch]") {
  DispatchFixture fixture;
  const PipelineId id = fixture.create(DispatchFixture::one_job());

  fixture.poll(fixture.runner());
  fixture.settle();

  REQUIRE(fixture.given.size() == 1);
  CHECK(fixture.given[0].pipeline.id == id);
  CHECK(fixture.given[0].project.id == fixture.project_id);
}

TEST_CASE("tags decide, and a paused runner waits in vain", "[dispatch]") {
  DispatchFixture fixture;
  auto plan = DispatchFixture::one_job();
  plan.jobs[0].job.tags = {"gpu"};
  const RunnerId gpu = fixture.runner({"gpu"});
  REQUIRE(fixture.ask<void>([&](auto done) {
    fixture.coordinator->update_runner(
        gpu, [](RunnerRow& row) { row.paused = true; }, std::move(done));
  }));
  fixture.poll(fixture.runner());
  fixture.poll(gpu);
  fixture.create(plan);
  CHECK(fixture.given.empty());

  REQUIRE(fixture.ask<void>([&](auto done) {
    fixture.coordinator->update_runner(
        gpu, [](RunnerRow& row) { row.paused = false; }, std::move(done));
  }));

  REQUIRE(fixture.given.size() == 1);
  CHECK(fixture.given[0].runner.id == gpu);
}

TEST_CASE("a poll that was cancelled gets nothing, one that is answered cannot be", "[dispatch]") {
  DispatchFixture fixture;
  const RunnerId runner = fixture.runner();
  const Ticket gone = fixture.poll(runner);
  CHECK(fixture.dispatch.cancel(gone));
  fixture.create(DispatchFixture::one_job());
  CHECK(fixture.given.empty());

  const Ticket answered = fixture.poll(runner);
  fixture.settle();

  CHECK(fixture.given.size() == 1);
  CHECK_FALSE(fixture.dispatch.cancel(answered));
}

TEST_CASE("an answer that did not arrive gives the job back at once", "[dispatch]") {
  DispatchFixture fixture;
  fixture.create(DispatchFixture::one_job());
  fixture.poll(fixture.runner());
  fixture.settle();
  REQUIRE(fixture.given.size() == 1);

  fixture.dispatch.give_back(fixture.given[0]);
  fixture.poll(fixture.runner());
  fixture.settle();

  REQUIRE(fixture.given.size() == 2);
  CHECK(fixture.given[1].job.id == fixture.given[0].job.id);
  CHECK(fixture.given[1].job.dispatches == 2);
  CHECK_FALSE(fixture.coordinator->find_job(fixture.given[0].token));
}

TEST_CASE("the project with the fewest running jobs comes first", "[dispatch]") {
  DispatchFixture fixture;
  const ProjectId busy = fixture.project_id;
  fixture.create(DispatchFixture::one_job());
  fixture.create(DispatchFixture::one_job());
  fixture.project_id = fixture.project("group/quiet");
  fixture.create(DispatchFixture::one_job());
  const RunnerId runner = fixture.runner();

  for (int i = 0; i < 3; ++i) fixture.poll(runner);
  fixture.settle();

  REQUIRE(fixture.given.size() == 3);
  CHECK(fixture.given[0].project.id == busy);
  CHECK(fixture.given[1].project.id == fixture.project_id);
  CHECK(fixture.given[2].project.id == busy);
}

TEST_CASE("a stopping server answers every poll", "[dispatch]") {
  DispatchFixture fixture;
  std::vector<ErrorKind> kinds;
  const auto note = [&](Result<Assignment> result) { kinds.push_back(result.error().kind); };
  fixture.dispatch.request(fixture.runner(), note);
  fixture.dispatch.stop();
  fixture.dispatch.request(fixture.runner(), note);

  CHECK(kinds == std::vector<ErrorKind>{ErrorKind::Unavailable, ErrorKind::Unavailable});
}

TEST_CASE("no wake-up is lost over thousands of jobs in a row", "[dispatch]") {
  constexpr int kJobs = 10'000 / kSlowdown;
  DispatchFixture fixture;
  const RunnerId runner = fixture.runner();
  std::mutex mutex;
  std::condition_variable ended;
  int done = 0;
  // Each end brings the next pipeline and the next poll: a lost wake-up stops the chain.
  std::function<void()> next = [&] {
    fixture.dispatch.request(runner, [&](Result<Assignment> given) {
      const auto who = fixture.coordinator->find_job(given->token);
      fixture.coordinator->acknowledge(*who, [&, who](Result<std::string> status) {
        if (!status || *status != "running") return;
        fixture.coordinator->finish_job(*who, {}, [&](Result<std::string>) {
          const std::lock_guard lock{mutex};
          if (++done == kJobs)
            ended.notify_all();
          else
            next();
        });
      });
    });
    fixture.coordinator->create_pipeline(fixture.new_pipeline(DispatchFixture::one_job()), nullptr);
  };
  fixture.coordinator->start();
  next();

  std::unique_lock lock{mutex};
  const bool all = ended.wait_for(lock, std::chrono::minutes{8}, [&] { return done == kJobs; });
  lock.unlock();
  fixture.coordinator->stop();

  CHECK(all);
}
