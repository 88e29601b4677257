// The wall clock jumps while a job runs, as when a machine wakes up or somebody sets it.

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <ctime>

#include "base/clock.h"
#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::JobBench;

namespace {

// By how much this program's wall clock is wrong.
std::atomic<long> shift_seconds{0};

struct ShiftedClock {
  explicit ShiftedClock(std::chrono::seconds by) { shift_seconds = by.count(); }
  ~ShiftedClock() { shift_seconds = 0; }
  ShiftedClock(const ShiftedClock&) = delete;
  ShiftedClock& operator=(const ShiftedClock&) = delete;
};

}  // namespace

// In place of the C library's, for all of this program.
extern "C" int clock_gettime(clockid_t id, timespec* at) noexcept {
  using Function = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int done = real(id, at);
  if (done == 0 && id == CLOCK_REALTIME) at->tv_sec += shift_seconds;
  return done;
}

TEST_CASE("a job does not mind that the clock jumps", "[job]") {
  using namespace std::chrono_literals;
  const auto by = GENERATE(std::chrono::seconds{48h}, std::chrono::seconds{-48h});
  CAPTURE(by.count());
  JobBench bench{ExecutorKind::Shell};
  const auto gate = bench.directory / "gate";
  const auto before = SystemClock{}.now();

  const auto result = bench.run(
      JobBench::job({"echo begun", "until [ -e '" + gate.string() + "' ]; do sleep 0.05; done",
                     "echo goes on"}),
      [&] {
        bench.wait_for("\nbegun\n");
        const ShiftedClock jump{by};
        CHECK(std::abs(SystemClock{}.now() - before) > 24L * 3600 * 1000);
        REQUIRE(replace_file(gate, ""));
        bench.wait_for("\ngoes on\n");
        bench.wait_for("Job succeeded");
      });

  CHECK(result["state"] == "success");
}
