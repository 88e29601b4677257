#include "server/deployments/deployment_clock.h"

#include <set>

#include "base/logging.h"
#include "server/deployments/freezes.h"

namespace slipway::server {
namespace {

constexpr std::chrono::seconds kPause{5};
// At once, so that a long list keeps nobody waiting.
constexpr int kMostAtOnce = 100;

}  // namespace

DeploymentClock::DeploymentClock(Coordinator& coordinator, Database& database, const Clock& clock)
    : coordinator_(coordinator), database_(database), clock_(clock) {}

DeploymentClock::~DeploymentClock() {
  stop();
}

void DeploymentClock::start() {
  thread_ = std::thread{[this] { work(); }};
}

void DeploymentClock::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DeploymentClock::work() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    lock.unlock();
    try {
      run_due();
    } catch (const std::exception& error) {
      log::error("deployments.clock_failed", {{"error", error.what()}});
    }
    lock.lock();
    wake_.wait_for(lock, kPause, [this] { return stopping_; });
  }
}

void DeploymentClock::run_due() {
  turn_freezes();
  stop_environments();
}

void DeploymentClock::stop_environments() {
  for (const EnvironmentRow& row :
       database_.read()->environments.to_stop(clock_.now(), kMostAtOnce)) {
    const auto stopped = wait_for<std::optional<JobId>>([&](Completion<std::optional<JobId>> done) {
      coordinator_.stop_environment(row.id, std::move(done));
    });
    if (stopped)
      log::info("environment.auto_stopped",
                {{"environment", row.name}, {"project", row.project_id.value}});
    else if (stopped.error().kind != ErrorKind::Conflict)
      log::warn("environment.not_stopped",
                {{"environment", row.name}, {"error", stopped.error().message}});
  }
}

void DeploymentClock::turn_freezes() {
  std::set<ProjectId> changed;
  std::vector<FreezePeriodRow> turned;
  const UnixMillis now = clock_.now();
  for (FreezePeriodRow& row : database_.read()->deployment_rules.all_freezes()) {
    // What is known holds until it is over.
    if (row.frozen_until && now < *row.frozen_until) continue;
    const bool was_known = row.frozen_until.has_value();
    set_window(row, now);
    if (!was_known && !row.frozen_until) continue;
    changed.insert(row.project_id);
    turned.push_back(std::move(row));
  }
  if (turned.empty()) return;
  const auto written = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    for (const FreezePeriodRow& row : turned) {
      // It may have been changed or removed meanwhile.
      auto fresh = open.stores.deployment_rules.freeze(row.id);
      if (!fresh || fresh->updated_at != row.updated_at) continue;
      fresh->frozen_from = row.frozen_from;
      fresh->frozen_until = row.frozen_until;
      open.stores.deployment_rules.update(*fresh);
    }
    return {};
  });
  if (!written) {
    log::error("freeze.not_turned", {{"error", written.error().message}});
    return;
  }
  for (const ProjectId project : changed) coordinator_.reconsider_deployments(project, {});
}

}  // namespace slipway::server
