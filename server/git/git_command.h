// The one way in which the server runs git: argv only, with nothing of the user's or the system's
// configuration, no hooks, no prompts, and only the transports that are allowed.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/process.h"

namespace slipway::server {

enum class LocalRepositories : bool { refused, allowed };

// Whether git may fetch from `url`: https://, ssh:// or user@host:path, and with `allowed` an
// absolute path. InvalidInput says what is wrong. Refuses everything that git or ssh would take for
// an option, a remote helper or a command, and passwords in the URL.
Result<void> check_repository_url(std::string_view url, LocalRepositories local);

// A branch, tag or commit that may stand in a git command line.
bool is_safe_ref(std::string_view ref);
// 40 or 64 lower-case hexadecimal digits.
bool is_commit_id(std::string_view text);

// `git <fixed configuration> <arguments>`, not yet started, in `repository`.
ProcessSpec git_process(const std::filesystem::path& repository,
                        const std::vector<std::string>& arguments, LocalRepositories local);

// Runs it and gives its output; git's own words are in the Error when it fails. With `stop`
// requested it is ended within a second, and the Error is Unavailable.
Result<std::string> run_git(const std::filesystem::path& repository,
                            const std::vector<std::string>& arguments, LocalRepositories local,
                            std::chrono::milliseconds deadline = std::chrono::minutes{10},
                            const std::stop_token& stop = {});

}  // namespace slipway::server
