// Removes commits that the mirrors keep for pipelines alone, some time after those have ended:
// those of work trees (`slipway run --server`), also of what was sent for a pipeline that never
// came, and those that no branch or tag has any more. Thread-safe.
//
// A server that dies in between has removed some of them, and the next one goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/git/mirror.h"
#include "server/store/database.h"

namespace slipway::server {

// Both count from the end of the last pipeline.
struct CommitRetention {
  std::chrono::seconds runs;     // of work trees
  std::chrono::seconds commits;  // of the others
};

class RunCleaner {
 public:
  // What is referred to must outlive it.
  RunCleaner(Database& database, Mirrors& mirrors, const Clock& clock, CommitRetention retention)
      : database_(database), mirrors_(mirrors), clock_(clock), retention_(retention) {}
  ~RunCleaner();
  RunCleaner(const RunCleaner&) = delete;
  RunCleaner& operator=(const RunCleaner&) = delete;

  void start();
  // Mirrors::stop() makes it short.
  void stop();
  // All that is over now, on the calling thread; how many refs went. The thread does it every hour.
  int clean();

 private:
  void work();
  bool sleep(std::chrono::milliseconds time);
  int clean_project(ProjectId project);
  int drop_runs(ProjectId project, const std::vector<std::string>& refs);
  // What keep() and fetches by a commit's id have made.
  int drop_commits(ProjectId project, const std::vector<std::string>& refs);
  bool drop_commit(ProjectId project, const std::string& ref);
  bool is_over(ProjectId project, const std::string& ref) const;

  Database& database_;
  Mirrors& mirrors_;
  const Clock& clock_;
  CommitRetention retention_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::server
