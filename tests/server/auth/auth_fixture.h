// A database of its own, written directly, and a clock that stands still.
#pragma once

#include <mutex>

#include "base/files.h"
#include "server/auth/access_tokens.h"
#include "server/auth/accounts.h"
#include "server/auth/sessions.h"
#include "server/auth/writer.h"
#include "server/store/database.h"
#include "tests/server/store/test_place.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::test {

class DirectWriter final : public server::auth::Writer {
 public:
  DirectWriter(server::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  Result<void> write(Change change) override {
    const std::lock_guard lock{mutex_};
    database_.begin();
    auto done = change(database_.writer(), clock_.now());
    if (done)
      database_.commit();
    else
      database_.rollback();
    return done;
  }
  void note(Change change) override { REQUIRE(write(std::move(change))); }

 private:
  server::Database& database_;
  const Clock& clock_;
  std::mutex mutex_;
};

struct AuthFixture {
  TempDirectory directory;
  FakeClock clock;
  TestPlace at{directory / "slipway.db"};
  std::unique_ptr<server::Database> database =
      std::move(server::Database::open(at.place()).value());
  DirectWriter writer{*database, clock};
  server::auth::Sessions sessions{*database, writer, clock};
  server::auth::AccessTokens tokens{*database, writer, clock};
  server::auth::Accounts accounts{*database, writer, clock, directory.path()};
  server::auth::ClientInfo client{"10.0.0.1", "test"};

  std::string setup_token() {
    const auto file = accounts.prepare_setup();
    REQUIRE(file);
    auto text = read_file(*file);
    REQUIRE(text);
    text->pop_back();
    return *text;
  }
  server::auth::LoggedIn set_up() {
    auto done = accounts.setup(setup_token(), {"ann", "correct horse"}, client);
    REQUIRE(done);
    return *done;
  }
};

}  // namespace slipway::test
