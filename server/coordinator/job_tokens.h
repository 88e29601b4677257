// Who a job token belongs to, in memory: every log piece asks, so it is one hash look-up.
//
// Thread-safe. Written by the coordinator after each commit: what stands here is durable. A token
// of an ended job stays known for ten minutes, so that a repeated last call gets the same answer; a
// token of an attempt that was taken away is forgotten at once.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

struct JobCredential {
  JobId job_id;
  PipelineId pipeline_id;
  ProjectId project_id;
  RunnerId runner_id;
  std::string system_id;  // of the runner's manager that has it
  int dispatch = 0;       // the fencing number of this hand-out
  std::string status;     // what `Job-Status` says: "running" also before it is acknowledged
  bool acknowledged = false;
  bool finished = false;
  std::string coverage_regex;
};

class JobTokens {
 public:
  static constexpr std::chrono::minutes kKeptAfterEnd{10};

  // `token` as the job carries it.
  [[nodiscard]] std::optional<JobCredential> find(std::string_view token, SteadyTime now) const;
  // Notes that the holder was heard from. False: not known, not acknowledged or already ended.
  bool heard_from(JobId job, int dispatch, SteadyTime now);

  void put(const std::string& token_hash, JobCredential credential, SteadyTime now);
  void forget(JobId job);
  // What is not put again between these two is forgotten at the end. Until then it is known, so
  // that no runner is refused while the store is read anew, or cannot be read for a while. At the
  // end all count as heard from just now.
  void begin_reload();
  void end_reload(SteadyTime now);
  // Since when nothing was heard of it; nullopt when nobody holds the job.
  [[nodiscard]] std::optional<SteadyTime> last_heard(JobId job) const;
  // Those whose ten minutes are over.
  void drop_finished(SteadyTime now);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    JobCredential credential;
    std::string token_hash;
    std::atomic<SteadyTime::rep> heard_at{0};

    [[nodiscard]] SteadyTime heard() const { return SteadyTime{SteadyTime::duration{heard_at}}; }
  };

  void erase(JobId job);  // under the lock

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> by_hash_;
  std::unordered_map<JobId, std::shared_ptr<Entry>> by_job_;
  std::unordered_set<JobId> stale_;  // not put again since begin_reload()
};

}  // namespace slipway::server
