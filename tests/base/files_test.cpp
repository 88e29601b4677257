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

TEST_CASE("an emptied directory keeps the named files, cut to nothing", "[files]") {
  const test::TempDirectory dir;
  REQUIRE(empty_directory(dir / "new", {"log"}));
  REQUIRE(replace_file(dir / "new/log", "secret"));
  REQUIRE(replace_file(dir / "new/other", "secret"));
  std::filesystem::create_directories(dir / "new/deep/deeper");
  REQUIRE(replace_file(dir / "outside", "stays"));
  std::filesystem::create_symlink(dir / "outside", dir / "new/trace");

  REQUIRE(empty_directory(dir / "new", {"log", "trace"}));

  CHECK(*read_file(dir / "new/log") == "");
  CHECK(std::distance(std::filesystem::directory_iterator{dir / "new"}, {}) == 1);
  CHECK(*read_file(dir / "outside") == "stays");
}

TEST_CASE("overwriting follows no link", "[files]") {
  const test::TempDirectory dir;
  REQUIRE(overwrite_file(dir / "a", "a longer text", 0600));
  REQUIRE(overwrite_file(dir / "a", "short", 0600));
  CHECK(*read_file(dir / "a") == "short");

  std::filesystem::create_symlink(dir / "a", dir / "link");
  const auto refused = overwrite_file(dir / "link", "x", 0600);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("cannot write '" + (dir / "link").string() + "'") == 0);
  CHECK(*read_file(dir / "a") == "short");
}
