#include "server/store/runner_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<RunnerRow> {
  template <typename F>
  static void each(RunnerRow& row, F&& f) {
    f("id", row.id);
    f("token_hash", row.token_hash);
    f("description", row.description);
    f("maintenance_note", row.maintenance_note);
    f("runner_type", row.runner_type);
    f("project_id", row.project_id);
    f("tags", row.tags);
    f("run_untagged", row.run_untagged);
    f("paused", row.paused);
    f("protected_only", row.protected_only);
    f("maximum_timeout", row.maximum_timeout);
    f("created_at", row.created_at);
    f("contacted_at", row.contacted_at);
  }
};

template <>
struct Columns<RunnerManagerRow> {
  template <typename F>
  static void each(RunnerManagerRow& row, F&& f) {
    f("runner_id", row.runner_id);
    f("system_id", row.system_id);
    f("version", row.version);
    f("platform", row.platform);
    f("architecture", row.architecture);
    f("executor", row.executor);
    f("ip_address", row.ip_address);
    f("contacted_at", row.contacted_at);
  }
};

std::optional<RunnerRow> RunnerStore::find(RunnerId id) const {
  static const std::string sql =
      "SELECT " + column_names<RunnerRow>() + " FROM runners WHERE id = ?";
  return select_one<RunnerRow>(session_, sql, id);
}

std::optional<RunnerRow> RunnerStore::find_by_token(std::string_view token_hash) const {
  static const std::string sql =
      "SELECT " + column_names<RunnerRow>() + " FROM runners WHERE token_hash = ?";
  return select_one<RunnerRow>(session_, sql, token_hash);
}

std::vector<RunnerRow> RunnerStore::all() const {
  static const std::string sql =
      "SELECT " + column_names<RunnerRow>() + " FROM runners ORDER BY id";
  return select<RunnerRow>(session_, sql);
}

std::vector<RunnerManagerRow> RunnerStore::managers(RunnerId id) const {
  static const std::string sql = "SELECT " + column_names<RunnerManagerRow>() +
                                 " FROM runner_managers WHERE runner_id = ?"
                                 " ORDER BY contacted_at DESC, system_id";
  return select<RunnerManagerRow>(session_, sql, id);
}

RunnerId RunnerStore::insert(const RunnerRow& row) {
  return {insert_row(session_, "runners", row)};
}

void RunnerStore::update(const RunnerRow& row) {
  execute(session_, R"sql(
UPDATE runners
   SET token_hash = ?, description = ?, maintenance_note = ?, runner_type = ?, project_id = ?,
       tags = ?, run_untagged = ?, paused = ?, protected_only = ?, maximum_timeout = ?
 WHERE id = ?)sql",
          row.token_hash, row.description, row.maintenance_note, row.runner_type, row.project_id,
          row.tags, row.run_untagged, row.paused, row.protected_only, row.maximum_timeout, row.id);
}

void RunnerStore::remove(RunnerId id) {
  execute(session_, "DELETE FROM runners WHERE id = ?", id);
}

void RunnerStore::contacted(const RunnerManagerRow& manager) {
  execute(session_, "UPDATE runners SET contacted_at = ? WHERE id = ?", manager.contacted_at,
          manager.runner_id);
  execute(session_, R"sql(
INSERT INTO runner_managers
  (runner_id, system_id, version, platform, architecture, executor, ip_address, contacted_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (runner_id, system_id) DO UPDATE
   SET version = excluded.version, platform = excluded.platform,
       architecture = excluded.architecture, executor = excluded.executor,
       ip_address = excluded.ip_address, contacted_at = excluded.contacted_at)sql",
          manager.runner_id, manager.system_id, manager.version, manager.platform,
          manager.architecture, manager.executor, manager.ip_address, manager.contacted_at);
}

bool RunnerStore::seen(RunnerId id, std::string_view system_id, UnixMillis at) {
  execute(session_,
          "UPDATE runner_managers SET contacted_at = ? WHERE runner_id = ? AND system_id = ?", at,
          id, system_id);
  return select_one<Scalar<long long>>(
             session_, "UPDATE runners SET contacted_at = ? WHERE id = ? RETURNING 1", at, id)
      .has_value();
}

bool RunnerStore::remove_manager(RunnerId id, std::string_view system_id) {
  return select_one<Scalar<long long>>(
             session_,
             "DELETE FROM runner_managers WHERE runner_id = ? AND system_id = ? RETURNING 1", id,
             system_id)
      .has_value();
}

}  // namespace slipway::server
