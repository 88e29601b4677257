// Caches: pieces, the store on disk, and what a job says and does with them.

#include <sys/stat.h>

#include <nlohmann/json.hpp>
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

TEST_CASE("what is told of a cache is the size of its files", "[cache]") {
  StoreFixture fixture;
  fixture.write("a", "1\n");
  const auto saved = fixture.save("key", {"a"});
  CHECK(saved.bytes == 2);
  CHECK(saved.new_bytes < 1000);
  CHECK(fixture.restore("key")->bytes == 2);
  CHECK(size_text(0) == "0 bytes");
  CHECK(size_text(1) == "1 byte");
  CHECK(size_text(999) == "999 bytes");
  CHECK(size_text(1000) == "1.0 kB");
  CHECK(size_text(999'949) == "999.9 kB");
  CHECK(size_text(999'950) == "1.0 MB");
  CHECK(size_text(1'234'567'890) == "1.2 GB");
}

TEST_CASE("a piece that is damaged is stored anew with the next save", "[cache]") {
  StoreFixture fixture;
  fixture.write("file", random_bytes(100'000, 5));
  fixture.save("key", {"file"});
  for (const auto& entry : fs::recursive_directory_iterator{fixture.directory / "cache/pieces"})
    if (entry.is_regular_file()) REQUIRE(replace_file(entry.path(), "nonsense"));
  const fs::path other = fixture.directory / "other";
  fs::create_directories(other);
  REQUIRE_FALSE(fixture.store.restore("group/project", "key", other));

  CHECK_FALSE(fixture.save("key", {"file"}).unchanged);

  CHECK(fixture.restore("key"));
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

namespace {

// Machines whose runners share caches through one server.
struct SharedMachines {
  test::TempDirectory directory;
  std::map<std::string, std::string> on_server;
  std::string log;  // of the last job
  nlohmann::json transfers;
  std::size_t sent = 0;  // pieces, by the last job

  // `steer` gets the server before the job runs.
  std::string run(const std::string& machine, const std::string& command,
                  const std::function<void(test::FakeCoordinator&)>& steer = {}) {
    JobBench bench{ExecutorKind::Shell};
    bench.settings.cache_dir = directory / machine;
    bench.settings.cache_place = CachePlace::Server;
    bench.server.set_caches(on_server);
    if (steer) steer(bench.server);
    const auto result = bench.run(cached_job(command));
    on_server = bench.server.caches();
    log = bench.server.log();
    transfers = result.value("transfers", nlohmann::json::array());
    sent = 0;
    for (const auto& request : bench.server.requests())
      sent += request.method == "PUT" && request.target.find("/pieces/") != std::string::npos;
    return result.value("state", "");
  }
  [[nodiscard]] bool logged(const std::string& words) const {
    return log.find(words) != std::string::npos;
  }
};

const std::string kMake =
    "mkdir vendor; head -c 3000000 /dev/urandom > vendor/lib; echo 1 > vendor/a";

}  // namespace

TEST_CASE("a cache that one machine stored is found by another", "[cache][shared]") {
  SharedMachines machines;
  CHECK(machines.run("one", "test ! -e vendor; " + kMake) == "success");
  CHECK(machines.sent > 0);
  CHECK(machines.transfers[0]["result"] == "miss");
  CHECK(machines.transfers[0]["keys"] == nlohmann::json{"deps-non_protected"});
  CHECK(machines.transfers[0]["shared"] == true);
  CHECK(machines.transfers[1]["kind"] == "cache_save");
  CHECK(machines.transfers[1]["result"] == "stored");
  CHECK(machines.transfers[1]["moved_bytes"] > 3'000'000);

  CHECK(machines.run("two", "test $(cat vendor/a) = 1") == "success");

  CHECK(machines.transfers[0]["result"] == "hit");
  CHECK(machines.transfers[0]["files"] == 2);
  CHECK(machines.transfers[0]["bytes"] == 3'000'002);
  CHECK(machines.transfers[0]["moved_bytes"] > 3'000'000);
  // An unchanged cache sends nothing.
  CHECK(machines.transfers[1]["result"] == "unchanged");
  CHECK(machines.sent == 0);
  CHECK(machines.logged("Shared cache: 0 bytes sent to the server"));
}

TEST_CASE("of a shared cache only what the other side lacks goes over the wire",
          "[cache][shared]") {
  SharedMachines machines;
  // Always the same, so that it is always cut in the same places.
  machines.run("one", "mkdir vendor; seq 1000000 2999999 > vendor/lib; echo 1 > vendor/a");
  const std::size_t all = machines.sent;
  REQUIRE(all > 4);
  const long long whole = machines.transfers[1]["moved_bytes"];
  machines.run("two", "true");
  CHECK(machines.run("two", "echo 2 > vendor/a") == "success");
  CHECK(machines.transfers[0]["moved_bytes"] == 0);
  CHECK(machines.sent > 0);
  CHECK(machines.sent < all);
  CHECK(machines.run("one", "test $(cat vendor/a) = 2") == "success");
  CHECK(machines.transfers[0]["moved_bytes"] < whole / 2);
}

TEST_CASE("a piece that came damaged from the server is not used", "[cache][shared]") {
  SharedMachines machines;
  machines.run("one", kMake);
  for (auto& [target, body] : machines.on_server)
    if (target.find("/pieces/") != std::string::npos) body[body.size() / 2] ^= 1;

  CHECK(machines.run("two", "test ! -e vendor") == "success");

  CHECK(machines.logged("WARNING: the cache cannot be used: a piece of the cache is damaged\n"));
  CHECK(machines.transfers[0]["result"] == "failed");
}

TEST_CASE("a list of the server that would lead out of the store is refused", "[cache][shared]") {
  SharedMachines machines;
  machines.run("one", kMake);
  for (auto& [target, body] : machines.on_server)
    if (target.find("/pieces/") == std::string::npos)
      body = R"({"signature":"s","files":1,"bytes":1,"pieces":[["../../../evil",1]]})";
  CHECK(machines.run("two", "test ! -e vendor") == "success");
  CHECK(machines.logged("WARNING: the cache cannot be used: the list of the cache is damaged\n"));
}

TEST_CASE("a server without caches, or that refuses, fails no job", "[cache][shared]") {
  SharedMachines machines;
  const auto refuse = [](test::FakeCoordinator& server) {
    server.answer_once("GET /api/v4/jobs/12/cache", {403, "", R"({"message":"no"})"});
    server.answer_once("POST /api/v4/jobs/12/cache/missing",
                       {404, "", R"({"message":"this server keeps no caches"})"});
  };
  CHECK(machines.run("one", kMake, refuse) == "success");
  CHECK(machines.logged("WARNING: the cache cannot be used: the server answered 403: no\n"));
  CHECK(
      machines.logged("WARNING: other runners do not get the cache: the server answered 404: "
                      "this server keeps no caches\n"));
  // A passing failure is tried again.
  const auto stumble = [](test::FakeCoordinator& server) {
    server.answer_once("GET /api/v4/jobs/12/cache", {503, "", "{}"});
    server.answer_once("PUT /api/v4/jobs/12/cache/pieces", {500, "", "{}"});
  };
  CHECK(machines.run("one", "mkdir -p vendor; date > vendor/b", stumble) == "success");
  CHECK_FALSE(machines.logged("WARNING"));
}
