#include "server/http/health_routes.h"

#include <nlohmann/json.hpp>

#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

HealthRoutes::HealthRoutes(Database& database, Coordinator& coordinator, Dispatch& dispatch,
                           telemetry::Metrics& metrics, const Clock& clock, BuildInfo build)
    : database_(database),
      coordinator_(coordinator),
      dispatch_(dispatch),
      metrics_(metrics),
      clock_(clock),
      build_(std::move(build)) {}

Result<Response> HealthRoutes::healthz(const Call&) {
  return text_response(200, "ok\n");
}

Result<Response> HealthRoutes::readyz(const Call&) {
  if (!coordinator_.healthy()) return text_response(503, "the last write failed\n");
  try {
    auto read = database_.read();
    static_cast<void>(read->users.count());
  } catch (const StoreFailure&) {
    return text_response(503, "the database does not answer\n");
  }
  return text_response(200, "ready\n");
}

Result<Response> HealthRoutes::metrics(const Call&) {
  telemetry::Gauges gauges;
  {
    auto read = database_.read();
    gauges.pipelines = read->pipelines.count_by_status();
    gauges.jobs = read->jobs.count_by_status();
    for (const auto& runner : read->runners.all())
      if (is_online(runner, clock_.now())) ++gauges.online_runners;
  }
  gauges.waiting_jobs = static_cast<long long>(dispatch_.waiting_jobs());
  gauges.polling_runners = static_cast<long long>(dispatch_.waiting_runners());
  gauges.event_queue = static_cast<long long>(coordinator_.queue_length());
  auto response = text_response(200, metrics_.text(gauges));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Result<Response> HealthRoutes::version(const Call&) {
  return json_response(200, {{"version", build_.version}, {"revision", build_.revision}});
}

}  // namespace slipway::server::http
