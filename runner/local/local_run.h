// A pipeline on this machine: the life cycle of a server's pipeline and the job of a server's
// runner, joined without a server.
//
// run() decides on the calling thread alone; each running job has a thread of its own. cancel() may
// be called from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/job_payload.h"
#include "pipeline/lifecycle.h"
#include "pipeline/plan.h"
#include "runner/config.h"
#include "runner/local/observer.h"
#include "runner/local/results.h"
#include "runner/local/running_job.h"
#include "runner/local/selection.h"
#include "runner/script.h"

namespace slipway::runner {

enum class ExecutorChoice : std::uint8_t {
  Auto,  // docker for a job that names an image, else shell
  Shell,
  Docker,
};

struct LocalRunSettings {
  RunnerSettings runner;  // its executor is each job's own
  ExecutorChoice executor = ExecutorChoice::Auto;
  std::string label;  // marks containers and work trees of this work tree
  pipeline::Trigger trigger;
  std::string clone_url;
  bool shell_on_failure = false;
};

struct LocalSummary {
  pipeline::Status status = pipeline::Status::Success;
  pipeline::Reason reason;
  bool canceled = false;
  std::vector<LocalJob> jobs;  // the last try of each, in the order of the plan
};

ExecutorKind executor_of(const pipeline::PlannedJob& job, ExecutorChoice choice,
                         const std::string& default_image);

class LocalRun {
 public:
  // `plan` is the whole of which `chosen` is a part. All references must outlive it.
  LocalRun(const pipeline::Plan& plan, std::vector<ChosenJob> chosen,
           const LocalRunSettings& settings, const LocalResults& results, LocalObserver& observer);
  ~LocalRun();

  // To the end. An Error when what earlier runs left cannot be cleared away.
  Result<LocalSummary> run();
  // As a server cancels: scripts are asked to end, and forced after the grace. The second time all
  // that runs is killed at once.
  void cancel();

 private:
  void apply(const pipeline::Event& event);
  void settle();
  bool settle_once();
  bool grant_resources();
  void start_what_fits();
  void start(std::int64_t id);
  void pass_over_bridge(std::int64_t id);
  void run_job(RunningJob& running);
  void collect();
  void heed_cancel();
  [[nodiscard]] Result<pipeline::JobSpec> spec_of(const LocalJob& job) const;
  void take_from_others(const pipeline::PlannedJob& planned, pipeline::JobFacts& facts) const;
  [[nodiscard]] bool is_taken(const pipeline::PlannedJob& planned,
                              const pipeline::PlannedJob& other) const;
  void debug_shell(const RunningJob& running, const Script& at);
  void keep_place(const RunningJob& running, const Script& at);
  [[nodiscard]] std::optional<double> coverage_of(const std::string& job) const;
  void tell_change(std::int64_t id);
  [[nodiscard]] LocalSummary summary() const;
  [[nodiscard]] const pipeline::PlannedJob& planned(const std::string& name) const;

  const pipeline::Plan& plan_;
  std::vector<ChosenJob> chosen_;
  const LocalRunSettings& settings_;
  const LocalResults& results_;
  LocalObserver& observer_;
  std::mutex observing_;  // for every call to the observer

  // Of run()'s thread.
  pipeline::PipelineState state_;
  std::map<std::int64_t, LocalJob> jobs_;
  std::map<std::string, std::int64_t> plan_ids_;  // of all jobs of the plan, run or not
  std::int64_t last_id_ = 0;
  std::string created_at_;
  std::map<int, std::unique_ptr<RunningJob>> slots_;
  std::set<int> left_slots_;  // of jobs that have failed: no other job takes their trees
  int heeded_ = 0;            // requests to cancel

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> ended_;  // slots
  int cancels_ = 0;
};

}  // namespace slipway::runner
