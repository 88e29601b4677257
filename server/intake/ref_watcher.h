// Finds pushes that no webhook told of: compares the branches and tags of each repository with
// those that it had, after the start and every hour, and as often as a project's poll_interval
// says. What is found becomes a delivery of its own, which says so, and is worked on as any other.
//
// The first look at a repository only notes what is there. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/git/mirror.h"
#include "server/intake/intake.h"

namespace slipway::server {

class RefWatcher final : public CommitObserver {
 public:
  // What is referred to must outlive it. Observes the coordinator, which must not have begun.
  RefWatcher(Coordinator& coordinator, Database& database, Mirrors& mirrors, Intake& intake,
             const Clock& clock);
  ~RefWatcher() override;
  RefWatcher(const RefWatcher&) = delete;
  RefWatcher& operator=(const RefWatcher&) = delete;

  void start();
  // Mirrors::stop() makes it short.
  void stop();
  void committed(const Changes& changes) noexcept override;

  // All that are due now, on the calling thread; how many pushes were found.
  int look();

 private:
  void work();
  // The next project that is due, not `done`, and that nobody looks at. It is busy from then on.
  std::optional<ProjectRow> take(const std::set<ProjectId>& done);
  int look_at(const ProjectRow& project);
  Result<int> compare(const ProjectRow& project, const WatchRow& watch, bool by_poll);
  void note(WatchRow watch, const ProjectRow& project, const Result<int>& found);

  Coordinator& coordinator_;
  Database& database_;
  Mirrors& mirrors_;
  Intake& intake_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool woken_ = false;
  std::set<ProjectId> busy_;
  std::set<ProjectId> seen_;  // since the start
  std::vector<std::thread> workers_;
};

}  // namespace slipway::server
