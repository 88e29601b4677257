// Effects on the outside world that a commit owes: the outbox. And the audit log and settings.
//
// As all repositories: views on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

// Delivered at least once. Effects of one `channel` are delivered in order.
struct EffectRow {
  EffectId id;
  std::string kind;     // "pipeline_status", …
  std::string channel;  // "project/12"
  std::string payload;  // JSON
  int attempts = 0;
  UnixMillis created_at = 0;
  UnixMillis due_at = 0;
  std::string last_error;
};

class OutboxStore {
 public:
  explicit OutboxStore(Session& session) : session_(session) {}

  // The oldest undelivered of each channel that is due, oldest first.
  [[nodiscard]] std::vector<EffectRow> due(UnixMillis now, int limit) const;
  [[nodiscard]] std::optional<UnixMillis> next_due() const;
  [[nodiscard]] long long count_waiting() const;

  EffectId insert(const EffectRow& row);
  void delivered(EffectId id);
  void postpone(EffectId id, UnixMillis due_at, std::string_view error);
  // Gives it up: kept for the record, never tried again.
  void abandon(EffectId id, UnixMillis at, std::string_view error);

 private:
  Session& session_;
};

struct AuditRow {
  std::int64_t seq = 0;
  UnixMillis at = 0;
  std::string actor;  // "user/1", "runner/2", "job/3", "system"
  std::string action;
  std::string object;  // "project/4"
  std::string result;  // "ok" or "refused"
  std::string detail;  // JSON; never a secret
  std::string ip_address;
  std::string hash;  // over this row and the hash of the one before; set when it is appended
};

// What the chain of hashes says.
struct AuditVerdict {
  long long rows = 0;  // up to the first that is broken
  std::string head;  // hash of the last: who keeps it elsewhere can prove that nothing was cut off
  std::optional<std::int64_t> broken;  // the first row that is not as it was written
  std::string why;
};

class AuditStore {
 public:
  explicit AuditStore(Session& session) : session_(session) {}

  void append(AuditRow row);
  // Newest first.
  [[nodiscard]] Page<AuditRow> list(PageRequest page) const;
  [[nodiscard]] std::optional<AuditRow> find(std::int64_t seq) const;
  // Reads all rows, a thousand at a time. Rows older than the chain are taken as they are.
  [[nodiscard]] AuditVerdict verify() const;

 private:
  Session& session_;
};

// Single values by name: "setup_done", "setup_token_hash". Secrets are sealed by the caller.
class SettingStore {
 public:
  explicit SettingStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
  void put(std::string_view name, std::string_view value);
  void remove(std::string_view name);

 private:
  Session& session_;
};

}  // namespace slipway::server
