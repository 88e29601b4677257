#include "runner/shell_executor.h"

#include <unistd.h>

#include <csignal>

#include "base/files.h"
#include "base/process.h"
#include "runner/slot_process.h"

namespace slipway::runner {
namespace {

constexpr std::chrono::minutes kAfterScriptDeadline{5};
constexpr std::chrono::seconds kGrace{10};

// bash where there is one, as GitLab's runner does.
const char* shell() {
  for (const char* candidate : {"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"})
    if (::access(candidate, X_OK) == 0) return candidate;
  return "/bin/sh";
}

// What a login would give; everything else comes from the job.
std::map<std::string, std::string> base_environment() {
  auto environment = environment_subset(
      {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL", kSlotMark});
  // A bash that thinks it was started by a remote shell reads ~/.bashrc; SHLVL tells it otherwise.
  environment["SHLVL"] = "1";
  // Without it bash looks the user up in the directory of users before it does anything else.
  environment.try_emplace("SHELL", shell());
  return environment;
}

int exit_code_of(const ProcessOutcome& outcome) {
  return outcome.end == ProcessEnd::Signalled ? 128 + outcome.code : outcome.code;
}

}  // namespace

ShellExecutor::ShellExecutor(Workplace workplace, std::string name, ProcessLimits limits)
    : workplace_(std::move(workplace)), name_(std::move(name)), limits_(limits) {}

Result<void> ShellExecutor::prepare(std::chrono::milliseconds /*deadline*/, const Sink& sink,
                                    const std::stop_token& /*stop*/) {
  sink(std::string{"Using Shell ("} + shell() + ") executor...\n");
  auto processes = JobProcesses::make(name_, limits_);
  if (!processes) return std::move(processes).error();
  processes_.emplace(std::move(*processes));
  return {};
}

Result<ScriptOutcome> ShellExecutor::run_one(const Script& script, const char* name,
                                             std::chrono::milliseconds deadline, const Sink& sink,
                                             const std::stop_token& stop) {
  // In a file, so that no argument list shows a secret and no shell prints it when it is killed.
  const auto file = workplace_.own / name;
  if (auto written = overwrite_file(file, processes_->enter_line() + script_text(script), 0600);
      !written)
    return std::move(written).error();
  ProcessSpec spec;
  spec.argv = {shell(), file.string()};
  spec.workdir = workplace_.project;
  spec.env = base_environment();
  spec.env.merge(processes_->environment());
  spec.deadline = deadline;
  spec.grace = kGrace;
  const auto outcome = run_process(spec, sink, stop);
  processes_->end_all();
  if (!outcome) return outcome.error();
  switch (outcome->end) {
    case ProcessEnd::TimedOut:
      return ScriptOutcome{ScriptEnd::TimedOut, exit_code_of(*outcome), {}};
    case ProcessEnd::Cancelled:
      return ScriptOutcome{ScriptEnd::Canceled, exit_code_of(*outcome), {}};
    case ProcessEnd::Exited:
    case ProcessEnd::Signalled: break;
  }
  const int code = exit_code_of(*outcome);
  return ScriptOutcome{ScriptEnd::Exited, code, code == 0 ? "" : processes_->memory_words()};
}

Result<ScriptOutcome> ShellExecutor::run(const JobScripts& scripts,
                                         std::chrono::milliseconds deadline, const Sink& sink,
                                         const std::stop_token& stop) {
  auto outcome = run_one(scripts.main, "script", deadline, sink, stop);
  if (!scripts.after || !outcome || outcome->end == ScriptEnd::TimedOut ||
      scripts.lost.stop_requested())
    return outcome;
  Script after = *scripts.after;
  const bool canceled = outcome->end == ScriptEnd::Canceled;
  after.variables.emplace_back("CI_JOB_STATUS", canceled                  ? "canceled"
                                                : outcome->exit_code == 0 ? "success"
                                                                          : "failed");
  sink(scripts.after_heading);
  const auto second = run_one(after, "after_script", kAfterScriptDeadline, sink, {});
  if (!second)
    sink("WARNING: after_script could not be run: " + second.error().message + "\n");
  else if (second->end == ScriptEnd::TimedOut)
    sink("WARNING: after_script ran longer than 5 minutes and was stopped\n");
  else if (second->exit_code != 0)
    sink("WARNING: after_script failed, but the job continues: exit code " +
         std::to_string(second->exit_code) + "\n");
  sink(scripts.after_end);
  return outcome;
}

}  // namespace slipway::runner
