// The audit log, for administrators.
#pragma once

#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class AuditRoutes {
 public:
  explicit AuditRoutes(Database& database) : database_(database) {}

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  // Whether the chain of hashes holds, and where it does not.
  Result<Response> verify(const Call& call);

 private:
  Database& database_;
};

}  // namespace slipway::server::http
