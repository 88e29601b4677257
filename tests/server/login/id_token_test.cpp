#include "server/login/id_token.h"

#include "tests/server/login/signer.h"
#include "tests/support/catch.h"

namespace slipway::server::login {
namespace {

using nlohmann::json;
using test::Signer;

constexpr UnixMillis kNow = 1'800'000'000'000;
constexpr long long kSecond = kNow / 1000;

const Signer& signer() {
  static const Signer made{"k1"};
  return made;
}

json claims(const json& changes = json::object()) {
  json made{{"iss", "https://id.example"}, {"aud", "slipway"},     {"sub", "42"},
            {"exp", kSecond + 300},        {"iat", kSecond},       {"nonce", "n-1"},
            {"preferred_username", "bea"}, {"name", "Bea Example"}};
  made.merge_patch(changes);  // null takes a claim away
  return made;
}

const ExpectedToken kExpected{"https://id.example", "slipway", "n-1", kNow};

Result<TokenClaims> read(const std::string& token) {
  return read_id_token(token, signer().key_set(), kExpected);
}

std::string refusal(const Result<TokenClaims>& read) {
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::Denied);
  return read.error().message;
}

TEST_CASE("a token of the provider says who somebody is", "[login]") {
  const auto known = read(signer().sign(claims(), "RS256", "k1"));
  REQUIRE(known);
  CHECK(known->subject == "42");
  CHECK(known->username == "bea");
  CHECK(known->name == "Bea Example");
  CHECK(read(
      signer().sign(claims({{"aud", {"other", "slipway"}}, {"azp", "slipway"}}), "PS256", "k1")));
  const Signer curve{"k2", Signer::Kind::Curve};
  CHECK(read_id_token(curve.sign(claims(), "ES256", "k2"), curve.key_set(), kExpected));
}

TEST_CASE("claims that do not fit are refused, each", "[login]") {
  struct Row {
    json changes;
    const char* why;
  };
  const auto row = GENERATE(values<Row>({
      {{{"iss", "https://id.example/"}}, "is of another issuer"},
      {{{"iss", nullptr}}, "is of another issuer"},
      {{{"aud", "other"}}, "is for another client"},
      {{{"aud", nullptr}}, "is for another client"},
      {{{"aud", {"slipway", "other"}}}, "is for another client"},
      {{{"azp", "other"}}, "is for another client"},
      {{{"exp", kSecond - 61}}, "has expired"},
      {{{"exp", nullptr}}, "has expired"},
      {{{"exp", "tomorrow"}}, "has expired"},
      {{{"iat", kSecond + 61}}, "is from the future"},
      {{{"iat", nullptr}}, "is from the future"},
      {{{"nbf", kSecond + 61}}, "is not good yet"},
      {{{"nonce", "n-2"}}, "belongs to another login"},
      {{{"nonce", nullptr}}, "belongs to another login"},
      {{{"sub", nullptr}}, "names nobody"},
      {{{"sub", 42}}, "names nobody"},
      {{{"sub", std::string(256, 'x')}}, "names nobody"},
  }));
  CAPTURE(row.changes);
  CHECK(refusal(read(signer().sign(claims(row.changes), "RS256", "k1"))) ==
        std::string{"the ID token "} + row.why);
}

TEST_CASE("a minute between two clocks is forgiven", "[login]") {
  CHECK(read(signer().sign(claims({{"exp", kSecond - 59}}), "RS256", "k1")));
  CHECK(read(signer().sign(claims({{"iat", kSecond + 59}}), "RS256", "k1")));
}

TEST_CASE("signatures that prove nothing are refused", "[login]") {
  const std::string not_signed = "the ID token is not signed by a key of the provider";
  SECTION("none") {
    for (const auto* none : {"none", "None", "NONE", ""}) {
      CAPTURE(none);
      CHECK_FALSE(read(test::forged({{"alg", none}}, claims())));
      CHECK_FALSE(read(test::forged({{"alg", none}}, claims(), "x")));
    }
  }
  SECTION("by another key under the same name") {
    const Signer stranger{"k1"};
    CHECK(refusal(read(stranger.sign(claims(), "RS256", "k1"))) == not_signed);
  }
  SECTION("by a key that is not in the set") {
    const Signer stranger{"k9"};
    CHECK(refusal(read(stranger.sign(claims(), "RS256", "k9"))) == not_signed);
  }
  SECTION("by the key in its own header") {
    const Signer stranger{"k1"};
    const auto token = stranger.sign(claims(), "RS256", "k1");
    const auto head = test::forged({{"alg", "RS256"}, {"jwk", stranger.public_key()}}, claims());
    CHECK_FALSE(read(head + token.substr(token.rfind('.') + 1)));
  }
  SECTION("by the public key, taken for a shared secret") {
    const auto header = json{{"alg", "HS256"}, {"kid", "k1"}};
    auto unsigned_token = test::forged(header, claims());
    unsigned_token.pop_back();
    const auto mac = hmac_sha256_hex(signer().public_key().dump(), unsigned_token);
    CHECK(refusal(read(unsigned_token + "." + test::base64_url(mac))) ==
          "the ID token is signed by 'HS256', which is not accepted");
  }
  SECTION("of other claims") {
    const auto token = signer().sign(claims(), "RS256", "k1");
    const auto other = test::base64_url(claims({{"sub", "1"}}).dump());
    const auto first = token.find('.');
    CHECK(refusal(read(token.substr(0, first + 1) + other + token.substr(token.rfind('.')))) ==
          not_signed);
  }
  SECTION("with a header that must be understood") {
    CHECK_FALSE(read(test::forged({{"alg", "RS256"}, {"crit", {"x"}}}, claims(), "x")));
  }
  SECTION("by a key for another purpose") {
    auto key = signer().public_key();
    key["use"] = "enc";
    CHECK(refusal(read_id_token(signer().sign(claims(), "RS256", "k1"),
                                json{{"keys", {key}}}.dump(), kExpected)) == not_signed);
  }
}

TEST_CASE("what is no token at all is refused", "[login]") {
  for (const auto* text : {"", ".", "..", "a.b.c", "e30.e30.", "e30.e30.e30.e30", "{}"}) {
    CAPTURE(text);
    CHECK_FALSE(read(text));
  }
  CHECK_FALSE(read(std::string(100'000, 'a')));
  const auto token = signer().sign(claims(), "RS256", "k1");
  for (const auto* keys : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1,null,{}]})"})
    CHECK_FALSE(read_id_token(token, keys, kExpected));
  CHECK_FALSE(read(signer().sign(json::array({1}), "RS256", "k1")));
}

}  // namespace
}  // namespace slipway::server::login
