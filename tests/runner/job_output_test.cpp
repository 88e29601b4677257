// Jobs that behave badly: what they print, what they leave, what they are called, when they end.

#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <random>

#include "base/crypto.h"
#include "tests/runner/git_remote.h"
#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::JobBench;
namespace fs = std::filesystem;

namespace {

struct ShellBench : JobBench {
  ShellBench() : JobBench(ExecutorKind::Shell) {}
  // The whole log arrived, by the figures that its runner gave.
  void check_whole(const nlohmann::json& result) {
    const std::string log = server.log();
    CHECK(result["output"]["bytesize"] == log.size());
    CHECK(result["output"]["checksum"] == fmt::format("crc32:{:08x}", crc32_update(0, log)));
  }
};

// How many processes have `words` in their command line.
int count_processes(const std::string& words) {
  int count = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{"/proc", failed}) {
    const auto line = read_file(entry.path() / "cmdline");  // none when it has just ended
    if (line && line->find(words) != std::string::npos) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a job that closes its output early is waited for", "[job]") {
  ShellBench bench;
  const auto result = bench.run(JobBench::job({"exec >&- 2>&-; sleep 0.3; touch ../late; exit 4"}));
  CHECK(result["exit_code"] == 4);
  CHECK(fs::exists(bench.project() / "../late"));
}

TEST_CASE("output arrives byte for byte, whatever it is", "[job]") {
  ShellBench bench;
  const auto result = bench.run(
      JobBench::job({"head -c 3000000 /dev/urandom > ../noise", "cat ../noise", "echo; echo end"}));
  CHECK(result["state"] == "success");
  CHECK(bench.logged(read_file(bench.project() / "../noise").value_or("(none)")));
  CHECK(bench.logged("\nend\n"));
  bench.check_whole(result);
}

TEST_CASE("a line of any length arrives whole", "[job]") {
  ShellBench bench;
  constexpr std::size_t kLength = 64U << 20U;
  const auto result = bench.run(
      JobBench::job({fmt::format("head -c {} /dev/zero | tr '\\0' x", kLength), "echo; echo end"}));
  CHECK(result["state"] == "success");
  CHECK(bench.logged("\nend\n"));
  CHECK(bench.server.log().size() > kLength);
  bench.check_whole(result);
}

TEST_CASE("as many lines as a job likes arrive whole", "[job]") {
  ShellBench bench;
  const auto result = bench.run(JobBench::job({"seq 1000000"}));
  CHECK(result["state"] == "success");
  CHECK(bench.logged("\n999999\n1000000\n"));
  bench.check_whole(result);
}

TEST_CASE("the name of a branch is a name and nothing else", "[job]") {
  const test::GitServer git;
  test::GitRemote remote{git};
  const auto name = GENERATE(as<std::string>{}, "$(touch${IFS}pwn)", "`touch${IFS}pwn`",
                             "a;touch${IFS}pwn", "a'b\"c", "ünï|&<>", "@-b");
  CAPTURE(name);
  remote.git({"branch", name});
  ShellBench bench;
  auto spec = JobBench::job({"printf %s \"$CI_COMMIT_REF_NAME\" > ../name", "cat README"});
  const auto from = remote.spec();
  spec.repo_url = from.repo_url;
  spec.sha = from.sha;
  spec.ref = name;
  spec.refspecs = {"+refs/heads/" + spec.ref + ":refs/remotes/origin/" + spec.ref};
  spec.variables = {{"CI_COMMIT_REF_NAME", name}};
  spec.variables[0].raw = true;

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(read_file(bench.project() / "../name").value_or("") == name);
  CHECK(bench.logged("\nhello\n"));
  CHECK_FALSE(fs::exists(bench.project() / "pwn"));
  CHECK_FALSE(fs::exists("pwn"));
}

TEST_CASE("twenty jobs canceled at random moments leave nothing", "[job]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const std::string mark = "48" + std::to_string(::getpid());  // of a sleep that nobody else does
  for (int i = 0; i < 20; ++i) {
    ShellBench bench;
    auto spec = JobBench::job(
        {"setsid sleep " + mark + " & sleep " + mark + " &",
         "for i in $(seq 9); do echo tick $i; done", "while true; do echo more; sleep 0.05; done"},
        {"echo cleaning; setsid sleep " + mark + " &"});
    pipeline::JobVariable file{"FILE", "secret of the job"};
    file.file = true;
    spec.variables.push_back(file);
    const unsigned moment = random() % 11;
    CAPTURE(moment);
    const auto result = bench.run(spec, [&] {
      if (moment > 0 && moment < 10) bench.wait_for("tick " + std::to_string(moment));
      if (moment == 10) bench.wait_for("\nmore\n");
      bench.server.set_job_status("canceling");
    });
    CHECK(result["state"] == "failed");
    CHECK(count_processes(mark) == 0);
    CHECK(fs::is_empty(bench.project().string() + ".tmp"));
  }
}
