// What is kept for later jobs goes when the disk fills up, and what a full disk does to a job.

#include <sys/mount.h>

#include <fstream>

#include "runner/cache_store.h"
#include "runner/disk_keeper.h"
#include "runner/object_cache.h"
#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using namespace std::chrono_literals;
using test::JobBench;
namespace fs = std::filesystem;

namespace {

using Time = fs::file_time_type;

// A small disk of its own, for as long as the test. It takes root, as `make test` does.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    REQUIRE(::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0,
                    (std::string{"size="} + size).c_str()) == 0);
  }
  ~SmallDisk() { ::umount2(directory_.path().c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] const fs::path& path() const { return directory_.path(); }

 private:
  test::TempDirectory directory_;
};

// Things of one kilobyte each, used one after the other; what is to go by their names.
std::string gone_of(const std::vector<std::pair<std::string, std::string>>& names_and_disks,
                    const DiskLimits& limits, long long free_on_a, std::chrono::seconds now = 0s) {
  std::vector<KeptThing> things;
  for (const auto& [name, disk] : names_and_disks)
    things.push_back(
        {KeptKind::Cache, name, Time{} + std::chrono::seconds{things.size()}, 1000, disk});
  std::string gone;
  for (const std::size_t i : what_goes(
           things, limits,
           [&](const fs::path& place) { return place == "a" ? free_on_a : 1'000'000; },
           Time{} + now))
    gone += things[i].id;
  return gone;
}

struct Kept {
  test::TempDirectory directory;
  RunnerSettings settings;

  Kept() {
    settings.cache_dir = directory / "cache";
    settings.disk_min_free = 0;
    fs::create_directories(directory / "tree");
  }
  // A cache of as many bytes, last used so many days ago.
  void save_cache(const std::string& key, std::size_t bytes, int days) const {
    std::string text(bytes, '\0');
    std::ifstream{"/dev/urandom"}.read(text.data(), static_cast<std::streamsize>(bytes));
    REQUIRE(replace_file(directory / "tree/file", text));
    auto store = CacheStore::open(settings.cache_dir, 1LL << 30);
    REQUIRE(store);
    const auto before = lists();
    REQUIRE(store->save("group/project", key, directory / "tree", {"file"}));
    for (const auto& file : lists())
      if (std::find(before.begin(), before.end(), file) == before.end())
        fs::last_write_time(file, Time::clock::now() - 24h * days);
  }
  [[nodiscard]] bool has_cache(const std::string& key) const {
    auto store = CacheStore::open(settings.cache_dir, 1LL << 30);
    REQUIRE(store);
    const auto restored = store->restore("group/project", key, directory / "tree");
    REQUIRE(restored);
    return restored->has_value();
  }
  [[nodiscard]] ObjectCache open_objects(const std::string& url) const {
    auto cache = ObjectCache::open(place_of(url), git_);
    REQUIRE(cache);
    return std::move(*cache);
  }
  void save_objects(const std::string& url, int days) const {
    (void)open_objects(url);
    fs::last_write_time(place_of(url).string() + ".use", Time::clock::now() - 24h * days);
  }
  [[nodiscard]] fs::path place_of(const std::string& url) const {
    return ObjectCache::place_of(settings.cache_dir / "git", url, false);
  }

 private:
  [[nodiscard]] std::vector<fs::path> lists() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{settings.cache_dir / "lists"})
      files.push_back(entry.path());
    return files;
  }

  Git git_{RemoteAddress::parse("http://x/y"),
           {},
           [](std::string_view) {},
           {},
           std::chrono::steady_clock::now() + 1min};
};

}  // namespace

TEST_CASE("what was used longest ago goes until everything fits", "[disk]") {
  CHECK(gone_of({{"1", "a"}, {"2", "a"}, {"3", "a"}}, {}, 0).empty());
  CHECK(gone_of({{"1", "a"}, {"2", "a"}, {"3", "a"}}, {3000, 0, 0s}, 0).empty());
  CHECK(gone_of({{"1", "a"}, {"2", "a"}, {"3", "a"}}, {1500, 0, 0s}, 0) == "12");
}

TEST_CASE("room is made on the disk that lacks it", "[disk]") {
  CHECK(gone_of({{"1", "b"}, {"2", "a"}, {"3", "b"}, {"4", "a"}, {"5", "a"}}, {0, 2500, 0s},
                1000) == "24");
  CHECK(gone_of({{"1", "a"}}, {0, 2500, 0s}, 2500).empty());
  // Where it lies is not known, or the disk does not tell.
  CHECK(gone_of({{"1", ""}, {"2", "a"}}, {0, 2500, 0s}, -1).empty());
}

TEST_CASE("what nobody has used for long goes, however much room there is", "[disk]") {
  CHECK(gone_of({{"1", "a"}, {"2", "a"}, {"3", "a"}}, {0, 0, 60s}, 0, 61s) == "1");
  CHECK(gone_of({{"1", "a"}, {"2", "a"}, {"3", "a"}}, {0, 0, 0s}, 0, 61s).empty());
}

TEST_CASE("caches and git's objects go by when they were used, whichever they are", "[disk]") {
  Kept kept;
  kept.save_cache("old", 1 << 20, 4);
  kept.save_objects("http://x/old", 3);
  kept.save_cache("new", 1 << 20, 2);
  kept.save_objects("http://x/new", 1);
  kept.settings.disk_budget = (1 << 20) + (1 << 19);

  const DiskFacts facts = sweep_disk(kept.settings);

  CHECK(facts.removed > 1 << 20);
  CHECK(facts.kept < kept.settings.disk_budget);
  CHECK_FALSE(kept.has_cache("old"));
  CHECK(kept.has_cache("new"));
  CHECK(fs::exists(kept.place_of("http://x/new")));

  kept.settings.disk_max_age = 2h;
  (void)sweep_disk(kept.settings);
  CHECK(kept.has_cache("new"));  // it was just used
  CHECK_FALSE(fs::exists(kept.place_of("http://x/old")));
  CHECK_FALSE(fs::exists(kept.place_of("http://x/new")));
}

TEST_CASE("a cache that shares its pieces with a newer one frees only its own", "[disk]") {
  Kept kept;
  kept.save_cache("old", 1 << 20, 3);
  auto store = CacheStore::open(kept.settings.cache_dir, 1LL << 30);
  REQUIRE(store);
  REQUIRE(store->save("group/project", "same", kept.directory / "tree", {"file"}));
  const auto things = store->kept();
  REQUIRE(things);
  REQUIRE(things->size() == 2);

  CHECK((*things)[0].bytes == 0);
  REQUIRE(store->remove({(*things)[0]}));
  CHECK_FALSE(kept.has_cache("old"));
  CHECK(kept.has_cache("same"));
}

TEST_CASE("a cache that was used since it was looked at stays", "[disk]") {
  Kept kept;
  kept.save_cache("key", 1000, 3);
  auto store = CacheStore::open(kept.settings.cache_dir, 1LL << 30);
  REQUIRE(store);
  const auto things = store->kept();
  REQUIRE(things);
  REQUIRE(kept.has_cache("key"));

  REQUIRE(store->remove(*things));

  CHECK(kept.has_cache("key"));
}

TEST_CASE("objects that a job uses stay, however old they are", "[disk]") {
  Kept kept;
  kept.save_objects("http://x/y", 50);
  kept.settings.disk_max_age = 24h;
  {
    const ObjectCache used = kept.open_objects("http://x/y");
    fs::last_write_time(used.place().string() + ".use", Time::clock::now() - 50 * 24h);
    (void)sweep_disk(kept.settings);
    CHECK(fs::exists(used.place()));
    CHECK_FALSE(ObjectCache::remove_unused(used.place()));
  }
  (void)sweep_disk(kept.settings);
  CHECK_FALSE(fs::exists(kept.place_of("http://x/y")));
}

TEST_CASE("using objects makes them young again", "[disk]") {
  Kept kept;
  kept.save_objects("http://x/y", 50);
  kept.settings.disk_max_age = 24h;
  (void)kept.open_objects("http://x/y");
  (void)sweep_disk(kept.settings);
  CHECK(fs::exists(kept.place_of("http://x/y")));
}

TEST_CASE("a runner that keeps its disk tidy does so from its start, and ends when told",
          "[disk]") {
  Kept kept;
  kept.save_cache("old", 1000, 50);
  std::stop_source stop;
  int sweeps = 0;
  keep_disk(kept.settings, stop.get_token(), [&](const DiskFacts& facts) {
    ++sweeps;
    CHECK(facts.removed > 0);
    stop.request_stop();
  });
  CHECK(sweeps == 1);
  CHECK_FALSE(kept.has_cache("old"));
}

TEST_CASE("little room is noticed between two sweeps", "[disk]") {
  Kept kept;
  kept.save_cache("young", 1000, 0);
  std::stop_source stop;
  int sweeps = 0;
  const auto told = [&](const DiskFacts& facts) {
    if (++sweeps == 1) {
      CHECK(facts.removed == 0);
      kept.settings.disk_min_free = 1LL << 60;
    } else {
      CHECK(facts.removed > 0);
      stop.request_stop();
    }
  };
  keep_disk(kept.settings, stop.get_token(), told, 10ms);
  CHECK(sweeps == 2);
}

TEST_CASE("a job that fills the disk is told so with the figures, and its log is whole", "[disk]") {
  const SmallDisk disk{"8m"};
  JobBench bench{ExecutorKind::Shell};
  bench.settings.builds_dir = disk.path();
  const auto spec = JobBench::job({"head -c 20M /dev/zero > file || true", "i=0",
                                   "while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done",
                                   "echo more > other"});

  const auto result = bench.run(spec);

  CHECK(result["failure_reason"] == "runner_system_failure");
  const fs::path tree = disk.path() / bench.label / "0/group/project";
  CHECK(result["failure_text"] ==
        "the runner's disk is full: 0 MiB of 8 MiB are left below " + tree.string());
  std::string lines;
  for (int i = 0; i < 20000; ++i) lines += "line " + std::to_string(i) + "\n";
  CHECK(bench.logged(lines));
  CHECK(bench.logged("No space left on device"));
}

TEST_CASE("a tree that does not fit on the disk is told so", "[disk]") {
  const SmallDisk disk{"1m"};
  JobBench bench{ExecutorKind::Shell};
  bench.settings.builds_dir = disk.path();
  REQUIRE(replace_file(disk.path() / "filler", std::string((1 << 20) - (24 << 10), 'x')));
  auto spec = JobBench::job({"true"});
  pipeline::JobVariable key{"KEY", std::string(64 << 10, 'k')};
  key.file = true;
  spec.variables.push_back(key);

  const auto result = bench.run(spec);

  CHECK(result["failure_reason"] == "runner_system_failure");
  CHECK(result["failure_text"].get<std::string>().rfind("the runner's disk is full: 0 MiB of 1 MiB",
                                                        0) == 0);
}
