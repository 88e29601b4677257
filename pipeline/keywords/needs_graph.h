// What is logically right or wrong about jobs as a whole: names, stages, needs, dependencies.
#pragma once

#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/keywords/job_reader.h"

namespace slipway::pipeline::keywords {

// Parallel jobs become their instances, and names in needs, rules' needs and dependencies become
// names of instances. What cannot be resolved becomes a finding with GitLab's words.
std::vector<Job> expand_jobs(std::vector<WrittenJob> written,
                             const std::vector<std::string>& stages, Diagnostics& findings);

}  // namespace slipway::pipeline::keywords
