#include "runner/disk_keeper.h"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <system_error>

#include "base/logging.h"
#include "runner/cache_store.h"
#include "runner/docker_kept.h"
#include "runner/object_cache.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

// Looking at everything reads the list of each cache; how much is free costs nothing to ask.
constexpr std::chrono::minutes kBetweenSweeps{10};

long long free_bytes_at(const fs::path& directory) {
  std::error_code failed;
  const auto space = fs::space(directory, failed);
  return failed ? -1 : static_cast<long long>(space.available);
}

void tell(const KeptThing& thing) {
  log::info("disk.removed",
            {{"what", to_string(thing.kind)}, {"name", thing.id}, {"bytes", thing.bytes}});
}

// What a store could not give up, because a job uses it again or a file cannot be removed, stays.
class Stores {
 public:
  explicit Stores(const RunnerSettings& settings)
      : directory_(fs::absolute(settings.cache_dir)),
        docker_(directory_),
        has_docker_(settings.executor == ExecutorKind::Docker) {
    std::error_code failed;
    if (!fs::exists(directory_, failed)) return;  // no job has stored anything yet
    auto opened = CacheStore::open(directory_, settings.cache_size);
    if (opened) caches_.emplace(std::move(*opened));
  }

  [[nodiscard]] std::vector<KeptThing> all() const {
    std::vector<KeptThing> things = ObjectCache::kept(directory_ / "git");
    const auto add = [&](std::vector<KeptThing> more) {
      things.insert(things.end(), more.begin(), more.end());
    };
    if (caches_) {
      auto kept = caches_->kept();
      if (kept) add(std::move(*kept));
    }
    if (has_docker_) add(docker_.kept());
    name_disks(things);
    return things;
  }

  // In one go: caches share their pieces.
  long long remove(const std::vector<KeptThing>& things) {
    std::vector<KeptThing> caches;
    long long freed = 0;
    for (const KeptThing& thing : things) {
      bool gone = false;
      switch (thing.kind) {
        case KeptKind::Cache: caches.push_back(thing); break;
        case KeptKind::Objects: gone = ObjectCache::remove_unused(thing.id); break;
        case KeptKind::Image:
        case KeptKind::Volume: gone = docker_.remove(thing); break;
      }
      if (!gone) continue;
      tell(thing);
      freed += thing.bytes;
    }
    if (caches.empty() || !caches_) return freed;
    if (auto removed = caches_->remove(caches); !removed) {
      log::warn("disk.not_removed", {{"error", removed.error().message}});
      return freed;
    }
    for (const KeptThing& thing : caches) {
      tell(thing);
      freed += thing.bytes;
    }
    return freed;
  }

 private:
  // What lies on one disk gets one name for it.
  static void name_disks(std::vector<KeptThing>& things) {
    std::map<dev_t, fs::path> names;
    for (KeptThing& thing : things) {
      struct stat facts {};
      if (thing.place.empty() || ::stat(thing.place.c_str(), &facts) != 0) continue;
      thing.place = names.try_emplace(facts.st_dev, thing.place).first->second;
    }
  }

  fs::path directory_;
  DockerKept docker_;
  bool has_docker_;
  std::optional<CacheStore> caches_;
};

DiskLimits limits_of(const RunnerSettings& settings) {
  return {settings.disk_budget, settings.disk_min_free, settings.disk_max_age};
}

}  // namespace

std::vector<std::size_t> what_goes(const std::vector<KeptThing>& things, const DiskLimits& limits,
                                   const std::function<long long(const fs::path&)>& free_at,
                                   fs::file_time_type now) {
  std::vector<std::size_t> order(things.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return things[a].used < things[b].used; });
  long long total = 0;
  std::map<fs::path, long long> missing;  // until enough is free
  for (const KeptThing& thing : things) {
    total += thing.bytes;
    if (thing.place.empty() || missing.contains(thing.place)) continue;
    const long long free = free_at(thing.place);
    missing[thing.place] = free < 0 ? 0 : limits.min_free - free;
  }
  std::vector<std::size_t> gone;
  for (const std::size_t i : order) {
    const KeptThing& thing = things[i];
    const bool is_old = limits.max_age.count() > 0 && now - thing.used > limits.max_age;
    const bool is_over = limits.budget > 0 && total > limits.budget;
    const bool is_missing = !thing.place.empty() && missing[thing.place] > 0;
    if (!is_old && !is_over && !is_missing) continue;
    gone.push_back(i);
    total -= thing.bytes;
    if (!thing.place.empty()) missing[thing.place] -= thing.bytes;
  }
  return gone;
}

DiskFacts sweep_disk(const RunnerSettings& settings) {
  Stores stores{settings};
  const std::vector<KeptThing> things = stores.all();
  std::vector<KeptThing> go;
  for (const std::size_t i :
       what_goes(things, limits_of(settings), free_bytes_at, fs::file_time_type::clock::now()))
    go.push_back(things[i]);
  DiskFacts facts;
  for (const KeptThing& thing : things) facts.kept += thing.bytes;
  if (!go.empty()) facts.removed = stores.remove(go);
  facts.kept -= facts.removed;
  return facts;
}

void keep_disk(const RunnerSettings& settings, const std::stop_token& stop,
               const std::function<void(const DiskFacts&)>& told,
               std::chrono::milliseconds between_looks) {
  const auto is_low = [&] {
    const long long free = free_bytes_at(fs::absolute(settings.cache_dir));
    return free >= 0 && free < settings.disk_min_free;
  };
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  while (!stop.stop_requested()) {
    const bool was_low = is_low();
    const DiskFacts facts = sweep_disk(settings);
    const bool is_helpless = was_low && facts.removed == 0;
    told(facts);
    const auto next = std::chrono::steady_clock::now() + kBetweenSweeps;
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < next) {
      never.wait_for(lock, stop, between_looks, [] { return false; });
      if (!is_helpless && is_low()) break;
    }
  }
}

}  // namespace slipway::runner
