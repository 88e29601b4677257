// What can only be checked when all jobs are known, apart from needs: environments that stop each
// other, generated child pipelines, rules that let a job into two pipelines at once.
#pragma once

#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/keywords/job_reader.h"

namespace slipway::pipeline::keywords {

// `has_workflow_rules`: the file says itself when there is a pipeline.
void check_between_jobs(const std::vector<WrittenJob>& jobs, const std::vector<std::string>& stages,
                        bool has_workflow_rules, Diagnostics& findings);

}  // namespace slipway::pipeline::keywords
