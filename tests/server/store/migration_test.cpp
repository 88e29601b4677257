#include "server/store/migrations.h"

#include "server/store/session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/killed.h"

#include <set>

using namespace slipway;
using namespace slipway::server;
using slipway::test::die;
using slipway::test::died_in;
using slipway::test::TempDirectory;
using slipway::test::TestPlace;
using slipway::test::TestTables;

namespace {

std::set<std::string> files_in(const TempDirectory& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{directory.path()})
    names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("a database of a newer version is refused and stays as it is", "[store]") {
  const slipway::test::TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  open_session(at.place(), Session::Mode::Writer)->set_schema_version(99);

  const auto opened = Database::open(at.place());

  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Conflict);
  CHECK(
      opened.error().message.find("the database has schema 99, this program knows schemas up to " +
                                  std::to_string(migrations().size())) != std::string::npos);
  const auto session = open_session(at.place(), Session::Mode::Writer);
  CHECK(session->schema_version() == 99);
  CHECK_THROWS_AS(session->run("SELECT 1 FROM projects"), StoreFailure);
}

TEST_CASE("migrations run once each, in order, also over several starts", "[store]") {
  const slipway::test::TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  const auto opened = open_session(at.place(), Session::Mode::Writer);
  Session& session = *opened;
  std::vector<Migration> steps{
      {"CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT)"},
      {"INSERT INTO notes (text) VALUES ('two')"}};
  REQUIRE(migrate(session, steps));
  steps.push_back({"INSERT INTO notes (text) VALUES ('three')"});

  REQUIRE(migrate(session, steps));
  REQUIRE(migrate(session, steps));

  const auto notes = select<Scalar<std::string>>(session, "SELECT text FROM notes ORDER BY id");
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].value == "two");
  CHECK(notes[1].value == "three");
}

TEST_CASE("a step that fails leaves nothing, and the next start goes on from there", "[store]") {
  const TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  const auto session = open_session(at.place(), Session::Mode::Writer);
  std::vector<Migration> steps{
      {"CREATE TABLE one (number INTEGER)"},
      {"CREATE TABLE two (number INTEGER)", "INSERT INTO nowhere VALUES (1)"}};

  CHECK_THROWS_AS(migrate(*session, steps), StoreFailure);

  CHECK(session->schema_version() == 1);
  CHECK_THROWS_AS(session->run("INSERT INTO two VALUES (1)"), StoreFailure);
  steps[1] = {"CREATE TABLE two (number INTEGER)"};
  REQUIRE(migrate(*session, steps));
  session->run("INSERT INTO two VALUES (1)");
}

TEST_CASE("migrations that are killed after any of their statements start again well", "[store]") {
  const TempDirectory directory;
  const TestPlace at{directory / "slipway.db", TestTables::None};
  const auto version = [&] {
    return open_session(at.place(), Session::Mode::Writer)->schema_version();
  };
  const auto& steps = migrations();

  int killed = 0;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    const std::vector<Migration> until{steps.begin(),
                                       steps.begin() + static_cast<std::ptrdiff_t>(step) + 1};
    int statement = 0;
    while (died_in([&] {
      const auto session = open_session(at.place(), Session::Mode::Writer);
      int left = statement;
      if (!migrate(*session, until, [&] {
            if (left-- == 0) die();
          }))
        throw std::runtime_error{"refused"};
    })) {
      REQUIRE(version() == static_cast<long long>(step));
      ++statement;
      ++killed;
    }
    // Each statement and the new number.
    CHECK(statement == static_cast<int>(steps[step].size()) + 1);
    REQUIRE(version() == static_cast<long long>(step) + 1);
  }

  CHECK(killed > 100);
  auto database = Database::open(at.place());
  REQUIRE(database);
  (*database)->begin();
  ProjectRow row;
  row.path = "a/b";
  CHECK((*database)->writer().projects.insert(row) == ProjectId{1});
  (*database)->commit();
}

TEST_CASE("before the schema changes a copy is kept, and three of them", "[store][sqlite]") {
  const TempDirectory directory;
  const TestPlace at{directory / "slipway.db"};
  std::vector<Migration> steps{
      {"CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT)"}};
  const auto migrated = [&] {
    REQUIRE(migrate(*open_session(at.place(), Session::Mode::Writer), steps));
  };
  migrated();
  CHECK(files_in(directory) == std::set<std::string>{"slipway.db"});
  for (int i = 1; i <= 4; ++i) {
    steps.push_back({"INSERT INTO notes (text) VALUES ('x')"});
    migrated();
    migrated();
  }

  CHECK(files_in(directory) == std::set<std::string>{"slipway.db", "slipway.db.schema-2",
                                                     "slipway.db.schema-3", "slipway.db.schema-4"});
  const auto copy = open_session(DatabasePlace::at_file(directory / "slipway.db.schema-3"),
                                 Session::Mode::Writer);
  CHECK(copy->schema_version() == 3);
  CHECK(select_value<long long>(*copy, "SELECT COUNT(*) FROM notes") == 2);
}

TEST_CASE("without a copy the schema is not changed", "[store][sqlite]") {
  const TempDirectory directory;
  const TestPlace at{directory / "slipway.db"};
  std::vector<Migration> steps{{"CREATE TABLE notes (text TEXT)"}};
  const auto session = open_session(at.place(), Session::Mode::Writer);
  REQUIRE(migrate(*session, steps));
  steps.push_back({"DROP TABLE notes"});
  // Nothing can be written where a directory stands.
  std::filesystem::create_directories(directory / "slipway.db.schema-1" / "full");

  const auto refused = migrate(*session, steps);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("slipway.db.schema-1") != std::string::npos);
  CHECK(session->schema_version() == 1);
}
