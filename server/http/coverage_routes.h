// Which lines of a pipeline's files its tests ran, and what changed against the default branch.
#pragma once

#include "server/http/route.h"
#include "server/insight/coverage_results.h"
#include "server/store/database.h"

namespace slipway::server::http {

class CoverageRoutes {
 public:
  CoverageRoutes(Database& database, const BlobStore& blobs)
      : database_(database), results_(database, blobs) {}

  Result<Response> files(const Call& call);
  // The sums, the reports they come from, and what they are compared with.
  Result<Response> summary(const Call& call);
  Result<Response> lines(const Call& call);

 private:
  Database& database_;
  CoverageResults results_;
};

}  // namespace slipway::server::http
