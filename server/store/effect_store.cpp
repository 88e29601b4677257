#include "server/store/effect_store.h"

#include "base/crypto.h"
#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<EffectRow> {
  template <typename F>
  static void each(EffectRow& row, F&& f) {
    f("id", row.id);
    f("kind", row.kind);
    f("channel", row.channel);
    f("payload", row.payload);
    f("attempts", row.attempts);
    f("created_at", row.created_at);
    f("due_at", row.due_at);
    f("last_error", row.last_error);
  }
};

template <>
struct Columns<AuditRow> {
  template <typename F>
  static void each(AuditRow& row, F&& f) {
    f("seq", row.seq);
    f("at", row.at);
    f("actor", row.actor);
    f("action", row.action);
    f("object", row.object);
    f("result", row.result);
    f("detail", row.detail);
    f("ip_address", row.ip_address);
    f("hash", row.hash);
  }
};

std::vector<EffectRow> OutboxStore::due(UnixMillis now, int limit) const {
  // Only the head of each channel: what comes behind it waits, so that order is kept.
  static const std::string sql =
      "SELECT " + column_names<EffectRow>() +
      " FROM outbox WHERE id IN (SELECT MIN(id) FROM outbox WHERE abandoned_at IS NULL"
      " GROUP BY channel) AND due_at <= ? ORDER BY id LIMIT ?";
  return select<EffectRow>(session_, sql, now, limit);
}

std::optional<UnixMillis> OutboxStore::next_due() const {
  return select_value<std::optional<UnixMillis>>(session_, R"sql(
SELECT MIN(due_at) FROM outbox
 WHERE id IN (SELECT MIN(id) FROM outbox WHERE abandoned_at IS NULL GROUP BY channel))sql");
}

long long OutboxStore::count_waiting() const {
  return select_value<long long>(session_,
                                 "SELECT COUNT(*) FROM outbox WHERE abandoned_at IS NULL");
}

EffectId OutboxStore::insert(const EffectRow& row) {
  return {insert_row(session_, "outbox", row)};
}

void OutboxStore::delivered(EffectId id) {
  execute(session_, "DELETE FROM outbox WHERE id = ?", id);
}

void OutboxStore::postpone(EffectId id, UnixMillis due_at, std::string_view error) {
  execute(session_,
          "UPDATE outbox SET attempts = attempts + 1, due_at = ?, last_error = ? WHERE id = ?",
          due_at, error, id);
}

void OutboxStore::abandon(EffectId id, UnixMillis at, std::string_view error) {
  execute(
      session_,
      "UPDATE outbox SET attempts = attempts + 1, abandoned_at = ?, last_error = ? WHERE id = ?",
      at, error, id);
}

namespace {

// Each field is told from the next by JSON's quoting: none can be moved into another.
std::string chain_hash(const std::string& before, const AuditRow& row) {
  return sha256_hex(
      before + "\n" +
      json_of_strings({std::to_string(row.seq), std::to_string(row.at), row.actor, row.action,
                       row.object, row.result, row.detail, row.ip_address}));
}

}  // namespace

void AuditStore::append(AuditRow row) {
  static const std::string last_sql =
      "SELECT " + column_names<AuditRow>() + " FROM audit ORDER BY seq DESC LIMIT 1";
  const auto last = select_one<AuditRow>(session_, last_sql);
  row.seq = last ? last->seq + 1 : 1;
  row.hash = chain_hash(last ? last->hash : "", row);
  execute(session_,
          "INSERT INTO audit (seq, at, actor, action, object, result, detail, ip_address, hash)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          row.seq, row.at, row.actor, row.action, row.object, row.result, row.detail,
          row.ip_address, row.hash);
}

std::optional<AuditRow> AuditStore::find(std::int64_t seq) const {
  static const std::string sql = "SELECT " + column_names<AuditRow>() + " FROM audit WHERE seq = ?";
  return select_one<AuditRow>(session_, sql, seq);
}

AuditVerdict AuditStore::verify() const {
  static const std::string sql =
      "SELECT " + column_names<AuditRow>() + " FROM audit WHERE seq > ? ORDER BY seq LIMIT 1000";
  AuditVerdict verdict;
  const auto broken = [&](std::int64_t seq, const char* why) {
    verdict.broken = seq;
    verdict.why = why;
    return verdict;
  };
  std::int64_t seq = 0;
  for (auto rows = select<AuditRow>(session_, sql, seq); !rows.empty();
       rows = select<AuditRow>(session_, sql, seq)) {
    for (const AuditRow& row : rows) {
      if (row.seq != seq + 1) return broken(seq + 1, "it is missing");
      seq = row.seq;
      const bool older = row.hash.empty() && verdict.head.empty();
      if (!older && row.hash != chain_hash(verdict.head, row))
        return broken(seq, "it is not as it was written");
      verdict.head = row.hash;
      ++verdict.rows;
    }
  }
  const auto ever = select_value<long long>(session_, "SELECT length FROM audit_length");
  if (ever > seq) return broken(seq + 1, "it is missing");
  return verdict;
}

Page<AuditRow> AuditStore::list(PageRequest page) const {
  static const std::string sql =
      "SELECT " + column_names<AuditRow>() + " FROM audit ORDER BY seq DESC LIMIT ? OFFSET ?";
  return {select<AuditRow>(session_, sql, page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, "SELECT COUNT(*) FROM audit")};
}

std::optional<std::string> SettingStore::get(std::string_view name) const {
  const auto row =
      select_one<Scalar<std::string>>(session_, "SELECT value FROM settings WHERE name = ?", name);
  if (!row) return std::nullopt;
  return row->value;
}

void SettingStore::put(std::string_view name, std::string_view value) {
  execute(session_,
          "INSERT INTO settings (name, value) VALUES (?, ?)"
          " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          name, value);
}

void SettingStore::remove(std::string_view name) {
  execute(session_, "DELETE FROM settings WHERE name = ?", name);
}

}  // namespace slipway::server
