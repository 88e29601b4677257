#include "server/telemetry/metrics.h"

#include "tests/support/catch.h"

namespace slipway::server::telemetry {
namespace {

using std::chrono::microseconds;

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("requests are counted by method, route pattern and status", "[telemetry]") {
  Metrics metrics{"1.2.3", "abc"};
  metrics.count_request("GET", "/api/v4/projects/{id}", 200, microseconds{1500});
  metrics.count_request("GET", "/api/v4/projects/{id}", 200, microseconds{2'000'000});
  metrics.count_request("BREW", "", 404, microseconds{10});

  const auto text = metrics.text({});

  CHECK(has_line(
      text, R"(http_requests_total{method="GET",route="/api/v4/projects/{id}",status="200"} 2)"));
  CHECK(has_line(text, R"(http_requests_total{method="other",route="none",status="404"} 1)"));
  CHECK(has_line(
      text,
      R"(http_request_duration_seconds_count{method="GET",route="/api/v4/projects/{id}"} 2)"));
  CHECK(has_line(
      text,
      R"(http_request_duration_seconds_bucket{method="GET",route="/api/v4/projects/{id}",le="0.0025"} 1)"));
}

TEST_CASE("gauges show the state at the time of reading", "[telemetry]") {
  Metrics metrics{"1.2.3", "abc"};
  Gauges gauges;
  gauges.jobs = {{"running", 3}};
  gauges.waiting_jobs = 7;
  gauges.online_runners = 2;

  const auto first = metrics.text(gauges);
  CHECK(has_line(first, R"(slipway_jobs{status="running"} 3)"));
  CHECK(has_line(first, "slipway_queue_length 7"));
  CHECK(has_line(first, "slipway_runners_online 2"));

  const auto second = metrics.text({});
  CHECK(has_line(second, R"(slipway_jobs{status="running"} 0)"));
  CHECK(has_line(second, "slipway_queue_length 0"));
}

TEST_CASE("the build and the memory in use are told", "[telemetry]") {
  Metrics metrics{"1.2.3", "abc"};
  const auto text = metrics.text({});
  CHECK(text.find("slipway_build_info{") != std::string::npos);
  CHECK(text.find(R"(version="1.2.3")") != std::string::npos);
  CHECK(text.find("process_resident_memory_bytes ") != std::string::npos);
  CHECK_FALSE(has_line(text, "process_resident_memory_bytes 0"));
}

}  // namespace
}  // namespace slipway::server::telemetry
