// What becomes of a round that the database gives up for the sake of another transaction.
#include "server/store/session.h"
#include "tests/server/coordinator/coordinator_fixture.h"

#include <future>

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::CoordinatorFixture;

namespace {

[[noreturn]] void give_up() {
  throw TransactionGivenUp{fail(ErrorKind::Unavailable, "database: deadlock detected")};
}

}  // namespace

TEST_CASE("a round that was given up is done again whole, as if for the first time",
          "[coordinator]") {
  CoordinatorFixture fixture;
  const PipelineId id = fixture.create();
  const JobId job = fixture.job(id, "compile").id;
  const RunnerId runner = fixture.runner();
  fixture.observed->statuses.clear();
  std::optional<Result<Assignment>> assigned;
  std::optional<Result<PipelineId>> made;
  std::optional<Result<RunnerId>> second;
  int tries = 0;

  fixture.coordinator->assign(job, runner, [&](auto result) { assigned = std::move(result); });
  fixture.coordinator->create_pipeline(fixture.new_pipeline(),
                                       [&](auto result) { made = std::move(result); });
  RunnerRow row;
  row.token_hash = token_hash("glrt-second");
  fixture.coordinator->create_runner(row, [&](auto result) { second = std::move(result); });
  const auto last = fixture.ask<int>([&](auto done) {
    fixture.coordinator->submit<int>(
        [&](WriteTransaction&) -> Result<int> {
          if (++tries < 3) give_up();
          return tries;
        },
        std::move(done));
  });

  CHECK(last.value() == 3);
  CHECK(fixture.coordinator->healthy());
  CHECK(assigned->value().job.dispatches == 1);
  CHECK(fixture.credential(assigned->value().token).job_id == job);
  CHECK(fixture.job(id, "compile").dispatches == 1);
  CHECK(fixture.database->read()->pipelines.unfinished().size() == 2);
  CHECK(fixture.coordinator->find_runner("glrt-second")->id == second->value());
  CHECK(fixture.database->read()->runners.all().size() == 2);
  // Observers were told of the one that was kept, once.
  CHECK(fixture.observed->reloads == 1);
  CHECK(fixture.observed->statuses ==
        std::vector<std::string>{"pending", "created", "created", "pending", "created"});
  CHECK(fixture.observed->queue.at(fixture.job(made->value(), "compile").id) ==
        QueueState::Waiting);
  // What is in memory is what was kept.
  REQUIRE(fixture.acknowledge(assigned->value().token));
  REQUIRE(fixture.finish(fixture.credential(assigned->value().token)));
  CHECK(fixture.job(id, "unit").status == "pending");
}

TEST_CASE("a round that is given up again and again is answered as not stored", "[coordinator]") {
  CoordinatorFixture fixture;
  int tries = 0;

  const auto refused = fixture.ask<int>([&](auto done) {
    fixture.coordinator->submit<int>(
        [&](WriteTransaction& write) -> Result<int> {
          write.stores.settings.put("tried", "1");
          ++tries;
          give_up();
        },
        std::move(done));
  });

  REQUIRE_FALSE(refused);
  CHECK(tries == 5);
  CHECK(refused.error().kind == ErrorKind::Unavailable);
  CHECK(refused.error().message == "nothing was stored: database: deadlock detected");
  CHECK_FALSE(fixture.coordinator->healthy());
  CHECK_FALSE(fixture.database->read()->settings.get("tried"));
  fixture.create();
  CHECK(fixture.coordinator->healthy());
}

TEST_CASE("a change that PostgreSQL ends in a deadlock is made all the same",
          "[coordinator][.postgresql]") {
  CoordinatorFixture fixture;
  fixture.commit([](Stores& stores) {
    stores.settings.put("a", "0");
    stores.settings.put("b", "0");
    return 0;
  });
  Session& writer = fixture.database->writer_session();
  writer.run("SET deadlock_timeout = '20ms'");
  auto other = open_session(fixture.at.place(), Session::Mode::Reader);
  // Who closes the circle looks first, and so is the one that is ended.
  other->run("SET deadlock_timeout = '10min'; SET default_transaction_read_only = off");
  other->begin();
  other->run("UPDATE settings SET value = value || ' other' WHERE name = 'b'");
  std::promise<void> has_a;
  auto done = std::async(std::launch::async, [&] {
    has_a.get_future().wait();
    other->run("UPDATE settings SET value = value || ' other' WHERE name = 'a'");
    other->commit();
  });
  int tries = 0;

  const auto written = fixture.ask<int>([&](auto then) {
    fixture.coordinator->submit<int>(
        [&](WriteTransaction& write) -> Result<int> {
          const auto add = [&](const char* name) {
            write.stores.settings.put(name, *write.stores.settings.get(name) + " ours");
          };
          add("a");
          if (++tries == 1) {
            has_a.set_value();
            writer.run(
                "DO $do$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
                " LOOP PERFORM pg_sleep(0.005); END LOOP; END $do$");
          }
          add("b");
          return tries;
        },
        std::move(then));
  });
  done.get();

  CHECK(written.value() == 2);
  auto read = fixture.database->read();
  CHECK(read->settings.get("a") == "0 other ours");
  CHECK(read->settings.get("b") == "0 other ours");
}
