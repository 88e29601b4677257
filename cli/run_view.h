// What a person or a program sees of `slipway run`: plain lines for pipes, a live view for
// terminals, JSON for programs.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "runner/local/local_run.h"
#include "runner/local/observer.h"

namespace slipway::cli {

// The same for each view: what is about to run, and how it ended.
struct RunOpening {
  std::string source;
  std::string ref;
  std::string sha;
  bool changed = false;  // files that no commit has
  struct Job {
    std::string name;
    std::string stage;
    std::string executor;
  };
  std::vector<Job> jobs;
};

class RunView : public runner::LocalObserver {
 public:
  virtual void begin(const RunOpening& opening) = 0;
  // `results` as a person would write the path; "" when there are none on this machine.
  virtual void end(const runner::LocalSummary& summary, std::chrono::milliseconds took,
                   const std::string& results) = 0;
  void hand_over_terminal() override {}
  void take_terminal_back() override {}
};

// Each line with its job's name in front. `verbose` shows what the runner tells of itself, too.
std::unique_ptr<RunView> plain_run_view(std::ostream& out, bool verbose);
// The states of the jobs below the log of one of them, drawn again as they change. Only for a
// terminal.
std::unique_ptr<RunView> live_run_view(std::ostream& out, bool verbose);
// One event for each line; README.md has their fields.
std::unique_ptr<RunView> json_run_view(std::ostream& out);

// The jobs with their ends; below a failed one its last lines, where its log is in `results`.
std::string summary_text(const runner::LocalSummary& summary, std::chrono::milliseconds took,
                         const std::string& results, bool colours);
std::string in_seconds(std::chrono::milliseconds took);  // "1.2 s", "3 min 07 s"
// A word about how the job is: its status, and the reason where there is one to tell.
std::string state_words(const runner::LocalJob& job);

}  // namespace slipway::cli
