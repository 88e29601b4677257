#include "base/keyring.h"

#include <sys/stat.h>

#include "base/crypto.h"
#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway {
namespace {

std::string key(char letter) {
  return std::string(Keyring::kKeyBytes, letter);
}

}  // namespace

TEST_CASE("the first key seals and every key opens", "[keyring]") {
  const Keyring old{{key('a')}};
  const std::string before = old.seal("s3cret", "context");
  const Keyring rotating{{key('b'), key('a')}};
  CHECK(*rotating.open(before, "context") == "s3cret");
  CHECK_FALSE(rotating.is_current(before));

  const std::string after = rotating.seal("s3cret", "context");
  CHECK(rotating.is_current(after));
  CHECK(*rotating.newest_alone().open(after, "context") == "s3cret");
  CHECK_FALSE(rotating.newest_alone().open(before, "context"));
  CHECK_FALSE(old.open(after, "context"));
  CHECK_FALSE(rotating.open(after, "other"));
  CHECK_FALSE(rotating.open("", "context"));
  CHECK(rotating.open(after, "other").error().message.find("s3cret") == std::string::npos);
}

TEST_CASE("what was sealed before keys had names opens with any key that fits", "[keyring]") {
  const Keyring rotating{{key('b'), key('a')}};
  const std::string nameless = seal(key('a'), "s3cret", "context");
  CHECK(*rotating.open(nameless, "context") == "s3cret");
  CHECK_FALSE(rotating.is_current(nameless));
}

TEST_CASE("a key file keeps its keys, for its owner alone", "[keyring]") {
  const test::TempDirectory directory;
  const auto file = directory / "secret.key";
  CHECK(Keyring::load(file).error().kind == ErrorKind::NotFound);
  const Keyring two = Keyring::make().with_new_key();
  const std::string sealed = two.seal("s3cret", "context");
  REQUIRE(two.save(file));

  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  const auto loaded = Keyring::load(file);
  REQUIRE(loaded);
  CHECK(loaded->size() == 2);
  CHECK(loaded->is_current(sealed));
  CHECK(*loaded->open(sealed, "context") == "s3cret");

  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  const auto open_to_others = Keyring::load(file);
  REQUIRE_FALSE(open_to_others);
  CHECK(open_to_others.error().message.find("may be read by others") != std::string::npos);
}

TEST_CASE("a key file that does not hold keys is refused, with the line", "[keyring]") {
  const test::TempDirectory directory;
  const auto file = directory / "secret.key";
  const std::string good = base64_encode(key('a')) + "\n";
  const auto refusal = [&](const std::string& text) {
    REQUIRE(replace_file(file, text, 0600));
    const auto loaded = Keyring::load(file);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind == ErrorKind::InvalidInput);
    return loaded.error().message;
  };
  CHECK(refusal("").find("does not hold a key") != std::string::npos);
  CHECK(refusal("short\n").find("line 1 is no key") != std::string::npos);
  CHECK(refusal(good + base64_encode("short") + "\n").find("line 2 is no key") !=
        std::string::npos);
  CHECK_THROWS(Keyring{{}});
  CHECK_THROWS(Keyring{{"short"}});
}

}  // namespace slipway
