#include "server/schedules/schedules.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/logging.h"
#include "server/access/access.h"
#include "server/intake/stored_variables.h"
#include "server/schedules/cron.h"

namespace slipway::server {
namespace {

// How long it sleeps at most: the clock may be set meanwhile.
constexpr std::chrono::milliseconds kLongestSleep{std::chrono::seconds{20}};
// A broken disk must not be asked without a pause.
constexpr std::chrono::milliseconds kSleepAfterFailure{std::chrono::seconds{1}};
// Beyond that many it says "at least".
constexpr int kCountedMissed = 10'000;

// The time zones were checked when it was made, but change with the system's packages.
Result<Cron> cron_of(const ScheduleRow& schedule) {
  if (auto known = check_time_zone(schedule.cron_timezone); !known) return std::move(known).error();
  return Cron::parse(schedule.cron);
}

}  // namespace

Schedules::Schedules(Coordinator& coordinator, Database& database, Intake& intake,
                     const Clock& clock)
    : coordinator_(coordinator), database_(database), intake_(intake), clock_(clock) {
  coordinator.observe(*this);
}

Schedules::~Schedules() {
  stop();
}

void Schedules::start() {
  thread_ = std::thread{[this] { work(); }};
}

void Schedules::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Schedules::committed(const Changes& changes) noexcept {
  if (!changes.schedules) return;
  {
    const std::lock_guard lock{mutex_};
    changed_ = true;
  }
  wake_.notify_all();
}

void Schedules::work() {
  for (std::chrono::milliseconds time{0}; sleep(time);) {
    time = kSleepAfterFailure;
    try {
      if (run_due()) time = until_next();
    } catch (const std::exception& error) {
      log::error("schedules.failed", {{"error", error.what()}});
    }
  }
}

bool Schedules::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, time, [this] { return stopping_ || changed_; });
  changed_ = false;
  return !stopping_;
}

std::chrono::milliseconds Schedules::until_next() {
  const auto due = database_.read()->schedules.next_due();
  if (!due) return kLongestSleep;
  return std::clamp(std::chrono::milliseconds{*due - clock_.now()}, std::chrono::milliseconds{0},
                    kLongestSleep);
}

bool Schedules::run_due() {
  if (auto noted = note_due(); !noted) {
    log::error("schedules.not_noted", {{"error", noted.error().message}});
    return false;
  }
  for (const ScheduleRunRow& waiting : database_.read()->schedules.waiting_runs()) {
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return true;
    }
    run(waiting);
  }
  return true;
}

Result<void> Schedules::note_due() {
  const UnixMillis now = clock_.now();
  if (database_.read()->schedules.due(now).empty()) return {};
  return coordinator_.write<void>([now](WriteTransaction& write) -> Result<void> {
    for (ScheduleRow& schedule : write.stores.schedules.due(now)) note(write, schedule, now);
    return {};
  });
}

void Schedules::note(WriteTransaction& write, ScheduleRow& schedule, UnixMillis now) {
  ScheduleRunRow run;
  run.schedule_id = schedule.id;
  run.due_at = *schedule.next_run_at;
  run.created_at = write.now;
  if (const auto cron = cron_of(schedule)) {
    auto next = cron->next(run.due_at, schedule.cron_timezone);
    for (; next && *next <= now && run.missed < kCountedMissed; ++run.missed) {
      run.due_at = *next;
      next = cron->next(run.due_at, schedule.cron_timezone);
    }
    schedule.next_run_at = cron->next(now, schedule.cron_timezone);
    if (run.missed > 0)
      log::warn("schedule.missed", {{"schedule", schedule.id.value}, {"times", run.missed}});
  } else {
    // It stops, and says so; the others have their time all the same.
    run.state = "failed";
    run.reason = cron.error().message + ": the schedule has stopped until that is put right";
    schedule.active = false;
    schedule.next_run_at.reset();
    log::warn("schedule.stopped",
              {{"schedule", schedule.id.value}, {"error", cron.error().message}});
  }
  write.stores.schedules.insert_run(run);
  write.stores.schedules.update(schedule);
}

void Schedules::run(const ScheduleRunRow& run) {
  const auto schedule = database_.read()->schedules.find(run.schedule_id);
  if (!schedule) return;  // removed meanwhile, and the run with it
  const auto made = make(*schedule, run);
  // A time that has its pipeline already, or a server that stops: it waits, or is done.
  if (made || made.error().kind == ErrorKind::Conflict) return;
  if (intake_.stopped()) return;  // a git that was ended is no reason
  log::warn("schedule.failed", {{"schedule", schedule->id.value}, {"error", made.error().message}});
  const auto ended = coordinator_.write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.schedules.end_run(run.id, "failed", made.error().message, std::nullopt);
    return true;
  });
  if (!ended) log::error("schedule.not_ended", {{"error", ended.error().message}});
}

Result<PipelineId> Schedules::make(const ScheduleRow& schedule, const ScheduleRunRow& run) {
  std::optional<ProjectRow> project;
  const UserId owner = run.played_by.value_or(schedule.owner_id);
  {
    auto read = database_.read();
    project = read->projects.find(schedule.project_id);
    if (!project) return fail(ErrorKind::NotFound, "the project is gone");
    if (auto fine = check_owner_may_run(*read, clock_.now(), owner, *project, schedule.ref); !fine)
      return fail(
          ErrorKind::Denied,
          "its owner may not start pipelines of this project any more: somebody who may must "
          "take the schedule over");
  }
  ManualTrigger trigger;
  trigger.ref = schedule.ref;
  trigger.source = pipeline::Source::Schedule;
  trigger.variables = variables_from_json(schedule.variables);
  trigger.user = owner;
  trigger.schedule_run = run.id;
  return intake_.trigger(*project, trigger);
}

}  // namespace slipway::server
