#include "server/store/job_token_store.h"

#include "server/store/session.h"

namespace slipway::server {

bool JobTokenStore::is_allowed(ProjectId target, ProjectId source) const {
  return select_value<long long>(session_,
                                 "SELECT COUNT(*) FROM job_token_allowlist"
                                 " WHERE project_id = ? AND source_project_id = ?",
                                 target, source) > 0;
}

Page<ProjectId> JobTokenStore::allowed(ProjectId target, PageRequest page) const {
  const auto rows = select<Scalar<ProjectId>>(
      session_,
      "SELECT source_project_id FROM job_token_allowlist WHERE project_id = ?"
      " ORDER BY source_project_id LIMIT ? OFFSET ?",
      target, page.per_page, (page.page - 1) * page.per_page);
  Page<ProjectId> found;
  for (const auto& row : rows) found.rows.push_back(row.value);
  found.total = select_value<long long>(
      session_, "SELECT COUNT(*) FROM job_token_allowlist WHERE project_id = ?", target);
  return found;
}

void JobTokenStore::allow(ProjectId target, ProjectId source, UnixMillis now) {
  execute(session_,
          "INSERT INTO job_token_allowlist (project_id, source_project_id, created_at)"
          " VALUES (?, ?, ?) ON CONFLICT (project_id, source_project_id) DO NOTHING",
          target, source, now);
}

bool JobTokenStore::forbid(ProjectId target, ProjectId source) {
  if (!is_allowed(target, source)) return false;
  execute(session_,
          "DELETE FROM job_token_allowlist WHERE project_id = ? AND source_project_id = ?", target,
          source);
  return true;
}

}  // namespace slipway::server
