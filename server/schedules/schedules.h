// Starts the pipelines that are due by the clock.
//
// Each time is noted first, in the transaction that moves the schedule to its next one, and its
// pipeline is made after that: so a time comes once, whenever the server dies. Times that passed
// while no server ran are made up for by one pipeline, whose record says how many there were.
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/intake/intake.h"

namespace slipway::server {

class Schedules final : public CommitObserver {
 public:
  // What is referred to must outlive it; it observes `coordinator`.
  Schedules(Coordinator& coordinator, Database& database, Intake& intake, const Clock& clock);
  ~Schedules() override;
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;

  void start();
  void stop();
  // All that is due now, on the calling thread; false when that cannot be written. The thread does
  // it by itself.
  bool run_due();

  void committed(const Changes& changes) noexcept override;

 private:
  void work();
  // False when it is to stop.
  bool sleep(std::chrono::milliseconds time);
  std::chrono::milliseconds until_next();
  Result<void> note_due();
  static void note(WriteTransaction& write, ScheduleRow& schedule, UnixMillis now);
  void run(const ScheduleRunRow& run);
  Result<PipelineId> make(const ScheduleRow& schedule, const ScheduleRunRow& run);

  Coordinator& coordinator_;
  Database& database_;
  Intake& intake_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::server
