// The caches of one job: brought into its tree before it, and stored after it, with words in its
// log about keys, sizes and seconds, and the same as facts. A cache that fails is told and fails
// nothing.
//
// Used on the job's thread. Source: gitlab-runner's cache-extractor and cache-archiver.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/job_spec.h"
#include "runner/cache_store.h"
#include "runner/executor.h"
#include "runner/job_transfer.h"
#include "runner/shared_caches.h"

namespace slipway::runner {

class JobCaches {
 public:
  // `expanded` replaces the job's variables in a text; `fallback_key` is that of
  // CACHE_FALLBACK_KEY, tried last. A cache that cannot be read is tried so many times. Without
  // `shared` caches are this machine's alone.
  JobCaches(CacheStore store, std::optional<SharedCaches> shared, std::string project,
            const Workplace& workplace, std::vector<pipeline::JobCache> caches,
            const std::string& fallback_key,
            const std::function<std::string(const std::string&)>& expanded, Sink say,
            int restore_attempts);

  void restore();
  void save(bool success);
  // Whether the job has caches to bring, or to store after that end.
  [[nodiscard]] bool restores() const;
  [[nodiscard]] bool saves(bool success) const;
  // What was done since this was asked last.
  JobTransfers take_transfers() { return std::exchange(transfers_, {}); }

 private:
  void restore_one(const pipeline::JobCache& cache, JobTransfer& told);
  // Whether the key's cache is in the tree now.
  Result<bool> restore_key(const std::string& key, JobTransfer& told);
  void save_one(const pipeline::JobCache& cache, JobTransfer& told);
  void share(const std::string& key, JobTransfer& told);
  JobTransfer& begin(std::string_view kind, const pipeline::JobCache& cache);

  CacheStore store_;
  std::optional<SharedCaches> shared_;
  std::string project_;
  const Workplace& workplace_;
  std::vector<pipeline::JobCache> caches_;  // expanded
  std::string fallback_key_;
  Sink say_;
  int restore_attempts_;
  JobTransfers transfers_;
};

}  // namespace slipway::runner
