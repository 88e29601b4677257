// Random pipelines under random events, in a fixed sequence: whatever happens, the rules of the
// life cycle hold.
#include <algorithm>
#include <array>
#include <random>

#include "pipeline/lifecycle.h"
#include "tests/support/catch.h"

using namespace slipway::pipeline;

namespace {

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {}

  void play() {
    create();
    REQUIRE(apply(state_, {EventKind::Begin, 0, "", std::nullopt, {}}));
    check();
    for (int step = 0; step < 60; ++step) disturb();
    finish();
  }

 private:
  int below(int bound) { return std::uniform_int_distribution<int>{0, bound - 1}(random_); }

  void create() {
    constexpr std::array kWhens{When::OnSuccess, When::OnSuccess, When::OnSuccess, When::OnFailure,
                                When::Always,    When::Manual,    When::Delayed};
    const int count = 1 + below(7);
    int stage = 0;
    for (int i = 0; i < count; ++i) {
      JobNode job;
      job.id = next_id_++;
      job.name = "job" + std::to_string(i);
      stage = std::min(3, stage + below(2));
      job.stage_index = stage;
      job.when = kWhens.at(static_cast<std::size_t>(below(7)));
      job.allow_failure.always = below(4) == 0;
      job.retry.max = below(4) == 0 ? 1 : 0;
      job.dag = below(3) == 0;
      for (int other = 0; job.dag && other < i; ++other)
        if (below(3) == 0) job.needs.push_back("job" + std::to_string(other));
      state_.jobs.push_back(std::move(job));
    }
    state_.cancel_on_failure = below(8) == 0;
  }

  void disturb() {
    const auto kinds = all_event_kinds();
    const auto index = static_cast<std::size_t>(below(static_cast<int>(kinds.size())));
    const EventKind kind = kinds[index];
    // Canceling everything is rare, or nothing else would be seen.
    if (kind == EventKind::CancelPipeline && below(10) != 0) return;
    const auto at = static_cast<std::size_t>(below(static_cast<int>(state_.jobs.size())));
    happen({kind, state_.jobs[at].id, "script_failure", 1, {}});
  }

  void happen(const Event& event) {
    const auto before = state_.jobs;
    const auto done = apply(state_, event);
    if (!done) {
      REQUIRE(state_.jobs.size() == before.size());
      for (std::size_t i = 0; i < before.size(); ++i)
        REQUIRE(state_.jobs[i].status == before[i].status);
      return;
    }
    for (const Transition& change : *done)
      if (change.job < 0) renumber(state_, change.job, next_id_++);
    check();
  }

  std::vector<const JobNode*> previous_of(const JobNode& job) const {
    std::vector<const JobNode*> previous;
    for (const JobNode& other : state_.jobs) {
      if (other.retried) continue;
      const bool needed =
          std::find(job.needs.begin(), job.needs.end(), other.name) != job.needs.end();
      if (job.dag ? needed : other.stage_index < job.stage_index) previous.push_back(&other);
    }
    return previous;
  }

  void check() const {
    CHECK(state_.status == pipeline_status(state_).status);
    for (const JobNode& job : state_.jobs) {
      REQUIRE(job.id > 0);
      if (job.retried) {
        CHECK(is_final(job.status));
        continue;
      }
      if (job.status != Status::Created) continue;
      const auto question = job.dag ? Question::Dag : Question::Stage;
      CHECK_FALSE(is_final(composite_status(previous_of(job), question).status));
    }
    if (!is_final(state_.status)) return;
    for (const JobNode& job : state_.jobs) {
      const bool waits_for_nobody = job.allow_failure.always && job.status == Status::Manual;
      if (!job.retried && !waits_for_nobody) CHECK(is_final(job.status));
    }
  }

  // With every job played, started and ended well, each pipeline ends.
  void finish() {
    for (int round = 0; round < 100; ++round) {
      const auto open =
          std::find_if(state_.jobs.begin(), state_.jobs.end(),
                       [](const JobNode& job) { return !job.retried && !is_final(job.status); });
      if (open == state_.jobs.end()) return;
      const std::int64_t id = open->id;
      for (const EventKind kind : {EventKind::Play, EventKind::Start, EventKind::Succeed})
        happen({kind, id, "", std::nullopt, {}});
      // A job that waits for a later one in the list: let that go first.
      for (std::size_t i = 0; i < state_.jobs.size(); ++i)
        for (const EventKind kind : {EventKind::Play, EventKind::Start, EventKind::Succeed})
          happen({kind, state_.jobs[i].id, "", std::nullopt, {}});
    }
    FAIL("a pipeline never ended");
  }

  std::mt19937 random_;
  PipelineState state_;
  std::int64_t next_id_ = 1;
};

}  // namespace

TEST_CASE("no sequence of events breaks the rules of the life cycle", "[lifecycle]") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    Simulation{seed}.play();
  }
}
