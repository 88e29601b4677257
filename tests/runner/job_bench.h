// One job run against a fake server, for tests of whole jobs.
#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/files.h"
#include "runner/job_run.h"
#include "tests/support/catch.h"
#include "tests/support/fake_coordinator.h"
#include "tests/support/temp_directory.h"

namespace slipway::test {

class JobBench {
 public:
  explicit JobBench(runner::ExecutorKind executor) {
    settings.executor = executor;
    settings.builds_dir = directory / "builds";
    settings.cache_dir = directory / "cache";
    settings.name = "bench";
    identity = {server.url(), "glrt-x", "s_1", std::string{to_string(executor)}, "bench"};
  }

  // A job of these commands that needs no repository.
  static pipeline::JobSpec job(std::vector<std::string> script,
                               std::vector<std::string> after_script = {}) {
    pipeline::JobSpec spec;
    spec.id = 12;
    spec.token = "glcbt-job";
    spec.project_full_path = "group/project";
    spec.timeout = 120;
    spec.variables = {{"GIT_STRATEGY", "none"}};
    spec.steps = {{"script", std::move(script)}};
    if (!after_script.empty()) spec.steps.push_back({"after_script", std::move(after_script)});
    return spec;
  }

  // To its end; the result is what the server was told, {} when nothing.
  nlohmann::json run(pipeline::JobSpec spec) {
    auto client = runner::CoordinatorClient::create(identity);
    REQUIRE(client);
    auto link = std::make_unique<runner::CoordinatorClient>(std::move(*client));
    runner::JobRun{settings,        identity,       std::move(link),
                   std::move(spec), {0, label, {}}, stop.get_token()}
        .run();
    nlohmann::json result;
    for (const SeenRequest& request : server.requests())
      if (request.method == "PUT" && request.body.find("\"checksum\"") != std::string::npos)
        result = nlohmann::json::parse(request.body);
    return result;
  }
  // Meanwhile `steer` acts, on this thread.
  template <typename Steer>
  nlohmann::json run(pipeline::JobSpec spec, const Steer& steer) {
    nlohmann::json result;
    {
      const std::jthread running{[&] { result = run(std::move(spec)); }};
      steer();
    }
    return result;
  }
  void wait_for(const std::string& words) {
    REQUIRE(server.wait_until(
        [&](const std::string& log, const auto&) { return log.find(words) != std::string::npos; }));
  }
  [[nodiscard]] bool logged(const std::string& words) {
    return server.log().find(words) != std::string::npos;
  }
  [[nodiscard]] std::filesystem::path project() const {
    return directory / "builds" / label / "0/group/project";
  }

  TempDirectory directory;
  FakeCoordinator server;
  runner::RunnerSettings settings;
  runner::RunnerIdentity identity;
  std::string label = "label";
  std::stop_source stop;
};

}  // namespace slipway::test
