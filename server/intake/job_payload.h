// What a runner is handed for a job: the plan, the commit, the variables and what it depends on.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/downstream.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "server/store/database.h"
#include "server/variables/vault.h"

namespace slipway::server {

struct PayloadFacts {
  pipeline::ServerFacts server;
  std::chrono::seconds default_timeout{3600};
};

// The artifacts of other jobs that come with it are read from `database`. Thread-safe; waits for
// the coordinator, so never on its thread.
class JobPayload {
 public:
  // What is referred to must outlive it.
  JobPayload(Database& database, const VariableVault& vault, Coordinator& coordinator,
             PayloadFacts facts)
      : database_(database), vault_(vault), coordinator_(coordinator), facts_(std::move(facts)) {}

  // Which variables of the settings the job gets is on record, durably, when it returns. NotFound
  // when artifacts that the job takes have expired, with the name of their job, or those of another
  // pipeline are not there; Internal when the stored plan or a variable cannot be read, or the
  // record not be written.
  Result<pipeline::JobSpec> make(const Assignment& assignment) const;
  // What a trigger job asks for; of `bridge` neither runner nor token is looked at.
  Result<pipeline::DownstreamRequest> downstream(const Assignment& bridge) const;

 private:
  Result<void> record_uses(const Assignment& assignment,
                           const std::vector<const pipeline::SettingVariable*>& given) const;
  // Where what it deploys can be looked at, without the values of masked variables.
  Result<void> record_url(const Assignment& assignment, const pipeline::PlannedJob& planned,
                          const pipeline::JobFacts& facts) const;

  Database& database_;
  const VariableVault& vault_;
  Coordinator& coordinator_;
  PayloadFacts facts_;
};

}  // namespace slipway::server
