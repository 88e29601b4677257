// Random pipelines under random events: whatever happens, the rules of the life cycle hold (see
// simulated_project.h), every pipeline ends once its jobs can, and cancelling ends it always.
//
// SLIPWAY_SIMULATION_SEED plays other projects than the usual ones, SLIPWAY_SIMULATION_PIPELINES
// more or fewer. A failure names the seed of the project that broke: with that seed it is the
// first.
#include <array>
#include <bitset>
#include <cstdlib>

#include "tests/pipeline/simulated_project.h"
#include "tests/support/catch.h"
#include "tests/support/slowdown.h"

using namespace slipway::pipeline;
using slipway::pipeline::test::Broken;
using slipway::pipeline::test::SimulatedProject;
using slipway::test::kSlowdown;

namespace {

// splitmix64: as good as needed, and free to seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename Choices>
  const auto& of(const Choices& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t next() {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }
  std::uint64_t state_;
};

JobNode random_job(Random& random, std::size_t index, int stage) {
  constexpr std::array kWhens{When::OnSuccess, When::OnSuccess, When::OnSuccess, When::OnFailure,
                              When::Always,    When::Manual,    When::Delayed,   When::Never};
  static const std::array<Retry, 4> kRetries{
      Retry{}, Retry{1, {}, {}}, Retry{2, {"runner_system_failure"}, {}}, Retry{1, {}, {2}}};
  JobNode job;
  job.name = std::to_string(index);
  job.stage_index = stage;
  job.when = random.of(kWhens);
  job.allow_failure.always = random.one_in(4);
  if (random.one_in(4)) job.allow_failure.exit_codes = {2};
  if (random.one_in(3)) job.retry = random.of(kRetries);
  job.interruptible = random.one_in(2);
  if (random.one_in(4)) job.resource_group = random.one_in(2) ? "production" : "staging";
  job.dag = random.one_in(3);
  for (std::size_t other = 0; job.dag && other < index; ++other)
    if (random.one_in(3)) job.needs.push_back(std::to_string(other));
  // An optional need of a job that the rules left out.
  if (job.dag && random.one_in(8)) job.needs.emplace_back("left out");
  return job;
}

PipelineState random_pipeline(Random& random) {
  constexpr std::array kChoices{OnNewCommit::Conservative, OnNewCommit::Interruptible,
                                OnNewCommit::None};
  PipelineState state;
  const std::size_t count = 1 + random.below(random.one_in(8) ? 8 : 4);
  int stage = 0;
  for (std::size_t i = 0; i < count; ++i) {
    stage += random.one_in(2) ? 1 : 0;
    state.jobs.push_back(random_job(random, i, stage));
  }
  state.cancel_on_failure = random.one_in(8);
  state.on_new_commit = random.of(kChoices);
  return state;
}

// What leads a job in that status on, if anything can.
std::optional<EventKind> next_step(const JobNode& job) {
  switch (job.status) {
    case Status::Pending: return EventKind::Start;
    case Status::Running: return EventKind::Succeed;
    case Status::Canceling: return EventKind::ForceCancel;
    case Status::Manual: return EventKind::Play;
    case Status::Scheduled: return EventKind::ElapseDelay;
    case Status::Created:
    case Status::WaitingForResource:
    case Status::Preparing:
    case Status::Success:
    case Status::Failed:
    case Status::Canceled:
    case Status::Skipped: break;
  }
  return std::nullopt;
}

// What the simulation has come across, lest it prove things about nothing.
struct Seen {
  std::bitset<16> statuses;
  std::bitset<32> events;  // that were accepted
  std::bitset<16> ends;    // of pipelines
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Seen& seen)
      : random_(seed), seen_(seen), project_(random_.of(all_process_modes())) {}

  void play() {
    const std::size_t pipelines = 1 + random_.below(3);
    for (std::size_t i = 0; i < pipelines; ++i) {
      project_.add(random_pipeline(random_));
      if (i > 0) happen(i - 1, {EventKind::Supersede, 0, "", std::nullopt, {}});
      for (std::size_t step = random_.below(12); step > 0; --step) disturb();
    }
    if (random_.one_in(2)) {
      for (std::size_t i = 0; i < pipelines; ++i) cancel(i);
      happen(0, {EventKind::RetryPipeline, 0, "", std::nullopt, {}});
    }
    finish();
  }

  const SimulatedProject& project() const { return project_; }

 private:
  const PipelineState& state(std::size_t member) const { return project_.members()[member].state; }

  bool happen(std::size_t member, const Event& event) {
    const bool accepted = project_.happen(member, event);
    if (accepted) seen_.events.set(static_cast<std::size_t>(event.kind));
    for (const JobNode& job : state(member).jobs)
      seen_.statuses.set(static_cast<std::size_t>(job.status));
    return accepted;
  }

  void disturb() {
    constexpr std::array kFailures{"script_failure", "runner_system_failure", "image_pull_failure",
                                   "job_execution_timeout"};
    const std::size_t member = random_.below(project_.members().size());
    const JobNode& job = random_.of(state(member).jobs);
    Event event{random_.of(all_event_kinds()), job.id, random_.of(kFailures), std::nullopt, {}};
    if (!random_.one_in(3)) event.exit_code = static_cast<int>(random_.below(3));
    // Half of the events fit, or little would come to pass; and ending everything is rare.
    const auto fitting = next_step(job);
    if (fitting && random_.one_in(2)) event.kind = *fitting;
    if (event.kind == EventKind::CancelPipeline && !random_.one_in(8)) return;
    // A group is granted by the project alone.
    if (event.kind == EventKind::GrantResource) return;
    happen(member, event);
  }

  void must_have_ended(std::size_t member, const char* although) {
    const auto& [id, pipeline] = project_.members()[member];
    seen_.ends.set(static_cast<std::size_t>(pipeline.status));
    bool ended = is_final(pipeline.status);
    for (const JobNode& job : pipeline.jobs) ended = ended && is_final(job.status);
    if (!ended) throw Broken{"pipeline " + std::to_string(id) + " goes on, although " + although};
  }

  void cancel(std::size_t member) {
    happen(member, {EventKind::CancelPipeline, 0, "", std::nullopt, {}});
    for (std::size_t i = 0; i < state(member).jobs.size(); ++i)
      if (state(member).jobs[i].status == Status::Canceling)
        happen(member, {random_.one_in(2) ? EventKind::ForceCancel : EventKind::Succeed,
                        state(member).jobs[i].id,
                        "",
                        std::nullopt,
                        {}});
    must_have_ended(member, "it was canceled");
  }

  // Leads every job on for as long as one can be.
  void finish() {
    int rounds = 0;
    for (bool moved = true; moved;) {
      if (++rounds > 200) throw Broken{"jobs are led on for ever"};
      moved = false;
      for (std::size_t member = 0; member < project_.members().size(); ++member)
        for (std::size_t i = 0; i < state(member).jobs.size(); ++i)
          moved = lead_on(member, state(member).jobs[i]) || moved;
    }
    for (std::size_t member = 0; member < project_.members().size(); ++member)
      must_have_ended(member, "all its jobs could end");
  }

  bool lead_on(std::size_t member, const JobNode& job) {
    auto kind = next_step(job);
    if (!kind) return false;
    if (*kind == EventKind::Succeed && random_.one_in(3)) kind = EventKind::Fail;
    if (!happen(member, {*kind, job.id, "script_failure", 1, {}}))
      throw Broken{"job " + std::to_string(job.id) + " could not be led on"};
    return true;
  }

  Random random_;
  Seen& seen_;
  SimulatedProject project_;
};

std::uint64_t setting(const char* variable, std::uint64_t usual) {
  const char* text = std::getenv(variable);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("no sequence of events breaks the rules of the life cycle", "[lifecycle]") {
  const std::uint64_t first = setting("SLIPWAY_SIMULATION_SEED", 1);
  const std::uint64_t pipelines = setting("SLIPWAY_SIMULATION_PIPELINES", 100'000 / kSlowdown);
  WARN("SLIPWAY_SIMULATION_SEED=" << first << " SLIPWAY_SIMULATION_PIPELINES=" << pipelines);
  Seen seen;
  std::uint64_t played = 0;
  for (std::uint64_t seed = first; played < pipelines; ++seed) {
    Simulation simulation{seed, seen};
    try {
      simulation.play();
    } catch (const Broken& broken) {
      FAIL("SLIPWAY_SIMULATION_SEED=" << seed << ": " << broken.what() << "\n"
                                      << simulation.project().story());
    }
    played += simulation.project().members().size();
  }
  if (pipelines < 10'000) return;
  for (const Status status : all_statuses()) {
    CAPTURE(to_string(status));
    CHECK(seen.statuses.test(static_cast<std::size_t>(status)) == (status != Status::Preparing));
    CHECK(seen.ends.test(static_cast<std::size_t>(status)) == is_final(status));
  }
  for (const EventKind kind : all_event_kinds()) {
    CAPTURE(to_string(kind));
    const bool by_the_project = kind == EventKind::Begin || kind == EventKind::GrantResource;
    // No pipeline here triggers another: lifecycle_bridge_test.cpp does.
    const bool of_bridges = kind == EventKind::Triggered || kind == EventKind::DownstreamIs ||
                            kind == EventKind::DownstreamResumes;
    CHECK((by_the_project || of_bridges || seen.events.test(static_cast<std::size_t>(kind))));
  }
}
