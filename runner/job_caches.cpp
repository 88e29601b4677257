#include "runner/job_caches.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>

#include "runner/artifacts.h"

namespace slipway::runner {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double megabytes(long long bytes) {
  return static_cast<double>(bytes) / 1e6;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

JobCaches::JobCaches(CacheStore store, std::string project, const Workplace& workplace,
                     std::vector<pipeline::JobCache> caches, const std::string& fallback_key,
                     const std::function<std::string(const std::string&)>& expanded, Sink say,
                     int restore_attempts)
    : store_(std::move(store)),
      project_(std::move(project)),
      workplace_(workplace),
      caches_(std::move(caches)),
      fallback_key_(clean_cache_key(fallback_key)),
      say_(std::move(say)),
      restore_attempts_(restore_attempts) {
  for (pipeline::JobCache& cache : caches_) {
    cache.key = clean_cache_key(expanded(cache.key));
    cache.policy = expanded(cache.policy);
    for (std::string& key : cache.fallback_keys) key = clean_cache_key(expanded(key));
    for (std::string& path : cache.paths) path = expanded(path);
  }
  // Any branch could lead a job to the caches of protected ones.
  if (ends_with(fallback_key_, "-protected")) {
    say_("WARNING: CACHE_FALLBACK_KEY may not end in -protected and is not used\n");
    fallback_key_.clear();
  }
}

bool JobCaches::restores() const {
  return std::any_of(caches_.begin(), caches_.end(),
                     [](const pipeline::JobCache& cache) { return cache.policy != "push"; });
}

bool JobCaches::saves(bool success) const {
  return std::any_of(caches_.begin(), caches_.end(), [&](const pipeline::JobCache& cache) {
    return cache.policy != "pull" &&
           (cache.when == "always" || (cache.when == "on_success") == success);
  });
}

void JobCaches::restore() {
  for (const pipeline::JobCache& cache : caches_)
    if (cache.policy != "push") restore_one(cache);
}

void JobCaches::restore_one(const pipeline::JobCache& cache) {
  std::vector<std::string> keys{cache.key};
  keys.insert(keys.end(), cache.fallback_keys.begin(), cache.fallback_keys.end());
  keys.push_back(fallback_key_);
  for (const std::string& key : keys) {
    if (key.empty()) continue;
    say_("Checking cache for " + key + "...\n");
    const auto begun = std::chrono::steady_clock::now();
    auto found = store_.restore(project_, key, workplace_.project);
    for (int attempt = 2; !found && attempt <= restore_attempts_; ++attempt) {
      say_(fmt::format("WARNING: {}; attempt {} of {}\n", found.error().message, attempt,
                       restore_attempts_));
      found = store_.restore(project_, key, workplace_.project);
    }
    if (!found) {
      say_("WARNING: the cache cannot be used: " + found.error().message + "\n");
    } else if (*found) {
      say_(fmt::format("Successfully extracted cache: hit, {} files, {:.1f} MB in {:.2f} s\n",
                       (*found)->files, megabytes((*found)->bytes), seconds_since(begun)));
      return;
    }
  }
  say_("No cache was found: miss\n");
}

void JobCaches::save(bool success) {
  bool grew = false;
  for (const pipeline::JobCache& cache : caches_) {
    if (cache.policy == "pull") continue;
    if (cache.when != "always" && (cache.when == "on_success") != success) continue;
    save_one(cache);
    grew = true;
  }
  if (!grew) return;
  if (auto cleaned = store_.clean_up(); !cleaned)
    say_("WARNING: old caches stay: " + cleaned.error().message + "\n");
}

void JobCaches::save_one(const pipeline::JobCache& cache) {
  if (cache.key.empty()) {
    say_("WARNING: the cache has no key and is not stored\n");
    return;
  }
  say_("Creating cache " + cache.key + "...\n");
  const auto begun = std::chrono::steady_clock::now();
  Selection selection = select_files(workplace_.project, cache.paths, {});
  if (cache.untracked)
    if (auto added = add_untracked(workplace_.project, {}, selection); !added)
      say_("WARNING: untracked files: " + added.error().message + "\n");
  for (const std::string& warning : selection.warnings) say_("WARNING: " + warning + "\n");
  if (selection.files.empty()) {
    say_("No files to store: the cache stays as it was\n");
    return;
  }
  const auto saved = store_.save(project_, cache.key, workplace_.project, selection.files);
  if (!saved) {
    say_("WARNING: the cache is not stored: " + saved.error().message + "\n");
  } else if (saved->unchanged) {
    say_(fmt::format("Cache is up to date: {} files, {:.1f} MB, looked at in {:.2f} s\n",
                     saved->files, megabytes(saved->bytes), seconds_since(begun)));
  } else {
    say_(fmt::format("Created cache: {} files, {:.1f} MB, {:.1f} MB of it new, in {:.2f} s\n",
                     saved->files, megabytes(saved->bytes), megabytes(saved->new_bytes),
                     seconds_since(begun)));
  }
}

}  // namespace slipway::runner
