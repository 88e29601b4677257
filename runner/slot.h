// A slot: runs one job after another, at most one at a time, for whichever agent is connected.
//
// It talks to the server itself, so that a job goes on to its end without an agent: one that comes
// later is told of it. Without an agent and without a job it leaves after a while. In the program
// it is a process of its own (slot_process.h); run() can as well be a thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/files.h"
#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/coordinator_client.h"
#include "runner/slot_wire.h"

namespace slipway::runner {

struct SlotOptions {
  int index = 0;
  std::string build = build_of_this_program();
  std::chrono::milliseconds alone{std::chrono::seconds{10}};
  int end_fd = -1;                  // readable when the job is to be stopped and the slot to leave
  std::function<void()> after_job;  // ends what a job has left
};

class Slot {
 public:
  Slot(UniqueFd listener, SlotOptions options);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  // Until it is told to leave, or has been alone for long enough.
  void run();

 private:
  // As the agent has said them last; a job keeps those that it was begun with.
  struct Terms {
    RunnerSettings settings;
    RunnerIdentity identity;
    std::string label;
  };
  struct Work {
    std::int64_t id = 0;
    std::string token;
    pipeline::JobSpec spec;
    std::optional<Error> broken;  // why there is no spec
    std::shared_ptr<const Terms> terms;
    std::stop_source stop;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  };

  void serve();
  std::shared_ptr<Work> listen();
  [[nodiscard]] int time_to_wait();
  bool stays();
  void take_connection();
  void hear();
  void obey(const std::string& message);
  void begin(std::shared_ptr<Work> work);
  void run_to_the_end(Work& work);
  std::string run_one(Work& work);
  void wake() const;

  UniqueFd listener_;
  SlotOptions options_;
  UniqueFd wake_;
  std::unique_ptr<JobLink> link_;             // kept from job to job; of who runs the job
  std::shared_ptr<const Terms> linked_with_;  // what link_ was made with

  std::shared_ptr<Work> begun_;  // heard of just now; of who listens
  bool told_to_end_ = false;     // of who listens

  std::mutex mutex_;
  std::condition_variable changed_;
  bool listening_ = false;  // one of the threads
  bool over_ = false;
  std::unique_ptr<SlotChannel> agent_;
  std::shared_ptr<const Terms> terms_;
  std::shared_ptr<Work> work_;  // while it is busy
  bool leaving_ = false;
  std::chrono::steady_clock::time_point alone_since_ = std::chrono::steady_clock::now();
};

}  // namespace slipway::runner
