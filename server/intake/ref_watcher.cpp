#include "server/intake/ref_watcher.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/logging.h"
#include "server/intake/found_push.h"

namespace slipway::server {
namespace {

using Refs = std::map<std::string, std::string>;

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr int kWorkers = 3;
constexpr int kProjectsAtOnce = 100;
constexpr std::chrono::seconds kBetweenLooks{15};
constexpr UnixMillis kHour = std::chrono::milliseconds{std::chrono::hours{1}}.count();
constexpr UnixMillis kLongestPause = 6 * kHour;
constexpr int kMostDoublings = 10;
// After a long outage of a busy repository the rest comes with the next look.
constexpr int kMostAtOnce = 100;

UnixMillis interval_of(const ProjectRow& project) {
  return project.poll_interval > 0 ? UnixMillis{project.poll_interval} * 1000 : kHour;
}

// Up to a tenth of it, so that servers and projects do not ask all at once.
UnixMillis jitter(UnixMillis pause, const std::string& seed) {
  const auto number = std::stoull(sha256_hex(seed).substr(0, 8), nullptr, 16);
  return static_cast<UnixMillis>(number % static_cast<unsigned long long>(pause / 10 + 1));
}

UnixMillis pause_after(const ProjectRow& project, int failures, UnixMillis now) {
  UnixMillis pause = interval_of(project);
  for (int i = 0; i < std::min(failures, kMostDoublings) && pause < kLongestPause; ++i) pause *= 2;
  if (failures > 0) pause = std::min(pause, std::max(kLongestPause, interval_of(project)));
  return pause + jitter(pause, std::to_string(project.id.value) + " " + std::to_string(now));
}

}  // namespace

RefWatcher::RefWatcher(Coordinator& coordinator, Database& database, Mirrors& mirrors,
                       Intake& intake, const Clock& clock)
    : coordinator_(coordinator),
      database_(database),
      mirrors_(mirrors),
      intake_(intake),
      clock_(clock) {
  coordinator.observe(*this);
}

RefWatcher::~RefWatcher() {
  stop();
}

void RefWatcher::start() {
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { work(); });
}

void RefWatcher::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void RefWatcher::committed(const Changes& changes) noexcept {
  if (changes.projects.empty()) return;
  {
    const std::lock_guard lock{mutex_};
    woken_ = true;
  }
  wake_.notify_one();
}

void RefWatcher::work() {
  for (;;) {
    try {
      look();
    } catch (const std::exception& error) {
      log::error("refs.not_compared", {{"error", error.what()}});
    }
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, kBetweenLooks, [this] { return stopping_ || woken_; });
    woken_ = false;
    if (stopping_) return;
  }
}

int RefWatcher::look() {
  int found = 0;
  std::set<ProjectId> done;  // once each, also where it cannot be noted that it was done
  while (const auto project = take(done)) {
    done.insert(project->id);
    found += look_at(*project);
    const std::lock_guard lock{mutex_};
    busy_.erase(project->id);
    seen_.insert(project->id);
  }
  return found;
}

std::optional<ProjectRow> RefWatcher::take(const std::set<ProjectId>& done) {
  const UnixMillis now = clock_.now();
  auto read = database_.read();
  for (int page = 1;; ++page) {
    const auto rows = read->projects.list("", "", {page, kProjectsAtOnce}).rows;
    for (const ProjectRow& row : rows) {
      const auto watch = read->watches.find(row.id);
      // Who wants it to be looked at more often does not wait for the time that was set before.
      const bool due =
          !watch || watch->due_at <= now ||
          (watch->failures == 0 && watch->due_at - watch->compared_at > 2 * interval_of(row));
      if (done.contains(row.id)) continue;
      const std::lock_guard lock{mutex_};
      if (stopping_ || mirrors_.stopped()) return std::nullopt;
      if (busy_.contains(row.id) || !(due || !seen_.contains(row.id))) continue;
      busy_.insert(row.id);
      return row;
    }
    if (rows.size() < static_cast<std::size_t>(kProjectsAtOnce)) return std::nullopt;
  }
}

int RefWatcher::look_at(const ProjectRow& project) {
  const bool first_since_start = [&] {
    const std::lock_guard lock{mutex_};
    return !seen_.contains(project.id);
  }();
  auto watch = database_.read()->watches.find(project.id).value_or(WatchRow{});
  watch.project_id = project.id;
  const auto found = compare(project, watch, project.poll_interval > 0 && !first_since_start);
  if (mirrors_.stopped()) return 0;
  note(std::move(watch), project, found);
  return found ? *found : 0;
}

Result<int> RefWatcher::compare(const ProjectRow& project, const WatchRow& watch, bool by_poll) {
  const auto remote = mirrors_.remote_refs(project.id.value, project.repository_url);
  if (!remote) return remote.error();
  Refs known;
  for (auto& [ref, sha] : database_.read()->watches.refs(project.id)) known[ref] = sha;
  Refs gone = known;
  for (const RemoteRef& ref : *remote) gone.erase(ref.name);
  const bool is_first = watch.compared_at == 0;
  std::vector<DeliveryId> made;
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    Stores& stores = write.stores;
    made.clear();
    for (const RemoteRef& ref : *remote) {
      const auto before = known.find(ref.name);
      const std::string old = before == known.end() ? std::string{} : before->second;
      if (old == ref.sha) continue;
      const FoundPush push{ref.name, old, ref.sha, by_poll ? "poll" : "reconciler"};
      if (!is_first && !is_told(stores, project, push)) {
        if (static_cast<int>(made.size()) >= kMostAtOnce) continue;
        made.push_back(stores.deliveries.insert(delivery_of(push, project, write.now)));
      }
      stores.watches.set_ref(project.id, ref.name, ref.sha);
    }
    for (const auto& [ref, sha] : gone) stores.watches.remove_ref(project.id, ref);
    return {};
  });
  if (!done) return done.error();
  for (const DeliveryId id : made) intake_.take_up(project, id);
  for (const auto& [ref, sha] : gone)
    for (const auto& [prefix, is_tag] : {std::pair{kHeads, false}, std::pair{kTags, true}})
      if (ref.starts_with(prefix))
        intake_.ref_deleted(project.id, ref.substr(prefix.size()), is_tag);
  return static_cast<int>(made.size());
}

void RefWatcher::note(WatchRow watch, const ProjectRow& project, const Result<int>& found) {
  const UnixMillis now = clock_.now();
  if (found) {
    watch.compared_at = now;
    watch.failures = 0;
    watch.error.clear();
    watch.found += *found;
    if (*found > 0) log::info("refs.found", {{"project", project.path}, {"count", *found}});
  } else {
    ++watch.failures;
    watch.error = found.error().message;
    log::warn("refs.not_compared", {{"project", project.path}, {"error", watch.error}});
  }
  watch.due_at = now + pause_after(project, watch.failures, now);
  const auto written = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    if (write.stores.projects.find(watch.project_id)) write.stores.watches.put(watch);
    return {};
  });
  if (!written) log::warn("refs.not_noted", {{"error", written.error().message}});
}

}  // namespace slipway::server
