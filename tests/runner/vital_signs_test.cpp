#include "runner/vital_signs.h"

#include "base/http_client.h"
#include "tests/support/catch.h"

using slipway::HttpClient;
using slipway::HttpResponse;
using slipway::runner::VitalSigns;
using namespace std::chrono_literals;

namespace {

HttpResponse get(const VitalSigns& signs, const std::string& path) {
  auto client = HttpClient::create("http://127.0.0.1:" + std::to_string(signs.port()));
  REQUIRE(client);
  slipway::HttpRequest request;
  request.target = path;
  auto answer = client->send(request);
  REQUIRE(answer);
  return *answer;
}

}  // namespace

TEST_CASE("a runner counts its jobs for Prometheus", "[signs]") {
  VitalSigns signs{4, "docker"};
  REQUIRE(signs.serve("127.0.0.1:0"));
  signs.job_started();
  signs.job_started();
  signs.job_started();
  signs.job_ended("success", 1500ms);
  signs.job_ended("script_failure", 90s);
  signs.polled("");
  signs.polled("no way there");
  signs.disk_swept(5000, 300);
  signs.disk_swept(4000, 200);
  const auto text = get(signs, "/metrics").body;
  for (const char* line :
       {"slipway_runner_jobs 1\n", "slipway_runner_kept_bytes 4000\n",
        "slipway_runner_removed_bytes_total 500\n", "slipway_runner_concurrent 4\n",
        "slipway_runner_jobs_total{result=\"success\"} 1\n",
        "slipway_runner_jobs_total{result=\"script_failure\"} 1\n",
        "slipway_runner_job_duration_seconds_bucket{le=\"5\"} 1\n",
        "slipway_runner_job_duration_seconds_sum 91.5\n", "slipway_runner_failed_polls_total 1\n",
        "executor=\"docker\""}) {
    CAPTURE(line, text);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("a runner that has just started is in good health", "[signs]") {
  VitalSigns signs{1, "shell"};
  REQUIRE(signs.serve("127.0.0.1:0"));
  const auto answer = get(signs, "/healthz");
  CHECK(answer.status == 200);
  CHECK(answer.body == "ok\n");
  CHECK(get(signs, "/").status == 404);
  CHECK(get(signs, "/etc/passwd").status == 404);
}

TEST_CASE("an address that cannot be listened on is an error with the setting's name", "[signs]") {
  VitalSigns first{1, "shell"};
  REQUIRE(first.serve("127.0.0.1:0"));
  VitalSigns second{1, "shell"};
  const auto served = second.serve("127.0.0.1:" + std::to_string(first.port()));
  REQUIRE_FALSE(served);
  CHECK(served.error().message.starts_with("cannot listen on 127.0.0.1:"));
  CHECK(served.error().hint.starts_with("runner_listen"));
}
