#include "server/auth/sessions.h"

#include "base/crypto.h"
#include "tests/server/auth/auth_fixture.h"

namespace slipway::server::auth {
namespace {

using slipway::test::AuthFixture;
using namespace std::chrono_literals;

TEST_CASE("a session ends when it was not seen for twelve hours", "[auth]") {
  AuthFixture some;
  const auto session = some.set_up().session;
  some.clock.tick(11h);
  CHECK(some.sessions.find(session));
  some.clock.tick(11h);
  CHECK(some.sessions.find(session));
  some.clock.tick(12h);
  CHECK_FALSE(some.sessions.find(session));
}

TEST_CASE("a session ends after seven days however often it is seen", "[auth]") {
  AuthFixture some;
  const auto session = some.set_up().session;
  for (int hour = 0; hour < 7 * 24 - 1; ++hour) {
    some.clock.tick(1h);
    REQUIRE(some.sessions.find(session));
  }
  some.clock.tick(1h);
  CHECK_FALSE(some.sessions.find(session));
}

TEST_CASE("a session ends at logout, and with its user", "[auth]") {
  AuthFixture some;
  const auto first = some.set_up().session;
  const auto second = some.accounts.login({"ann", "correct horse"}, some.client)->session;
  CHECK(first != second);
  REQUIRE(some.sessions.end(first));
  CHECK_FALSE(some.sessions.find(first));
  REQUIRE(some.sessions.find(second));
  some.database->begin();
  auto user = *some.database->writer().users.find_by_name("ann");
  ++user.auth_epoch;
  some.database->writer().users.update(user);
  some.database->commit();
  CHECK_FALSE(some.sessions.find(second));
}

TEST_CASE("the database does not hold what would let one in", "[auth]") {
  AuthFixture some;
  const auto done = some.set_up();
  CHECK_FALSE(some.database->read()->sessions.find(done.session));
  CHECK(some.database->read()->sessions.find(token_hash(done.session)));
  CHECK_FALSE(some.database->read()->tokens.find_by_hash(done.personal_token));
}

TEST_CASE("each session has a CSRF token of its own", "[auth]") {
  CHECK(Sessions::csrf_token("a") != Sessions::csrf_token("b"));
  CHECK(Sessions::csrf_token("a").size() == 64);
}

TEST_CASE("a personal token ends when it expires and when it is revoked", "[auth]") {
  AuthFixture some;
  const auto ann = *some.sessions.find(some.set_up().session);
  const auto made = some.tokens.create(ann, "ci", {"read_api"}, 2, "10.0.0.1");
  REQUIRE(made);
  CHECK(made->token.starts_with("glpat-"));
  CHECK(some.tokens.find(made->token)->scopes == std::vector<std::string>{"read_api"});
  some.clock.tick(49h);
  CHECK_FALSE(some.tokens.find(made->token));

  const auto other = some.tokens.create(ann, "ci", {"api"}, 365, "10.0.0.1");
  REQUIRE(some.tokens.revoke(ann, other->row.id, "10.0.0.1"));
  CHECK_FALSE(some.tokens.find(other->token));
  CHECK(some.tokens.revoke(ann, TokenId{99}, "").error().kind == ErrorKind::NotFound);
}

TEST_CASE("a token makes no token that may do more than itself", "[auth]") {
  AuthFixture some;
  auto ann = *some.sessions.find(some.set_up().session);
  ann.token = TokenId{1};
  ann.scopes = {"read_api"};
  CHECK(some.tokens.create(ann, "x", {"api"}, 1, "").error().kind == ErrorKind::Denied);
  CHECK(some.tokens.create(ann, "x", {"read_api"}, 1, ""));
  CHECK(some.tokens.create(ann, "x", {"root"}, 1, "").error().message ==
        "'root' is no scope, use api, read_api, read_user, read_repository or create_runner");
  CHECK_FALSE(some.tokens.create(ann, "x", {}, 1, ""));
  CHECK_FALSE(some.tokens.create(ann, "", {"read_api"}, 1, ""));
}

}  // namespace
}  // namespace slipway::server::auth
