#include "server/schedules/schedules.h"

#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

constexpr std::chrono::minutes kMinute{1};

struct Fixture : test::IntakeFixture {
  std::unique_ptr<Schedules> schedules;
  UserId owner;

  Fixture() {
    commit("unit: {script: 'echo $LEVEL', rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}]}\n");
    owner = user("ann", true);
    restart();
  }
  // Whoever observes a coordinator outlives its thread.
  ~Fixture() {
    coordinator->stop();
    schedules.reset();
  }

  // The clock's thread is left out: run_due() is called by hand.
  void restart() {
    coordinator->stop();
    schedules.reset();
    intake.reset();
    coordinator.reset();
    coordinator = make();
    intake = make_intake(mirrors, planner);
    schedules = std::make_unique<Schedules>(*coordinator, *database, *intake, clock);
    coordinator->start();
  }
  template <typename F>
  auto write(F&& act) {
    using T = std::invoke_result_t<F, WriteTransaction&>;
    const auto done =
        coordinator->write<T>([&](WriteTransaction& open) -> Result<T> { return act(open); });
    REQUIRE(done);
    return *done;
  }
  UserId user(const std::string& name, bool is_admin) {
    return write([&](WriteTransaction& open) {
      UserRow row;
      row.username = name;
      row.is_admin = is_admin;
      return open.stores.users.insert(row);
    });
  }
  // Due in a minute, then every ten.
  ScheduleId schedule(const std::string& ref = "main") {
    return write([&](WriteTransaction& open) {
      ScheduleRow row;
      row.project_id = hooked.id;
      row.description = "nightly";
      row.ref = ref;
      row.cron = "*/10 * * * *";
      row.owner_id = owner;
      row.next_run_at = clock.now() + std::chrono::milliseconds{kMinute}.count();
      row.variables = R"([{"key": "LEVEL", "value": "all", "variable_type": "env_var"}])";
      return open.stores.schedules.insert(row);
    });
  }
  std::vector<ScheduleRunRow> runs(ScheduleId id) {
    return database->read()->schedules.runs(id, {}).rows;
  }
  ScheduleRow row(ScheduleId id) { return *database->read()->schedules.find(id); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a schedule starts its pipeline at its time, once", "[schedules]") {
  const ScheduleId id = schedule();
  schedules->run_due();
  CHECK(runs(id).empty());
  clock.tick(kMinute);
  schedules->run_due();
  schedules->run_due();
  REQUIRE(runs(id).size() == 1);
  const ScheduleRunRow run = runs(id)[0];
  CHECK(run.state == "done");
  CHECK(run.missed == 0);
  REQUIRE(run.pipeline_id);
  const PipelineRow pipeline = row_of(*run.pipeline_id);
  CHECK(pipeline.source == "schedule");
  CHECK(pipeline.ref == "main");
  CHECK(pipeline.user_id == owner);
  CHECK(database->read()->pipelines.variables(pipeline.id).find("\"LEVEL\"") != std::string::npos);
  CHECK(row(id).next_run_at > clock.now());
}

TEST_CASE_METHOD(Fixture, "times that passed while no server ran are made up for by one pipeline",
                 "[schedules]") {
  const ScheduleId id = schedule();
  clock.tick(std::chrono::minutes{65});
  restart();
  schedules->run_due();
  REQUIRE(runs(id).size() == 1);
  CHECK(runs(id)[0].missed == 6);
  CHECK(runs(id)[0].due_at <= clock.now());
  CHECK(runs(id)[0].pipeline_id);
  restart();
  schedules->run_due();
  CHECK(runs(id).size() == 1);
}

TEST_CASE_METHOD(Fixture, "a time that was noted before the server died has its pipeline after it",
                 "[schedules]") {
  const ScheduleId id = schedule();
  const ScheduleRunId run = write([&](WriteTransaction& open) {
    ScheduleRunRow noted;
    noted.schedule_id = id;
    noted.due_at = noted.created_at = open.now;
    return open.stores.schedules.insert_run(noted);
  });
  restart();
  schedules->run_due();
  CHECK(database->read()->schedules.find_run(run)->state == "done");
  // Its pipeline was committed with its end, so a second try makes none.
  NewPipeline again = new_pipeline();
  again.row.project_id = hooked.id;
  again.schedule_run = run;
  std::promise<Result<PipelineId>> made;
  coordinator->create_pipeline(
      std::move(again), [&](Result<PipelineId> id_made) { made.set_value(std::move(id_made)); });
  const auto refused = made.get_future().get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Conflict);
}

TEST_CASE_METHOD(Fixture, "a time without a pipeline says why", "[schedules]") {
  const ScheduleId id = schedule("gone");
  clock.tick(kMinute);
  schedules->run_due();
  REQUIRE(runs(id).size() == 1);
  CHECK(runs(id)[0].state == "failed");
  CHECK(runs(id)[0].reason.find("gone") != std::string::npos);
  CHECK(row(id).active);
}

TEST_CASE_METHOD(Fixture, "nobody's schedule runs as somebody who may not", "[schedules]") {
  owner = user("bob", false);
  const ScheduleId id = schedule();
  clock.tick(kMinute);
  schedules->run_due();
  REQUIRE(runs(id).size() == 1);
  CHECK(runs(id)[0].state == "failed");
  CHECK(runs(id)[0].reason ==
        "its owner may not start pipelines of this project any more: somebody who may must take "
        "the schedule over");
}

TEST_CASE_METHOD(Fixture, "a schedule whose time zone is gone stops, and keeps no other waiting",
                 "[schedules]") {
  const ScheduleId gone = schedule();
  const ScheduleId other = schedule();
  write([&](WriteTransaction& open) {
    ScheduleRow changed = *open.stores.schedules.find(gone);
    changed.cron_timezone = "Atlantis/Capital";
    open.stores.schedules.update(changed);
    return true;
  });
  clock.tick(kMinute);
  CHECK(schedules->run_due());
  REQUIRE(runs(gone).size() == 1);
  CHECK(runs(gone)[0].state == "failed");
  CHECK(runs(gone)[0].reason ==
        "'Atlantis/Capital' is no time zone: the schedule has stopped until that is put right");
  CHECK_FALSE(row(gone).active);
  REQUIRE(runs(other).size() == 1);
  CHECK(runs(other)[0].state == "done");
}

TEST_CASE_METHOD(Fixture, "one that is not active is not due", "[schedules]") {
  const ScheduleId id = schedule();
  write([&](WriteTransaction& open) {
    ScheduleRow changed = *open.stores.schedules.find(id);
    changed.active = false;
    changed.next_run_at.reset();
    open.stores.schedules.update(changed);
    return true;
  });
  clock.tick(std::chrono::hours{24});
  schedules->run_due();
  CHECK(runs(id).empty());
}

}  // namespace slipway::server
