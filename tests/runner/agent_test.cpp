#include "runner/agent.h"

#include <algorithm>

#include "tests/runner/slot_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::AgentBench;

TEST_CASE("a runner whose token is not known ends with words", "[agent]") {
  AgentBench bench;
  for (int i = 0; i < 3; ++i)  // one may be a server that is starting
    bench.server.answer_once("POST /api/v4/jobs/request", {403, "", ""});
  Agent agent{bench.settings, bench.identity, bench.slots()};

  const auto done = agent.run();

  REQUIRE_FALSE(done);
  CHECK(done.error().kind == ErrorKind::Denied);
  CHECK(done.error().message.find("does not know this runner's token") != std::string::npos);
}

TEST_CASE("a draining runner ends its jobs and takes no more", "[agent]") {
  AgentBench bench;
  bench.offer(21, "echo begun; while [ ! -e ../go ]; do sleep 0.05; done");
  Agent agent{bench.settings, bench.identity, bench.slots()};
  Result<void> done;
  {
    const std::jthread running{[&] { done = agent.run(); }};
    bench.wait_for("\nbegun\n");
    agent.drain();
    bench.offer(22, "true");
    REQUIRE(replace_file(bench.own() / "0/group/go", ""));
  }
  CHECK(done);
  CHECK(bench.results() == std::vector<std::string>{"21 success"});
}

TEST_CASE("a stopped runner reports its jobs as interrupted", "[agent]") {
  AgentBench bench;
  bench.offer(31, "echo begun; sleep 1000");
  Agent agent{bench.settings, bench.identity, bench.slots()};
  {
    const std::jthread running{[&] { (void)agent.run(); }};
    bench.wait_for("\nbegun\n");
    agent.stop();
  }
  CHECK(bench.results() == std::vector<std::string>{"31 failed"});
  CHECK(bench.logged("the runner was stopped"));
}

TEST_CASE("jobs run side by side, and a broken answer costs none", "[agent]") {
  AgentBench bench;
  bench.server.answer_once("POST /api/v4/jobs/request", {500, "", ""});
  const auto met = bench.directory / "met";
  std::filesystem::create_directory(met);
  const std::string both =
      "; while [ $(ls " + met.string() + " | wc -l) -lt 2 ]; do sleep 0.05; done";
  bench.offer(41, "touch " + (met / "a").string() + both);
  bench.offer(42, "touch " + (met / "b").string() + both);
  Agent agent{bench.settings, bench.identity, bench.slots()};
  {
    const std::jthread running{[&] { (void)agent.run(); }};
    CHECK(bench.server.wait_until([](const std::string&, const auto& seen) {
      return std::count_if(seen.begin(), seen.end(), [](const auto& request) {
               return request.body.find("\"checksum\"") != std::string::npos;
             }) == 2;
    }));
    agent.drain();
  }
  auto results = bench.results();
  std::sort(results.begin(), results.end());
  CHECK(results == std::vector<std::string>{"41 success", "42 success"});
}
