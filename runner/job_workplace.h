// Where a job works on this machine: made before it, emptied after it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/executor.h"

namespace slipway::runner {

// Of this slot alone, so that no two jobs meet in one tree.
std::filesystem::path slot_directory(const RunnerSettings& settings, const std::string& label,
                                     int slot);

struct MadeWorkplace {
  Workplace workplace;
  std::optional<Error> misplaced;  // what is wrong with the job's GIT_CLONE_PATH
};

// All directories of the job, its tree as the last job left it, the others empty. Nobody but the
// runner's user gets past the slot's directory.
Result<MadeWorkplace> make_workplace(const RunnerSettings& settings, const pipeline::JobSpec& spec,
                                     const std::string& label, int slot);

// Whoever the user of an image is, the work tree is the job's to change.
void open_tree_to_all(const std::filesystem::path& tree);

// All but the tree. What cannot be removed is told in the log.
void empty_workplace(const Workplace& workplace) noexcept;

}  // namespace slipway::runner
