// The volumes of docker jobs that the runner's owner has named, as gitlab-runner has them.
//
// "/host:/path" and "name:/path" are mounted as they stand. "/path" alone is a volume that later
// jobs of the same project, slot and trust find again: the runner keeps it, and removes it with
// what else it keeps (see disk_keeper.h).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "runner/docker_kept.h"

namespace slipway::runner {

// What docker's --volume is told for each of `volumes`. `scope` tells whose the kept ones are: the
// runner, the project, the slot, and whether the branch is protected. Unavailable when docker
// cannot make one.
Result<std::vector<std::string>> docker_volumes(const std::vector<std::string>& volumes,
                                                const std::string& scope,
                                                const std::string& runner_label,
                                                const DockerKept& kept);

}  // namespace slipway::runner
