// Caches: pieces, the store on disk, and what a job says and does with them.

#include <sys/stat.h>

#include <random>

#include "base/crypto.h"
#include "runner/cache_store.h"
#include "runner/pieces.h"
#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::JobBench;
namespace fs = std::filesystem;

namespace {

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random{seed};
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::vector<std::string> pieces_of(std::string_view bytes, std::size_t at_once = 65536) {
  std::vector<std::string> pieces;
  PieceCutter cutter{[&](std::string_view piece) -> Result<void> {
    pieces.emplace_back(piece);
    return {};
  }};
  for (std::size_t at = 0; at < bytes.size(); at += at_once)
    REQUIRE(cutter.feed(bytes.substr(at, at_once)));
  REQUIRE(cutter.finish());
  return pieces;
}

struct StoreFixture {
  test::TempDirectory directory;
  fs::path tree = directory / "tree";
  CacheStore store = CacheStore::open(directory / "cache", 1LL << 30).value();

  StoreFixture() { fs::create_directories(tree); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((tree / name).parent_path());
    REQUIRE(replace_file(tree / name, text));
  }
  CacheFacts save(const std::string& key, const std::vector<std::string>& files) {
    const auto saved = store.save("group/project", key, tree, files);
    REQUIRE(saved);
    return *saved;
  }
  // Into an empty tree.
  std::optional<CacheFacts> restore(const std::string& key,
                                    const std::string& project = "group/project") {
    fs::remove_all(tree);
    fs::create_directories(tree);
    const auto restored = store.restore(project, key, tree);
    REQUIRE(restored);
    return *restored;
  }
  [[nodiscard]] std::size_t piece_count() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator{directory / "cache/pieces"})
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
};

}  // namespace

TEST_CASE("pieces join to what was cut, whatever the portions it came in", "[cache]") {
  const std::string bytes = random_bytes(9 << 20, 1);
  const auto pieces = pieces_of(bytes);
  std::string joined;
  for (const std::string& piece : pieces) joined += piece;
  CHECK(joined == bytes);
  CHECK(pieces.size() > 3);
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    CHECK(pieces[i].size() >= PieceCutter::kSmallest);
    CHECK(pieces[i].size() <= PieceCutter::kLargest);
  }
  CHECK(pieces_of(bytes, 1 << 20) == pieces);
  CHECK(pieces_of(bytes, 777) == pieces);
  CHECK(pieces_of("").empty());
}

TEST_CASE("an insertion changes the pieces around it and no others", "[cache]") {
  const std::string bytes = random_bytes(16 << 20, 2);
  const auto before = pieces_of(bytes);
  const auto after = pieces_of(bytes.substr(0, 5 << 20) + "inserted" + bytes.substr(5 << 20));
  std::size_t common = 0;
  for (const std::string& piece : after)
    common += std::find(before.begin(), before.end(), piece) != before.end() ? 1 : 0;
  CHECK(common + 3 >= before.size());
  CHECK(common < after.size());
}

TEST_CASE("a cache brings back files with their times, modes and links", "[cache]") {
  StoreFixture fixture;
  fixture.write("deep/er/file", "content");
  fixture.write("tool", "#!/bin/sh\n");
  fs::permissions(fixture.tree / "tool", fs::perms{0755});
  fs::create_symlink("tool", fixture.tree / "link");
  struct stat before {};
  REQUIRE(::stat((fixture.tree / "deep/er/file").c_str(), &before) == 0);
  CHECK(fixture.save("key", {"deep/er/file", "link", "tool"}).files == 3);

  const auto restored = fixture.restore("key");

  REQUIRE(restored);
  CHECK(restored->files == 3);
  CHECK(*read_file(fixture.tree / "deep/er/file") == "content");
  CHECK(fs::read_symlink(fixture.tree / "link") == "tool");
  CHECK((fs::status(fixture.tree / "tool").permissions() & fs::perms{0111}) == fs::perms{0111});
  struct stat after {};
  REQUIRE(::stat((fixture.tree / "deep/er/file").c_str(), &after) == 0);
  CHECK(after.st_mtim.tv_sec == before.st_mtim.tv_sec);
  CHECK(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
  // What came back is what was saved: nothing is read to find that out.
  CHECK(fixture.save("key", {"deep/er/file", "link", "tool"}).unchanged);
}

TEST_CASE("a cache is one project's and one key's", "[cache]") {
  StoreFixture fixture;
  fixture.write("a", "1");
  fixture.save("key", {"a"});
  CHECK_FALSE(fixture.restore("other"));
  CHECK_FALSE(fixture.restore("key", "group/other"));
  CHECK(fixture.restore("key"));
}

TEST_CASE("a small change stores a small part of a large cache", "[cache]") {
  StoreFixture fixture;
  for (unsigned i = 0; i < 16; ++i)
    fixture.write("file-" + std::to_string(10 + i), random_bytes(1 << 20, i));
  std::vector<std::string> files;
  for (unsigned i = 0; i < 16; ++i) files.push_back("file-" + std::to_string(10 + i));
  const auto first = fixture.save("key", files);
  fixture.write("file-20", random_bytes(1 << 20, 99));

  const auto second = fixture.save("key", files);

  CHECK_FALSE(second.unchanged);
  CHECK(second.new_bytes * 3 < first.new_bytes);
  REQUIRE(fixture.restore("key"));
  CHECK(*read_file(fixture.tree / "file-20") == random_bytes(1 << 20, 99));
  CHECK(*read_file(fixture.tree / "file-25") == random_bytes(1 << 20, 15));
}

TEST_CASE("what was used longest ago goes when the caches outgrow their budget", "[cache]") {
  StoreFixture fixture;
  fixture.store = CacheStore::open(fixture.directory / "cache", 3 << 20).value();
  for (const char* key : {"first", "second", "third"}) {
    fixture.write("file", random_bytes(1 << 20, static_cast<unsigned>(key[0])));
    fixture.save(key, {"file"});
  }
  REQUIRE(fixture.restore("first"));
  fixture.write("file", random_bytes(1 << 20, 77));
  fixture.save("fourth", {"file"});

  REQUIRE(fixture.store.clean_up());

  CHECK_FALSE(fixture.restore("second"));
  CHECK(fixture.restore("first"));
  CHECK(fixture.restore("fourth"));
}

TEST_CASE("a damaged cache is an error that says so, a damaged list a miss", "[cache]") {
  StoreFixture fixture;
  fixture.write("file", random_bytes(100'000, 5));
  fixture.save("key", {"file"});
  REQUIRE(fixture.piece_count() == 1);
  for (const auto& entry : fs::recursive_directory_iterator{fixture.directory / "cache/pieces"})
    if (entry.is_regular_file()) REQUIRE(replace_file(entry.path(), "nonsense"));
  const auto damaged = fixture.store.restore("group/project", "key", fixture.tree);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message == "a piece of the cache is damaged");

  for (const auto& entry : fs::directory_iterator{fixture.directory / "cache/lists"})
    REQUIRE(replace_file(entry.path(), "{\"key\":"));
  CHECK_FALSE(fixture.restore("key"));
}

TEST_CASE("a link in a cache leads no file out of the tree", "[cache]") {
  StoreFixture fixture;
  fs::create_directories(fixture.directory / "outside");
  fs::create_symlink(fixture.directory / "outside", fixture.tree / "way");
  fixture.save("link", {"way"});
  fs::remove(fixture.tree / "way");
  fixture.write("way/file", "x");
  fixture.save("file", {"way/file"});
  fs::remove_all(fixture.tree / "way");
  REQUIRE(fixture.store.restore("group/project", "link", fixture.tree));
  CHECK_FALSE(fixture.store.restore("group/project", "file", fixture.tree));
  CHECK(fs::is_empty(fixture.directory / "outside"));
}

TEST_CASE("keys of caches are cleaned as people know it", "[cache]") {
  CHECK(clean_cache_key("main-protected") == "main-protected");
  CHECK(clean_cache_key("a%2fb\\c") == "a/b/c");
  CHECK(clean_cache_key("../../etc/%2e%2e/x") == "x");
  CHECK(clean_cache_key("/a/./b/../c  ") == "a/c");
  CHECK(clean_cache_key("..").empty());
}

namespace {

pipeline::JobSpec cached_job(const std::string& command, const std::string& policy = "pull-push") {
  auto spec = JobBench::job({command});
  pipeline::JobCache cache;
  cache.key = "$KEY-non_protected";
  cache.paths = {"vendor/"};
  cache.policy = policy;
  spec.caches = {cache};
  spec.variables.push_back({"KEY", "deps"});
  return spec;
}

// One machine: jobs one after the other, each in a tree of its own.
struct Machine {
  test::TempDirectory directory;
  std::string log;  // of the last job

  std::string run(pipeline::JobSpec spec) {
    JobBench bench{ExecutorKind::Shell};
    bench.settings.cache_dir = directory / "cache";
    const auto result = bench.run(std::move(spec));
    log = bench.server.log();
    return result.value("state", "");
  }
  [[nodiscard]] bool logged(const std::string& words) const {
    return log.find(words) != std::string::npos;
  }
};

}  // namespace

TEST_CASE("a job finds what an earlier one left in the cache", "[cache][job]") {
  Machine machine;
  CHECK(machine.run(cached_job("test ! -e vendor; mkdir vendor; echo 1 > vendor/lib")) ==
        "success");
  CHECK(machine.logged("Checking cache for deps-non_protected...\nNo cache was found: miss\n"));
  CHECK(machine.logged("Creating cache deps-non_protected...\nCreated cache: 1 files"));

  CHECK(machine.run(cached_job("cat vendor/lib")) == "success");

  CHECK(machine.logged("Successfully extracted cache: hit, 1 files"));
  CHECK(machine.logged("Cache is up to date: 1 files"));
}

TEST_CASE("policy and when decide what is brought and what is stored", "[cache][job]") {
  Machine machine;
  machine.run(cached_job("mkdir vendor; echo 1 > vendor/lib", "push"));
  CHECK_FALSE(machine.logged("Checking cache"));
  CHECK(machine.run(cached_job("echo 2 > vendor/lib", "pull")) == "success");
  CHECK_FALSE(machine.logged("Creating cache"));
  // A job that fails stores nothing, unless it is asked to.
  CHECK(machine.run(cached_job("echo 3 > vendor/lib; false")) == "failed");
  CHECK(machine.run(cached_job("test $(cat vendor/lib) = 1")) == "success");
  auto failing = cached_job("echo 4 > vendor/lib; false");
  failing.caches[0].when = "on_failure";
  CHECK(machine.run(failing) == "failed");
  CHECK(machine.run(cached_job("test $(cat vendor/lib) = 4")) == "success");
}

TEST_CASE("fallback keys are tried in order, a protected one by variable is not", "[cache][job]") {
  Machine machine;
  auto first = cached_job("mkdir vendor; echo main > vendor/lib");
  first.variables[1].value = "main";
  CHECK(machine.run(first) == "success");
  auto second = cached_job("cat vendor/lib");
  second.caches[0].fallback_keys = {"none", "main-non_protected"};
  CHECK(machine.run(second) == "success");

  auto third = cached_job("test ! -e vendor");
  third.variables[1].value = "fresh";
  third.variables.push_back({"CACHE_FALLBACK_KEY", "main-protected"});
  CHECK(machine.run(third) == "success");
  CHECK(machine.logged("WARNING: CACHE_FALLBACK_KEY may not end in -protected and is not used"));
}

TEST_CASE("a cache that cannot be read is tried as often as asked, and fails nothing",
          "[cache][job]") {
  Machine machine;
  CHECK(machine.run(cached_job("mkdir vendor; echo 1 > vendor/lib")) == "success");
  for (const auto& entry : fs::recursive_directory_iterator{machine.directory / "cache/pieces"})
    if (entry.is_regular_file()) REQUIRE(overwrite_file(entry.path(), "rotten", 0600));
  auto spec = cached_job("test ! -e vendor/lib", "pull");
  spec.variables.push_back({"RESTORE_CACHE_ATTEMPTS", "3"});

  CHECK(machine.run(spec) == "success");

  CHECK(machine.logged("WARNING: a piece of the cache is damaged; attempt 2 of 3\n"));
  CHECK(machine.logged("WARNING: a piece of the cache is damaged; attempt 3 of 3\n"));
  CHECK(machine.logged("WARNING: the cache cannot be used: a piece of the cache is damaged\n"));
}
