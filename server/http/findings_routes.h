// What scanners found in a pipeline, and what of it is new.
#pragma once

#include "server/http/route.h"
#include "server/insight/findings_results.h"
#include "server/store/database.h"

namespace slipway::server::http {

class FindingsRoutes {
 public:
  FindingsRoutes(Database& database, const BlobStore& blobs)
      : database_(database), results_(database, blobs) {}

  Result<Response> list(const Call& call);
  // Counts by severity and state, the reports, and what they are compared with.
  Result<Response> summary(const Call& call);

 private:
  Database& database_;
  FindingsResults results_;
};

}  // namespace slipway::server::http
