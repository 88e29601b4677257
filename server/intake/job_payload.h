// What a runner is handed for a job: the plan, the commit, the variables and what it depends on.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "server/store/database.h"

namespace slipway::server {

struct PayloadFacts {
  pipeline::ServerFacts server;
  std::chrono::seconds default_timeout{3600};
};

// The artifacts of other jobs that come with it are read from `database`. Thread-safe.
class JobPayload {
 public:
  JobPayload(Database& database, PayloadFacts facts)
      : database_(database), facts_(std::move(facts)) {}

  // Internal when the stored plan cannot be read.
  Result<pipeline::JobSpec> make(const Assignment& assignment) const;

 private:
  Database& database_;
  PayloadFacts facts_;
};

}  // namespace slipway::server
