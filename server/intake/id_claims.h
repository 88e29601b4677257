// What an `id_tokens` token says of a job, in GitLab's words. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/job_payload.h"
#include "server/coordinator/coordinator.h"

namespace slipway::server {

// All claims but `aud` and `jti`. The token is good from the job's assignment for as long as the
// job may run, and no longer than `longest`.
nlohmann::json id_claims(const Assignment& assignment, const pipeline::PlannedJob& planned,
                         const pipeline::JobFacts& facts, std::chrono::seconds longest,
                         bool environment_protected);

}  // namespace slipway::server
