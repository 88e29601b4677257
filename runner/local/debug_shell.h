// A shell for a person, where a job has failed: in its tree, with its variables, in its image.
#pragma once

#include <string>

#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/script.h"

namespace slipway::runner {

// Returns when the person leaves it. Uses this process's terminal; `at` has the job's variables and
// directory. Of a docker job the container is a new one from the same image, without its services.
void open_debug_shell(const RunnerSettings& settings, const pipeline::JobSpec& spec,
                      const Script& at, const std::string& runner_label);

}  // namespace slipway::runner
