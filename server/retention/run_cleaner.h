// Removes the commits of work trees (`slipway run --server`) some time after their pipelines have
// ended, and what was sent for a pipeline that never came. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "server/git/mirror.h"
#include "server/store/database.h"

namespace slipway::server {

class RunCleaner {
 public:
  // What is referred to must outlive it. `retention` counts from the end of the pipeline.
  RunCleaner(Database& database, Mirrors& mirrors, const Clock& clock,
             std::chrono::seconds retention)
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
  bool is_over(ProjectId project, const std::string& ref) const;

  Database& database_;
  Mirrors& mirrors_;
  const Clock& clock_;
  std::chrono::seconds retention_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::server
