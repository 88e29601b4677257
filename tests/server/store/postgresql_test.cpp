// What is true of PostgreSQL alone: a connection that is lost, the one writer, errors.
#include "server/store/postgresql_session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

#include <future>

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;
using slipway::test::TestPlace;
using slipway::test::TestServer;
using slipway::test::TestTables;

namespace {

// Ends PostgreSQL's process behind each session of that name, and waits until they have ended.
void cut_all(const std::string& name) {
  auto cutter = open_session(TestServer::place("public"), Session::Mode::Reader);
  execute(*cutter,
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
          " WHERE pid <> pg_backend_pid() AND application_name = ?",
          name);
}

DatabasePlace named(const TestPlace& at, const std::string& name) {
  DatabasePlace place = at.place();
  place.url += "&application_name=" + name;
  return place;
}

std::unique_ptr<Database> opened(const DatabasePlace& place) {
  auto database = Database::open(place);
  REQUIRE(database);
  return std::move(*database);
}

ProjectId add(Database& database, const std::string& path) {
  ProjectRow row;
  row.path = path;
  database.begin();
  const ProjectId id = database.writer().projects.insert(row);
  database.commit();
  return id;
}

}  // namespace

TEST_CASE("connections that were lost between two changes are made again unseen",
          "[store][.postgresql]") {
  const TestPlace at{""};
  auto database = opened(named(at, "cut_idle"));
  const ProjectId first = add(*database, "a/first");

  cut_all("cut_idle");

  CHECK(database->read()->projects.find(first));
  const ProjectId second = add(*database, "a/second");
  CHECK(database->writer().projects.find(second));
}

TEST_CASE("a connection that is lost inside a transaction keeps nothing of it",
          "[store][.postgresql]") {
  const TestPlace at{""};
  auto database = opened(named(at, "cut_busy"));
  ProjectRow row;
  row.path = "a/lost";
  database->begin();
  database->writer().projects.insert(row);

  cut_all("cut_busy");

  const bool at_commit = GENERATE(true, false);
  try {
    if (at_commit)
      database->commit();
    else
      (void)database->writer().projects.find(ProjectId{1});
    FAIL("nobody noticed");
  } catch (const StoreFailure& failure) {
    CHECK(failure.error().kind == ErrorKind::Unavailable);
  }
  database->rollback();
  CHECK(database->writer().projects.list("", "", {}).total == 0);
  add(*database, "a/kept");
  CHECK(database->read()->projects.list("", "", {}).total == 1);
}

TEST_CASE("a second server on the same store is told so", "[store][.postgresql]") {
  const StoreFixture fixture;

  const auto second = Database::open(fixture.at.place());

  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Unavailable);
  CHECK(second.error().message == "cannot open '" + fixture.at.place().url +
                                      "': another server is running on '" + fixture.at.place().url +
                                      "'");
  CHECK(second.error().hint == "stop it, or give this one another database");
}

TEST_CASE("a writer that comes back after another one has written is told once",
          "[store][.postgresql]") {
  const TestPlace at{""};
  auto database = opened(named(at, "cut_off"));
  cut_all("cut_off");
  {
    const auto other = opened(at.place());
    add(*other, "a/others");
  }

  CHECK_THROWS_WITH(database->begin(), "database: another server has written in the meantime");

  CHECK(database->writer().projects.find_by_path("a/others"));
  add(*database, "a/own");
}

TEST_CASE("an error inside a transaction that nobody undid is not committed in silence",
          "[store][.postgresql]") {
  StoreFixture fixture;
  fixture.project("a/b");
  ProjectRow row;
  row.path = "A/B";
  fixture.database->begin();
  CHECK_THROWS_AS(fixture.stores().projects.insert(row), StoreFailure);

  CHECK_THROWS_AS(fixture.database->commit(), StoreFailure);

  fixture.project("a/c");
}

TEST_CASE("a read that is ended in a deadlock is read again", "[store][.postgresql]") {
  StoreFixture fixture;
  fixture.project("a/b");
  auto other = open_session(fixture.at.place(), Session::Mode::Reader);
  // Who closes the circle looks first, and so is the one that is ended.
  other->run("SET deadlock_timeout = '10min'; SET default_transaction_read_only = off");
  other->begin();
  other->run("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE");
  auto done = std::async(std::launch::async, [&] {
    other->run(
        "DO $do$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM pg_locks"
        "  WHERE relation = CAST('users' AS regclass) AND granted) LOOP PERFORM pg_sleep(0.005);"
        " END LOOP; END $do$");
    other->run("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    other->commit();
  });
  auto reader = open_session(fixture.at.place(), Session::Mode::Reader);
  reader->run("SET deadlock_timeout = '20ms'; SET default_transaction_read_only = off");
  reader->run("CREATE TEMP SEQUENCE tries");

  // Reads users, waits until the other one waits for that, or has gone, and reads projects.
  reader->run(
      "DO $do$ BEGIN PERFORM nextval('tries'); PERFORM 1 FROM users;"
      " WHILE EXISTS (SELECT 1 FROM pg_locks WHERE relation = CAST('projects' AS regclass))"
      "  AND NOT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted) LOOP PERFORM pg_sleep(0.005);"
      " END LOOP; PERFORM 1 FROM projects; END $do$");
  done.get();

  // Numbers of a sequence are not given back by what is ended.
  CHECK(select_value<long long>(*reader, "SELECT currval('tries')") == 2);
}

TEST_CASE("no value of a row is in an error", "[store][.postgresql]") {
  StoreFixture fixture;
  fixture.project("a/secret-name");
  try {
    fixture.project("a/secret-name");
    FAIL("it was accepted");
  } catch (const StoreFailure& failure) {
    CHECK(failure.error().kind == ErrorKind::Conflict);
    CHECK(failure.error().message.find("secret-name") == std::string::npos);
  }
}

TEST_CASE("a URL with a password, or that is none, is refused with a way out",
          "[store][.postgresql]") {
  const std::string url = GENERATE(std::string{"postgresql://ann:pw@host/name"},
                                   std::string{"postgresql://host/name?password=pw"});
  const auto refused = Database::open({{}, url, ""});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::InvalidInput);
  CHECK(refused.error().message.find("holds a password") != std::string::npos);
  CHECK(refused.error().message.find("pw") == std::string::npos);

  const auto broken = Database::open({{}, "postgresql://host/name?nonsense=1", ""});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find("nonsense") != std::string::npos);
}

TEST_CASE("a server that is not there is named", "[store][.postgresql]") {
  const auto refused = Database::open({{}, "postgresql:///name?host=/nowhere", ""});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unavailable);
  CHECK(refused.error().message.find("/nowhere") != std::string::npos);
}

TEST_CASE("texts are ordered by their bytes, whatever the server's collation",
          "[store][.postgresql]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  fixture.commit([&](Stores& stores) {
    for (const char* name : {"b", "A", "a", "B", "ä"})
      stores.protections.protect(id, RefKind::Tag, name, 1);
    return 0;
  });
  std::string order;
  for (const auto& row : fixture.database->read()->protections.of_project(id, RefKind::Tag))
    order += row.name;
  CHECK(order == "ABabä");
}
