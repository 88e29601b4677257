// The end of patience: everything that the jobs of this process run is killed.
#pragma once

#include <string>

namespace slipway::runner {

// All processes below this one but docker's own commands, which clean up, and the containers with
// the label.
void kill_all(const std::string& runner_label);

}  // namespace slipway::runner
