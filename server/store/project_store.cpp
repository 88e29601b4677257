#include "server/store/project_store.h"

#include "server/store/protection_store.h"
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
    f("public_jobs", row.public_jobs);
    f("webhook_secret", row.webhook_secret);
    f("forge", row.forge);
    f("forge_api_url", row.forge_api_url);
    f("forge_token", row.forge_token);
    f("keep_latest_artifact", row.keep_latest_artifact);
    f("fork_pipelines", row.fork_pipelines);
    f("fork_trusted_authors", row.fork_trusted_authors);
    f("fork_approval_level", row.fork_approval_level);
    f("job_token_limited", row.job_token_limited);
    f("poll_interval", row.poll_interval);
    f("findings_gate", row.findings_gate);
    f("created_at", row.created_at);
  }
};

std::optional<ProjectRow> ProjectStore::find(ProjectId id) const {
  static const std::string sql =
      "SELECT " + column_names<ProjectRow>() + " FROM projects WHERE id = ?";
  return select_one<ProjectRow>(session_, sql, id);
}

std::optional<ProjectRow> ProjectStore::find_by_path(std::string_view path) const {
  static const std::string sql =
      "SELECT " + column_names<ProjectRow>() + " FROM projects WHERE lower(path) = lower(?)";
  return select_one<ProjectRow>(session_, sql, path);
}

Page<ProjectRow> ProjectStore::list(std::string_view search, std::string_view visibility,
                                    PageRequest page, std::string_view last_status,
                                    const ProjectViewer& viewer) const {
  // instr and not LIKE: a person who searches for "50%" means it.
  static const std::string where =
      " FROM projects WHERE (?1 = '' OR instr(lower(path), lower(?1)) > 0)"
      " AND (?2 = '' OR visibility = ?2)"
      " AND (?3 = '' OR ?3 = (SELECT status FROM pipelines WHERE project_id = projects.id"
      " AND ref = default_branch ORDER BY pipelines.id DESC LIMIT 1))"
      " AND ((?7 = 0 AND (?4 = 1 OR visibility = 'public' OR (?5 = 1 AND visibility = 'internal')))"
      " OR EXISTS (SELECT 1 FROM members WHERE user_id = ?6 AND access_level >= ?7 AND "
      "access_level >= 1"
      " AND (expires_at IS NULL OR expires_at > ?8)"
      " AND (members.project_id = projects.id OR (members.project_id IS NULL"
      " AND substr(lower(path), 1, length(group_path) + 1) = group_path || '/'))))";
  static const std::string rows =
      "SELECT " + column_names<ProjectRow>() + where + " ORDER BY lower(path) LIMIT ?9 OFFSET ?10";
  static const std::string total = "SELECT COUNT(*)" + where;
  return {
      select<ProjectRow>(session_, rows, search, visibility, last_status, viewer.everything,
                         viewer.internal, viewer.user, viewer.least_level, viewer.now,
                         page.per_page, (page.page - 1) * page.per_page),
      select_value<long long>(session_, total, search, visibility, last_status, viewer.everything,
                              viewer.internal, viewer.user, viewer.least_level, viewer.now)};
}

ProjectId ProjectStore::insert(const ProjectRow& row) {
  const ProjectId id{insert_row(session_, "projects", row)};
  ProtectionStore{session_}.protect(id, RefKind::Branch, row.default_branch, row.created_at);
  return id;
}

void ProjectStore::update(const ProjectRow& row) {
  execute(session_, R"sql(
UPDATE projects
   SET path = ?, repository_url = ?, default_branch = ?, visibility = ?, ci_config_path = ?,
       public_jobs = ?, webhook_secret = ?, forge = ?, forge_api_url = ?, forge_token = ?,
       keep_latest_artifact = ?, fork_pipelines = ?, fork_trusted_authors = ?,
       fork_approval_level = ?, job_token_limited = ?, poll_interval = ?,
       findings_gate = ?
 WHERE id = ?)sql",
          row.path, row.repository_url, row.default_branch, row.visibility, row.ci_config_path,
          row.public_jobs, row.webhook_secret, row.forge, row.forge_api_url, row.forge_token,
          row.keep_latest_artifact, row.fork_pipelines, row.fork_trusted_authors,
          row.fork_approval_level, row.job_token_limited, row.poll_interval, row.findings_gate,
          row.id);
}

void ProjectStore::remove(ProjectId id) {
  execute(session_, "DELETE FROM projects WHERE id = ?", id);
}

}  // namespace slipway::server
