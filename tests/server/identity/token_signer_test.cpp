#include "server/identity/token_signer.h"

#include <future>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/variables/keys.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using nlohmann::json;

constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr UnixMillis kDay = std::chrono::milliseconds{TokenSigner::kLongestLife}.count();

struct Fixture : test::StoreFixture {
  Keyring keys = Keyring::make();

  TokenSigner opened() {
    auto signer = TokenSigner::open(*database, keys);
    REQUIRE(signer);
    if (!signer->has_key())
      REQUIRE(signer->make_first_key(keys, [&](const std::string& sealed) -> Result<void> {
        database->begin();
        database->writer().settings.put(kSigningKeys, sealed);
        database->commit();
        return {};
      }));
    return std::move(*signer);
  }
  TokenSigner rotated(UnixMillis now) {
    auto signer = TokenSigner::rotate(*database, keys, now);
    REQUIRE(signer);
    return std::move(*signer);
  }
};

std::vector<std::string> ids(const TokenSigner& signer, UnixMillis now) {
  std::vector<std::string> found;
  const json set = signer.key_set(now);
  for (const json& key : set["keys"]) found.push_back(key["kid"]);
  return found;
}

std::string id_of(const std::string& token) {
  std::string head = token.substr(0, token.find('.'));
  for (char& c : head) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (head.size() % 4 != 0) head += '=';
  const auto header = json::parse(base64_decode(head).value());
  CHECK(header["alg"] == "RS256");
  CHECK(header["typ"] == "JWT");
  return header["kid"];
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a database gets one key, keeps it, and has it sealed", "[identity]") {
  const auto first = ids(opened(), kNow);
  REQUIRE(first.size() == 1);
  reopen();
  const TokenSigner again = opened();
  CHECK(ids(again, kNow) == first);
  CHECK(id_of(again.sign({{"sub", "x"}}).value()) == first[0]);

  const auto sealed = database->read()->settings.get(kSigningKeys);
  REQUIRE(sealed);
  CHECK(sealed->find("secret") == std::string::npos);
  const auto other = TokenSigner::open(*database, Keyring::make());
  REQUIRE_FALSE(other);
  CHECK(other.error().message == "the keys that sign id_tokens cannot be opened");
}

TEST_CASE_METHOD(Fixture, "who signs before there is a key waits for it", "[identity]") {
  auto signer = std::move(TokenSigner::open(*database, keys).value());
  CHECK_FALSE(signer.has_key());
  // One that could not be stored signs nothing.
  const auto lost = signer.make_first_key(keys, [](const std::string&) -> Result<void> {
    return fail(ErrorKind::Unavailable, "the disk is full");
  });
  CHECK(lost.error().message == "the disk is full");
  CHECK_FALSE(signer.has_key());
  auto waiting = std::async(std::launch::async, [&] { return signer.sign({{"sub", "x"}}); });
  REQUIRE(signer.make_first_key(keys, [](const std::string&) { return Result<void>{}; }));
  const auto token = waiting.get();
  REQUIRE(token);
  CHECK(id_of(*token) == ids(signer, kNow)[0]);
}

TEST_CASE_METHOD(Fixture, "the key set has public parts alone", "[identity]") {
  const json set = opened().key_set(kNow);
  for (const auto& [name, value] : set["keys"][0].items()) {
    CAPTURE(name);
    CHECK((name == "kty" || name == "use" || name == "alg" || name == "kid" || name == "n" ||
           name == "e"));
    CHECK_FALSE(value.get<std::string>().empty());
  }
}

TEST_CASE_METHOD(Fixture, "a new key signs at once, the old one is published for another day",
                 "[identity]") {
  const std::string old = ids(opened(), kNow)[0];
  const TokenSigner signer = rotated(kNow);
  const auto both = ids(signer, kNow);
  REQUIRE(both.size() == 2);
  CHECK(both[1] == old);
  CHECK(id_of(signer.sign({{"sub", "x"}}).value()) == both[0]);
  CHECK(ids(signer, kNow + kDay - 1).size() == 2);
  CHECK(ids(signer, kNow + kDay) == std::vector<std::string>{both[0]});
  reopen();
  CHECK(ids(opened(), kNow) == both);
  // A rotation drops what is over.
  CHECK(ids(rotated(kNow + kDay), kNow + kDay).size() == 2);
}

TEST_CASE_METHOD(Fixture, "a new key of the server seals the signing keys anew", "[identity]") {
  const auto file = directory / "secret.key";
  keys = open_keys(file, *database).value();
  const auto before = ids(opened(), kNow);
  const auto rotation = rotate_keys(file, *database);
  REQUIRE(rotation);
  CHECK(rotation->resealed == 2);  // and the check value
  CHECK_FALSE(TokenSigner::open(*database, keys));
  keys = Keyring::load(file).value();
  CHECK(ids(opened(), kNow) == before);
}

}  // namespace slipway::server
