// What the tests of a pipeline said, as GitLab's API has it, and what it does not have: what is new
// against the default branch, how a test went before, and which tests are flaky.
#pragma once

#include "base/clock.h"
#include "server/http/route.h"
#include "server/insight/test_results.h"
#include "server/store/database.h"

namespace slipway::server::http {

class TestReportRoutes {
 public:
  TestReportRoutes(Database& database, const BlobStore& blobs, const Clock& clock)
      : database_(database), results_(database, blobs), clock_(clock) {}

  Result<Response> report(const Call& call);
  Result<Response> summary(const Call& call);
  // One flat list of the tests of all jobs, those that failed first.
  Result<Response> tests(const Call& call);
  Result<Response> comparison(const Call& call);
  Result<Response> history(const Call& call);
  Result<Response> flaky(const Call& call);

 private:
  Database& database_;
  TestResults results_;
  const Clock& clock_;
};

}  // namespace slipway::server::http
