#include "runner/job_outcome.h"

#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>

#include <cstdint>

namespace slipway::runner {

namespace fs = std::filesystem;

JobOutcome succeeded() {
  JobOutcome outcome;
  outcome.success = true;
  return outcome;
}

JobOutcome failed(const Error& error) {
  JobOutcome outcome;
  switch (error.kind) {
    case ErrorKind::NotFound: outcome.failure_reason = "image_pull_failure"; break;
    case ErrorKind::InvalidInput: outcome.failure_reason = "runner_configuration_error"; break;
    default: outcome.failure_reason = "runner_system_failure"; break;
  }
  outcome.words = " (system failure): " + error.message;
  outcome.text = error.message;
  if (!error.hint.empty()) outcome.words += "\n" + error.hint;
  return outcome;
}

JobOutcome failed_script(const ScriptOutcome& ended) {
  JobOutcome outcome;
  outcome.failure_reason = "script_failure";
  outcome.exit_code = ended.exit_code;
  outcome.words = fmt::format(": exit code {}", ended.exit_code);
  outcome.text = ended.cause;
  if (ended.cause.empty() && ended.exit_code == 127)
    outcome.text = "a command was not found, see the end of the log";
  else if (ended.cause.empty() && ended.exit_code == 126)
    outcome.text = "a file is not executable, see the end of the log";
  else if (ended.cause.empty() && ended.exit_code == 137)
    outcome.text = "a process was killed: by the script itself, by somebody, or for want of memory";
  if (!outcome.text.empty()) outcome.words += "\n" + outcome.text;
  return outcome;
}

void explain_full_disk(JobOutcome& outcome, std::string_view last_words,
                       const std::vector<fs::path>& directories) {
  constexpr std::uintmax_t kNothingLeft = std::uintmax_t{64} << 20U;
  constexpr fsfilcnt_t kNoFilesLeft = 100;
  constexpr std::string_view kSign = "No space left on device";
  if (last_words.find(kSign) == std::string_view::npos &&
      outcome.words.find(kSign) == std::string::npos)
    return;
  for (const fs::path& directory : directories) {
    struct statvfs disk {};
    if (::statvfs(directory.c_str(), &disk) != 0) continue;
    const std::uintmax_t left = disk.f_bavail * disk.f_frsize;
    std::string text;
    if (left < kNothingLeft)
      text = fmt::format("the runner's disk is full: {} MiB of {} MiB are left below {}",
                         left >> 20U, disk.f_blocks * disk.f_frsize >> 20U, directory.string());
    else if (disk.f_files > 0 && disk.f_favail < kNoFilesLeft)
      text = fmt::format("the runner's disk is full: of {} files {} can still be made below {}",
                         disk.f_files, disk.f_favail, directory.string());
    if (text.empty()) continue;
    outcome.failure_reason = "runner_system_failure";
    outcome.text = text;
    outcome.words += "\n" + text;
    return;
  }
}

}  // namespace slipway::runner
