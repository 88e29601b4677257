// Which jobs of a plan a local run takes, and which of them somebody has asked for by name.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/plan.h"

namespace slipway::runner {

// Nothing given is the whole pipeline.
struct JobChoice {
  std::vector<std::string> with_needs;  // these jobs, and all that comes before them
  std::vector<std::string> alone;       // these; what they take is that of an earlier run
  std::string from_stage;               // the jobs of this stage and of those after it
};

struct ChosenJob {
  pipeline::PlannedJob planned;
  bool asked_for = false;  // so it waits for no hand
};

// In the order of the plan. A name is that of a job, or of all that `parallel` made of one.
// InvalidInput when there is no such job or stage; its hint tells why a job was left out.
Result<std::vector<ChosenJob>> choose_jobs(const pipeline::Plan& plan, const JobChoice& choice);

}  // namespace slipway::runner
