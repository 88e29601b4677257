#include "runner/job_caches.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>

#include "runner/artifacts.h"

namespace slipway::runner {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

JobCaches::JobCaches(CacheStore store, std::optional<SharedCaches> shared, std::string project,
                     const Workplace& workplace, std::vector<pipeline::JobCache> caches,
                     const std::string& fallback_key,
                     const std::function<std::string(const std::string&)>& expanded, Sink say,
                     int restore_attempts)
    : store_(std::move(store)),
      shared_(std::move(shared)),
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

JobTransfer& JobCaches::begin(std::string_view kind, const pipeline::JobCache& cache) {
  JobTransfer& told = transfers_.emplace_back();
  told.kind = kind;
  told.name = cache.key;
  told.shared = shared_.has_value();
  return told;
}

void JobCaches::restore() {
  for (const pipeline::JobCache& cache : caches_) {
    if (cache.policy == "push") continue;
    const auto begun = std::chrono::steady_clock::now();
    JobTransfer& told = begin("cache_restore", cache);
    restore_one(cache, told);
    told.seconds = seconds_since(begun);
  }
}

void JobCaches::restore_one(const pipeline::JobCache& cache, JobTransfer& told) {
  std::vector<std::string> keys{cache.key};
  keys.insert(keys.end(), cache.fallback_keys.begin(), cache.fallback_keys.end());
  keys.push_back(fallback_key_);
  bool failed = false;
  for (const std::string& key : keys) {
    if (key.empty()) continue;
    told.keys.push_back(key);
    say_("Checking cache for " + key + "...\n");
    const auto begun = std::chrono::steady_clock::now();
    auto found = restore_key(key, told);
    for (int attempt = 2; !found && attempt <= restore_attempts_; ++attempt) {
      say_(fmt::format("WARNING: {}; attempt {} of {}\n", found.error().message, attempt,
                       restore_attempts_));
      found = restore_key(key, told);
    }
    failed = failed || !found;
    if (!found) {
      say_("WARNING: the cache cannot be used: " + found.error().message + "\n");
    } else if (*found) {
      told.result = "hit";
      say_(fmt::format("Successfully extracted cache: hit, {} files, {}{} in {:.2f} s\n",
                       told.files, size_text(told.bytes),
                       shared_ ? ", " + size_text(told.moved) + " from the server" : "",
                       seconds_since(begun)));
      return;
    }
  }
  told.result = failed ? "failed" : "miss";
  say_("No cache was found: miss\n");
}

Result<bool> JobCaches::restore_key(const std::string& key, JobTransfer& told) {
  if (shared_) {
    const auto fetched = shared_->fetch(store_, project_, key);
    if (!fetched) return fetched.error();
    if (!*fetched) return false;
    told.moved += **fetched;
  }
  const auto restored = store_.restore(project_, key, workplace_.project);
  if (!restored) return restored.error();
  if (!*restored) return false;
  told.files = (*restored)->files;
  told.bytes = (*restored)->bytes;
  return true;
}

void JobCaches::save(bool success) {
  bool grew = false;
  for (const pipeline::JobCache& cache : caches_) {
    if (cache.policy == "pull") continue;
    if (cache.when != "always" && (cache.when == "on_success") != success) continue;
    const auto begun = std::chrono::steady_clock::now();
    JobTransfer& told = begin("cache_save", cache);
    save_one(cache, told);
    told.seconds = seconds_since(begun);
    grew = true;
  }
  if (!grew) return;
  if (auto cleaned = store_.clean_up(); !cleaned)
    say_("WARNING: old caches stay: " + cleaned.error().message + "\n");
}

void JobCaches::save_one(const pipeline::JobCache& cache, JobTransfer& told) {
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
    told.result = "empty";
    say_("No files to store: the cache stays as it was\n");
    return;
  }
  const auto saved = store_.save(project_, cache.key, workplace_.project, selection.files);
  if (!saved) {
    say_("WARNING: the cache is not stored: " + saved.error().message + "\n");
    return;
  }
  told.files = saved->files;
  told.bytes = saved->bytes;
  told.moved = saved->new_bytes;
  told.result = saved->unchanged ? "unchanged" : "stored";
  if (saved->unchanged)
    say_(fmt::format("Cache is up to date: {} files, {}, looked at in {:.2f} s\n", saved->files,
                     size_text(saved->bytes), seconds_since(begun)));
  else
    say_(fmt::format("Created cache: {} files, {}, {} of it new, in {:.2f} s\n", saved->files,
                     size_text(saved->bytes), size_text(saved->new_bytes), seconds_since(begun)));
  if (shared_) share(cache.key, told);
}

void JobCaches::share(const std::string& key, JobTransfer& told) {
  const auto begun = std::chrono::steady_clock::now();
  const auto sent = shared_->send(store_, project_, key);
  if (!sent) {
    told.result = "failed";
    say_("WARNING: other runners do not get the cache: " + sent.error().message + "\n");
    return;
  }
  told.moved = *sent;
  // Another runner may have stored something else under the key.
  if (*sent > 0) told.result = "stored";
  say_(fmt::format("Shared cache: {} sent to the server in {:.2f} s\n", size_text(*sent),
                   seconds_since(begun)));
}

}  // namespace slipway::runner
