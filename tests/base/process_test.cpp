#include "base/process.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace std::chrono_literals;

namespace {

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", script};
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  spec.grace = 200ms;
  return spec;
}

bool is_alive(const std::string& pid) {
  return ::kill(std::stoi(pid), 0) == 0;
}

// A killed process whose new parent has not reaped it yet still has its pid.
bool ends_soon(const std::string& pid) {
  for (int i = 0; i < 5000; ++i) {
    std::ifstream stat{"/proc/" + pid + "/stat"};
    std::string word;
    stat >> word >> word >> word;
    if (!stat || word == "Z" || !is_alive(pid)) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

}  // namespace

TEST_CASE("a process's output, error output and exit code come back", "[process]") {
  const auto merged = collect_process(shell("echo out; echo err >&2; exit 3"));
  REQUIRE(merged);
  CHECK(merged->output == "out\nerr\n");
  CHECK(merged->outcome.end == ProcessEnd::Exited);
  CHECK(merged->outcome.code == 3);

  auto spec = shell("echo out; echo err >&2");
  spec.error_output = Stderr::Separate;
  const auto separate = collect_process(spec);
  REQUIRE(separate);
  CHECK(separate->output == "out\n");
  CHECK(separate->outcome.error_output == "err\n");
}

TEST_CASE("input is fed and closed, and a child that does not read it does no harm", "[process]") {
  auto spec = shell("wc -c");
  spec.input = std::string(3'000'000, 'x');
  CHECK(collect_process(spec)->output == "3000000\n");

  spec.argv[2] = "exit 0";
  CHECK(collect_process(spec)->outcome.succeeded());
}

TEST_CASE("a child that cannot start is an error that says why", "[process]") {
  ProcessSpec missing;
  missing.argv = {"no-such-program"};
  missing.env = {{"PATH", "/usr/bin:/bin"}};
  CHECK(run_process(missing, {}).error().message ==
        "cannot start 'no-such-program': there is no such program in PATH");

  auto nowhere = shell("true");
  nowhere.workdir = "/no/such/place";
  CHECK(run_process(nowhere, {}).error().message ==
        "cannot start 'sh': there is no directory '/no/such/place'");

  const test::TempDirectory dir;
  REQUIRE(replace_file(dir / "broken", "no program\n", 0755));
  ProcessSpec broken;
  broken.argv = {(dir / "broken").string()};
  CHECK(run_process(broken, {}).error().message ==
        "cannot start '" + (dir / "broken").string() + "': Exec format error");
}

TEST_CASE("nothing is inherited: no variable, no descriptor, no signal mask", "[process]") {
  const int leak = ::dup(STDOUT_FILENO);  // not close-on-exec
  ::setenv("SLIPWAY_LEAK", "1", 1);
  ::signal(SIGPIPE, SIG_IGN);

  auto spec = shell("env; ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status");
  spec.env["ONLY"] = "this";
  const auto seen = collect_process(spec);

  ::close(leak);
  ::unsetenv("SLIPWAY_LEAK");
  REQUIRE(seen);
  INFO(seen->output);
  CHECK(seen->output.find("ONLY=this") != std::string::npos);
  CHECK(seen->output.find("SLIPWAY_LEAK") == std::string::npos);
  CHECK(seen->output.find("\n4\n") != std::string::npos);  // 0, 1, 2 and ls's own
  CHECK(seen->output.find("SigIgn:\t0000000000000000") != std::string::npos);
}

TEST_CASE("past its deadline a process is stopped, with force if it ignores the asking",
          "[process]") {
  auto spec = shell("trap '' TERM; while :; do sleep 0.05; done");
  spec.deadline = 50ms;
  const auto outcome = run_process(spec, [](std::string_view) {});
  REQUIRE(outcome);
  CHECK(outcome->end == ProcessEnd::TimedOut);
}

TEST_CASE("a process that is asked to stop may clean up", "[process]") {
  std::stop_source stop;
  std::string output;
  auto spec = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  spec.grace = 10s;
  const auto outcome = run_process(
      spec,
      [&](std::string_view chunk) {
        output += chunk;
        stop.request_stop();
      },
      stop.get_token());
  REQUIRE(outcome);
  CHECK(outcome->end == ProcessEnd::Cancelled);
  CHECK(output.substr(0, 6) == "ready\n");
  CHECK(output.substr(output.size() - 4) == "bye\n");  // some shells say "Terminated" before
}

TEST_CASE("a background grandchild neither holds up the end nor survives it", "[process]") {
  const auto seen = collect_process(shell("sleep 600 & echo $!"));
  REQUIRE(seen);
  CHECK(seen->outcome.succeeded());
  CHECK(ends_soon(seen->output.substr(0, seen->output.find('\n'))));
}

TEST_CASE("a grandchild in a process group of its own is ended too", "[process]") {
  auto spec = shell("set -m; sleep 600 & echo $!");
  const auto seen = collect_process(spec);
  REQUIRE(seen);
  CHECK(ends_soon(seen->output.substr(0, seen->output.find('\n'))));
}

TEST_CASE("a child that closes its output and goes on is waited for", "[process]") {
  const auto seen = collect_process(shell("exec >/dev/null 2>&1; sleep 0.05; exit 7"));
  REQUIRE(seen);
  CHECK(seen->outcome.code == 7);
}

TEST_CASE("a process that prints too much is stopped with an error", "[process]") {
  const auto seen = collect_process(shell("yes"), 100'000);
  REQUIRE_FALSE(seen);
  CHECK(seen.error().kind == ErrorKind::TooLarge);
}

TEST_CASE("a conversation goes through the child's pipes", "[process]") {
  auto spec = shell("cat");
  auto child = ChildProcess::start(spec);
  REQUIRE(child);
  REQUIRE(write_all(child->input_fd(), "hello"));
  child->close_input();
  CHECK(child->wait().succeeded());
  char buffer[16];
  CHECK(std::string(buffer, static_cast<std::size_t>(::read(child->output_fd(), buffer, 16))) ==
        "hello");
}

TEST_CASE("a child that is dropped is killed", "[process]") {
  std::string pid;
  {
    auto child = ChildProcess::start(shell("sleep 600"));
    REQUIRE(child);
    pid = std::to_string(child->pid());
    CHECK(is_alive(pid));
    CHECK_FALSE(child->try_wait());
  }
  CHECK_FALSE(is_alive(pid));
}
