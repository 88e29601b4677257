#include "server/auth/accounts.h"

#include <sys/stat.h>

#include <thread>

#include "server/auth/people.h"
#include "tests/server/auth/auth_fixture.h"

namespace slipway::server::auth {
namespace {

using slipway::test::AuthFixture;
using namespace std::chrono_literals;

TEST_CASE("the setup token is a file for the server's own user", "[auth]") {
  AuthFixture some;
  const auto token = some.setup_token();
  CHECK(token.starts_with("slst-"));
  struct stat status {};
  REQUIRE(::stat((some.directory / "setup-token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(some.database->read()->settings.get("setup_token_hash") != token);
}

TEST_CASE("setting up makes an administrator, a session and a token, once", "[auth]") {
  AuthFixture some;
  const auto token = some.setup_token();

  const auto done = some.accounts.setup(token, {"ann", "correct horse"}, some.client);

  REQUIRE(done);
  CHECK(done->user.is_admin);
  CHECK(some.sessions.find(done->session)->username == "ann");
  CHECK(some.tokens.find(done->personal_token)->scopes == std::vector<std::string>{"api"});
  CHECK_FALSE(some.accounts.setup_needed());
  CHECK_FALSE(std::filesystem::exists(some.directory / "setup-token"));
  const auto again = some.accounts.setup(token, {"eve", "correct horse"}, some.client);
  REQUIRE_FALSE(again);
  CHECK(again.error().message == "the setup token is wrong or has expired");
}

TEST_CASE("setup stays closed when the users are gone", "[auth]") {
  AuthFixture some;
  some.set_up();
  some.database->begin();
  auto user = some.database->writer().users.find_by_name("ann");
  user->disabled = true;
  some.database->writer().users.update(*user);
  some.database->commit();
  CHECK_FALSE(some.accounts.setup_needed());
  CHECK(some.accounts.prepare_setup().value().empty());
}

TEST_CASE("a wrong or old setup token is refused", "[auth]") {
  AuthFixture some;
  const auto token = some.setup_token();
  CHECK_FALSE(some.accounts.setup("slst-wrong", {"ann", "correct horse"}, some.client));
  some.clock.tick(61min);
  CHECK_FALSE(some.accounts.setup(token, {"ann", "correct horse"}, some.client));
  CHECK(some.accounts.setup(some.setup_token(), {"ann", "correct horse"}, some.client));
}

TEST_CASE("of many that set up at once exactly one wins", "[auth]") {
  AuthFixture some;
  const auto token = some.setup_token();
  std::atomic<int> wins{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      if (some.accounts.setup(token, {"user" + std::to_string(i), "correct horse"}, some.client))
        ++wins;
    });
  for (auto& thread : threads) thread.join();
  CHECK(wins == 1);
  CHECK(some.database->read()->users.count() == 1);
}

TEST_CASE("names and passwords that will not do are refused with what would", "[auth]") {
  for (const auto* name : {"", "-ann", ".ann", "ann lee", "ann/lee", "ann\n"})
    CHECK_FALSE(check_username(name));
  CHECK(check_username("Ann_Lee-2.x"));
  CHECK(check_password("short", "ann").error().message ==
        "field 'password' must have 10 to 128 characters");
  CHECK_FALSE(check_password(std::string(129, 'x'), "ann"));
  CHECK(check_password("annannannann", "annannannann").error().message ==
        "field 'password' must not be the user name");
}

TEST_CASE("a wrong name and a wrong password get the same answer", "[auth]") {
  AuthFixture some;
  some.set_up();
  const auto wrong_name = some.accounts.login({"ben", "correct horse"}, some.client);
  const auto wrong_password = some.accounts.login({"ann", "incorrect horse"}, some.client);
  REQUIRE_FALSE(wrong_name);
  REQUIRE_FALSE(wrong_password);
  CHECK(wrong_name.error().message == "wrong user name or password");
  CHECK(wrong_password.error().message == wrong_name.error().message);
  const auto right = some.accounts.login({"ANN", "correct horse"}, some.client);
  REQUIRE(right);
  CHECK(right->user.username == "ann");
}

TEST_CASE("setup and login leave a trail", "[auth]") {
  AuthFixture some;
  some.set_up();
  REQUIRE(some.accounts.login({"ann", "correct horse"}, some.client));
  const auto trail = some.database->read()->audit.list({1, 10});
  REQUIRE(trail.total == 2);
  CHECK(trail.rows[0].action == "session.created");
  CHECK(trail.rows[0].actor == "user/1");
  CHECK(trail.rows[1].action == "setup.done");
  CHECK(trail.rows[1].ip_address == "10.0.0.1");
}

TEST_CASE_METHOD(AuthFixture, "an invitation is good for a week, and the newest only", "[auth]") {
  const auto ann = principal_of(set_up().user);
  People people{writer};
  const auto first = people.create(ann, {"bea", "", false}, "");
  REQUIRE(first);
  const auto second = people.invite(ann, first->user.id, "");
  REQUIRE(second);
  const auto accept = [&](const std::string& token) {
    return accounts.accept(token, "a long password", client);
  };
  CHECK(accept(first->token).error().kind == ErrorKind::Unauthenticated);
  clock.tick(std::chrono::hours{24 * 7} - std::chrono::minutes{1});
  REQUIRE(accept(second->token));

  const auto third = people.invite(ann, first->user.id, "");
  clock.tick(std::chrono::hours{24 * 7} + std::chrono::minutes{1});
  CHECK(accept(third->token).error().kind == ErrorKind::Unauthenticated);
  // A forgotten password: until the link is used, the old one is good.
  CHECK(accounts.login({"bea", "a long password"}, client));
}

TEST_CASE_METHOD(AuthFixture, "an account without a password cannot log in", "[auth]") {
  const auto ann = principal_of(set_up().user);
  People people{writer};
  REQUIRE(people.create(ann, {"bea", "", false}, ""));
  CHECK_FALSE(accounts.login({"bea", ""}, client));
  const auto bea = database->read()->users.find_by_name("bea");
  CHECK_FALSE(accounts.change_password(principal_of(*bea), "", "a long password", client));
}

}  // namespace
}  // namespace slipway::server::auth
