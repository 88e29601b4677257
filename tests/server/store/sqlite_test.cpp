// What is true of SQLite alone.
#include "base/files.h"
#include "server/store/sqlite_session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;

TEST_CASE("a second server on the same directory is told so", "[store][sqlite]") {
  const StoreFixture fixture;

  const auto second = Database::open(fixture.at.place());

  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Unavailable);
  CHECK(second.error().message ==
        "another server is running on '" + fixture.directory.path().string() + "'");
  CHECK(second.error().hint == "stop it, or give this one another data_dir");
}

TEST_CASE("a directory that does not exist is named", "[store][sqlite]") {
  const slipway::test::TempDirectory directory;

  const auto opened = Database::open(DatabasePlace::at_file(directory / "missing" / "slipway.db"));

  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("missing/slipway.db.lock") != std::string::npos);
}

TEST_CASE("a file that is no database is refused", "[store][sqlite]") {
  const slipway::test::TempDirectory directory;
  REQUIRE(replace_file(directory / "slipway.db", std::string(4096, 'x')));

  const auto opened = Database::open(DatabasePlace::at_file(directory / "slipway.db"));

  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("cannot open '") == 0);
  CHECK(opened.error().message.find("not a database") != std::string::npos);
}

TEST_CASE("a session is durable and checks references", "[store][sqlite]") {
  const slipway::test::TempDirectory directory;
  SqliteSession session{directory / "slipway.db", Session::Mode::Writer};

  CHECK(select_value<std::string>(session, "PRAGMA journal_mode") == "wal");
  CHECK(select_value<long long>(session, "PRAGMA synchronous") == 2);
  CHECK(select_value<long long>(session, "PRAGMA foreign_keys") == 1);
  CHECK(select_value<long long>(session, "PRAGMA wal_autocheckpoint") == 0);
  CHECK(select_value<long long>(session, "PRAGMA busy_timeout") == 5000);
}

TEST_CASE("the write-ahead log is moved into the database from time to time", "[store][sqlite]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  for (int i = 0; i < 600; ++i) {
    fixture.commit([&](Stores& stores) {
      stores.settings.put("n", std::to_string(i));
      return 0;
    });
    fixture.database->checkpoint_when_large();
  }

  CHECK(fixture.database->read()->settings.get("n") == "599");
  CHECK(fixture.database->read()->projects.find(id));
  CHECK(std::filesystem::file_size(fixture.file().string() + "-wal") < (std::size_t{4} << 20U));
}
