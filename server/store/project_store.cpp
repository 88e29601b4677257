#include "server/store/project_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ProjectRow> {
  template <typename F>
  static void each(ProjectRow& row, F&& f) {
    f("id", row.id);
    f("path", row.path);
    f("repository_url", row.repository_url);
    f("default_branch", row.default_branch);
    f("visibility", row.visibility);
    f("ci_config_path", row.ci_config_path);
    f("webhook_secret", row.webhook_secret);
    f("forge", row.forge);
    f("forge_api_url", row.forge_api_url);
    f("forge_token", row.forge_token);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<ProjectVariableRow> {
  template <typename F>
  static void each(ProjectVariableRow& row, F&& f) {
    f("project_id", row.project_id);
    f("key", row.key);
    f("value", row.value);
    f("masked", row.masked);
    f("raw", row.raw);
    f("file", row.file);
    f("protected_only", row.protected_only);
  }
};

std::optional<ProjectRow> ProjectStore::find(ProjectId id) const {
  static const std::string sql =
      "SELECT " + column_names<ProjectRow>() + " FROM projects WHERE id = ?";
  return select_one<ProjectRow>(session_, sql, id);
}

std::optional<ProjectRow> ProjectStore::find_by_path(std::string_view path) const {
  static const std::string sql =
      "SELECT " + column_names<ProjectRow>() + " FROM projects WHERE path = ?";
  return select_one<ProjectRow>(session_, sql, path);
}

Page<ProjectRow> ProjectStore::list(std::string_view search, std::string_view visibility,
                                    PageRequest page) const {
  // instr and not LIKE: a person who searches for "50%" means it.
  static const std::string where =
      " FROM projects WHERE (?1 = '' OR instr(lower(path), lower(?1)) > 0)"
      " AND (?2 = '' OR visibility = ?2)";
  static const std::string rows =
      "SELECT " + column_names<ProjectRow>() + where + " ORDER BY path LIMIT ?3 OFFSET ?4";
  static const std::string total = "SELECT COUNT(*)" + where;
  return {select<ProjectRow>(session_, rows, search, visibility, page.per_page,
                             (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, search, visibility)};
}

std::vector<ProjectVariableRow> ProjectStore::variables(ProjectId id) const {
  static const std::string sql = "SELECT " + column_names<ProjectVariableRow>() +
                                 " FROM project_variables WHERE project_id = ? ORDER BY key";
  return select<ProjectVariableRow>(session_, sql, id);
}

ProjectId ProjectStore::insert(const ProjectRow& row) {
  return {insert_row(session_, "projects", row)};
}

void ProjectStore::update(const ProjectRow& row) {
  execute(session_, R"sql(
UPDATE projects
   SET path = ?, repository_url = ?, default_branch = ?, visibility = ?, ci_config_path = ?,
       webhook_secret = ?, forge = ?, forge_api_url = ?, forge_token = ?
 WHERE id = ?)sql",
          row.path, row.repository_url, row.default_branch, row.visibility, row.ci_config_path,
          row.webhook_secret, row.forge, row.forge_api_url, row.forge_token, row.id);
}

void ProjectStore::remove(ProjectId id) {
  execute(session_, "DELETE FROM projects WHERE id = ?", id);
}

void ProjectStore::put_variable(const ProjectVariableRow& row) {
  execute(session_, R"sql(
INSERT OR REPLACE INTO project_variables (project_id, key, value, masked, raw, file, protected_only)
VALUES (?, ?, ?, ?, ?, ?, ?))sql",
          row.project_id, row.key, row.value, row.masked, row.raw, row.file, row.protected_only);
}

bool ProjectStore::remove_variable(ProjectId id, std::string_view key) {
  return select_one<Scalar<long long>>(
             session_, "DELETE FROM project_variables WHERE project_id = ? AND key = ? RETURNING 1",
             id, key)
      .has_value();
}

}  // namespace slipway::server
