// `.slipway/include.lock`: the hashes of the files that a pipeline file includes from outside its
// repository, so that a change of one does not go unseen. It is committed with the pipeline file.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "pipeline/configuration.h"

namespace slipway::cli {

// Holds `included` against the lock below `root`: what changed since is a finding. What is not in
// the lock yet is added to it. An Error when it cannot be read or written.
Result<pipeline::Diagnostics> check_include_lock(
    const std::filesystem::path& root, const std::vector<pipeline::IncludedFile>& included);

}  // namespace slipway::cli
