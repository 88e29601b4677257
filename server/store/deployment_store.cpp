#include "server/store/deployment_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<DeploymentRow> {
  template <typename F>
  static void each(DeploymentRow& row, F&& f) {
    f("id", row.id);
    f("iid", row.iid);
    f("project_id", row.project_id);
    f("environment_id", row.environment_id);
    f("job_id", row.job_id);
    f("pipeline_id", row.pipeline_id);
    f("ref", row.ref);
    f("tag", row.tag);
    f("sha", row.sha);
    f("status", row.status);
    f("kind", row.kind);
    f("url", row.url);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
    f("finished_at", row.finished_at);
  }
};

template <>
struct Columns<ApprovalRow> {
  template <typename F>
  static void each(ApprovalRow& row, F&& f) {
    f("id", row.id);
    f("deployment_id", row.deployment_id);
    f("user_id", row.user_id);
    f("username", row.username);
    f("status", row.status);
    f("comment", row.comment);
    f("created_at", row.created_at);
  }
};

namespace {

const std::string& select_deployments() {
  static const std::string sql = "SELECT " + column_names<DeploymentRow>() + " FROM deployments";
  return sql;
}

constexpr const char* kFiltered = R"sql(
 WHERE project_id = ?1 AND (?2 = '' OR environment_id IN (
   SELECT environments.id FROM environments
    WHERE environments.project_id = ?1 AND environments.name = ?2))
  AND (?3 = '' OR status = ?3))sql";

}  // namespace

std::optional<DeploymentRow> DeploymentStore::find(DeploymentId id) const {
  static const std::string sql = select_deployments() + " WHERE id = ?";
  return select_one<DeploymentRow>(session_, sql, id);
}

std::optional<DeploymentRow> DeploymentStore::of_job(JobId job) const {
  static const std::string sql = select_deployments() + " WHERE job_id = ?";
  return select_one<DeploymentRow>(session_, sql, job);
}

Page<DeploymentRow> DeploymentStore::list(ProjectId project, const DeploymentFilter& filter,
                                          PageRequest page) const {
  static const std::string down =
      select_deployments() + kFiltered + " ORDER BY id DESC LIMIT ?4 OFFSET ?5";
  static const std::string up =
      select_deployments() + kFiltered + " ORDER BY id LIMIT ?4 OFFSET ?5";
  static const std::string count = std::string{"SELECT COUNT(*) FROM deployments"} + kFiltered;
  return {
      select<DeploymentRow>(session_, filter.oldest_first ? up : down, project, filter.environment,
                            filter.status, page.per_page, (page.page - 1) * page.per_page),
      select_value<long long>(session_, count, project, filter.environment, filter.status)};
}

std::optional<DeploymentRow> DeploymentStore::current(EnvironmentId environment) const {
  static const std::string sql =
      select_deployments() +
      " WHERE environment_id = ? AND status = 'success' ORDER BY id DESC LIMIT 1";
  return select_one<DeploymentRow>(session_, sql, environment);
}

std::optional<DeploymentRow> DeploymentStore::newest(EnvironmentId environment) const {
  static const std::string sql =
      select_deployments() + " WHERE environment_id = ? ORDER BY id DESC LIMIT 1";
  return select_one<DeploymentRow>(session_, sql, environment);
}

std::optional<DeploymentRow> DeploymentStore::before(const DeploymentRow& row) const {
  static const std::string sql =
      select_deployments() +
      " WHERE environment_id = ? AND status = 'success' AND id < ? ORDER BY id DESC LIMIT 1";
  return select_one<DeploymentRow>(session_, sql, row.environment_id, row.id);
}

bool DeploymentStore::was_deployed(EnvironmentId environment, std::string_view sha) const {
  return select_value<long long>(session_, R"sql(
SELECT COUNT(*) FROM deployments
 WHERE environment_id = ? AND sha = ? AND status = 'success')sql",
                                 environment, sha) > 0;
}

std::vector<DeploymentRow> DeploymentStore::blocked(ProjectId project) const {
  static const std::string sql =
      select_deployments() + " WHERE project_id = ? AND status = 'blocked' ORDER BY id";
  return select<DeploymentRow>(session_, sql, project);
}

std::vector<ApprovalRow> DeploymentStore::approvals(DeploymentId id) const {
  static const std::string sql = "SELECT " + column_names<ApprovalRow>() +
                                 " FROM deployment_approvals WHERE deployment_id = ? ORDER BY id";
  return select<ApprovalRow>(session_, sql, id);
}

DeploymentId DeploymentStore::insert(DeploymentRow& row) {
  row.iid = 1 + select_value<long long>(
                    session_, "SELECT COALESCE(MAX(iid), 0) FROM deployments WHERE project_id = ?",
                    row.project_id);
  row.id = {insert_row(session_, "deployments", row)};
  return row.id;
}

void DeploymentStore::update(const DeploymentRow& row) {
  execute(session_, R"sql(
UPDATE deployments SET status = ?, url = ?, updated_at = ?, finished_at = ?
 WHERE id = ?)sql",
          row.status, row.url, row.updated_at, row.finished_at, row.id);
}

void DeploymentStore::approve(const ApprovalRow& row) {
  execute(session_, "DELETE FROM deployment_approvals WHERE deployment_id = ? AND user_id = ?",
          row.deployment_id, row.user_id);
  insert_row(session_, "deployment_approvals", row);
}

}  // namespace slipway::server
