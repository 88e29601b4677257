// Gets a commit into the work tree with the git command, the way GitLab's runner does: fetch the
// given refspecs, check the commit out detached, clean what is left of earlier jobs.
//
// The job's token travels in the environment of git alone: it is in no argument, no URL and no file
// of the tree, and the repository's own configuration is written anew for each job.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "runner/executor.h"

namespace slipway::runner {

// Whether a job may come from a repository on this machine (file://). Never from a server's word:
// it would read the runner's own disk.
enum class LocalRepositories : bool { refused, allowed };

// `variables` are the job's: GIT_STRATEGY (fetch, clone, none), GIT_CLEAN_FLAGS, GIT_CHECKOUT and
// GIT_SUBMODULE_STRATEGY are looked at. Unavailable when the server does not give the
// commit, or not before the deadline.
Result<void> check_out(const pipeline::JobSpec& spec,
                       const std::map<std::string, std::string>& variables,
                       const std::filesystem::path& tree, const Sink& sink,
                       const std::stop_token& stop,
                       std::chrono::milliseconds deadline = std::chrono::hours{1},
                       LocalRepositories local = LocalRepositories::refused);

}  // namespace slipway::runner
