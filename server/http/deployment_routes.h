// Environments and deployments: what is where, who put it there, and what people do about it.
// Addresses and fields are GitLab's; ours stand beside them.
#pragma once

#include <string>
#include <string_view>

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/http/views.h"
#include "server/store/database.h"

namespace slipway::server::http {

class DeploymentRoutes {
 public:
  DeploymentRoutes(Database& database, Coordinator& coordinator, const Clock& clock,
                   std::string_view external_url)
      : database_(database), coordinator_(coordinator), clock_(clock), url_(external_url) {}

  Result<Response> list_environments(const Call& call);
  Result<Response> show_environment(const Call& call);
  Result<Response> update_environment(const Call& call);
  Result<Response> remove_environment(const Call& call);
  Result<Response> stop(const Call& call);
  // A new try of the job that made a deployment: the newest to deploy again, an older to roll back.
  Result<Response> roll_back(const Call& call);

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> approve(const Call& call);

 private:
  Result<EnvironmentRow> environment_of(const Call& call);
  Result<DeploymentRow> deployment_of(const Call& call);
  // Denied unless the caller may start deployments to the environment.
  Result<void> check_deployer(const Call& call, std::string_view environment);

  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
  std::string_view url_;
};

}  // namespace slipway::server::http
