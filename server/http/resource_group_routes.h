// The resource groups of a project and which waiting job of one is next, as GitLab's API has them.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class ResourceGroupRoutes {
 public:
  ResourceGroupRoutes(Database& database, Coordinator& coordinator)
      : database_(database), coordinator_(coordinator) {}

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> update(const Call& call);

 private:
  Database& database_;
  Coordinator& coordinator_;
};

}  // namespace slipway::server::http
