#include "server/login/remote_login.h"

#include "tests/server/auth/auth_fixture.h"
#include "tests/server/login/provider_simulator.h"

namespace slipway::server::login {
namespace {

using test::ProviderSimulator;

struct Fixture : test::AuthFixture {
  ProviderSimulator site{clock};
  ProviderSimulator other{clock};

  static Provider provider(const std::string& id, const std::string& issuer, bool create = true) {
    Provider made;
    made.id = id;
    made.title = id;
    made.issuer = issuer;
    made.client_id = "slipway";
    made.client_secret = "s3cret";
    made.create_accounts = create;
    return made;
  }
  static Provider github(const std::string& issuer) {
    auto made = provider("github", issuer);
    made.kind = ProviderKind::GitHub;
    made.api = issuer + "/api/v3";
    return made;
  }

  RemoteLogin login{writer,
                    clock,
                    {provider("work", site.url()), provider("other", other.url()),
                     provider("closed", site.url(), false), github(site.url())},
                    "https://ci.example"};

  struct Begun {
    std::string url;
    ReturnedLogin returned;
  };
  // The browser at the provider, which sends it back with a code for `subject`.
  Begun go(const std::string& id, const std::string& subject = "42", UserId link = {},
           const std::string& next = "/team/app") {
    const auto begun = login.begin(id, next, link);
    REQUIRE(begun);
    auto& provider = id == "other" ? other : site;
    const auto asked =
        test::fields_of(std::string_view{begun->url}.substr(begun->url.find('?') + 1));
    return {begun->url,
            {id, asked.at("state"), provider.agree(begun->url, subject), "", begun->cookie, link}};
  }
  Result<FinishedLogin> finish(const ReturnedLogin& returned) {
    return login.finish(returned, client);
  }
  // What a refused login must not leave behind.
  void check_refused(const ReturnedLogin& returned, ErrorKind kind = ErrorKind::Denied) {
    const auto users = database->read()->users.count();
    const auto finished = finish(returned);
    REQUIRE_FALSE(finished);
    CHECK(finished.error().kind == kind);
    CHECK(database->read()->users.count() == users);
  }
};

TEST_CASE_METHOD(Fixture, "who comes back from the provider is logged in", "[login]") {
  set_up();
  const auto begun = go("work");
  CHECK(begun.url.find("code_challenge_method=S256") != std::string::npos);
  CHECK(begun.url.find(
            "redirect_uri=https%3A%2F%2Fci.example%2Fapi%2Fv4%2Flogin%2Fwork%2Fcallback") !=
        std::string::npos);
  const auto finished = finish(begun.returned);
  REQUIRE(finished);
  CHECK(finished->next == "/team/app");
  CHECK(finished->login.user.username == "bea");
  CHECK_FALSE(finished->login.user.is_admin);
  CHECK(sessions.find(finished->login.session)->user == finished->login.user.id);
  // The same person again, whatever the name and the address by mail are by then.
  site.change_claims = [](auto& claims) { claims["preferred_username"] = "renamed"; };
  const auto again = finish(go("work").returned);
  REQUIRE(again);
  CHECK(again->login.user.id == finished->login.user.id);
}

TEST_CASE_METHOD(Fixture, "a name or a mail address that is known here opens no account",
                 "[login]") {
  const auto ann = set_up().user;
  site.change_claims = [](auto& claims) { claims["preferred_username"] = "ann"; };
  const auto finished = finish(go("work").returned);
  REQUIRE(finished);
  CHECK(finished->login.user.id != ann.id);
  CHECK(finished->login.user.username == "ann-2");
  // The same subject of another issuer is somebody else.
  const auto elsewhere = finish(go("other").returned);
  REQUIRE(elsewhere);
  CHECK(elsewhere->login.user.id != finished->login.user.id);
}

TEST_CASE_METHOD(Fixture, "GitHub says who somebody is at an address of its own", "[login]") {
  set_up();
  const auto begun = go("github");
  CHECK(begun.url.starts_with(site.url() + "/login/oauth/authorize?"));
  const auto finished = finish(begun.returned);
  REQUIRE(finished);
  CHECK(database->read()->identities.find(site.url(), "4711")->user_id == finished->login.user.id);
}

TEST_CASE_METHOD(Fixture, "without an account one is not let in, unless it was connected",
                 "[login]") {
  const auto ann = set_up().user;
  check_refused(go("closed").returned, ErrorKind::Unauthenticated);
  const auto connected = finish(go("closed", "42", ann.id).returned);
  REQUIRE(connected);
  CHECK(connected->login.user.id == ann.id);
  CHECK(finish(go("closed").returned)->login.user.id == ann.id);
}

TEST_CASE_METHOD(Fixture, "an identity is connected with one account, by its owner", "[login]") {
  const auto ann = set_up().user;
  REQUIRE(finish(go("work").returned));
  check_refused(go("work", "42", ann.id).returned, ErrorKind::Conflict);
  // Somebody else's browser brings it back.
  auto stolen = go("work", "43", ann.id).returned;
  stolen.user = UserId{2};
  check_refused(stolen);
  stolen.user = UserId{};
  check_refused(stolen);
}

TEST_CASE_METHOD(Fixture, "who is blocked stays out, and stays blocked", "[login]") {
  set_up();
  auto bea = finish(go("work").returned)->login.user;
  bea.disabled = true;
  REQUIRE(writer.write([&](Stores& stores, UnixMillis) -> Result<void> {
    stores.users.update(bea);
    return {};
  }));
  check_refused(go("work").returned, ErrorKind::Unauthenticated);
  CHECK(database->read()->users.find(bea.id)->disabled);
}

TEST_CASE_METHOD(Fixture, "what was not begun by this browser is refused before the code is used",
                 "[login]") {
  set_up();
  SECTION("a state that nobody gave out") {
    auto returned = go("work").returned;
    returned.state = "invented";
    check_refused(returned);
  }
  SECTION("no state") {
    auto returned = go("work").returned;
    returned.state.clear();
    check_refused(returned);
  }
  SECTION("another browser") {
    auto returned = go("work").returned;
    returned.cookie = go("work").returned.cookie;
    check_refused(returned);
    returned.cookie.clear();
    check_refused(returned);
  }
  SECTION("too late") {
    const auto returned = go("work").returned;
    clock.tick(std::chrono::minutes{10});
    check_refused(returned);
  }
  SECTION("no code") {
    auto returned = go("work").returned;
    returned.code.clear();
    check_refused(returned);
  }
  SECTION("mixed up: at another provider's address") {
    auto returned = go("work").returned;
    returned.provider = "other";
    check_refused(returned);
  }
  SECTION("mixed up: the answer says that it is another issuer's") {
    auto returned = go("work").returned;
    returned.issuer = other.url();
    check_refused(returned);
  }
  CHECK(site.redeemed().empty());
  CHECK(other.redeemed().empty());
}

TEST_CASE_METHOD(Fixture, "a state is good once", "[login]") {
  set_up();
  const auto returned = go("work").returned;
  REQUIRE(finish(returned));
  check_refused(returned);
  CHECK(site.redeemed().size() == 1);
}

TEST_CASE_METHOD(Fixture, "a code of another login is of no use", "[login]") {
  set_up();
  auto returned = go("work").returned;
  returned.code = go("work", "1").returned.code;  // PKCE: the verifier is not its own
  check_refused(returned, ErrorKind::Unavailable);
}

TEST_CASE_METHOD(Fixture, "a provider that lies is not believed", "[login]") {
  set_up();
  const auto returned = go("work").returned;
  SECTION("the nonce of another login") {
    site.change_claims = [](auto& claims) { claims["nonce"] = "replayed"; };
    check_refused(returned);
  }
  SECTION("an expired token") {
    site.change_claims = [](auto& claims) {
      claims["exp"] = claims["iat"].template get<long long>() - 61;
    };
    check_refused(returned);
  }
  SECTION("a token for another client") {
    site.change_claims = [](auto& claims) { claims["aud"] = "somebody"; };
    check_refused(returned);
  }
  SECTION("a token of another issuer") {
    site.change_claims = [this](auto& claims) { claims["iss"] = other.url(); };
    check_refused(returned);
  }
  SECTION("no signature") {
    site.sign = [](const auto& claims) { return test::forged({{"alg", "none"}}, claims); };
    check_refused(returned);
  }
  SECTION("the signature of somebody else") {
    site.sign = [](const auto& claims) { return test::Signer{"k1"}.sign(claims, "RS256", "k1"); };
    check_refused(returned);
  }
  SECTION("no ID token") {
    site.change_token_answer = [](auto& answer) { answer.body.erase("id_token"); };
    check_refused(returned);
  }
  SECTION("a redirect instead of tokens") {
    site.change_token_answer = [this](auto& answer) {
      answer.status = 307;
      answer.location = other.url() + "/token";
    };
    check_refused(returned, ErrorKind::Unavailable);
  }
  SECTION("an error") {
    site.change_token_answer = [](auto& answer) { answer.status = 500; };
    check_refused(returned, ErrorKind::Unavailable);
  }
}

TEST_CASE_METHOD(Fixture, "discovery must be of the provider itself", "[login]") {
  SECTION("another issuer") {
    site.change_discovery = [this](auto& document) { document["issuer"] = other.url(); };
    CHECK(login.begin("work", "/", {}).error().kind == ErrorKind::Denied);
  }
  SECTION("an address of another kind") {
    site.change_discovery = [](auto& document) {
      document["token_endpoint"] = "file:///etc/passwd";
    };
    CHECK(login.begin("work", "/", {}).error().kind == ErrorKind::Denied);
  }
  CHECK(login.begin("nobody", "/", {}).error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "the browser ends on a page of this server", "[login]") {
  set_up();
  for (const auto* next : {"https://evil.example", "//evil.example", "/\\evil.example", "", "x",
                           "/a\r\nSet-Cookie: b", "javascript:alert(1)"}) {
    CAPTURE(next);
    CHECK(finish(go("work", "42", {}, next).returned)->next == "/");
  }
}

TEST_CASE("only so many logins are on their way at once", "[login]") {
  const FakeClock clock;
  PendingLogins pending{clock, 2};
  CHECK(pending.put("a", {}));
  CHECK(pending.put("b", {}));
  CHECK_FALSE(pending.put("c", {}));
  CHECK(pending.take("a"));
  CHECK(pending.put("c", {}));
}

}  // namespace
}  // namespace slipway::server::login
