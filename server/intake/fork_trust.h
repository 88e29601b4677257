// Whose merge requests from forks need no approval, and where a fork is. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/forge/forge.h"

namespace slipway::server {

// Whether both who opened the request and who pushed its commits are on the list. An entry is a
// login, in any case, or "id:" and what the host identifies a person by.
bool are_trusted(const std::vector<std::string>& authors, const MergeRequestEvent& event);

// The address of `fork` on the host of `repository_url`, which is that of `target`; both as
// "owner/name". InvalidInput when it does not follow from them.
Result<std::string> fork_url(std::string_view repository_url, std::string_view target,
                             std::string_view fork);

}  // namespace slipway::server
