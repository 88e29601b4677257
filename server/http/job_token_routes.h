// Whose jobs reach a project with their job tokens: GitLab's job_token_scope.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class JobTokenRoutes {
 public:
  JobTokenRoutes(Database& database, Coordinator& coordinator, const Clock& clock, std::string url)
      : database_(database), coordinator_(coordinator), clock_(clock), url_(std::move(url)) {}

  Result<Response> show(const Call& call);
  Result<Response> change(const Call& call);
  Result<Response> list(const Call& call);
  Result<Response> allow(const Call& call);
  Result<Response> forbid(const Call& call);

 private:
  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
