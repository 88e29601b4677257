#include "tests/pipeline/simulated_project.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "tests/pipeline/composite_reading.h"

namespace slipway::pipeline::test {
namespace {

// A set of members of a composite: a bit for each status, and two more.
using Mask = std::uint32_t;
constexpr std::size_t kWarning = 12;
constexpr std::size_t kIgnored = 13;

Mask bit_of(const JobNode& job) {
  const bool ended_badly = job.status == Status::Failed || job.status == Status::Canceled;
  if (ended_badly && (job.allow_failure.always || job.failure_allowed)) return 1U << kWarning;
  if (job.status == Status::Manual && job.allow_failure.always) return 1U << kIgnored;
  return 1U << static_cast<unsigned>(job.status);
}

// The second reading, remembered for each set.
Status read(Mask mask, bool dag) {
  static std::array<std::array<std::int8_t, 1U << 14U>, 2> known = [] {
    std::array<std::array<std::int8_t, 1U << 14U>, 2> none{};
    for (auto& half : none) half.fill(-1);
    return none;
  }();
  std::int8_t& status = known.at(dag ? 1 : 0).at(mask);
  if (status < 0) {
    Words words;
    for (const Status each : all_statuses())
      if ((mask >> static_cast<unsigned>(each) & 1U) != 0) words.emplace(to_string(each));
    if ((mask >> kWarning & 1U) != 0) words.insert("warning");
    if ((mask >> kIgnored & 1U) != 0) words.insert("ignored");
    status = static_cast<std::int8_t>(*parse_status(second_reading(words, dag)));
  }
  return static_cast<Status>(status);
}

bool needs(const JobNode& job, const JobNode& other) {
  return std::find(job.needs.begin(), job.needs.end(), other.name) != job.needs.end();
}

Status previous_of(const PipelineState& state, const JobNode& job) {
  Mask mask = 0;
  for (const JobNode& other : state.jobs)
    if (!other.retried && (job.dag ? needs(job, other) : other.stage_index < job.stage_index))
      mask |= bit_of(other);
  return read(mask, job.dag);
}

// What `when` asks of what came before, as a table of its own.
bool has_its_turn(const JobNode& job, Status previous) {
  const bool well = previous == Status::Success || (previous == Status::Skipped && !job.dag);
  const bool badly = previous == Status::Failed;
  switch (job.when) {
    case When::OnSuccess:
    case When::Manual:
    case When::Delayed: return well;
    case When::OnFailure: return badly;
    case When::Always: return well || badly || previous == Status::Skipped;
    case When::Never: break;
  }
  return false;
}

bool is_skipped_rightly(const PipelineState& state, const JobNode& job) {
  const Status previous = previous_of(state, job);
  return is_final(previous) && !has_its_turn(job, previous);
}

bool waits_for_nobody(const JobNode& job) {
  return job.status == Status::Manual && job.allow_failure.always;
}

[[noreturn]] void broken(std::int64_t pipeline, const JobNode& job, std::string_view what) {
  throw Broken{fmt::format("pipeline {}: job '{}' ({}, {}) {}", pipeline, job.name, job.id,
                           to_string(job.status), what)};
}

}  // namespace

void SimulatedProject::add(PipelineState state) {
  Member member;
  member.id = next_id_++;
  member.state = std::move(state);
  for (JobNode& job : member.state.jobs) job.id = next_id_++;
  members_.push_back(std::move(member));
  happen(members_.size() - 1, {EventKind::Begin, 0, "", std::nullopt, {}});
}

bool SimulatedProject::happen(std::size_t member, const Event& event) {
  const bool accepted = act(member, event);
  if (accepted) grant();
  return accepted;
}

bool SimulatedProject::act(std::size_t at, const Event& event) {
  Member& member = members_[at];
  std::vector<std::pair<Status, bool>> before;
  for (const JobNode& job : member.state.jobs) before.emplace_back(job.status, job.retried);
  auto done = apply(member.state, event);
  story_.push_back({member.id, event, done.has_value()});
  if (done) {
    follow(member, *done);
    if (event.kind == EventKind::Play || event.kind == EventKind::RetryJob ||
        event.kind == EventKind::RetryPipeline)
      check_skipped(member);
    return true;
  }
  if (member.state.jobs.size() != before.size()) throw Broken{"a refused event made a job"};
  for (std::size_t i = 0; i < before.size(); ++i) {
    const JobNode& job = member.state.jobs[i];
    if (std::pair{job.status, job.retried} != before[i])
      broken(member.id, job, "was changed by an event that was refused");
  }
  return false;
}

void SimulatedProject::follow(Member& member, std::vector<Transition>& transitions) {
  std::map<std::int64_t, std::int64_t> given;
  for (Transition& transition : transitions) {
    if (transition.job < 0) {
      const auto [at, fresh] = given.try_emplace(transition.job, next_id_);
      if (fresh) renumber(member.state, transition.job, next_id_++);
      transition.job = at->second;
    }
    const auto& jobs = member.state.jobs;
    const auto job = std::find_if(jobs.begin(), jobs.end(),
                                  [&](const JobNode& each) { return each.id == transition.job; });
    if (job == jobs.end()) throw Broken{"a transition is of no job"};
    check_turn(member, *job, transition);
    watch_runners(member, *job, transition);
  }
  check(member);
}

// Each step of a job is one that the life cycle draws, and comes when it is due.
void SimulatedProject::check_turn(const Member& member, const JobNode& job,
                                  const Transition& transition) {
  const Status from = transition.from;
  const Status to = transition.to;
  if (from == to) return;
  const bool queued = to == Status::Pending || to == Status::WaitingForResource;
  if (from == Status::Created &&
      (queued || to == Status::Manual || to == Status::Scheduled || to == Status::Running) &&
      !has_its_turn(job, previous_of(member.state, job)))
    broken(member.id, job, "had its turn before what it needs");
  if (from == Status::Created && to == Status::Skipped && !is_skipped_rightly(member.state, job))
    broken(member.id, job, "was skipped though it may still have its turn");
  if (to == Status::Running && from != Status::Pending)
    broken(member.id, job, "ran without being pending");
  if (to == Status::Pending && !job.resource_group.empty() && from != Status::WaitingForResource)
    broken(member.id, job, "did not wait for its resource group");
  if (to == Status::Canceled && from == Status::Running)
    broken(member.id, job, "was taken from its runner");
}

// What was started anew gives those that were skipped because of it their chance again.
void SimulatedProject::check_skipped(const Member& member) {
  for (const JobNode& job : member.state.jobs)
    if (!job.retried && job.status == Status::Skipped && !is_skipped_rightly(member.state, job))
      broken(member.id, job, "stays skipped though it may have its turn again");
}

// Between its start and its end a job is with a runner, and no other try of it is.
void SimulatedProject::watch_runners(const Member& member, const JobNode& job,
                                     const Transition& transition) {
  const auto runs = [](Status status) {
    return status == Status::Running || status == Status::Canceling;
  };
  if (runs(transition.from) == runs(transition.to)) return;
  const std::pair key{member.id, job.name};
  if (runs(transition.to) ? !running_.insert(key).second : running_.erase(key) == 0)
    broken(member.id, job, "runs twice at once");
}

void SimulatedProject::check(const Member& member) {
  const PipelineState& state = member.state;
  Mask mask = 0;
  Mask names = 0;
  for (const JobNode& job : state.jobs) {
    if (job.id <= 0) broken(member.id, job, "has no id");
    if (job.reason.text.empty()) broken(member.id, job, "does not say why");
    if (job.retried) {
      if (!is_final(job.status)) broken(member.id, job, "goes on beside its newer try");
      continue;
    }
    const Mask name = 1U << static_cast<unsigned>(job.name.front() - '0');
    if ((names & name) != 0) broken(member.id, job, "is there twice");
    names |= name;
    mask |= bit_of(job);
    if (job.status == Status::Created && is_final(previous_of(state, job)))
      broken(member.id, job, "stays though its needs are met");
    if (is_final(state.status) && !is_final(job.status) && !waits_for_nobody(job))
      broken(member.id, job, "goes on in a pipeline that has ended");
  }
  if (state.status != read(mask, false))
    throw Broken{fmt::format("pipeline {} is {}, and {} when computed from nothing", member.id,
                             to_string(state.status), to_string(read(mask, false)))};
}

std::map<std::string, std::vector<Claim>> SimulatedProject::claims() const {
  std::map<std::string, std::vector<Claim>> all;
  for (const Member& member : members_)
    for (const JobNode& job : member.state.jobs)
      if (!job.resource_group.empty())
        all[job.resource_group].push_back({member.id, job.id, job.status});
  return all;
}

void SimulatedProject::grant() {
  for (const auto& [group, claims] : claims()) {
    const auto next = next_holder(mode_, claims);
    if (!next) continue;
    const auto claim = std::find_if(claims.begin(), claims.end(),
                                    [&](const Claim& each) { return each.job == *next; });
    const auto owner = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
      return member.id == claim->pipeline;
    });
    for (const Claim& other : claims) {
      const bool wants = other.status == Status::WaitingForResource ||
                         other.status == Status::Created || other.status == Status::Scheduled;
      if (wants && ((mode_ == ProcessMode::OldestFirst && other.pipeline < claim->pipeline) ||
                    (mode_ == ProcessMode::NewestFirst && other.pipeline > claim->pipeline)))
        throw Broken{"the group " + group + " was granted out of order"};
    }
    const Event event{EventKind::GrantResource, *next, "", std::nullopt, {}};
    if (!act(static_cast<std::size_t>(owner - members_.begin()), event))
      throw Broken{"the group was granted to a job that does not wait for it"};
  }
  check_groups();
}

// One holder at most; and when there is none, nobody waits whose turn it is.
void SimulatedProject::check_groups() const {
  for (const auto& [group, claims] : claims()) {
    int holders = 0;
    std::set<std::int64_t> ready;     // pipelines with a job that waits
    std::set<std::int64_t> upcoming;  // or will
    for (const Claim& claim : claims) {
      if (claim.status == Status::Pending || claim.status == Status::Running ||
          claim.status == Status::Canceling)
        ++holders;
      if (claim.status == Status::WaitingForResource) ready.insert(claim.pipeline);
      if (claim.status == Status::Created || claim.status == Status::Scheduled)
        upcoming.insert(claim.pipeline);
    }
    upcoming.insert(ready.begin(), ready.end());
    if (holders > 1) throw Broken{"two jobs hold the group " + group};
    if (holders == 1 || ready.empty()) continue;
    const bool kept = (mode_ == ProcessMode::OldestFirst && *upcoming.begin() != *ready.begin()) ||
                      (mode_ == ProcessMode::NewestFirst && *upcoming.rbegin() != *ready.rbegin());
    if (!kept) throw Broken{"a job waits for the group " + group + ", which is free"};
  }
}

std::string SimulatedProject::story() const {
  std::string text;
  for (const Happened& each : story_)
    text += fmt::format("pipeline {}: {} job {}{}\n", each.pipeline, to_string(each.event.kind),
                        each.event.job, each.accepted ? "" : " (refused)");
  return text;
}

}  // namespace slipway::pipeline::test
