// How the scripts of a job are run. One object serves one job, on that job's thread.
//
// Contract, in the order of calls: prepare() once, within the job's time; run() for each hook of
// the job, and once with the job's script and, if there is one, its after_script; the destructor
// leaves nothing behind, whatever happened before. Output goes to the sink while it comes. A stop
// request ends the script: asked first, forced after the grace.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runner/script.h"

namespace slipway::runner {

enum class ScriptEnd : std::uint8_t { Exited, TimedOut, Canceled };

struct ScriptOutcome {
  ScriptEnd end = ScriptEnd::Exited;
  int exit_code = 0;
  std::string cause;  // of a failure, as a sentence, when the executor knows more than the code
};

struct JobScripts {
  Script main;
  std::optional<Script> after;  // runs whatever became of the first, and changes nothing
  std::string after_heading;    // printed before it
  std::string after_end;        // and after it
  // What the tree borrows from besides Workplace::objects: the job may read it.
  std::vector<std::filesystem::path> borrowed = {};
  // Asked when the job is not ours any more: all is ended at once, and no after_script runs.
  std::stop_token lost;
};

using Sink = std::function<void(std::string_view)>;

class Executor {
 public:
  virtual ~Executor() = default;
  // Says what it uses. An Error's message tells the job's owner what to mend; its kind says whose
  // fault it is: InvalidInput the pipeline's, NotFound an image, else the runner's.
  virtual Result<void> prepare(std::chrono::milliseconds deadline, const Sink& sink,
                               const std::stop_token& stop) = 0;
  virtual Result<ScriptOutcome> run(const JobScripts& scripts, std::chrono::milliseconds deadline,
                                    const Sink& sink, const std::stop_token& stop) = 0;
};

// Where one job works: its project's tree, and beside it what must not be in the tree.
struct Workplace {
  std::filesystem::path project;    // CI_PROJECT_DIR
  std::filesystem::path temporary;  // file variables: the job sees it
  std::filesystem::path own;        // log, archives, scripts: for the runner alone
  // What git keeps for all trees of the project: the job may read it. "" without.
  std::filesystem::path objects;
};

}  // namespace slipway::runner
