#include "runner/local/local_run.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/clock.h"
#include "pipeline/resource_group.h"

namespace slipway::runner {

using pipeline::Event;
using pipeline::EventKind;
using pipeline::PlannedJob;
using pipeline::Status;

namespace {

constexpr std::int64_t kPipeline = 1;

Event event_of(EventKind kind, std::int64_t job) {
  Event event{kind};
  event.job = job;
  return event;
}

std::string in_words(std::chrono::seconds time) {
  const auto count = time.count();
  if (count % 3600 == 0) return fmt::format("{} h", count / 3600);
  if (count % 60 == 0) return fmt::format("{} min", count / 60);
  return fmt::format("{} s", count);
}

}  // namespace

ExecutorKind executor_of(const PlannedJob& job, ExecutorChoice choice,
                         const std::string& default_image) {
  switch (choice) {
    case ExecutorChoice::Shell: return ExecutorKind::Shell;
    case ExecutorChoice::Docker: return ExecutorKind::Docker;
    case ExecutorChoice::Auto: break;
  }
  return job.job.image || !default_image.empty() ? ExecutorKind::Docker : ExecutorKind::Shell;
}

LocalRun::LocalRun(const pipeline::Plan& plan, std::vector<ChosenJob> chosen,
                   const LocalRunSettings& settings, const LocalResults& results,
                   LocalObserver& observer)
    : plan_(plan),
      chosen_(std::move(chosen)),
      settings_(settings),
      results_(results),
      observer_(observer),
      created_at_(to_rfc3339(SystemClock{}.now())) {
  for (const PlannedJob& job : plan_.jobs) plan_ids_[job.job.name] = ++last_id_;
  std::set<std::string> names;
  for (const ChosenJob& job : chosen_) names.insert(job.planned.job.name);
  for (const ChosenJob& job : chosen_) {
    pipeline::JobNode node = pipeline::job_node(job.planned);
    node.id = plan_ids_.at(node.name);
    node.at_once = job.asked_for;
    std::erase_if(node.needs, [&](const std::string& need) { return !names.contains(need); });
    jobs_[node.id] = {.id = node.id, .name = node.name, .stage = job.planned.job.stage};
    state_.jobs.push_back(std::move(node));
  }
  state_.cancel_on_failure = plan_.auto_cancel_on_job_failure == "all";
}

void LocalRun::cancel() {
  {
    const std::lock_guard lock{mutex_};
    ++cancels_;
  }
  changed_.notify_all();
}

Result<LocalSummary> LocalRun::run() {
  for (const ChosenJob& job : chosen_)
    if (auto cleared = results_.begin(job.planned.job.name); !cleared)
      return std::move(cleared).error();
  apply({EventKind::Begin});
  for (;;) {
    settle();
    start_what_fits();
    if (slots_.empty()) break;
    {
      std::unique_lock lock{mutex_};
      const auto is_due = [this] { return !ended_.empty() || cancels_ > heeded_; };
      // What appears while everything is being killed is killed too.
      if (heeded_ > 1)
        changed_.wait_for(lock, std::chrono::milliseconds{100}, is_due);
      else
        changed_.wait(lock, is_due);
    }
    heed_cancel();
    collect();
  }
  return summary();
}

const PlannedJob& LocalRun::planned(const std::string& name) const {
  return std::find_if(chosen_.begin(), chosen_.end(),
                      [&](const ChosenJob& job) { return job.planned.job.name == name; })
      ->planned;
}

void LocalRun::tell_change(std::int64_t id) {
  const std::lock_guard lock{observing_};
  observer_.job_changed(jobs_.at(id));
}

void LocalRun::apply(const Event& event) {
  const auto transitions = pipeline::apply(state_, event);
  if (!transitions) return;                   // a late word about a job that has ended
  std::map<std::int64_t, std::int64_t> made;  // provisional → real
  for (const pipeline::Transition& transition : *transitions) {
    std::int64_t id = transition.job;
    if (id < 0 && !made.contains(id)) {
      made[id] = ++last_id_;
      pipeline::renumber(state_, id, last_id_);
      const LocalJob& old = jobs_.at(transition.retry_of);
      jobs_[last_id_] = {
          .id = last_id_, .name = old.name, .stage = old.stage, .attempt = old.attempt + 1};
    }
    if (id < 0) id = made.at(id);
    LocalJob& job = jobs_.at(id);
    job.status = transition.to;
    job.reason = transition.reason;
    for (const pipeline::JobNode& node : state_.jobs)
      if (node.id == id) job.allowed_to_fail = node.allow_failure.always || node.failure_allowed;
    tell_change(id);
  }
}

void LocalRun::settle() {
  while (settle_once()) {
  }
}

// What a server does by the clock and across pipelines.
bool LocalRun::settle_once() {
  for (const pipeline::JobNode& node : state_.jobs) {
    if (node.status != Status::Scheduled) continue;
    const std::string words =
        fmt::format("{} would be delayed by {}; here it starts at once", node.name,
                    in_words(node.start_in.value_or(std::chrono::seconds{0})));
    {
      const std::lock_guard lock{observing_};
      observer_.note(words);
    }
    apply(event_of(EventKind::ElapseDelay, node.id));
    return true;
  }
  return grant_resources();
}

bool LocalRun::grant_resources() {
  std::map<std::string, std::vector<pipeline::Claim>> claims;
  for (const pipeline::JobNode& node : state_.jobs)
    if (!node.resource_group.empty() && !node.retried)
      claims[node.resource_group].push_back({kPipeline, node.id, node.status});
  for (const auto& [group, of_group] : claims) {
    const auto next = pipeline::next_holder(pipeline::ProcessMode::Unordered, of_group);
    if (!next) continue;
    apply(event_of(EventKind::GrantResource, *next));
    return true;
  }
  return false;
}

void LocalRun::start_what_fits() {
  for (;;) {
    if (static_cast<int>(slots_.size()) >= settings_.runner.concurrent || heeded_ > 0) return;
    const auto next =
        std::find_if(state_.jobs.begin(), state_.jobs.end(),
                     [](const pipeline::JobNode& node) { return node.status == Status::Pending; });
    if (next == state_.jobs.end()) return;
    start(next->id);
    settle();
  }
}

LocalSummary LocalRun::summary() const {
  LocalSummary made;
  made.status = state_.status;
  made.reason = pipeline::pipeline_reason(state_);
  made.canceled = heeded_ > 0;
  for (const ChosenJob& chosen : chosen_) {
    const LocalJob* last = nullptr;
    for (const auto& [id, job] : jobs_)
      if (job.name == chosen.planned.job.name && (last == nullptr || job.attempt > last->attempt))
        last = &job;
    made.jobs.push_back(*last);
  }
  return made;
}

}  // namespace slipway::runner
