// What is read and planned and does not run on this server yet: one list for `lint`, the plan and
// the pipeline's page.
#pragma once

#include "pipeline/configuration.h"
#include "pipeline/diagnostic.h"
#include "pipeline/job.h"

namespace slipway::pipeline {

// A warning, a sentence, for each such thing of the job.
void warn_of_what_does_not_run(const Job& job, Diagnostics& findings);

// Of all jobs of a file; the instances of a parallel job are warned of once.
void warn_of_what_does_not_run(const Configuration& configuration, Diagnostics& findings);

}  // namespace slipway::pipeline
