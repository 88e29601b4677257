// A pipeline that may still change, as the coordinator holds it in memory: its rows, and beside
// them what pipeline/lifecycle works on. Both always say the same.
//
// Used on the coordinator's thread only.
#pragma once

#include <map>

#include "base/error.h"
#include "pipeline/job_payload.h"
#include "pipeline/lifecycle.h"
#include "pipeline/plan.h"
#include "server/coordinator/changes.h"
#include "server/store/database.h"

namespace slipway::server {

struct AlivePipeline {
  PipelineRow row;
  pipeline::PipelineState state;
  std::map<JobId, JobRow> jobs;  // of all tries; the same as state.jobs
  std::vector<JobId> followers;  // trigger jobs of other pipelines that hang on this one

  [[nodiscard]] pipeline::JobNode& node(JobId id);
};

// The part of a new row that comes from the plan; ids and times are the caller's.
JobRow job_row(const pipeline::PlannedJob& planned);
// What the row knows goes into the node: id, status, reason, attempt, flags.
Result<void> restore_node(const JobRow& row, pipeline::JobNode& node);

// Reads it with all its jobs. NotFound, or Internal when the rows do not make sense.
Result<AlivePipeline> load_pipeline(Stores& stores, PipelineId id);

// Where the job stands for dispatch.
QueueState queue_state(const JobRow& row);
bool is_final_word(std::string_view status);

}  // namespace slipway::server
