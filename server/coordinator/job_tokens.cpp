#include "server/coordinator/job_tokens.h"

#include <utility>

#include "base/crypto.h"

namespace slipway::server {

std::optional<JobCredential> JobTokens::find(std::string_view token, SteadyTime now) const {
  const std::string hash = token_hash(token);
  const std::shared_lock lock{mutex_};
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return std::nullopt;
  const Entry& entry = *found->second;
  if (entry.credential.finished && now - entry.heard() > kKeptAfterEnd) return std::nullopt;
  return entry.credential;
}

bool JobTokens::heard_from(JobId job, int dispatch, SteadyTime now) {
  const std::shared_lock lock{mutex_};
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return false;
  Entry& entry = *found->second;
  if (entry.credential.dispatch != dispatch || !entry.credential.acknowledged ||
      entry.credential.finished)
    return false;
  entry.heard_at = now.time_since_epoch().count();
  return true;
}

void JobTokens::put(const std::string& token_hash, JobCredential credential, SteadyTime now) {
  const std::unique_lock lock{mutex_};
  stale_.erase(credential.job_id);
  auto entry = std::make_shared<Entry>();
  entry->token_hash = token_hash;
  entry->heard_at = now.time_since_epoch().count();
  if (const auto old = by_job_.find(credential.job_id); old != by_job_.end()) {
    const Entry& before = *old->second;
    // A change of status alone (canceling) is no sign of life.
    if (before.token_hash == token_hash &&
        before.credential.acknowledged == credential.acknowledged &&
        before.credential.finished == credential.finished)
      entry->heard_at = before.heard_at.load();
    by_hash_.erase(before.token_hash);
  }
  entry->credential = std::move(credential);
  by_job_[entry->credential.job_id] = entry;
  by_hash_[token_hash] = std::move(entry);
}

void JobTokens::forget(JobId job) {
  const std::unique_lock lock{mutex_};
  erase(job);
}

void JobTokens::erase(JobId job) {
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return;
  by_hash_.erase(found->second->token_hash);
  by_job_.erase(found);
}

void JobTokens::begin_reload() {
  const std::unique_lock lock{mutex_};
  for (const auto& [job, entry] : by_job_) stale_.insert(job);
}

void JobTokens::end_reload(SteadyTime now) {
  const std::unique_lock lock{mutex_};
  for (const JobId job : std::exchange(stale_, {})) erase(job);
  for (const auto& [job, entry] : by_job_) entry->heard_at = now.time_since_epoch().count();
}

std::optional<SteadyTime> JobTokens::last_heard(JobId job) const {
  const std::shared_lock lock{mutex_};
  const auto found = by_job_.find(job);
  if (found == by_job_.end() || found->second->credential.finished) return std::nullopt;
  return found->second->heard();
}

void JobTokens::drop_finished(SteadyTime now) {
  const std::unique_lock lock{mutex_};
  std::erase_if(by_job_, [&](const auto& item) {
    const Entry& entry = *item.second;
    if (!entry.credential.finished || now - entry.heard() <= kKeptAfterEnd) return false;
    by_hash_.erase(entry.token_hash);
    return true;
  });
}

std::size_t JobTokens::size() const {
  const std::shared_lock lock{mutex_};
  return by_job_.size();
}

}  // namespace slipway::server
