#include "base/crypto.h"

#include <set>

#include "tests/support/catch.h"

using namespace slipway;

TEST_CASE("tokens carry their prefix, are URL-safe and never repeat", "[crypto]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = random_token("glrt-");
    CHECK(token.substr(0, 5) == "glrt-");
    CHECK(token.find_first_not_of(
              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
          std::string::npos);
    CHECK(token.size() == 5 + 43);
    seen.insert(token);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("hashes and signatures are the published ones", "[crypto]") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  // RFC 4231, test case 2.
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(crc32_update(0, "123456789") == 0xCBF43926);
  CHECK(crc32_update(crc32_update(0, "12345"), "6789") == 0xCBF43926);
}

TEST_CASE("constant-time comparison says what plain comparison says", "[crypto]") {
  CHECK(constant_time_equal("abc", "abc"));
  CHECK(constant_time_equal("", ""));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "abcd"));
}

TEST_CASE("base64 goes both ways and refuses what is not base64", "[crypto]") {
  const std::string bytes{"\0\xff\x10 slipway", 11};
  CHECK(base64_decode(base64_encode(bytes)) == bytes);
  CHECK_FALSE(base64_decode("a b c"));
  CHECK_FALSE(base64_decode("YWJj!"));
}

TEST_CASE("a password is verified by its hash and by nothing else", "[crypto]") {
  const std::string hash = hash_password("correct horse battery");
  CHECK(hash.rfind("$argon2id$", 0) == 0);
  CHECK(verify_password(hash, "correct horse battery"));
  CHECK_FALSE(verify_password(hash, "correct horse batterz"));
  CHECK_FALSE(verify_password("not a hash", "correct horse battery"));
}

TEST_CASE("a sealed value opens with its key and its context only", "[crypto]") {
  const std::string key(32, 'k');
  const std::string sealed = seal(key, "s3cret", "project 1 variable TOKEN");

  CHECK(*unseal(key, sealed, "project 1 variable TOKEN") == "s3cret");
  CHECK(sealed != seal(key, "s3cret", "project 1 variable TOKEN"));
  for (const auto& wrong : {unseal(std::string(32, 'x'), sealed, "project 1 variable TOKEN"),
                            unseal(key, sealed, "project 2 variable TOKEN"),
                            unseal(key, "AAAA", "project 1 variable TOKEN"),
                            unseal("short", sealed, "project 1 variable TOKEN")}) {
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().kind == ErrorKind::Denied);
  }
}
