#include "server/store/database.h"

#include "server/store/migrations.h"
#include "server/store/session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

#include <atomic>
#include <thread>

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;
using slipway::test::TestPlace;
using slipway::test::TestTables;

TEST_CASE("what was committed is there after the database is opened again", "[store]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project("a/b");

  fixture.reopen();

  const auto found = fixture.database->read()->projects.find(id);
  REQUIRE(found);
  CHECK(found->path == "a/b");
  CHECK(found->repository_url == "https://git.example/a/b");
}

TEST_CASE("what was rolled back was never there", "[store]") {
  StoreFixture fixture;
  const ProjectId kept = fixture.project("a/kept");

  fixture.database->begin();
  ProjectRow row;
  row.path = "a/gone";
  const ProjectId gone = fixture.stores().projects.insert(row);
  fixture.database->rollback();

  CHECK(fixture.stores().projects.find(kept));
  CHECK_FALSE(fixture.stores().projects.find(gone));
}

TEST_CASE("a savepoint undoes one request and keeps the others of its transaction", "[store]") {
  StoreFixture fixture;
  ProjectRow row;

  fixture.database->begin();
  row.path = "a/first";
  fixture.stores().projects.insert(row);
  fixture.database->savepoint();
  row.path = "a/undone";
  fixture.stores().projects.insert(row);
  fixture.database->rollback_to_savepoint();
  row.path = "a/last";
  fixture.stores().projects.insert(row);
  fixture.database->commit();

  const auto page = fixture.database->read()->projects.list("", "", {});
  REQUIRE(page.total == 2);
  CHECK(page.rows[0].path == "a/first");
  CHECK(page.rows[1].path == "a/last");
}

TEST_CASE("a reader does not see what is not committed yet, and then does", "[store]") {
  StoreFixture fixture;
  auto reader = fixture.database->read();

  fixture.database->begin();
  ProjectRow row;
  row.path = "a/b";
  fixture.stores().projects.insert(row);
  CHECK(reader->projects.list("", "", {}).total == 0);
  fixture.database->commit();

  CHECK(reader->projects.list("", "", {}).total == 1);
}

TEST_CASE("a reader cannot write", "[store]") {
  StoreFixture fixture;
  auto reader = fixture.database->read();
  ProjectRow row;
  row.path = "a/b";

  CHECK_THROWS_AS(reader->projects.insert(row), StoreFailure);
}

TEST_CASE("readers are lent to many threads and come back", "[store]") {
  StoreFixture fixture;
  fixture.project();
  std::atomic<int> found = 0;

  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        found += static_cast<int>(fixture.database->read()->projects.list("", "", {}).total);
    });
  for (std::thread& thread : threads) thread.join();

  CHECK(found == 400);
}

TEST_CASE("numbers of 64 bits, absent values and odd texts come back as they went in", "[store]") {
  const slipway::test::TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  const auto opened = open_session(at.place(), Session::Mode::Writer);
  Session& session = *opened;
  session.run_schema("CREATE TABLE values_ (number INTEGER, text TEXT)");
  const std::string odd = std::string{"nul \0 and ' and ü and \xFF", 24};
  const std::optional<std::int64_t> none;

  execute(session, "INSERT INTO values_ VALUES (?, ?)", std::int64_t{1} << 62U, odd);
  execute(session, "INSERT INTO values_ VALUES (?, ?)", none, std::string{});

  using Row = std::pair<std::optional<std::int64_t>, std::string>;
  const auto rows =
      select<Row>(session, "SELECT number, text FROM values_ ORDER BY number NULLS LAST");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].first == std::int64_t{1} << 62U);
  CHECK(rows[0].second == odd);
  CHECK_FALSE(rows[1].first);
  CHECK(rows[1].second.empty());
}

TEST_CASE("a broken statement is our mistake and says what is wrong", "[store]") {
  const slipway::test::TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  const auto opened = open_session(at.place(), Session::Mode::Writer);
  Session& session = *opened;

  try {
    session.run("SELEKT 1");
    FAIL("it was accepted");
  } catch (const StoreFailure& failure) {
    CHECK(failure.error().kind == ErrorKind::Internal);
    CHECK(failure.error().message.find("SELEKT") != std::string::npos);
  }
}

TEST_CASE("a commit that fails keeps nothing, and the next one works", "[store]") {
  StoreFixture fixture;
  fixture.database->begin();
  ProjectRow row;
  row.path = "a/lost";
  fixture.stores().projects.insert(row);
  fixture.database->fail_next_commit();

  CHECK_THROWS_AS(fixture.database->commit(), StoreFailure);
  fixture.database->rollback();

  fixture.project("a/kept");
  CHECK(fixture.database->read()->projects.list("", "", {}).total == 1);
}
