#include "server/dispatch/dispatch.h"

#include "base/guarded.h"
#include "server/dispatch/job_queue.h"

#include <map>
#include <unordered_map>

namespace slipway::server {

namespace {

struct WaitingRunner {
  Taker taker;
  Dispatch::Answer answer;
};

struct Match {
  JobId job;
  Ticket ticket = 0;
  WaitingRunner waiting;
};

}  // namespace

struct Dispatch::State {
  explicit State(Coordinator& used) : coordinator(used) {}

  struct Tables {
    JobQueue jobs;
    std::map<Ticket, WaitingRunner> runners;  // the one that waits longest first
    Ticket last = 0;
    bool stopped = false;
  };

  Coordinator& coordinator;
  Guarded<Tables> tables;

  // Everything that can be matched now; taken out of the tables.
  std::vector<Match> find_matches();
  void hand_out();
  void assigned(Match& match, Result<Assignment> result);
};

Dispatch::Dispatch(Coordinator& coordinator) : state_(std::make_unique<State>(coordinator)) {
  coordinator.observe(*this);
}

Dispatch::~Dispatch() = default;

Ticket Dispatch::request(const Taker& taker, Answer answer) {
  Ticket ticket = 0;
  bool stopped = false;
  {
    auto tables = state_->tables.lock();
    ticket = ++tables->last;
    stopped = tables->stopped;
    if (!stopped) tables->runners.emplace(ticket, WaitingRunner{taker, std::move(answer)});
  }
  if (stopped)
    answer(fail(ErrorKind::Unavailable, "the server is stopping"));  // NOLINT: it was not moved
  else
    state_->hand_out();
  return ticket;
}

bool Dispatch::cancel(Ticket ticket) {
  return state_->tables.lock()->runners.erase(ticket) == 1;
}

void Dispatch::give_back(const Assignment& assignment) {
  state_->coordinator.give_back(assignment.job.id, assignment.job.dispatches);
}

void Dispatch::stop() {
  std::map<Ticket, WaitingRunner> waiting;
  {
    auto tables = state_->tables.lock();
    tables->stopped = true;
    waiting.swap(tables->runners);
  }
  for (const auto& [ticket, runner] : waiting)
    runner.answer(fail(ErrorKind::Unavailable, "the server is stopping"));
}

std::size_t Dispatch::waiting_jobs() const {
  return state_->tables.lock()->jobs.waiting();
}

std::size_t Dispatch::waiting_runners() const {
  return state_->tables.lock()->runners.size();
}

void Dispatch::committed(const Changes& changes) noexcept {
  {
    auto tables = state_->tables.lock();
    if (changes.reloaded) tables->jobs.clear();
    for (const QueueChange& change : changes.queue) tables->jobs.apply(change);
  }
  state_->hand_out();
}

std::vector<Match> Dispatch::State::find_matches() {
  std::vector<Match> matches;
  auto access = tables.lock();
  // One look at each runner: all its waiting polls may take the same jobs.
  std::unordered_map<RunnerId, std::optional<RunnerRow>> known;
  for (auto next = access->runners.begin();
       next != access->runners.end() && access->jobs.waiting() > 0;) {
    const auto current = next++;
    auto [row, fresh] = known.try_emplace(current->second.taker.runner);
    if (fresh) row->second = coordinator.find_runner(current->second.taker.runner);
    if (!row->second) continue;
    const auto job = access->jobs.take_for(*row->second);
    if (!job) {
      row->second.reset();
      continue;
    }
    matches.push_back({*job, current->first, std::move(current->second)});
    access->runners.erase(current);
  }
  return matches;
}

void Dispatch::State::hand_out() {
  for (Match& found : find_matches()) {
    auto match = std::make_shared<Match>(std::move(found));
    coordinator.assign(match->job, match->waiting.taker, [this, match](Result<Assignment> result) {
      assigned(*match, std::move(result));
    });
  }
}

void Dispatch::State::assigned(Match& match, Result<Assignment> result) {
  if (result) {
    match.waiting.answer(std::move(result));
    return;
  }
  bool waits_on = false;
  {
    auto access = tables.lock();
    access->jobs.put_back(match.job);
    // Somebody was faster, or the runner was just paused: it waits on, at its old place.
    waits_on = result.error().kind != ErrorKind::Unavailable && !access->stopped;
    if (waits_on) access->runners.emplace(match.ticket, std::move(match.waiting));
  }
  if (waits_on)
    hand_out();
  else
    match.waiting.answer(std::move(result));
}

}  // namespace slipway::server
