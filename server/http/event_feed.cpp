#include "server/http/event_feed.h"

#include <algorithm>
#include <chrono>
#include <deque>
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
  bool is_public = false;
  std::string text;  // as it goes over the wire
};

// What is to be read and told, each thing once, however often it changed.
struct Pending {
  std::unordered_set<PipelineId> pipelines;
  std::unordered_set<JobId> jobs;
  std::unordered_set<RunnerId> runners;

  [[nodiscard]] bool empty() const { return pipelines.empty() && jobs.empty() && runners.empty(); }
};

bool passes(const Event& event, const EventFilter& filter) {
  if (filter.project && event.project != filter.project) return false;
  return filter.everything || (event.project && event.is_public);
}

}  // namespace

struct EventFeed::State {
  State(Database& store, const Clock& time, std::string external_url)
      : database(store), clock(time), url(std::move(external_url)) {}

  Database& database;
  const Clock& clock;
  const std::string url;

  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable paced;  // apart, so that news does not wake the thread from its pause
  bool stopping = false;
  Pending pending;
  std::deque<Event> events;
  std::uint64_t last_id = 0;
  // Nothing was kept of what happened at or before this id.
  std::uint64_t gap_at = 0;
  std::unordered_map<const void*, std::function<void()>> listeners;
  std::unordered_multimap<JobId, std::weak_ptr<std::function<void()>>> watches;
  std::thread thread;

  void run();
  std::vector<Event> read(const Pending& work);
  void publish(std::vector<Event> made);
  void wake_watches(const Changes& changes);
};

void EventFeed::State::run() {
  for (;;) {
    Pending work;
    {
      std::unique_lock lock{mutex};
      changed.wait(lock, [this] { return stopping || !pending.empty(); });
      if (stopping) return;
      work = std::exchange(pending, {});
    }
    const auto begun = std::chrono::steady_clock::now();
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
  std::unordered_map<ProjectId, bool> is_public;
  std::vector<Event> made;
  const auto add = [&](const char* kind, ProjectId project, const nlohmann::json& data) {
    if (project && !is_public.contains(project)) {
      const auto row = reader->projects.find(project);
      is_public[project] = row && row->visibility == "public";
    }
    made.push_back({0, project, project && is_public[project],
                    "event: " + std::string{kind} + "\ndata: " + dump(data) + "\n\n"});
  };
  for (const auto id : work.pipelines)
    if (const auto row = reader->pipelines.find(id))
      add("pipeline", row->project_id, views.pipeline(*row));
  for (const auto id : work.jobs)
    if (const auto row = reader->jobs.find(id)) add("job", row->project_id, views.job(*row));
  for (const auto id : work.runners)
    if (const auto row = reader->runners.find(id)) add("runner", ProjectId{}, views.runner(*row));
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
      : state_(std::move(state)), filter_(filter), last_id_(last_id) {}
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
    Piece piece;
    piece.state = BodySource::State::Wait;
    // The id lets a browser that lost the connection before the first event resume all the same.
    if (std::exchange(first_, false))
      piece.bytes = "id: " + std::to_string(last_id_) +
                    (resync_ ? "\nevent: resync\ndata: {}\n\n" : "\nevent: hello\ndata: {}\n\n");
    const std::lock_guard lock{state_->mutex};
    const auto unseen =
        std::upper_bound(state_->events.begin(), state_->events.end(), last_id_,
                         [](std::uint64_t seen, const Event& event) { return seen < event.id; });
    for (auto event = unseen; event != state_->events.end(); ++event) {
      last_id_ = event->id;
      if (passes(*event, filter_)) piece.bytes += event->text;
    }
    return piece;
  }

 private:
  std::shared_ptr<EventFeed::State> state_;
  EventFilter filter_;
  std::uint64_t last_id_;
  bool resync_ = false;
  bool first_ = true;
};

EventFeed::EventFeed(Database& database, const Clock& clock, std::string external_url)
    : state_(std::make_shared<State>(database, clock, std::move(external_url))) {
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
  return std::make_unique<Stream>(state_, filter, last_id);
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
