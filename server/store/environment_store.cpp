#include "server/store/environment_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<EnvironmentRow> {
  template <typename F>
  static void each(EnvironmentRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("name", row.name);
    f("slug", row.slug);
    f("tier", row.tier);
    f("external_url", row.external_url);
    f("state", row.state);
    f("on_stop", row.on_stop);
    f("auto_stop_at", row.auto_stop_at);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
  }
};

namespace {

const std::string& select_environments() {
  static const std::string sql = "SELECT " + column_names<EnvironmentRow>() + " FROM environments";
  return sql;
}

constexpr const char* kFiltered =
    " WHERE project_id = ?1 AND (?2 = '' OR name = ?2) AND (?3 = '' OR instr(lower(name), lower(?3)) > 0)"
    " AND (?4 = '' OR state = ?4)";

}  // namespace

std::optional<EnvironmentRow> EnvironmentStore::find(EnvironmentId id) const {
  static const std::string sql = select_environments() + " WHERE id = ?";
  return select_one<EnvironmentRow>(session_, sql, id);
}

std::optional<EnvironmentRow> EnvironmentStore::find(ProjectId project,
                                                     std::string_view name) const {
  static const std::string sql = select_environments() + " WHERE project_id = ? AND name = ?";
  return select_one<EnvironmentRow>(session_, sql, project, name);
}

Page<EnvironmentRow> EnvironmentStore::list(ProjectId project, const EnvironmentFilter& filter,
                                            PageRequest page) const {
  static const std::string sql =
      select_environments() + kFiltered + " ORDER BY name LIMIT ?5 OFFSET ?6";
  static const std::string count = std::string{"SELECT COUNT(*) FROM environments"} + kFiltered;
  return {select<EnvironmentRow>(session_, sql, project, filter.name, filter.search, filter.state,
                                 page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, count, project, filter.name, filter.search, filter.state)};
}

std::vector<EnvironmentRow> EnvironmentStore::to_stop(UnixMillis now, int limit) const {
  static const std::string sql =
      select_environments() +
      " WHERE state = 'available' AND auto_stop_at <= ? ORDER BY auto_stop_at LIMIT ?";
  return select<EnvironmentRow>(session_, sql, now, limit);
}

std::vector<EnvironmentRow> EnvironmentStore::of_ref(ProjectId project, std::string_view ref,
                                                     bool tag) const {
  static const std::string sql = select_environments() + R"sql(
 WHERE project_id = ?1 AND state = 'available' AND EXISTS (
  SELECT 1 FROM deployments WHERE deployments.id = (
    SELECT MAX(newest.id) FROM deployments newest WHERE newest.environment_id = environments.id)
   AND deployments.ref = ?2 AND deployments.tag = ?3)
 ORDER BY id)sql";
  return select<EnvironmentRow>(session_, sql, project, ref, tag);
}

EnvironmentId EnvironmentStore::insert(EnvironmentRow& row) {
  row.id = {insert_row(session_, "environments", row)};
  return row.id;
}

void EnvironmentStore::update(const EnvironmentRow& row) {
  execute(session_, R"sql(
UPDATE environments SET tier = ?, external_url = ?, state = ?, on_stop = ?, auto_stop_at = ?,
 updated_at = ? WHERE id = ?)sql",
          row.tier, row.external_url, row.state, row.on_stop, row.auto_stop_at, row.updated_at,
          row.id);
}

void EnvironmentStore::remove(EnvironmentId id) {
  execute(session_, "DELETE FROM environments WHERE id = ?", id);
}

}  // namespace slipway::server
