#include "server/retention/artifact_cleaner.h"

#include "base/logging.h"

namespace slipway::server {
namespace {

// So many at once: a transaction of a few milliseconds.
constexpr int kStep = 100;
constexpr std::chrono::milliseconds kBetweenSteps{20};
constexpr std::chrono::milliseconds kBetweenRounds{std::chrono::minutes{1}};

void note_failure(const std::string& blob, const Error& error) {
  log::warn("artifacts.not_removed", {{"blob", blob}, {"error", error.message}});
}

}  // namespace

ArtifactCleaner::ArtifactCleaner(Coordinator& coordinator, Database& database,
                                 const BlobStore& blobs, const Clock& clock)
    : coordinator_(coordinator),
      database_(database),
      blobs_(blobs),
      clock_(clock),
      earlier_(blobs.earlier()) {}

ArtifactCleaner::~ArtifactCleaner() {
  stop();
}

void ArtifactCleaner::start() {
  thread_ = std::thread{[this] { work(); }};
}

void ArtifactCleaner::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ArtifactCleaner::work() {
  for (std::chrono::milliseconds time{0}; sleep(time);) {
    time = kBetweenRounds;
    try {
      if (step()) time = kBetweenSteps;
    } catch (const std::exception& error) {
      log::error("artifacts.not_cleaned", {{"error", error.what()}});
    }
  }
}

bool ArtifactCleaner::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, time, [this] { return stopping_; });
  return !stopping_;
}

bool ArtifactCleaner::step() {
  return remove_expired() || remove_dead_blobs() || remove_lost_blobs();
}

bool ArtifactCleaner::remove_expired() {
  const UnixMillis now = clock_.now();
  const auto found = database_.read()->artifacts.expired(now, expired_, kStep);
  if (found.empty()) {
    // From the beginning in the next round: what was kept may not be any more.
    expired_ = {};
    return false;
  }
  std::vector<ArtifactId> over;
  for (const ArtifactRow& row : found)
    if (database_.read()->artifacts.is_over(row, now)) over.push_back(row.id);
  const auto removed = over.empty() ? Result<int>{0} : remove_rows(over, now);
  if (!removed) {
    log::warn("artifacts.not_expired", {{"error", removed.error().message}});
    return false;
  }
  if (*removed > 0) log::info("artifacts.expired", {{"files", *removed}});
  expired_ = {*found.back().expire_at, found.back().id};
  return true;
}

Result<int> ArtifactCleaner::remove_rows(const std::vector<ArtifactId>& ids, UnixMillis now) {
  return coordinator_.write<int>([&](WriteTransaction& write) -> Result<int> {
    auto& artifacts = write.stores.artifacts;
    int count = 0;
    for (const ArtifactId id : ids) {
      // Somebody may have decided to keep it meanwhile.
      const auto row = artifacts.find(id);
      if (!row || !artifacts.is_over(*row, now)) continue;
      artifacts.remove(row->id);
      artifacts.note_removed(*row, "expired", "", now);
      ++count;
    }
    return count;
  });
}

bool ArtifactCleaner::remove_dead_blobs() {
  const auto found = database_.read()->artifacts.dead_blobs(dead_, kStep);
  if (found.empty()) {
    dead_ = 0;
    return false;
  }
  std::vector<std::int64_t> gone;
  for (const DeadBlob& dead : found) {
    if (database_.read()->artifacts.has_blob(dead.blob)) continue;  // a damaged table
    if (auto removed = blobs_.remove(dead.blob); removed)
      gone.push_back(dead.id);
    else
      note_failure(dead.blob, removed.error());
  }
  const auto forgotten = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    for (const std::int64_t id : gone) write.stores.artifacts.forget_dead_blob(id);
    return {};
  });
  dead_ = found.back().id;
  return static_cast<bool>(forgotten);
}

bool ArtifactCleaner::remove_lost_blobs() {
  auto read = database_.read();
  for (int count = 0; count < kStep; ++count) {
    const auto blob = earlier_.next();
    if (!blob) return false;
    if (read->artifacts.has_blob(*blob)) continue;
    log::info("artifacts.lost_file_removed", {{"blob", *blob}});
    if (auto removed = blobs_.remove(*blob); !removed) note_failure(*blob, removed.error());
  }
  return true;
}

}  // namespace slipway::server
