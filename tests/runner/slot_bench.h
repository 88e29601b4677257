// An agent whose slots are threads of the test, against a fake server.
#pragma once

#include <sys/stat.h>

#include <future>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runner/agent.h"
#include "runner/slot.h"
#include "tests/runner/job_bench.h"

namespace slipway::test {

struct AgentBench : JobBench {
  AgentBench() : JobBench(runner::ExecutorKind::Shell) { settings.concurrent = 2; }

  // The slots outlive the agents that start them, and end with the bench.
  runner::SlotSource slots(const std::string& build = "one") {
    runner::SlotSource source;
    source.build = build;
    source.settings = {{"runner_builds_dir", settings.builds_dir.string()},
                       {"runner_cache_dir", settings.cache_dir.string()},
                       {"runner_executor", "shell"},
                       {"runner_name", settings.name}};
    source.launch = [this, build](int index, UniqueFd listener) -> Result<int> {
      runner::SlotOptions options;
      options.index = index;
      options.build = build;
      options.alone = std::chrono::milliseconds{200};
      begun.push_back(build + "/" + std::to_string(index));
      threads.emplace_back(
          [socket = std::make_shared<UniqueFd>(std::move(listener)), options]() mutable {
            runner::Slot{std::move(*socket), std::move(options)}.run();
          });
      return 0;
    };
    return source;
  }

  void offer(std::int64_t id, const std::string& command) {
    auto spec = job({command});
    spec.id = id;
    server.offer_job(pipeline::to_json(spec).dump());
  }
  // What the server was told of the ends of jobs: "12 success".
  std::vector<std::string> results() { return results_in(server.requests()); }
  void wait_for_results(std::size_t count) {
    REQUIRE(server.wait_until([count](const std::string&, const auto& seen) {
      return results_in(seen).size() == count;
    }));
  }
  [[nodiscard]] std::filesystem::path own() const {
    return settings.builds_dir / runner::runner_label(identity);
  }

  std::vector<std::string> begun;  // "BUILD/INDEX" of the slots
  std::list<std::jthread> threads;

 private:
  static std::vector<std::string> results_in(const std::vector<SeenRequest>& seen) {
    std::vector<std::string> found;
    for (const auto& request : seen) {
      if (request.method != "PUT" ||
          request.body.find("\"state\":\"running\"") != std::string::npos)
        continue;
      const auto body = nlohmann::json::parse(request.body);
      found.push_back(request.target.substr(request.target.rfind('/') + 1) + " " +
                      body["state"].get<std::string>());
    }
    return found;
  }
};

// An agent that runs beside the test. The test sees how it ended when it has drained: assertions
// are for one thread.
class RunningAgent {
 public:
  explicit RunningAgent(runner::Agent& agent)
      : ended_(std::async(std::launch::async, [&agent] { return agent.run().has_value(); })) {}
  ~RunningAgent() { CHECK(ended_.get()); }

 private:
  std::future<bool> ended_;
};

}  // namespace slipway::test
