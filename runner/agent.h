// The runner at work: asks for jobs while it has slots free and runs each on a thread of its own.
//
// One request is under way at a time, held by the server until there is a job. drain() lets the
// running jobs end and takes no more; stop() cancels them too. Both may be called from any thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "runner/config.h"
#include "runner/coordinator_client.h"
#include "runner/vital_signs.h"

namespace slipway::runner {

class Agent {
 public:
  Agent(const RunnerSettings& settings, RunnerIdentity identity);
  ~Agent();

  // Until drained or stopped. Denied when the server does not know the token any more.
  Result<void> run();
  void drain();
  void stop();

 private:
  struct Slot {
    std::thread thread;
    std::unique_ptr<JobLink> link;  // kept from job to job
    bool busy = false;
  };

  std::optional<int> wait_for_slot();
  void start_job(int index, pipeline::JobSpec spec);
  void run_job(int index, pipeline::JobSpec spec);
  void pause(std::chrono::milliseconds time);
  void join_all();

  const RunnerSettings& settings_;
  RunnerIdentity identity_;
  std::string label_;
  VitalSigns signs_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  bool draining_ = false;
  CoordinatorClient* polling_ = nullptr;  // while a request is under way
  std::stop_source stop_;                 // of the jobs
  std::stop_source drain_;                // of the polling
};

}  // namespace slipway::runner
