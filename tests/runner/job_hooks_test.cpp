// What a job does around its sources: hooks, and how often things are tried.

#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::JobBench;
namespace fs = std::filesystem;

namespace {

struct ShellBench : JobBench {
  ShellBench() : JobBench(ExecutorKind::Shell) {}
};

}  // namespace

TEST_CASE("a number of attempts that is none is refused by name", "[job]") {
  const auto name = GENERATE(as<std::string>{}, "RESTORE_CACHE_ATTEMPTS",
                             "ARTIFACT_DOWNLOAD_ATTEMPTS", "EXECUTOR_JOB_SECTION_ATTEMPTS");
  ShellBench bench;
  auto spec = JobBench::job({"true"});
  spec.variables.push_back({name, "many"});
  CHECK(bench.run(spec)["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged(name + " is 'many', expected a number from 1 to 10"));
}

TEST_CASE("hooks run around the sources, with the job's variables", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"cat order", "echo script >> order"});
  spec.variables.push_back({"WHO", "hook"});
  spec.hooks = {{"post_get_sources_script", {"echo after >> order"}},
                {"pre_get_sources_script", {"echo before $WHO > order"}}};

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(bench.logged("\nbefore hook\nafter\n"));
}

TEST_CASE("a hook that fails fails the job before its script", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"touch ../ran"}, {"touch ../ran"});
  spec.hooks = {{"pre_get_sources_script", {"echo no; exit 3"}}};

  const auto result = bench.run(spec);

  CHECK(result["failure_reason"] == "script_failure");
  CHECK(result["exit_code"] == 3);
  CHECK(result["failure_text"] == "hooks:pre_get_sources_script failed");
  CHECK_FALSE(fs::exists(bench.project() / "../ran"));
}

TEST_CASE("a job that is canceled in a hook gets no sources", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"touch ../ran"});
  spec.hooks = {
      {"pre_get_sources_script", {"echo begun; while true; do echo tick; sleep 0.1; done"}}};
  const auto result = bench.run(spec, [&] {
    bench.wait_for("\nbegun\n");
    bench.server.set_job_status("canceling");
  });
  CHECK(result["state"] == "failed");
  CHECK_FALSE(bench.logged("Skipping Git repository setup"));
  CHECK_FALSE(fs::exists(bench.project() / "../ran"));
}

TEST_CASE("the runner's owner adds commands around sources and script", "[job]") {
  ShellBench bench;
  bench.settings.pre_get_sources_script = "echo 1 > order";
  bench.settings.post_get_sources_script = "echo 4 >> order";
  bench.settings.pre_build_script = "word=5\necho $word >> order";
  bench.settings.post_build_script = "cat order";
  auto spec = JobBench::job({"echo 6 $word >> order"}, {"echo after"});
  spec.hooks = {{"pre_get_sources_script", {"echo 2 >> order"}},
                {"post_get_sources_script", {"echo 3 >> order"}}};

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(bench.logged("\n1\n2\n3\n4\n5\n6 5\n"));
  CHECK(bench.logged("\nafter\n"));
}

TEST_CASE("what a script prints beyond the limit is left out, and the job goes on", "[job]") {
  ShellBench bench;
  bench.settings.output_limit = 1000;

  const auto result =
      bench.run(JobBench::job({"seq 1 100000", "echo hidden"}, {"echo after, hidden"}));

  CHECK(result["state"] == "success");
  CHECK(bench.logged("\n1\n2\n3\n"));
  CHECK(
      bench.logged("the job has printed more than 1000 bytes (runner_output_limit); the rest is "
                   "left out, and the job goes on\n"));
  CHECK_FALSE(bench.logged("hidden\n"));
  CHECK(bench.logged("Job succeeded"));
}
