// Docker jobs that are canceled, at whatever moment.

#include <random>

#include "tests/runner/docker_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::DockerBench;
using test::images;
using test::JobBench;
using test::networks_of;
using test::web_service;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTalk = "echo begun; while true; do echo tick; sleep 0.1; done";

}  // namespace

TEST_CASE("a canceled docker job is asked to end, and then does its after_script", "[docker]") {
  DockerBench bench;

  const auto result = bench.run(
      JobBench::job({"trap 'echo asked; exit 1' TERM", kTalk}, {"echo status=$CI_JOB_STATUS"}),
      [&] {
        bench.wait_for("\ntick\n");
        bench.server.set_job_status("canceling");
      });

  CHECK(result["state"] == "failed");
  CHECK(bench.logged("\nasked\n"));
  CHECK(bench.logged("\nstatus=canceled\n"));
  CHECK(bench.containers().empty());
}

TEST_CASE("a docker job that does not heed is killed", "[docker]") {
  DockerBench bench;

  const auto result = bench.run(JobBench::job({"trap '' TERM", kTalk}), [&] {
    bench.wait_for("\ntick\n");
    bench.server.set_job_status("canceling");
  });

  CHECK(result["state"] == "failed");
  CHECK(bench.logged("canceled"));
  CHECK(bench.containers().empty());
}

TEST_CASE("a cancellation while services start ends them", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"touch ran"});
  spec.services = {web_service({"sleep", "1000"})};

  const auto result = bench.run(spec, [&] {
    bench.wait_for("Starting service");
    bench.server.set_job_status("canceling");
  });

  CHECK(result["state"] == "failed");
  CHECK_FALSE(fs::exists(bench.project() / "ran"));
  CHECK(bench.containers().empty());
}

TEST_CASE("twenty docker jobs canceled at random moments leave nothing", "[docker]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  // The last one is for a job that has a service.
  const std::vector<std::string> moments{
      "",           "Running with", "Preparing the", "Executing \"step_script\"",
      "\ntick 1\n", "\ntick 9\n",   "\nmore\n",      "Starting service"};
  for (int i = 0; i < 20; ++i) {
    DockerBench bench;
    auto spec =
        JobBench::job({"sleep 1000 &", "i=0; while [ $i -lt 9 ]; do i=$((i+1)); echo tick $i; done",
                       "while true; do echo more; sleep 0.1; done"},
                      {"echo cleaning"});
    pipeline::JobVariable file{"FILE", "secret of the job"};
    file.file = true;
    spec.variables.push_back(file);
    const std::string& moment = moments[random() % moments.size()];
    CAPTURE(moment);
    if (moment == moments.back()) spec.services = {web_service({"sleep", "1000"})};
    const auto result = bench.run(spec, [&] {
      if (!moment.empty()) bench.wait_for(moment);
      bench.server.set_job_status("canceling");
    });
    CHECK(result["state"] == "failed");
    CHECK(bench.containers().empty());
    CHECK(networks_of(bench).empty());
    CHECK(fs::is_empty(bench.project().string() + ".tmp"));
  }
}
