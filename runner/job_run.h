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
#include "runner/trace_writer.h"

namespace slipway::runner {

struct JobPlace {
  int slot = 0;              // CI_CONCURRENT_ID
  std::string runner_label;  // marks what belongs to this runner
  std::stop_token cancel;    // of this job alone, from a caller that is not a server
  LocalRepositories local = LocalRepositories::refused;
  // When its script has failed and everything of it is still there; may take as long as it likes.
  std::function<void(const Script& place)> after_failure = {};
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
  struct Outcome {
    bool success = false;
    bool canceled = false;
    std::string failure_reason;
    std::optional<int> exit_code;
    std::string words;  // for the last line of the log
    std::string text;   // the same, as a sentence for the job's page
  };

  Outcome phases();
  [[nodiscard]] std::vector<std::string> secrets() const;
  [[nodiscard]] std::filesystem::path slot_directory() const;
  Result<void> make_workplace();
  Result<std::filesystem::path> tree_path(const std::filesystem::path& root) const;
  Outcome get_sources();
  void open_tree_to_all() const;
  void collect_variables();
  Result<void> write_file_variables();
  std::unique_ptr<Executor> make_executor();
  Outcome run_scripts(Executor& executor);
  Result<void> download_dependencies();
  Result<void> upload_artifacts(bool success);
  ArtifactTransfer transfer();
  std::optional<JobCaches> open_caches();
  void remove_temporary() noexcept;

  [[nodiscard]] std::string expanded(const std::string& text) const;
  [[nodiscard]] std::chrono::milliseconds time_left() const;
  [[nodiscard]] bool is_stopped() const { return cancel_.stop_requested(); }
  [[nodiscard]] Script script(const std::vector<std::string>& commands) const;
  static Outcome failed(const Error& error);
  [[nodiscard]] Outcome failed_script(const ScriptOutcome& ended, const std::string& tail) const;
  Outcome stopped_outcome() const;
  Outcome timed_out() const;

  // A section of the log with its heading; closes it when it goes.
  class Section;
  void say(std::string_view text);

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
  std::unique_ptr<TraceWriter> trace_;
  std::optional<Checkout> sources_;
  std::string result_ = "runner_system_failure";
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace slipway::runner
