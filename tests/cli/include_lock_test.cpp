#include "cli/include_lock.h"

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::cli;

namespace {

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

pipeline::IncludedFile included(const std::string& address, const std::string& hash) {
  return {address, hash, {"ci.yml", 3, 5}};
}

std::string lock_of(const test::TempDirectory& root) {
  return read_file(root / ".slipway/include.lock").value_or("(none)");
}

}  // namespace

TEST_CASE("the first lock keeps what is included, sorted", "[lock]") {
  const test::TempDirectory root;
  const auto findings = check_include_lock(
      root.path(), {included("team/ci@v1/a.yml", kTwo), included("https://x/a.yml", kOne)});
  REQUIRE(findings);
  CHECK(findings->empty());
  CHECK(lock_of(root) ==
        "# Files that are included from elsewhere, by SHA-256. Kept by `slipway lint --lock`.\n" +
            kOne + "  https://x/a.yml\n" + kTwo + "  team/ci@v1/a.yml\n");
}

TEST_CASE("a file that changed is a finding at its include, and the lock stays", "[lock]") {
  const test::TempDirectory root;
  REQUIRE(check_include_lock(root.path(), {included("https://x/a.yml", kOne)}));
  const std::string before = lock_of(root);
  const auto findings = check_include_lock(root.path(), {included("https://x/a.yml", kTwo)});
  REQUIRE(findings);
  REQUIRE(findings->size() == 1);
  CHECK(findings->at(0).severity == pipeline::Severity::Error);
  CHECK(findings->at(0).message ==
        "the included file `https://x/a.yml` is not the one that was locked");
  CHECK(findings->at(0).span == SourceSpan{"ci.yml", 3, 5});
  CHECK(lock_of(root) == before);
}

TEST_CASE("a new include joins the lock, one that is gone stays", "[lock]") {
  const test::TempDirectory root;
  REQUIRE(check_include_lock(root.path(), {included("https://x/a.yml", kOne)}));
  const auto findings = check_include_lock(root.path(), {included("https://x/b.yml", kTwo)});
  REQUIRE(findings);
  CHECK(findings->empty());
  CHECK(lock_of(root).find(kOne + "  https://x/a.yml\n" + kTwo + "  https://x/b.yml\n") !=
        std::string::npos);
}

TEST_CASE("without includes from elsewhere no lock is made", "[lock]") {
  const test::TempDirectory root;
  REQUIRE(check_include_lock(root.path(), {}));
  CHECK(lock_of(root) == "(none)");
}

TEST_CASE("a lock that cannot be read is an error with its line", "[lock]") {
  const test::TempDirectory root;
  const auto file = root / ".slipway/include.lock";
  std::filesystem::create_directories(file.parent_path());
  for (const std::string& line :
       {std::string{"nonsense"}, kOne + " a", std::string(64, 'G') + "  a", kOne + "  "}) {
    CAPTURE(line);
    REQUIRE(replace_file(file, "# head\n" + line + "\n"));
    const auto findings = check_include_lock(root.path(), {included("https://x/a.yml", kOne)});
    REQUIRE_FALSE(findings);
    CHECK(findings.error().message == file.string() + ":2: this is no hash and address");
  }
}
