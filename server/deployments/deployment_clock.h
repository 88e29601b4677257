// What becomes of environments by the clock alone: those whose time is up are stopped, and freeze
// periods begin and end. Looks every few seconds, since the clock may be set. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/store/database.h"

namespace slipway::server {

class DeploymentClock {
 public:
  // What is referred to must outlive it.
  DeploymentClock(Coordinator& coordinator, Database& database, const Clock& clock);
  ~DeploymentClock();
  DeploymentClock(const DeploymentClock&) = delete;
  DeploymentClock& operator=(const DeploymentClock&) = delete;

  void start();
  void stop();
  // All that is due now, on the calling thread. The thread does it by itself.
  void run_due();

 private:
  void work();
  void stop_environments();
  void turn_freezes();

  Coordinator& coordinator_;
  Database& database_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::server
