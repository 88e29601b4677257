// Which runner may take which job, and what to tell a person whose job waits. Pure.
#pragma once

#include <string>
#include <vector>

#include "pipeline/reason.h"
#include "server/store/job_store.h"
#include "server/store/runner_store.h"

namespace slipway::server {

// What a runner is matched by.
struct JobDemand {
  ProjectId project_id;
  std::vector<std::string> tags;
  bool ref_protected = false;
};

JobDemand demand_of(const JobRow& job);

// A paused runner takes nothing. Every tag of the job must be the runner's; a job without tags
// needs a runner that takes untagged ones.
bool may_take(const RunnerRow& runner, const JobDemand& job);

// Of a job that is pending and nobody's: waits for a runner, or no runner would ever take it.
pipeline::Reason pending_reason(const JobDemand& job, const std::vector<RunnerRow>& runners);

}  // namespace slipway::server
