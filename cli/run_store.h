// Where `slipway run` works: below ~/.cache/slipway/run, one directory for each work tree, outside
// of all of them. What looks for its settings in the directories above must not find those of the
// tree itself, and git not its repository.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace slipway::cli {

std::filesystem::path run_store_of(const std::filesystem::path& root);

// Marks the containers and work trees of its runs.
std::string run_label_of(const std::filesystem::path& store);

// Makes it and holds it for the life of the descriptor: two runs of one tree would share work trees
// and results. Conflict while another run has it.
Result<UniqueFd> lock_run_store(const std::filesystem::path& store,
                                const std::filesystem::path& root);

// Removes the stores beside this one whose work tree is gone, or was not run for a month; never
// one in use. What cannot be removed stays.
void remove_old_run_stores(const std::filesystem::path& store);

}  // namespace slipway::cli
