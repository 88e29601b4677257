// The jobs of a local run: how one is started, run on its thread, and taken back.
#include <fcntl.h>

#include <algorithm>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/files.h"
#include "base/logging.h"
#include "pipeline/coverage.h"
#include "pipeline/variables.h"
#include "runner/job_run.h"
#include "runner/job_workplace.h"
#include "runner/local/debug_shell.h"
#include "runner/local/kill_all.h"
#include "runner/local/local_link.h"
#include "runner/local/local_run.h"

namespace slipway::runner {

using pipeline::Event;
using pipeline::EventKind;
using pipeline::PlannedJob;

LocalRun::~LocalRun() {
  for (auto& [slot, running] : slots_) running->stop.request_stop();
  for (auto& [slot, running] : slots_)
    if (running->thread.joinable()) running->thread.join();
}

bool LocalRun::is_taken(const PlannedJob& planned, const PlannedJob& other) const {
  return pipeline::takes_artifacts_of(planned, other.job.name, other.job.stage_index);
}

void LocalRun::take_from_others(const PlannedJob& planned, pipeline::JobFacts& facts) const {
  for (const PlannedJob& other : plan_.jobs) {
    const std::string& name = other.job.name;
    if (!is_taken(planned, other)) continue;
    for (pipeline::Variable& variable : results_.handed_on_by(name))
      pipeline::set_variable(facts.handed_on, std::move(variable));
    if (results_.archive_of(name))
      facts.dependencies.push_back({plan_ids_.at(name), name, facts.token, "artifacts.zip", 0});
  }
}

Result<pipeline::JobSpec> LocalRun::spec_of(const LocalJob& job) const {
  const PlannedJob& of = planned(job.name);
  pipeline::JobFacts facts;
  facts.id = job.id;
  facts.token = random_token("glcbt-");
  facts.started_at = to_rfc3339(SystemClock{}.now());
  facts.pipeline_id = facts.pipeline_iid = 1;
  facts.pipeline_name = plan_.name;
  facts.pipeline_created_at = created_at_;
  facts.trigger = settings_.trigger;
  facts.clone_url = settings_.clone_url;
  facts.runner_id = 1;
  facts.runner_description = settings_.runner.name;
  facts.runner_tags = of.job.tags;
  take_from_others(of, facts);
  return pipeline::make_job_spec(of, facts);
}

// What it would trigger is not on this machine, so it counts as done and the rest can be tried.
void LocalRun::pass_over_bridge(std::int64_t id) {
  {
    const std::lock_guard lock{observing_};
    observer_.note(jobs_.at(id).name +
                   " would trigger a pipeline, which is not run here; it counts as done");
  }
  apply({.kind = EventKind::Triggered, .job = id});
  apply({.kind = EventKind::DownstreamIs, .job = id, .downstream = pipeline::Status::Success});
}

void LocalRun::start(std::int64_t id) {
  if (planned(jobs_.at(id).name).job.bridge) {
    pass_over_bridge(id);
    return;
  }
  jobs_.at(id).started = std::chrono::steady_clock::now();
  apply({.kind = EventKind::Start, .job = id});
  const LocalJob job = jobs_.at(id);
  auto spec = spec_of(job);
  auto cleared = results_.begin(job.name);
  if (!spec || !cleared) {
    {
      const std::lock_guard lock{observing_};
      observer_.note(job.name + ": " + (spec ? cleared.error() : spec.error()).message);
    }
    Event event{.kind = EventKind::Fail, .job = id};
    const bool unsupported = !spec && spec.error().kind == ErrorKind::Unavailable;
    event.failure_reason = unsupported ? "unsupported_on_slipway" : "runner_system_failure";
    apply(event);
    return;
  }
  auto running = std::make_unique<RunningJob>();
  while (slots_.contains(running->slot) || left_slots_.contains(running->slot)) ++running->slot;
  running->job = job;
  running->settings = settings_.runner;
  running->settings.executor =
      executor_of(planned(job.name), settings_.executor, settings_.runner.default_image);
  running->spec = std::move(*spec);
  const auto tree = slot_directory(running->settings, settings_.label, running->slot);
  if (auto forgotten = results_.forget_places(tree); !forgotten)
    log::warn("place.not_forgotten", {{"error", forgotten.error().message}});
  RunningJob& started = *running;
  slots_.emplace(started.slot, std::move(running));
  started.thread = std::thread{[this, &started] {
    try {
      run_job(started);
    } catch (const std::exception& error) {
      log::error("job.broken", {{"job", started.job.name}, {"error", error.what()}});
    }
    {
      const std::lock_guard lock{mutex_};
      ended_.push_back(started.slot);
    }
    changed_.notify_all();
  }};
}

void LocalRun::run_job(RunningJob& running) {
  const LocalJob& job = running.job;
  const auto wrote = [this, &job](std::string_view bytes) {
    const std::lock_guard lock{observing_};
    observer_.job_wrote(job, bytes);
  };
  const auto name_of = [this](std::int64_t id) {
    for (const auto& [name, of_plan] : plan_ids_)
      if (of_plan == id) return name;
    return std::string{};
  };
  const auto log = results_.log_of(job.name);
  running.ends = std::make_unique<LocalJobEnds>(
      LocalJobEnds{results_,
                   job.name,
                   results_.directory() / "jobs" / (file_name_of(job.name) + ".upload"),
                   wrote,
                   name_of,
                   UniqueFd{::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)},
                   {}});
  const RunnerIdentity identity{"", "", "here", std::string{to_string(running.settings.executor)},
                                running.settings.name};
  JobPlace place;
  place.slot = running.slot;
  place.runner_label = settings_.label;
  place.cancel = running.stop.get_token();
  place.local = LocalRepositories::allowed;
  if (settings_.shell_on_failure)
    place.after_failure = [this, &running](const Script& at) { debug_shell(running, at); };
  place.left_behind = [this, &running](const Script& at) { keep_place(running, at); };
  JobRun run{running.settings, identity,         std::make_unique<LocalLink>(*running.ends),
             running.spec,     std::move(place), {}};
  run.run();
}

void LocalRun::debug_shell(const RunningJob& running, const Script& at) {
  const std::lock_guard lock{observing_};
  observer_.note(running.job.name + " has failed: this shell is in its tree; `exit` goes on");
  observer_.hand_over_terminal();
  open_debug_shell(running.settings, running.spec, at, settings_.label);
  observer_.take_terminal_back();
}

// On the job's own thread, before its end is told.
void LocalRun::keep_place(const RunningJob& running, const Script& at) {
  LeftPlace place;
  place.job = running.job.name;
  place.executor = to_string(running.settings.executor);
  place.script = at;
  if (running.settings.executor == ExecutorKind::Docker) {
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : at.variables) values[name] = value;
    place.image = pipeline::expand_on_runner(
        running.spec.image ? running.spec.image->name : running.settings.default_image, values);
    if (running.spec.image) place.user = running.spec.image->docker_user;
  }
  if (auto kept = results_.keep_place(place); !kept)
    log::warn("place.not_kept", {{"job", place.job}, {"error", kept.error().message}});
}

std::optional<double> LocalRun::coverage_of(const std::string& job) const {
  const std::string& expression = planned(job).job.coverage;
  if (expression.empty()) return std::nullopt;
  const auto compiled = pipeline::CoverageExpression::compile(expression);
  const auto log = read_file(results_.log_of(job));
  return compiled && log ? compiled->match(*log) : std::nullopt;
}

void LocalRun::collect() {
  std::vector<int> ended;
  {
    const std::lock_guard lock{mutex_};
    ended.swap(ended_);
  }
  for (const int slot : ended) {
    const std::unique_ptr<RunningJob> running = std::move(slots_.at(slot));
    slots_.erase(slot);
    running->thread.join();
    const auto told = running->ends ? running->ends->end : std::nullopt;
    LocalJob& job = jobs_.at(running->job.id);
    job.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - job.started);
    job.coverage = coverage_of(job.name);
    Event event{.kind = EventKind::Succeed, .job = job.id};
    if (!told || told->state != "success") left_slots_.insert(slot);
    if (!told || told->state != "success") {
      event.kind = EventKind::Fail;
      event.failure_reason = told ? told->failure_reason : "runner_system_failure";
      if (told) event.reason.text = job.text = told->text;
      event.exit_code = job.exit_code = told ? told->exit_code : std::nullopt;
    }
    apply(event);
  }
}

void LocalRun::heed_cancel() {
  int asked = 0;
  {
    const std::lock_guard lock{mutex_};
    asked = cancels_;
  }
  if (asked > 0 && heeded_ == 0) {
    apply({EventKind::CancelPipeline});
    for (auto& [slot, running] : slots_) running->stop.request_stop();
  }
  heeded_ = asked;
  if (heeded_ > 1) kill_all(settings_.label);
}

}  // namespace slipway::runner
