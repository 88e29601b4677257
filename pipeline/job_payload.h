// What a runner is handed for a job, made from the job's plan and the facts of its run. A server
// and a pipeline on this machine make it alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "pipeline/lifecycle.h"
#include "pipeline/plan.h"

namespace slipway::pipeline {

struct JobFacts {
  std::int64_t id = 0;
  std::string token;  // CI_JOB_TOKEN, masked
  std::string started_at;
  double seconds_in_queue = 0;
  std::int64_t pipeline_id = 0;
  std::int64_t pipeline_iid = 0;
  std::string pipeline_name;
  std::string pipeline_created_at;
  Trigger trigger;  // with project and server; its variables are those of the job
  // Where the repository has a commit that its branch has not; "" for one of its branch or tag.
  std::string stored_ref;
  // Whose caches it has, beside nobody else; "" for those of protected refs or of all others.
  std::string cache_scope;
  std::string clone_url;  // masked
  Variables id_tokens;    // signed, masked
  Variables handed_on;    // by the dotenv reports of the jobs whose artifacts it takes
  std::vector<JobDependency> dependencies;
  std::int64_t runner_id = 0;
  std::string runner_description;
  std::vector<std::string> runner_tags;
  std::chrono::seconds default_timeout{3600};
  std::optional<std::chrono::seconds> longest_timeout;  // the runner's
};

// How long the job may run: its own time-out or the default, within the runner's.
std::chrono::seconds job_timeout(const PlannedJob& planned, const JobFacts& facts);

// InvalidInput when its variables cannot be expanded; Unavailable for what nobody runs yet.
Result<JobSpec> make_job_spec(const PlannedJob& planned, const JobFacts& facts);

// The variables of a job before it is with a runner, expanded against each other: those by which
// the server itself finds what a trigger job or a need names. Masked ones are left out, so that no
// secret gets from there into a name or a variable that can be read; what refers to them stays as
// it is written. InvalidInput when they refer to each other in a circle.
Result<Variables> variables_before_run(const PlannedJob& planned, const JobFacts& facts);

// Whether the job takes the artifacts of `other`: by dependencies, by needs, or because it is
// earlier.
bool takes_artifacts_of(const PlannedJob& planned, std::string_view other, int other_stage_index);

// Of the job's environment, which says what of the settings' variables it has; "" is none.
std::string environment_name(const PlannedJob& planned);

BridgeStrategy strategy_of(const Bridge& bridge);

// The part of the life cycle's job that comes from the plan; its id is the caller's.
JobNode job_node(const PlannedJob& planned);

}  // namespace slipway::pipeline
