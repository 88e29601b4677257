#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/crypto.h"
#include "server/forge/hosts.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using nlohmann::json;

const std::string kSecret = "a webhook secret";
const std::string kOld(40, '1');
const std::string kNew(40, 'a');
const std::string kZero(40, '0');
const HookedProject kProject{"Group/Name", "https://git.example/group/name.git"};

using Headers = std::multimap<std::string, std::string>;

// As the HTTP room gives them: a name that comes twice is no value at all.
HeaderLookup lookup(const Headers& headers) {
  return [headers](std::string_view name) -> std::optional<std::string> {
    if (headers.count(std::string{name}) != 1) return std::nullopt;
    return headers.find(std::string{name})->second;
  };
}

std::string signature(std::string_view body, std::string_view secret = kSecret) {
  return "sha256=" + hmac_sha256_hex(secret, body);
}

Headers signed_headers(const std::string& signature_value) {
  return {{"X-Hub-Signature-256", signature_value},
          {"X-GitHub-Delivery", "72d3162e"},
          {"X-GitHub-Event", "push"}};
}

json push() {
  return {{"ref", "refs/heads/main"},
          {"before", kOld},
          {"after", kNew},
          {"repository",
           {{"full_name", "group/name"}, {"clone_url", "https://git.example/group/name.git"}}},
          {"head_commit", {{"message", "Speak louder"}}},
          {"pusher", {{"name", "ada"}}}};
}

Result<ForgeEvent> parse_push(const json& payload) {
  return github::parse("push", payload.dump(), kProject);
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TEST_CASE("a delivery with the right signature is believed", "[forge]") {
  const std::string body = push().dump();
  const auto delivery = github::verify(lookup(signed_headers(signature(body))), body, kSecret);
  REQUIRE(delivery);
  CHECK(delivery->key == "72d3162e");
  CHECK(delivery->event == "push");
}

TEST_CASE("the signature is GitHub's documented one", "[forge]") {
  const auto headers =
      signed_headers("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
  CHECK(github::verify(lookup(headers), "Hello, World!", "It's a Secret to Everybody"));
}

TEST_CASE("a delivery without the right signature is refused", "[forge]") {
  const std::string body = push().dump();
  const std::string right = signature(body);
  const std::string hex = right.substr(7);
  const std::string missing = "the webhook's signature is missing";
  const std::string other = "the webhook's signature is not a SHA-256";
  const std::string wrong = "the webhook's signature is not the right one";
  struct Case {
    std::string name;
    std::string value;
    std::string message;
  };
  const auto [name, value, message] = GENERATE_COPY(values<Case>({
      {"empty", "", other},
      {"only the prefix", "sha256=", wrong},
      {"no prefix", hex, other},
      {"prefix in capitals", "SHA256=" + hex, other},
      {"another algorithm's name", "sha1=" + hex, other},
      {"sha1 of its own", "sha1=" + sha1_hex(body), other},
      {"sha512", "sha512=" + hex + hex, other},
      {"a blank before", " " + right, other},
      {"a blank behind", right + " ", wrong},
      {"a blank within", "sha256= " + hex, wrong},
      {"a line end behind", right + "\n", wrong},
      {"a NUL behind", right + std::string(1, '\0'), wrong},
      {"in capitals", "sha256=" + upper(hex), wrong},
      {"one digit short", right.substr(0, right.size() - 1), wrong},
      {"half of it", right.substr(0, 7 + 32), wrong},
      {"one digit long", right + "0", wrong},
      {"twice in one", right + "," + right, wrong},
      {"twice in one, the wrong one first", "sha256=00," + right, wrong},
      {"prefix twice", "sha256=" + right, wrong},
      {"zeros", "sha256=" + std::string(64, '0'), wrong},
      {"the plain hash", "sha256=" + sha256_hex(body), wrong},
      {"by another secret", signature(body, "another secret"), wrong},
      {"by no secret", signature(body, ""), wrong},
      {"of another body", signature(body + " "), wrong},
      {"of the body written anew", signature(json::parse(body).dump(1)), wrong},
      {"the secret itself", "sha256=" + kSecret, wrong},
  }));
  INFO(name);
  const auto refused = github::verify(lookup(signed_headers(value)), body, kSecret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unauthenticated);
  CHECK(refused.error().message == message);
  CHECK(refused.error().hint.find("X-Hub-Signature-256") != std::string::npos);
  CHECK(refused.error().message.find(hex) == std::string::npos);

  SECTION("also when it stands in no header, or in two") {
    Headers none = signed_headers(right);
    none.erase("X-Hub-Signature-256");
    const auto unsigned_one = github::verify(lookup(none), body, kSecret);
    REQUIRE_FALSE(unsigned_one);
    CHECK(unsigned_one.error().message == missing);
    none.emplace("X-Hub-Signature", right);
    CHECK_FALSE(github::verify(lookup(none), body, kSecret));
    Headers doubled = signed_headers(right);
    doubled.emplace("X-Hub-Signature-256", right);
    CHECK_FALSE(github::verify(lookup(doubled), body, kSecret));
  }
}

TEST_CASE("a project without a secret believes nobody", "[forge]") {
  const std::string body = push().dump();
  const auto refused = github::verify(lookup(signed_headers(signature(body, ""))), body, "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unauthenticated);
  CHECK(refused.error().message == "the webhook's signature is refused: the project has no secret");
}

TEST_CASE("the bytes that came are what is signed", "[forge]") {
  const std::string odd = "{ \"ref\" :\t\"refs/heads/main\" }\r\n";
  CHECK(github::verify(lookup(signed_headers(signature(odd))), odd, kSecret));
  CHECK_FALSE(
      github::verify(lookup(signed_headers(signature(json::parse(odd).dump()))), odd, kSecret));
}

TEST_CASE("a signed call names its event and its delivery", "[forge]") {
  const std::string header = GENERATE("X-GitHub-Event", "X-GitHub-Delivery");
  const std::string value = GENERATE(std::string{}, std::string(200, 'x'), std::string{"absent"});
  Headers headers = signed_headers(signature("{}"));
  headers.erase(header);
  if (value != "absent") headers.emplace(header, value);
  const auto refused = github::verify(lookup(headers), "{}", kSecret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::InvalidInput);
  CHECK(refused.error().message ==
        "the header " + header + " is missing" +
            (header == "X-GitHub-Delivery" ? " or not the id of a delivery" : ""));
}

TEST_CASE("a push tells branch, commits, message and pusher", "[forge]") {
  const auto event = parse_push(push());
  REQUIRE(event);
  const auto& told = std::get<PushEvent>(*event);
  CHECK(told.ref == "main");
  CHECK_FALSE(told.is_tag);
  CHECK(told.before == kOld);
  CHECK(told.after == kNew);
  CHECK(told.head_message == "Speak louder");
  CHECK(told.pusher == "ada");
}

TEST_CASE("a new branch, a tag and a branch with slashes are told apart", "[forge]") {
  json payload = push();
  payload["before"] = kZero;
  payload["ref"] = "refs/heads/feature/refs/tags/x";
  auto event = parse_push(payload);
  REQUIRE(event);
  CHECK(std::get<PushEvent>(*event).ref == "feature/refs/tags/x");
  CHECK(std::get<PushEvent>(*event).before.empty());
  CHECK_FALSE(std::get<PushEvent>(*event).is_tag);

  payload["ref"] = "refs/tags/v1.0";
  event = parse_push(payload);
  REQUIRE(event);
  CHECK(std::get<PushEvent>(*event).ref == "v1.0");
  CHECK(std::get<PushEvent>(*event).is_tag);
}

TEST_CASE("what makes no pipeline is ignored with a reason", "[forge]") {
  json payload = push();
  const auto reason = [&](const std::string& event) {
    const auto parsed = github::parse(event, payload.dump(), kProject);
    REQUIRE(parsed);
    return std::get<IgnoredEvent>(*parsed).reason;
  };
  CHECK(reason("ping") == "a ping is answered and makes no pipeline");
  CHECK(reason("issues") == "the event 'issues' makes no pipeline");
  payload["after"] = kZero;
  payload["head_commit"] = nullptr;
  CHECK(reason("push") == "'main' was deleted");
}

TEST_CASE("a payload about another repository is denied", "[forge]") {
  const json repository = GENERATE(
      json::object(), json{{"full_name", "group/other"}}, json{{"full_name", "group/name/more"}},
      json{{"full_name", json::array({"group/name"})}},
      json{{"full_name", "x/group/name"}, {"clone_url", "https://git.example/group/nam"}},
      json{{"clone_url", "https://git.example/group/name.git.evil"}},
      json{{"clone_url", "http://git.example/group/name.git"}}, json(nullptr), json("group/name"));
  json payload = push();
  payload["repository"] = repository;
  // A claim elsewhere in the payload changes nothing.
  payload["full_name"] = "group/name";
  const std::string event = GENERATE("push", "ping");
  const auto denied = github::parse(event, payload.dump(), kProject);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::Denied);
  CHECK(denied.error().message == "the payload is about another repository than 'Group/Name'");
}

TEST_CASE("a repository is known by its path or by one of its addresses", "[forge]") {
  const json repository = GENERATE(
      json{{"full_name", "GROUP/name"}},
      json{{"full_name", "mirror/other"}, {"clone_url", "https://git.example/group/name.git"}},
      json{{"html_url", "https://git.example/group/name/"}},
      json{{"git_url", "https://git.example/group/name"}});
  json payload = push();
  payload["repository"] = repository;
  CHECK(parse_push(payload));
}

TEST_CASE("a project without an address is not taken for a repository without one", "[forge]") {
  json payload = push();
  payload["repository"] = {{"full_name", "group/other"}, {"clone_url", ""}};
  CHECK_FALSE(github::parse("push", payload.dump(), {"group/name", ""}));
}

TEST_CASE("a malformed push says what is wrong", "[forge]") {
  const std::string begin = "the payload is not a push as GitHub sends it: ";
  const std::string ref = "'ref' must begin with refs/heads/ or refs/tags/";
  const std::string after = "'after' must be a commit id";
  const std::string before = "'before' must be a commit id";
  struct Case {
    std::string key;
    json value;
    std::string why;
  };
  const auto [key, value, why] = GENERATE_COPY(values<Case>({
      {"ref", nullptr, ref},
      {"ref", 7, ref},
      {"ref", "main", ref},
      {"ref", "refs/pull/1/head", ref},
      {"ref", " refs/heads/main", ref},
      {"ref", "refs/heads/", "'ref' names no branch or tag"},
      {"ref", "refs/tags/", "'ref' names no branch or tag"},
      {"after", nullptr, after},
      {"after", json::array(), after},
      {"after", "", after},
      {"after", std::string(39, 'a'), after},
      {"after", std::string(41, 'a'), after},
      {"after", std::string(40, 'A'), after},
      {"after", "--upload-pack=touch", after},
      {"before", std::string(40, 'g'), before},
      {"before", kOld + "\n", before},
  }));
  json payload = push();
  payload[key] = value;
  INFO(key << " = " << value.dump());
  const auto refused = parse_push(payload);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::InvalidInput);
  CHECK(refused.error().message == begin + why);
}

TEST_CASE("what is no JSON object is refused, whatever its depth", "[forge]") {
  const std::string deep(200'000, '[');
  const std::string closed = deep + std::string(200'000, ']');
  std::string nested = "1";
  for (int i = 0; i < 100; ++i) nested = "{\"repository\":" + nested + "}";
  const std::string body =
      GENERATE_COPY(as<std::string>{}, "", "null", "[]", "\"push\"", "{", "{\"ref\":\"\xFF\"}",
                    "payload=%7B%7D", deep, closed, "{\"a\":" + closed + "}", nested);
  const auto refused = github::parse("push", body, kProject);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::InvalidInput);
  CHECK(refused.error().message ==
        "the payload is not a push as GitHub sends it: it is not a JSON object");
}

TEST_CASE("optional parts of a wrong type are as good as missing", "[forge]") {
  json payload = push();
  payload["head_commit"] = json::array({1});
  payload["pusher"] = "ada";
  const auto event = parse_push(payload);
  REQUIRE(event);
  CHECK(std::get<PushEvent>(*event).head_message.empty());
  CHECK(std::get<PushEvent>(*event).pusher.empty());
}

TEST_CASE("texts of a payload stay what they are", "[forge]") {
  json payload = push();
  const std::string hostile = "$(touch pwn)`id`\n%0A'\";--";
  payload["head_commit"]["message"] = hostile;
  payload["ref"] = "refs/heads/$(touch${IFS}pwn)";
  const auto event = parse_push(payload);
  REQUIRE(event);
  CHECK(std::get<PushEvent>(*event).head_message == hostile);
  CHECK(std::get<PushEvent>(*event).ref == "$(touch${IFS}pwn)");
}

TEST_CASE("a mutated payload is parsed or refused, and never more than that", "[forge]") {
  const std::string whole = push().dump();
  std::mt19937 random{20240607};
  const std::string alphabet = "{}[]\",:0123456789.-+eE\\u \n\tnulltruefalse\xC3\x28\xFF";
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  int understood = 0;
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string body = whole;
    for (std::size_t change = 0; change <= pick(4) && !body.empty(); ++change) {
      const std::size_t at = pick(body.size());
      switch (pick(4)) {
        case 0: body[at] = alphabet[pick(alphabet.size())]; break;
        case 1: body.erase(at, pick(20) + 1); break;
        case 2: body.insert(at, body.substr(pick(body.size()), pick(40))); break;
        default: body.resize(at); break;
      }
    }
    const auto event = github::parse("push", body, kProject);
    if (!event) {
      ++refused;
      CHECK((event.error().kind == ErrorKind::InvalidInput ||
             event.error().kind == ErrorKind::Denied));
      continue;
    }
    ++understood;
    if (const auto* told = std::get_if<PushEvent>(&*event)) {
      CHECK_FALSE(told->ref.empty());
      CHECK((told->after.size() == 40 || told->after.size() == 64));
    }
  }
  CHECK(understood > 100);
  CHECK(refused > 1000);
}

TEST_CASE("a commit message can ask for no pipeline", "[forge]") {
  CHECK(asks_to_skip(GENERATE(as<std::string>{}, "[skip ci]", "[ci skip]", "Fix [SKIP CI]",
                              "x\n\n[Ci Skip]", "[skip-ci]", "[ci_skip]", "[CI-SKIP] x")));
}

TEST_CASE("a commit message that only speaks of it does not", "[forge]") {
  CHECK_FALSE(
      asks_to_skip(GENERATE(as<std::string>{}, "", "skip ci", "[skip]", "[ci]", "[skip  ci]",
                            "[skipci]", "[skip ci", "[no skip ci]", "[skip\nci]")));
}

}  // namespace slipway::server
