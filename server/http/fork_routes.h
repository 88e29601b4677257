// Merge requests from forks: which commits wait, and the approval that each of them needs.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class ForkRoutes {
 public:
  ForkRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake)
      : database_(database), coordinator_(coordinator), intake_(intake) {}

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  // Both want the commit in the body, and answer Conflict when it is not the one that waits.
  Result<Response> approve(const Call& call);
  Result<Response> reject(const Call& call);

 private:
  enum class Decision : bool { Approve, Reject };
  Result<Response> decide(const Call& call, Decision decision);

  Database& database_;
  Coordinator& coordinator_;
  PipelineIntake& intake_;
};

}  // namespace slipway::server::http
