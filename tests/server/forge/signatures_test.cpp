#include <algorithm>
#include <cctype>
#include <functional>
#include <vector>

#include "server/forge/hosts.h"
#include "tests/server/forge/calls.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using namespace test;

constexpr UnixMillis kNow = 1'700'000'000'000;
const std::string kSecret = "a webhook secret";
const std::string kKey = "thirty-two bytes of a signing key";
const std::string kSigningToken = "whsec_" + base64_encode(kKey);
const std::string kBody = R"({"ref":"refs/heads/main"})";

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

void put(Call& call, const std::string& name, const std::string& value) {
  call.headers.erase(name);
  call.headers.emplace(name, value);
}

std::string get(const Call& call, const std::string& name) {
  return call.headers.find(name)->second;
}

Result<Delivery> check(const Call& call, const std::string& secret = kSecret,
                       UnixMillis now = kNow) {
  return verify(lookup(call.headers), call.body, secret, now);
}

// A host that signs with HMAC-SHA256, and its headers.
struct Signer {
  std::string name;
  Call call;
  std::string header;
  std::string prefix;
  std::string event;
  std::string key_header;
};

std::vector<Signer> signers() {
  return {
      {"github", github_call(kBody, kSecret), "X-Hub-Signature-256", "sha256=", "push",
       "X-GitHub-Delivery"},
      {"gitea", gitea_call(kBody, kSecret), "X-Gitea-Signature", "", "push", "X-Gitea-Delivery"},
      {"forgejo", forgejo_call(kBody, kSecret), "X-Forgejo-Signature", "", "push",
       "X-Forgejo-Delivery"},
      {"bitbucket", bitbucket_call(kBody, kSecret), "X-Hub-Signature", "sha256=", "repo:push",
       "X-Request-UUID"},
  };
}

}  // namespace

TEST_CASE("each host is known by its own event header", "[forge]") {
  CHECK(forge_of(lookup(github_call("", "").headers)) == ForgeKind::GitHub);
  CHECK(forge_of(lookup(gitea_call("", "").headers)) == ForgeKind::Gitea);
  CHECK(forge_of(lookup(forgejo_call("", "").headers)) == ForgeKind::Forgejo);
  CHECK(forge_of(lookup(gitlab_call("", "").headers)) == ForgeKind::GitLab);
  CHECK(forge_of(lookup(bitbucket_call("", "").headers)) == ForgeKind::Bitbucket);
  CHECK(forge_of(lookup({{"X-Gogs-Event", "push"}})) == std::nullopt);
}

TEST_CASE("the name of a host leads back to it", "[forge]") {
  for (const auto kind : {ForgeKind::GitHub, ForgeKind::GitLab, ForgeKind::Gitea,
                          ForgeKind::Forgejo, ForgeKind::Bitbucket})
    CHECK(forge_named(to_string(kind)) == kind);
  CHECK(forge_named("gitea") == ForgeKind::Gitea);
  CHECK_FALSE(forge_named("Gitea"));
  CHECK_FALSE(forge_named(""));
}

TEST_CASE("a call of no known host is believed by nobody", "[forge]") {
  Call call = github_call(kBody, kSecret);
  call.headers.erase("X-GitHub-Event");
  const auto refused = check(call);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unauthenticated);
  CHECK(refused.error().message == "the call names no event of a git host that is known");
}

TEST_CASE("a signed call of each host is believed", "[forge]") {
  for (const Signer& host : signers()) {
    INFO(host.name);
    const auto delivery = check(host.call);
    REQUIRE(delivery);
    CHECK(delivery->event == host.event);
    CHECK(delivery->key == get(host.call, host.key_header));
  }
}

TEST_CASE("what is not signed as the host signs is refused, case by case", "[forge]") {
  struct Case {
    std::string name;
    std::function<void(Call&, const Signer&)> spoil;
  };
  const auto value = [](auto make) {
    return [make](Call& call, const Signer& host) {
      put(call, host.header, make(get(call, host.header), host));
    };
  };
  const std::vector<Case> cases{
      {"missing", [](Call& call, const Signer& host) { call.headers.erase(host.header); }},
      {"doubled",
       [](Call& call, const Signer& host) {
         call.headers.emplace(host.header, get(call, host.header));
       }},
      {"a second, wrong one",
       [](Call& call, const Signer& host) { call.headers.emplace(host.header, "0"); }},
      {"empty", value([](const auto&, const auto&) { return ""; })},
      {"only the prefix", value([](const auto&, const auto& host) { return host.prefix; })},
      {"the prefix too many",
       value([](const auto& right, const auto&) { return "sha256=" + right; })},
      {"the name of another algorithm", value([](const auto& right, const auto& host) {
         return "sha1=" + right.substr(host.prefix.size());
       })},
      {"SHA-1 of the body",
       value([](const auto&, const auto& host) { return host.prefix + sha1_hex(kBody); })},
      {"the plain hash of the body",
       value([](const auto&, const auto& host) { return host.prefix + sha256_hex(kBody); })},
      {"capitals", value([](const auto& right, const auto&) { return upper(right); })},
      {"one digit short",
       value([](const auto& right, const auto&) { return right.substr(0, right.size() - 1); })},
      {"half of it",
       value([](const auto& right, const auto&) { return right.substr(0, right.size() - 32); })},
      {"one digit long", value([](const auto& right, const auto&) { return right + "0"; })},
      {"a blank before", value([](const auto& right, const auto&) { return " " + right; })},
      {"a blank behind", value([](const auto& right, const auto&) { return right + " "; })},
      {"a line end behind", value([](const auto& right, const auto&) { return right + "\n"; })},
      {"a NUL behind",
       value([](const auto& right, const auto&) { return right + std::string(1, '\0'); })},
      {"two in one", value([](const auto& right, const auto&) { return right + "," + right; })},
      {"two in one, the wrong one first",
       value([](const auto& right, const auto&) { return "00, " + right; })},
      {"zeros",
       value([](const auto&, const auto& host) { return host.prefix + std::string(64, '0'); })},
      {"base64 of it", value([](const auto& right, const auto& host) {
         return host.prefix + base64_encode(right.substr(host.prefix.size()));
       })},
      {"by another secret", value([](const auto&, const auto& host) {
         return host.prefix + hmac_sha256_hex("another", kBody);
       })},
      {"by no secret", value([](const auto&, const auto& host) {
         return host.prefix + hmac_sha256_hex("", kBody);
       })},
      {"of another body", [](Call& call, const Signer&) { call.body += ' '; }},
      {"of no body", [](Call& call, const Signer&) { call.body.clear(); }},
      {"the secret itself",
       value([](const auto&, const auto& host) { return host.prefix + kSecret; })},
      {"the secret in GitLab's header",
       [](Call& call, const Signer& host) {
         call.headers.erase(host.header);
         call.headers.emplace("X-Gitlab-Token", kSecret);
       }},
      {"under the header of an older name",
       [](Call& call, const Signer& host) {
         const auto right = get(call, host.header);
         call.headers.erase(host.header);
         call.headers.emplace("X-Gogs-Signature", right);
       }},
  };
  REQUIRE(cases.size() >= 25);
  for (const Signer& host : signers())
    for (const Case& one : cases) {
      INFO(host.name << ": " << one.name);
      Call call = host.call;
      one.spoil(call, host);
      const auto refused = check(call);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().kind == ErrorKind::Unauthenticated);
      CHECK(refused.error().message.find("the webhook's signature is ") == 0);
      CHECK(refused.error().hint.find(host.header) != std::string::npos);
      CHECK(refused.error().message.find(kSecret) == std::string::npos);
    }
}

TEST_CASE("a project without a secret believes no host", "[forge]") {
  for (const Call& call : {github_call(kBody, ""), gitea_call(kBody, ""), forgejo_call(kBody, ""),
                           gitlab_call(kBody, ""), gitlab_signed_call(kBody, "", kNow / 1000),
                           bitbucket_call(kBody, "")}) {
    const auto refused = check(call, "");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "the webhook's signature is refused: the project has no secret");
  }
}

TEST_CASE("the host's own signature decides, and no other that is right", "[forge]") {
  Call forgejo = forgejo_call(kBody, kSecret);
  put(forgejo, "X-Forgejo-Signature", std::string(64, '0'));
  CHECK_FALSE(check(forgejo));
  Call gitea = gitea_call(kBody, kSecret);
  put(gitea, "X-Gitea-Signature", std::string(64, '0'));
  CHECK_FALSE(check(gitea));
  // A Gitea call whose borrowed headers are wrong is Gitea's all the same.
  gitea = gitea_call(kBody, kSecret);
  put(gitea, "X-Hub-Signature-256", "sha256=00");
  CHECK(check(gitea));
}

TEST_CASE("a signed call must name an event of its host and the id of its delivery", "[forge]") {
  const auto message = [](const Call& call) {
    const auto refused = check(call);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::InvalidInput);
    return refused.error().message;
  };
  CHECK(message(github_call(kBody, kSecret, "one", "Push Hook")) ==
        "'Push Hook' is no event of github");
  CHECK(message(gitea_call(kBody, kSecret, "one", "repo:push")) ==
        "'repo:push' is no event of gitea");
  CHECK(message(gitlab_call(kBody, kSecret, "one", "push")) == "'push' is no event of gitlab");
  CHECK(message(bitbucket_call(kBody, kSecret, "one", "push")) ==
        "'push' is no event of bitbucket");
  for (const Signer& host : signers())
    for (const std::string& key : {std::string{}, std::string(129, 'k'), std::string{"one/2"}}) {
      Call call = host.call;
      put(call, host.key_header, key);
      CHECK(message(call) ==
            "the header " + host.key_header + " is missing or not the id of a delivery");
    }
}

TEST_CASE("GitLab's token is believed when it is the secret and nothing else", "[forge]") {
  const auto delivery = check(gitlab_call(kBody, kSecret));
  REQUIRE(delivery);
  CHECK(delivery->event == "Push Hook");
  CHECK(delivery->key == "13792a34-cac6-4fda-95a8-c58e00a3954e");
  for (const std::string& token :
       {std::string{}, kSecret.substr(1), kSecret + " ", " " + kSecret, upper(kSecret),
        kSecret + "," + kSecret, std::string(kSecret.size(), 'x'), kSecret + std::string(1, '\0'),
        "sha256=" + hmac_sha256_hex(kSecret, kBody), hmac_sha256_hex(kSecret, kBody)}) {
    INFO(token);
    const auto refused = check(gitlab_call(kBody, token));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "the webhook's signature is not the right one");
  }
  for (const char* header : {"X-Hub-Signature-256", "X-Gitea-Signature", "Authorization"}) {
    Call call = gitlab_call(kBody, kSecret);
    call.headers.erase("X-Gitlab-Token");
    call.headers.emplace(header, "sha256=" + hmac_sha256_hex(kSecret, kBody));
    const auto refused = check(call);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "the webhook's signature is missing");
  }
  Call doubled = gitlab_call(kBody, kSecret);
  doubled.headers.emplace("X-Gitlab-Token", kSecret);
  CHECK_FALSE(check(doubled));
}

TEST_CASE("GitLab's delivery is known by the id that stays when it is sent again", "[forge]") {
  Call call = gitlab_call(kBody, kSecret);
  put(call, "Idempotency-Key", "idempotent");
  put(call, "X-Gitlab-Event-UUID", "event");
  put(call, "webhook-id", "message");
  CHECK(check(call)->key == "idempotent");
  call.headers.erase("Idempotency-Key");
  CHECK(check(call)->key == "event");
  call.headers.erase("X-Gitlab-Event-UUID");
  CHECK(check(call)->key == "message");
  call.headers.erase("webhook-id");
  CHECK(check(call).error().message ==
        "the header X-Gitlab-Event-UUID is missing or not the id of a delivery");
}

TEST_CASE("a signature by GitLab's signing token is believed", "[forge]") {
  const auto delivery = check(gitlab_signed_call(kBody, kKey, kNow / 1000), kSigningToken);
  REQUIRE(delivery);
  // The id that is signed, not one beside it.
  CHECK(delivery->key == "f5e5f430-f57b-4e6e-9fac-d9128cd7232f");

  SECTION("also by a secret that is written without the prefix") {
    CHECK(check(gitlab_signed_call(kBody, kSecret, kNow / 1000), kSecret));
  }
  SECTION("also among others, while keys change") {
    Call call = gitlab_signed_call(kBody, kKey, kNow / 1000);
    put(call, "webhook-signature",
        "v1," + base64_encode("another") + " v2,x " + get(call, "webhook-signature"));
    CHECK(check(call, kSigningToken));
  }
  SECTION("the specification's own example") {
    Call call;
    call.headers = {{"X-Gitlab-Event", "Push Hook"},
                    {"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                    {"webhook-timestamp", "1614265330"},
                    {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
    call.body = R"({"test": 2432232314})";
    CHECK(check(call, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1'614'265'330'000));
  }
}

TEST_CASE("what is not signed by GitLab's signing token is refused, case by case", "[forge]") {
  struct Case {
    std::string name;
    std::function<void(Call&)> spoil;
  };
  const auto header = [](const std::string& name, const std::string& value) {
    return [=](Call& call) { put(call, name, value); };
  };
  const Call right = gitlab_signed_call(kBody, kKey, kNow / 1000);
  const std::string signature = get(right, "webhook-signature");
  const std::string content =
      get(right, "webhook-id") + "." + get(right, "webhook-timestamp") + ".";
  std::string many;
  for (int i = 0; i < 5; ++i) many += "v1,AAAA ";
  const auto without = [](const std::string& name) {
    return [=](Call& call) { call.headers.erase(name); };
  };
  const std::vector<Case> cases{
      {"no signature", without("webhook-signature")},
      {"no id", without("webhook-id")},
      {"no time", without("webhook-timestamp")},
      {"two signature headers",
       [&](Call& call) { call.headers.emplace("webhook-signature", signature); }},
      {"two ids", [&](Call& call) { call.headers.emplace("webhook-id", "x"); }},
      {"empty", header("webhook-signature", "")},
      {"only the version", header("webhook-signature", "v1,")},
      {"another version", header("webhook-signature", "v2" + signature.substr(2))},
      {"an asymmetric one", header("webhook-signature", "v1a" + signature.substr(2))},
      {"no version", header("webhook-signature", signature.substr(3))},
      {"joined by a comma", header("webhook-signature", "v1,AAAA," + signature)},
      {"behind too many", header("webhook-signature", many + signature)},
      {"in hexadecimal",
       header("webhook-signature", "v1," + hmac_sha256_hex(kKey, content + kBody))},
      {"of the body alone", header("webhook-signature", standard_signature(kKey, kBody))},
      {"by the token as it is written",
       header("webhook-signature", standard_signature(kSigningToken, content + kBody))},
      {"by no key", header("webhook-signature", standard_signature("", content + kBody))},
      {"cut", header("webhook-signature", signature.substr(0, signature.size() - 8))},
      {"not base64", header("webhook-signature", "v1,!!!!")},
      {"another id", header("webhook-id", "another")},
      {"an id with a dot", header("webhook-id", "a.b")},
      {"an empty id", header("webhook-id", "")},
      {"another time", header("webhook-timestamp", std::to_string(kNow / 1000 + 1))},
      {"another body", [](Call& call) { call.body += ' '; }},
      {"the token itself instead",
       [](Call& call) {
         call.headers.erase("webhook-signature");
         call.headers.emplace("X-Gitlab-Token", kSigningToken);
       }},
      {"the token itself beside a wrong one",
       [](Call& call) {
         put(call, "webhook-signature", "v1,AAAA");
         call.headers.emplace("X-Gitlab-Token", kSigningToken);
       }},
  };
  REQUIRE(cases.size() == 25);
  for (const Case& one : cases) {
    INFO(one.name);
    Call call = right;
    one.spoil(call);
    const auto refused = check(call, kSigningToken);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::Unauthenticated);
    CHECK((refused.error().message == "the webhook's signature is missing" ||
           refused.error().message == "the webhook's signature is not the right one"));
  }
}

TEST_CASE("a right token does not help a wrong signature", "[forge]") {
  Call call = gitlab_call(kBody, kSecret);
  call.headers.emplace("webhook-id", "one");
  call.headers.emplace("webhook-timestamp", std::to_string(kNow / 1000));
  call.headers.emplace("webhook-signature", "v1,AAAA");
  CHECK_FALSE(check(call));
}

TEST_CASE("a signature is good for five minutes", "[forge]") {
  const Call call = gitlab_signed_call(kBody, kKey, kNow / 1000);
  const UnixMillis five = 5 * 60'000;
  CHECK(check(call, kSigningToken, kNow + five));
  CHECK(check(call, kSigningToken, kNow - five));
  for (const UnixMillis now : {kNow + five + 1, kNow - five - 1, kNow * 2}) {
    const auto refused = check(call, kSigningToken, now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "the webhook's signature is older or newer than five minutes");
  }
  for (const std::string stamp : {"", "-1", "1e9", " 1700000000", "1700000000 ", "+1700000000",
                                  "1700000000000000", "99999999999999999999"}) {
    Call odd = call;
    put(odd, "webhook-timestamp", stamp);
    put(odd, "webhook-signature",
        standard_signature(kKey, get(call, "webhook-id") + "." + stamp + "." + kBody));
    INFO(stamp);
    CHECK_FALSE(check(odd, kSigningToken));
  }
}

TEST_CASE("a secret that only looks like a signing token believes nobody", "[forge]") {
  const std::string secret = GENERATE(as<std::string>{}, "whsec_", "whsec_!!!");
  const auto refused = check(gitlab_signed_call(kBody, "", kNow / 1000), secret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "the webhook's signature is refused: the project's secret is no signing token");
}

}  // namespace slipway::server
