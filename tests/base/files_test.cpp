#include "base/files.h"

#include <sys/stat.h>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;

TEST_CASE("a replaced file has the new text and the mode asked for", "[files]") {
  const test::TempDirectory dir;
  REQUIRE(replace_file(dir / "a", "one", 0600, Durable::yes));
  REQUIRE(replace_file(dir / "a", "two", 0600));

  CHECK(*read_file(dir / "a") == "two");
  struct stat info {};
  REQUIRE(::stat((dir / "a").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600U);
  CHECK(std::distance(std::filesystem::directory_iterator{dir.path()}, {}) == 1);
}

TEST_CASE("file errors say what was attempted and why it failed", "[files]") {
  const test::TempDirectory dir;
  const auto missing = read_file(dir / "none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::NotFound);
  CHECK(missing.error().message ==
        "cannot read '" + (dir / "none").string() + "': No such file or directory");

  const auto nowhere = replace_file(dir / "no/such", "x");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().kind == ErrorKind::NotFound);
}

TEST_CASE("a file longer than the limit is refused whole", "[files]") {
  const test::TempDirectory dir;
  REQUIRE(replace_file(dir / "a", std::string(100, 'x')));
  CHECK(read_file(dir / "a", 100)->size() == 100);
  const auto refused = read_file(dir / "a", 99);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::TooLarge);
}
