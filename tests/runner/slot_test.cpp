#include "runner/slot.h"

#include <sys/stat.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "tests/runner/slot_bench.h"

using namespace slipway;
using namespace slipway::runner;
using nlohmann::json;
using test::AgentBench;
using test::RunningAgent;

namespace {

constexpr const char* kUntilGo = "echo begun; while [ ! -e ../go ]; do sleep 0.02; done; echo over";

// Runs an agent until it goes out of scope, where it is left as by a kill: its slots stay.
class KilledAgent {
 public:
  KilledAgent(AgentBench& bench, const std::string& build)
      : pool_({bench.own() / ".slots", 2, settings_of(bench), build, std::chrono::seconds{60},
               bench.slots(build).launch},
              {[] {}, [](const std::string&, std::chrono::milliseconds) {},
               [](int, const SlotJob&) {}}) {
    REQUIRE(pool_.open());
  }
  void give(AgentBench& bench, std::int64_t id, const std::string& command) {
    auto spec = bench.job({command});
    spec.id = id;
    const auto slot = pool_.wait_for_free();
    REQUIRE(slot);
    REQUIRE(pool_.give(*slot, {id, spec.token, pipeline::to_json(spec).dump()}));
  }
  SlotPool& pool() { return pool_; }

 private:
  static std::string settings_of(AgentBench& bench) {
    return json{{"say", "settings"},
                {"texts", bench.slots().settings},
                {"url", bench.identity.url},
                {"token", bench.identity.token},
                {"label", runner_label(bench.identity)},
                {"system_id", "s_1"}}
        .dump();
  }
  SlotPool pool_;
};

void let_go(const AgentBench& bench, int slot) {
  REQUIRE(replace_file(bench.own() / std::to_string(slot) / "group/go", ""));
}

}  // namespace

TEST_CASE("a job goes on without its agent, and the next agent takes it into account", "[slot]") {
  AgentBench bench;
  { KilledAgent{bench, "one"}.give(bench, 51, kUntilGo); }
  bench.wait_for("\nbegun\n");

  Agent agent{bench.settings, bench.identity, bench.slots()};
  {
    const RunningAgent running{agent};
    bench.offer(52, "true");
    bench.wait_for_results(1);
    CHECK(bench.results() == std::vector<std::string>{"52 success"});
    agent.drain();
    let_go(bench, 0);
  }
  CHECK(bench.results() == std::vector<std::string>{"52 success", "51 success"});
  CHECK(bench.begun == std::vector<std::string>{"one/0", "one/1"});
}

TEST_CASE("a slot of another build ends its job, and another takes its place", "[slot]") {
  AgentBench bench;
  bench.settings.concurrent = 1;
  { KilledAgent{bench, "one"}.give(bench, 61, kUntilGo); }
  bench.wait_for("\nbegun\n");

  Agent agent{bench.settings, bench.identity, bench.slots("two")};
  {
    const RunningAgent running{agent};
    bench.offer(62, "true");
    let_go(bench, 0);
    bench.wait_for_results(2);
    agent.drain();
  }
  CHECK(bench.results() == std::vector<std::string>{"61 success", "62 success"});
  CHECK(bench.begun == std::vector<std::string>{"one/0", "two/0"});
}

TEST_CASE("a job that is found running is canceled with its runner", "[slot]") {
  AgentBench bench;
  { KilledAgent{bench, "one"}.give(bench, 71, "echo begun; sleep 1000"); }
  bench.wait_for("\nbegun\n");

  Agent agent{bench.settings, bench.identity, bench.slots()};
  agent.stop();
  CHECK(agent.run());

  CHECK(bench.results() == std::vector<std::string>{"71 failed"});
  CHECK(bench.logged("the runner was stopped"));
}

TEST_CASE("a second agent of the same runner is kept out", "[slot]") {
  AgentBench bench;
  KilledAgent first{bench, "one"};
  Agent agent{bench.settings, bench.identity, bench.slots()};

  const auto done = agent.run();

  REQUIRE_FALSE(done);
  CHECK(done.error().kind == ErrorKind::Conflict);
  CHECK(done.error().message ==
        "another agent of this runner works in '" + bench.settings.builds_dir.string() + "'");
  CHECK(done.error().hint == "stop it first, or give this one its own runner_builds_dir");
}

TEST_CASE("only their user gets at the slots", "[slot]") {
  AgentBench bench;
  KilledAgent first{bench, "one"};
  first.give(bench, 81, "true");
  bench.wait_for_results(1);

  struct stat found {};
  REQUIRE(::stat((bench.own() / ".slots").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0700U);
  REQUIRE(::stat((bench.own() / ".slots/0.socket").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
}

TEST_CASE("a slot whose process dies fails its job with a sentence", "[slot]") {
  AgentBench bench;
  auto source = bench.slots();
  source.launch = [&bench](int, UniqueFd listener) -> Result<int> {
    bench.threads.emplace_back([socket = std::make_shared<UniqueFd>(std::move(listener))] {
      auto agent = accept_from(socket->get());
      SlotChannel channel{std::move(*agent)};
      std::vector<std::string> heard;
      while (heard.size() < 2) channel.receive(heard);  // the settings, the job
    });
    return 0;
  };
  bench.offer(91, "true");
  Agent agent{bench.settings, bench.identity, source};
  {
    const RunningAgent running{agent};
    bench.wait_for_results(1);
    agent.drain();
  }
  CHECK(bench.results() == std::vector<std::string>{"91 failed"});
  CHECK(bench.logged("the process that ran the job has died"));
}

TEST_CASE("a slot that cannot be started fails its job with what was wrong", "[slot]") {
  AgentBench bench;
  auto source = bench.slots();
  source.launch = [](int, const UniqueFd&) -> Result<int> {
    return fail(ErrorKind::Unavailable, "there is no room for another process");
  };
  bench.offer(92, "true");
  Agent agent{bench.settings, bench.identity, source};
  {
    const RunningAgent running{agent};
    bench.wait_for_results(1);
    agent.drain();
  }
  CHECK(bench.results() == std::vector<std::string>{"92 failed"});
  CHECK(bench.logged("there is no room for another process"));
}

TEST_CASE("a slot without an agent and without a job leaves", "[slot]") {
  AgentBench bench;
  {
    KilledAgent agent{bench, "one"};
    agent.give(bench, 101, "true");
    bench.wait_for_results(1);
  }
  for (auto& thread : bench.threads) thread.join();

  const auto found = connect_to(bench.own() / ".slots/0.socket");
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::NotFound);
}

TEST_CASE("an idle slot is told to leave after a while", "[slot]") {
  AgentBench bench;
  std::atomic<int> ended = 0;
  SlotPool pool{{bench.own() / ".slots", 1,
                 json{{"say", "settings"},
                      {"texts", bench.slots().settings},
                      {"url", bench.identity.url},
                      {"token", "t"},
                      {"label", "l"},
                      {"system_id", "s"}}
                     .dump(),
                 "one", std::chrono::milliseconds{1}, bench.slots().launch},
                {[] {}, [&](const std::string&, std::chrono::milliseconds) { ++ended; },
                 [](int, const SlotJob&) {}}};
  REQUIRE(pool.open());
  auto spec = bench.job({"true"});
  REQUIRE(pool.give(0, {spec.id, spec.token, pipeline::to_json(spec).dump()}));

  for (auto& thread : bench.threads) thread.join();

  CHECK(ended == 1);
  CHECK(pool.live().idle.empty());
}

TEST_CASE("messages of any length and number come whole", "[slot]") {
  test::TempDirectory directory;
  auto folder = directory / std::string(120, 'x');  // more than a socket's address holds
  std::filesystem::create_directory(folder);
  auto listener = listen_at(folder / "0.socket");
  REQUIRE(listener);
  auto one = connect_to(folder / "0.socket");
  REQUIRE(one);
  auto other = accept_from(listener->get());
  REQUIRE(other);
  auto from = std::make_unique<SlotChannel>(std::move(*one));
  SlotChannel to{std::move(*other)};
  const std::string big(3'000'000, 'm');
  std::vector<std::string> heard;
  {
    const std::jthread sending{[&] {
      CHECK(from->send(""));
      CHECK(from->send(big));
      CHECK(from->send("last"));
    }};
    while (heard.size() < 3) REQUIRE(to.receive(heard));
  }
  CHECK(heard == std::vector<std::string>{"", big, "last"});

  from.reset();
  CHECK_FALSE(to.receive(heard));
}
