// One job from the moment it was handed over to its last word to the server: the phases of GitLab's
// runner, each a section of the log.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "pipeline/job_spec.h"
#include "runner/artifact_transfer.h"
#include "runner/checkout.h"
#include "runner/config.h"
#include "runner/coordinator_client.h"
#include "runner/executor.h"
#include "runner/job_caches.h"
#include "runner/job_outcome.h"
#include "runner/job_section.h"
#include "runner/trace_writer.h"

namespace slipway::runner {

struct JobPlace {
  int slot = 0;              // CI_CONCURRENT_ID
  std::string runner_label;  // marks what belongs to this runner
  std::stop_token cancel;    // of this job alone, from a caller that is not a server
  LocalRepositories local = LocalRepositories::refused;
  // When its script has failed and everything of it is still there; may take as long as it likes.
  std::function<void(const Script& place)> after_failure = {};
  // Once its script has ended, whatever became of it: where it was, without its secrets.
  std::function<void(const Script& place)> left_behind = {};
};

class JobRun {
 public:
  // `stop` is the runner's: when it asks, the job is canceled and reported as interrupted.
  // `link` is the connection over which the job's log goes.
  JobRun(const RunnerSettings& settings, const RunnerIdentity& identity,
         std::unique_ptr<JobLink> link, pipeline::JobSpec spec, JobPlace place,
         std::stop_token stop);
  ~JobRun();

  // Runs on the calling thread to the end.
  void run();
  // After run(): success, aborted, or the failure reason that the server was told.
  [[nodiscard]] const std::string& result() const { return result_; }
  // The connection, for the next job, if it is sound. After run(), as the last call.
  std::unique_ptr<JobLink> take_link();

 private:
  JobOutcome phases();
  void report_unstarted(const char* event, const Error& error);
  [[nodiscard]] std::vector<std::string> secrets() const;
  Result<void> read_attempts();
  JobOutcome get_sources(Executor& executor);
  JobOutcome run_hook(Executor& executor, const std::string& name);
  void collect_variables();
  Result<void> write_file_variables();
  std::unique_ptr<Executor> make_executor();
  JobOutcome run_scripts(Executor& executor);
  void note(JobTransfers done);
  [[nodiscard]] JobTransfers masked_transfers() const;
  Result<void> download_dependencies();
  Result<void> upload_artifacts(bool success);
  ArtifactTransfer transfer();
  std::optional<JobCaches> open_caches();
  std::optional<SharedCaches> open_shared_caches();

  [[nodiscard]] std::string expanded(const std::string& text) const;
  [[nodiscard]] std::chrono::milliseconds time_left() const;
  [[nodiscard]] bool is_stopped() const { return cancel_.stop_requested(); }
  [[nodiscard]] Script script(const std::vector<std::string>& commands) const;
  [[nodiscard]] Script script_without_secrets() const;
  [[nodiscard]] JobOutcome outcome_of(const Result<ScriptOutcome>& ended) const;
  [[nodiscard]] JobOutcome stopped_outcome() const;
  [[nodiscard]] JobOutcome timed_out() const;

  JobSection open_section(std::string name, const std::string& title);
  void say(std::string_view text);
  static Sink limited(Sink sink, long long most);

  const RunnerSettings& settings_;
  const RunnerIdentity& identity_;
  std::unique_ptr<JobLink> link_;  // until the log has it
  pipeline::JobSpec spec_;
  JobPlace place_;
  std::stop_token runner_stop_;
  std::stop_source lost_;    // the job is not ours any more
  std::stop_source cancel_;  // of the script: canceled, aborted or the runner is stopped
  Workplace workplace_;
  std::optional<Error> misplaced_;  // what is wrong with the job's GIT_CLONE_PATH
  std::map<std::string, std::string> variables_;
  std::vector<std::string> order_;  // of the names, as they are exported
  struct {
    int cache = 1;
    int artifacts = 3;
    int container = 1;
  } attempts_;  // how often each is tried
  std::unique_ptr<TraceWriter> trace_;
  std::string tail_;  // the last words of the log
  JobTransfers transfers_;
  std::optional<Checkout> sources_;
  std::string result_ = "runner_system_failure";
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace slipway::runner
