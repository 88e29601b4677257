// What a project says of its deployments: protected environments and freeze periods, as GitLab's
// API has them.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class DeploymentRuleRoutes {
 public:
  DeploymentRuleRoutes(Database& database, Coordinator& coordinator, const Clock& clock)
      : database_(database), coordinator_(coordinator), clock_(clock) {}

  Result<Response> list_protected(const Call& call);
  Result<Response> show_protected(const Call& call);
  Result<Response> protect(const Call& call);
  Result<Response> unprotect(const Call& call);

  Result<Response> list_freezes(const Call& call);
  Result<Response> show_freeze(const Call& call);
  Result<Response> create_freeze(const Call& call);
  Result<Response> update_freeze(const Call& call);
  Result<Response> remove_freeze(const Call& call);

 private:
  Result<FreezePeriodRow> freeze_of(const Call& call);
  // The fields of the body into `row`.
  static Result<void> read_freeze(const Call& call, FreezePeriodRow& row, bool needed);
  // What waits looks again at the rules.
  void rules_changed(const Call& call);

  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
};

}  // namespace slipway::server::http
