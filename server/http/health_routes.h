// /healthz, /readyz, /metrics and the version.
#pragma once

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/dispatch/dispatch.h"
#include "server/http/route.h"
#include "server/store/database.h"
#include "server/telemetry/metrics.h"

namespace slipway::server::http {

struct BuildInfo {
  std::string version;
  std::string revision;
};

class HealthRoutes {
 public:
  HealthRoutes(Database& database, Coordinator& coordinator, Dispatch& dispatch,
               telemetry::Metrics& metrics, const Clock& clock, BuildInfo build);

  Result<Response> healthz(const Call& call);
  Result<Response> readyz(const Call& call);
  Result<Response> metrics(const Call& call);
  Result<Response> version(const Call& call);

 private:
  Database& database_;
  Coordinator& coordinator_;
  Dispatch& dispatch_;
  telemetry::Metrics& metrics_;
  const Clock& clock_;
  BuildInfo build_;
};

}  // namespace slipway::server::http
