// Runs scripts as the runner's own user, each in a session of its own. What it leaves is ended with
// it, daemons included; limits hold for all of a job's processes together.
//
// No boundary between jobs, nor between a job and the runner: for projects that are trusted.
#pragma once

#include <optional>
#include <string>

#include "runner/executor.h"
#include "runner/job_processes.h"

namespace slipway::runner {

class ShellExecutor final : public Executor {
 public:
  // `name` is one that no other job has.
  ShellExecutor(Workplace workplace, std::string name, ProcessLimits limits);
  Result<void> prepare(std::chrono::milliseconds deadline, const Sink& sink,
                       const std::stop_token& stop) override;
  Result<ScriptOutcome> run(const JobScripts& scripts, std::chrono::milliseconds deadline,
                            const Sink& sink, const std::stop_token& stop) override;

 private:
  Result<ScriptOutcome> run_one(const Script& script, const char* name,
                                std::chrono::milliseconds deadline, const Sink& sink,
                                const std::stop_token& stop);

  Workplace workplace_;
  std::string name_;
  ProcessLimits limits_;
  std::optional<JobProcesses> processes_;  // from prepare() on
};

}  // namespace slipway::runner
