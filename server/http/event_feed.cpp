#include "server/http/event_feed.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "base/logging.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

namespace {

constexpr std::size_t kKept = 1000;
// Telling takes at most this part (a tenth) of one core's time: what changes meanwhile is told
// once.
constexpr int kShareOfTime = 10;

struct Event {
  std::uint64_t id = 0;
  ProjectId project;  // 0: of a runner
  RunnerId runner;
  std::string text;  // as it goes over the wire
};

// What is to be read and told, each thing once, however often it changed.
struct Pending {
  std::unordered_set<PipelineId> pipelines;
  std::unordered_set<JobId> jobs;
  std::unordered_set<RunnerId> runners;

  [[nodiscard]] bool empty() const { return pipelines.empty() && jobs.empty() && runners.empty(); }
};

}  // namespace

struct EventFeed::State {
  State(Database& store, const Clock& time, std::string external_url,
        std::chrono::milliseconds between_rechecks)
      : database(store), clock(time), url(std::move(external_url)), recheck(between_rechecks) {}

  Database& database;
  const Clock& clock;
  const std::string url;
  const std::chrono::milliseconds recheck;

  std::atomic<std::uint64_t> rights{1};
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable paced;  // apart, so that news does not wake the thread from its pause
  bool stopping = false;
  bool rights_changed = false;
  Pending pending;
  std::deque<Event> events;
  std::uint64_t last_id = 0;
  // Nothing was kept of what happened at or before this id.
  std::uint64_t gap_at = 0;
  std::unordered_map<const void*, std::function<void()>> listeners;
  std::unordered_multimap<JobId, std::weak_ptr<std::function<void()>>> watches;
  std::thread thread;

  void run();
  bool take(Pending& work, std::chrono::steady_clock::time_point next_recheck);
  void wake_all();
  std::vector<Event> read(const Pending& work);
  void publish(std::vector<Event> made);
  void wake_watches(const Changes& changes);
};

// Waits for work, and wakes everybody when rights are to be looked at. False: it is over.
bool EventFeed::State::take(Pending& work, std::chrono::steady_clock::time_point next_recheck) {
  bool look = false;
  {
    std::unique_lock lock{mutex};
    const bool news = changed.wait_until(
        lock, next_recheck, [this] { return stopping || rights_changed || !pending.empty(); });
    if (stopping) return false;
    // Sessions and memberships also end by time, of which nobody tells.
    if (!news) ++rights;
    look = std::exchange(rights_changed, false) || !news;
    work = std::exchange(pending, {});
  }
  if (look) wake_all();
  return true;
}

void EventFeed::State::run() {
  auto next_recheck = std::chrono::steady_clock::now() + recheck;
  for (;;) {
    Pending work;
    if (!take(work, next_recheck)) return;
    const auto begun = std::chrono::steady_clock::now();
    if (begun >= next_recheck) next_recheck = begun + recheck;
    if (work.empty()) continue;
    try {
      publish(read(work));
    } catch (const std::exception& failure) {
      log::warn("events.lost", {{"error", failure.what()}});
      const std::lock_guard lock{mutex};
      gap_at = ++last_id;
    }
    const auto took = std::chrono::steady_clock::now() - begun;
    std::unique_lock lock{mutex};
    paced.wait_for(lock, took * (kShareOfTime - 1), [this] { return stopping; });
  }
}

std::vector<Event> EventFeed::State::read(const Pending& work) {
  auto reader = database.read();
  const Views views{*reader, url, clock.now()};
  std::vector<Event> made;
  const auto add = [&](const char* kind, ProjectId project, RunnerId runner,
                       const nlohmann::json& data) {
    made.push_back(
        {0, project, runner, "event: " + std::string{kind} + "\ndata: " + dump(data) + "\n\n"});
  };
  for (const auto id : work.pipelines)
    if (const auto row = reader->pipelines.find(id))
      add("pipeline", row->project_id, {}, views.pipeline(*row));
  for (const auto id : work.jobs)
    if (const auto row = reader->jobs.find(id)) add("job", row->project_id, {}, views.job(*row));
  for (const auto id : work.runners)
    if (const auto row = reader->runners.find(id)) add("runner", {}, id, views.runner(*row));
  return made;
}

void EventFeed::State::publish(std::vector<Event> made) {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock{mutex};
    for (auto& event : made) {
      event.id = ++last_id;
      event.text = "id: " + std::to_string(event.id) + "\n" + event.text;
      events.push_back(std::move(event));
      if (events.size() > kKept) events.pop_front();
    }
    for (const auto& [stream, wake] : listeners) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) wake();
}

void EventFeed::State::wake_all() {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock{mutex};
    for (const auto& [stream, wake] : listeners) wakes.push_back(wake);
    for (const auto& [job, watch] : watches)
      if (auto wake = watch.lock()) wakes.emplace_back([wake] { (*wake)(); });
  }
  for (const auto& wake : wakes) wake();
}

void EventFeed::State::wake_watches(const Changes& changes) {
  std::vector<std::shared_ptr<std::function<void()>>> wakes;
  {
    const std::lock_guard lock{mutex};
    for (const auto& job : changes.jobs) {
      const auto [begin, end] = watches.equal_range(job.id);
      for (auto it = begin; it != end; ++it)
        if (auto wake = it->second.lock()) wakes.push_back(std::move(wake));
    }
  }
  for (const auto& wake : wakes) (*wake)();
}

// One page that listens.
class EventFeed::Stream final : public BodySource {
 public:
  Stream(std::shared_ptr<EventFeed::State> state, EventFilter filter, std::uint64_t last_id)
      : state_(std::move(state)),
        filter_(std::move(filter)),
        last_id_(last_id),
        rights_(state_->rights) {}
  ~Stream() override {
    const std::lock_guard lock{state_->mutex};
    state_->listeners.erase(this);
  }

  void start(std::function<void()> wake) override {
    const std::lock_guard lock{state_->mutex};
    state_->listeners[this] = std::move(wake);
    const auto oldest = state_->events.empty() ? state_->last_id + 1 : state_->events.front().id;
    const bool known = last_id_ >= state_->gap_at && last_id_ + 1 >= oldest;
    resync_ = last_id_ != 0 && (!known || last_id_ > state_->last_id);
    if (last_id_ == 0 || resync_) last_id_ = state_->last_id;
  }

  Piece next() override {
    // Before the events are taken: what came later is seen with these rights or newer ones.
    if (const auto rights = state_->rights.load(); rights != rights_) {
      rights_ = rights;
      seen_.clear();
      if (!filter_.viewer.refresh()) return {};
    }
    Piece piece;
    piece.state = BodySource::State::Wait;
    // The id lets a browser that lost the connection before the first event resume all the same.
    if (std::exchange(first_, false))
      piece.bytes = "id: " + std::to_string(last_id_) +
                    (resync_ ? "\nevent: resync\ndata: {}\n\n" : "\nevent: hello\ndata: {}\n\n");
    for (const Event& event : take_news())
      if (sees(event)) piece.bytes += event.text;
    return piece;
  }

 private:
  std::vector<Event> take_news() {
    std::vector<Event> news;
    const std::lock_guard lock{state_->mutex};
    const auto unseen =
        std::upper_bound(state_->events.begin(), state_->events.end(), last_id_,
                         [](std::uint64_t seen, const Event& event) { return seen < event.id; });
    for (auto event = unseen; event != state_->events.end(); ++event) {
      last_id_ = event->id;
      if (!filter_.project || event->project == filter_.project) news.push_back(*event);
    }
    return news;
  }

  // Asks the database once for each thing, until rights change.
  bool sees(const Event& event) {
    const std::pair key{event.project, event.runner};
    const auto known = seen_.find(key);
    if (known != seen_.end()) return known->second;
    return seen_[key] = event.project ? filter_.viewer.sees(event.project)
                                      : filter_.viewer.sees(event.runner);
  }

  std::shared_ptr<EventFeed::State> state_;
  EventFilter filter_;
  std::uint64_t last_id_;
  bool resync_ = false;
  bool first_ = true;
  std::uint64_t rights_;
  std::map<std::pair<ProjectId, RunnerId>, bool> seen_;
};

EventFeed::EventFeed(Database& database, const Clock& clock, std::string external_url,
                     std::chrono::milliseconds recheck)
    : state_(std::make_shared<State>(database, clock, std::move(external_url), recheck)) {
  state_->thread = std::thread{[state = state_.get()] { state->run(); }};
}

EventFeed::~EventFeed() {
  stop();
}

void EventFeed::stop() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->paced.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void EventFeed::committed(const Changes& changes) noexcept {
  {
    const std::lock_guard lock{state_->mutex};
    if (changes.access || !changes.projects.empty()) {
      ++state_->rights;
      state_->rights_changed = true;
    }
    if (state_->listeners.empty()) {
      if (!changes.empty()) {
        state_->gap_at = ++state_->last_id;
        state_->events.clear();
      }
    } else {
      for (const auto& change : changes.pipelines) state_->pending.pipelines.insert(change.id);
      for (const auto& change : changes.jobs) state_->pending.jobs.insert(change.id);
      for (const auto id : changes.runners) state_->pending.runners.insert(id);
    }
  }
  state_->changed.notify_one();
  state_->wake_watches(changes);
}

std::unique_ptr<BodySource> EventFeed::listen(EventFilter filter, std::uint64_t last_id) {
  return std::make_unique<Stream>(state_, std::move(filter), last_id);
}

std::uint64_t EventFeed::rights() const {
  return state_->rights;
}

EventFeed::Watch EventFeed::watch_job(JobId job, std::function<void()> wake) {
  auto shared = std::make_shared<std::function<void()>>(std::move(wake));
  {
    const std::lock_guard lock{state_->mutex};
    state_->watches.emplace(job, shared);
  }
  Watch watch;
  // By its owner: somebody who is just being woken may hold it a moment longer.
  const auto forget = [state = state_, shared, job](void*) {
    const std::lock_guard lock{state->mutex};
    const auto [begin, end] = state->watches.equal_range(job);
    for (auto it = begin; it != end; ++it) {
      if (it->second.owner_before(shared) || shared.owner_before(it->second)) continue;
      state->watches.erase(it);
      return;
    }
  };
  watch.hold_ = std::shared_ptr<void>{nullptr, forget};
  return watch;
}

}  // namespace slipway::server::http
