// Runs scripts as the runner's own user, each in a session of its own, which ends with it.
//
// No boundary between jobs, nor between a job and the runner: for projects that are trusted.
#pragma once

#include "runner/executor.h"

namespace slipway::runner {

class ShellExecutor final : public Executor {
 public:
  explicit ShellExecutor(Workplace workplace);
  Result<void> prepare(std::chrono::milliseconds deadline, const Sink& sink,
                       const std::stop_token& stop) override;
  Result<ScriptOutcome> run(const JobScripts& scripts, std::chrono::milliseconds deadline,
                            const Sink& sink, const std::stop_token& stop) override;

 private:
  Result<ScriptOutcome> run_one(const Script& script, const char* name,
                                std::chrono::milliseconds deadline, const Sink& sink,
                                const std::stop_token& stop);

  Workplace workplace_;
};

}  // namespace slipway::runner
