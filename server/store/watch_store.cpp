#include "server/store/watch_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<WatchRow> {
  template <typename F>
  static void each(WatchRow& row, F&& f) {
    f("project_id", row.project_id);
    f("compared_at", row.compared_at);
    f("due_at", row.due_at);
    f("failures", row.failures);
    f("error", row.error);
    f("found", row.found);
  }
};

std::optional<WatchRow> WatchStore::find(ProjectId project) const {
  static const std::string sql =
      "SELECT " + column_names<WatchRow>() + " FROM ref_watches WHERE project_id = ?";
  return select_one<WatchRow>(session_, sql, project);
}

void WatchStore::put(const WatchRow& row) {
  execute(session_, R"sql(
INSERT INTO ref_watches (project_id, compared_at, due_at, failures, error, found)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (project_id) DO UPDATE
   SET compared_at = excluded.compared_at, due_at = excluded.due_at,
       failures = excluded.failures, error = excluded.error, found = excluded.found)sql",
          row.project_id, row.compared_at, row.due_at, row.failures, row.error, row.found);
}

std::vector<std::pair<std::string, std::string>> WatchStore::refs(ProjectId project) const {
  return select<std::pair<std::string, std::string>>(
      session_, "SELECT ref, sha FROM known_refs WHERE project_id = ? ORDER BY ref", project);
}

void WatchStore::set_ref(ProjectId project, const std::string& ref, const std::string& sha) {
  execute(session_,
          "INSERT INTO known_refs (project_id, ref, sha) VALUES (?, ?, ?)"
          " ON CONFLICT (project_id, ref) DO UPDATE SET sha = excluded.sha",
          project, ref, sha);
}

void WatchStore::remove_ref(ProjectId project, const std::string& ref) {
  execute(session_, "DELETE FROM known_refs WHERE project_id = ? AND ref = ?", project, ref);
}

}  // namespace slipway::server
