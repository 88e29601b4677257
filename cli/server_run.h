// `slipway run --server`: the work tree as it is, on the runners of a server, watched as a run on
// this machine is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run_trigger.h"
#include "cli/run_view.h"
#include "cli/server_client.h"
#include "runner/local/snapshot.h"

namespace slipway::cli {

struct ServerRunOptions {
  std::string url;
  std::string project;  // its path; "" is what origin's address says
  EventOptions event;   // of which the branch and the variables count
};

class ServerRun {
 public:
  // What it refers to must outlive it.
  ServerRun(const ServerRunOptions& options, const runner::Snapshot& snapshot, RunView& view)
      : options_(options), snapshot_(snapshot), view_(view) {}

  // Sends the tree, starts its pipeline and follows that to its end; the exit code.
  int run();
  // From any thread. The first time the server is asked to cancel, the second time to do so by
  // force, and the third time nobody waits for it any more.
  void cancel();

 private:
  Result<void> begin();
  Result<void> send_tree(const std::vector<std::string>& known);
  Result<void> start();
  Result<void> follow();
  Result<bool> look();  // true once the pipeline has ended or waits for a hand
  Result<void> look_at_jobs();
  Result<void> take_log(const runner::LocalJob& job);
  Result<void> heed_cancel();
  Result<void> cancel_by_force();
  void open_view();
  // On standard error; false when there are errors, which the pipeline has failed by.
  [[nodiscard]] bool tell_findings() const;
  [[nodiscard]] std::string branch() const;
  [[nodiscard]] runner::LocalSummary summary() const;
  bool sleep(std::chrono::milliseconds time);  // false when nobody waits any more

  const ServerRunOptions& options_;
  const runner::Snapshot& snapshot_;
  RunView& view_;
  ServerAddress server_;
  std::string project_;   // its routes: "/api/v4/projects/group%2Fname"
  std::string pipeline_;  // the routes of its pipeline
  nlohmann::json seen_;   // the pipeline as it was last
  std::map<std::int64_t, runner::LocalJob> jobs_;
  std::map<std::int64_t, bool> retried_;
  std::map<std::int64_t, long long> logged_;  // bytes of each job's log that were shown
  int heeded_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  int cancels_ = 0;
};

}  // namespace slipway::cli
