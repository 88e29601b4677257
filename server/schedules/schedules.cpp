#include "server/schedules/schedules.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "server/schedules/cron.h"

namespace slipway::server {
namespace {

// How long it sleeps at most: the clock may be set meanwhile.
constexpr std::chrono::milliseconds kLongestSleep{std::chrono::seconds{20}};
// Beyond that many it says "at least".
constexpr int kCountedMissed = 10'000;

pipeline::Variables variables_of(const std::string& json) {
  pipeline::Variables variables;
  const auto list = nlohmann::json::parse(json, nullptr, false);
  if (!list.is_array()) return variables;
  for (const auto& item : list)
    variables.push_back({.name = item.value("key", ""),
                         .value = item.value("value", ""),
                         .file = item.value("variable_type", "") == "file"});
  return variables;
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
  for (;;) {
    auto sleep = kLongestSleep;
    if (const auto due = database_.read()->schedules.next_due())
      sleep = std::clamp(std::chrono::milliseconds{*due - clock_.now()},
                         std::chrono::milliseconds{0}, kLongestSleep);
    {
      std::unique_lock lock{mutex_};
      wake_.wait_for(lock, sleep, [this] { return stopping_ || changed_; });
      if (stopping_) return;
      changed_ = false;
    }
    try {
      run_due();
    } catch (const std::exception& error) {
      log::error("schedules.failed", {{"error", error.what()}});
      // A broken disk must not be asked without a pause.
      std::unique_lock lock{mutex_};
      wake_.wait_for(lock, std::chrono::seconds{1}, [this] { return stopping_; });
    }
  }
}

void Schedules::run_due() {
  note_due();
  for (const ScheduleRunRow& waiting : database_.read()->schedules.waiting_runs()) {
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
    }
    run(waiting);
  }
}

void Schedules::note_due() {
  const UnixMillis now = clock_.now();
  if (database_.read()->schedules.due(now).empty()) return;
  const auto noted = coordinator_.write<int>([now](WriteTransaction& write) -> Result<int> {
    int count = 0;
    for (ScheduleRow& schedule : write.stores.schedules.due(now)) {
      const auto cron = Cron::parse(schedule.cron);
      if (!cron) return cron.error();
      ScheduleRunRow run;
      run.schedule_id = schedule.id;
      run.due_at = *schedule.next_run_at;
      run.created_at = write.now;
      auto next = cron->next(run.due_at, schedule.cron_timezone);
      for (; next && *next <= now && run.missed < kCountedMissed; ++run.missed) {
        run.due_at = *next;
        next = cron->next(run.due_at, schedule.cron_timezone);
      }
      schedule.next_run_at = cron->next(now, schedule.cron_timezone);
      write.stores.schedules.insert_run(run);
      write.stores.schedules.update(schedule);
      if (run.missed > 0)
        log::warn("schedule.missed", {{"schedule", schedule.id.value}, {"times", run.missed}});
      ++count;
    }
    return count;
  });
  if (!noted) log::error("schedules.not_noted", {{"error", noted.error().message}});
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
  std::optional<UserRow> owner;
  {
    auto read = database_.read();
    project = read->projects.find(schedule.project_id);
    owner = read->users.find(run.played_by.value_or(schedule.owner_id));
  }
  if (!project) return fail(ErrorKind::NotFound, "the project is gone");
  if (!owner || owner->disabled || !owner->is_admin)
    return fail(ErrorKind::Denied,
                "its owner may not start pipelines of this project any more: somebody who may must "
                "take the schedule over");
  ManualTrigger trigger;
  trigger.ref = schedule.ref;
  trigger.source = pipeline::Source::Schedule;
  trigger.variables = variables_of(schedule.variables);
  trigger.user = owner->id;
  trigger.schedule_run = run.id;
  return intake_.trigger(*project, trigger);
}

}  // namespace slipway::server
