// The runner at work: asks for jobs while it has slots free, and hands them to its slots, which are
// processes of their own: a job outlives its agent.
//
// One request is under way at a time, held by the server until there is a job. drain() lets the
// running jobs end and takes no more; stop() cancels them too. Both may be called from any thread.
// A second thread clears up: it reports the jobs of slots that died, and ends what jobs have left;
// a third keeps the disk from filling up.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "runner/config.h"
#include "runner/coordinator_client.h"
#include "runner/slot_pool.h"
#include "runner/vital_signs.h"

namespace slipway::runner {

// Marks what belongs to this runner on its machine.
std::string runner_label(const RunnerIdentity& identity);

struct SlotSource {
  // The settings as texts, by name: what slots are told.
  std::map<std::string, std::string> settings;
  // See SlotPoolOptions.
  std::function<Result<int>(int index, UniqueFd listener)> launch;
  std::string build = build_of_this_program();
};

class Agent {
 public:
  Agent(const RunnerSettings& settings, RunnerIdentity identity, SlotSource slots);
  ~Agent();

  // Until drained or stopped. Denied when the server does not know the token any more, Conflict
  // when another agent of this runner is at work here.
  Result<void> run();
  void drain();
  void stop();

 private:
  SlotPoolOptions pool_options(SlotSource slots) const;
  Result<void> poll();
  Result<std::optional<HandedJob>> ask(CoordinatorClient& client);
  void start_job(int index, const HandedJob& job);
  void pause(std::chrono::milliseconds time);
  void keep_order(const std::stop_token& ended);
  void report_lost(int index, const SlotJob& job);
  void report_failure(const SlotJob& job, const std::string& why);

  const RunnerSettings& settings_;
  RunnerIdentity identity_;
  std::string label_;
  VitalSigns signs_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<int, SlotJob>> lost_;  // slots that died with their jobs
  bool draining_ = false;
  CoordinatorClient* polling_ = nullptr;  // while a request is under way
  std::stop_source drain_;                // of the polling
  SlotPool pool_;                         // last: its thread tells of things to the others
};

}  // namespace slipway::runner
