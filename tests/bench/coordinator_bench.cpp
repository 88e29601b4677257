// How many no-op jobs go through the coordinator and dispatch in a second, with durable commits:
// each is created, requested, acknowledged and finished, with four slots. Prints jobs/s.
//
//   coordinator_bench [jobs [POSTGRESQL-URL]]
#include "base/clock.h"
#include "base/crypto.h"
#include "pipeline/plan.h"
#include "server/dispatch/dispatch.h"
#include "tests/support/temp_directory.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>

using namespace slipway;
using namespace slipway::server;

namespace {

constexpr int kSlots = 4;

struct Bench {
  slipway::test::TempDirectory directory;
  std::unique_ptr<Database> database;
  SystemClock clock;
  Coordinator coordinator;
  Dispatch dispatch{coordinator};
  RunnerId runner;
  ProjectId project;
  std::mutex mutex;
  std::condition_variable changed;
  int left = 0;

  explicit Bench(const std::string& url)
      : database(
            std::move(*Database::open(url.empty() ? DatabasePlace::at_file(directory / "slipway.db")
                                                  : DatabasePlace{{}, url, ""}))),
        coordinator(*database, clock) {}

  void prepare() {
    coordinator.start();
    project = *coordinator.write<ProjectId>([](WriteTransaction& tx) -> Result<ProjectId> {
      ProjectRow row;
      row.path = "bench/noop";
      return tx.stores.projects.insert(row);
    });
    std::promise<RunnerId> made;
    RunnerRow row;
    row.token_hash = token_hash("glrt-bench");
    coordinator.create_runner(row, [&](Result<RunnerId> id) { made.set_value(*id); });
    runner = made.get_future().get();
  }

  void create() {
    pipeline::PlannedJob job;
    job.job.name = "noop";
    job.job.script = {"true"};
    auto plan = std::make_shared<pipeline::Plan>();
    plan->stages = {"test"};
    plan->jobs = {job};
    NewPipeline made;
    made.row.project_id = project;
    made.row.ref = "main";
    made.plan = std::move(plan);
    coordinator.create_pipeline(std::move(made), nullptr);
  }

  // One slot: asks, acknowledges, finishes, asks again.
  void poll() {
    dispatch.request(runner, [this](Result<Assignment> given) {
      if (!given) return;
      const auto who = coordinator.find_job(given->token);
      coordinator.acknowledge(*who, [this, who](Result<std::string>) {
        coordinator.finish_job(*who, {}, [this](Result<std::string>) {
          {
            const std::lock_guard lock{mutex};
            if (--left == 0) changed.notify_all();
          }
          poll();
        });
      });
    });
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int jobs = argc > 1 ? std::atoi(argv[1]) : 2000;
  Bench bench{argc > 2 ? argv[2] : ""};
  bench.left = jobs;
  bench.prepare();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < jobs; ++i) bench.create();
  for (int i = 0; i < kSlots; ++i) bench.poll();
  {
    std::unique_lock lock{bench.mutex};
    bench.changed.wait(lock, [&] { return bench.left == 0; });
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%d jobs in %.2f s: %.0f jobs/s, %llu commits\n", jobs, took.count(),
              jobs / took.count(), static_cast<unsigned long long>(bench.coordinator.commits()));
  bench.dispatch.stop();
  bench.coordinator.stop();
  return 0;
}
