// How a job has ended, with words for people. Pure, but for a look at the disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runner/executor.h"

namespace slipway::runner {

struct JobOutcome {
  bool success = false;
  bool canceled = false;
  std::string failure_reason;  // of the protocol
  std::optional<int> exit_code;
  std::string words;  // for the last line of the log
  std::string text;   // the same, as a sentence for the job's page
};

JobOutcome succeeded();
// The reason follows from the error's kind: see Executor::prepare().
JobOutcome failed(const Error& error);
// Its exit code is not 0.
JobOutcome failed_script(const ScriptOutcome& ended);

// When the job's last words or its failure speak of a full disk, and one of `directories` is on
// such a disk, the figures are told. The fault is the runner's, and another runner may do better.
void explain_full_disk(JobOutcome& outcome, std::string_view last_words,
                       const std::vector<std::filesystem::path>& directories);

}  // namespace slipway::runner
