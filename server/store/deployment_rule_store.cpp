#include "server/store/deployment_rule_store.h"

#include <algorithm>

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ProtectedEnvironmentRow> {
  template <typename F>
  static void each(ProtectedEnvironmentRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("name", row.name);
    f("deploy_level", row.deploy_level);
    f("approve_level", row.approve_level);
    f("required_approvals", row.required_approvals);
    f("own_approval", row.own_approval);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<FreezePeriodRow> {
  template <typename F>
  static void each(FreezePeriodRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("freeze_start", row.freeze_start);
    f("freeze_end", row.freeze_end);
    f("cron_timezone", row.cron_timezone);
    f("frozen_from", row.frozen_from);
    f("frozen_until", row.frozen_until);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
  }
};

namespace {

const std::string& select_protections() {
  static const std::string sql =
      "SELECT " + column_names<ProtectedEnvironmentRow>() + " FROM protected_environments";
  return sql;
}

const std::string& select_freezes() {
  static const std::string sql =
      "SELECT " + column_names<FreezePeriodRow>() + " FROM freeze_periods";
  return sql;
}

}  // namespace

bool is_on(const FreezePeriodRow& period, UnixMillis now) {
  return period.frozen_from && period.frozen_until && *period.frozen_from <= now &&
         now < *period.frozen_until;
}

std::vector<ProtectedEnvironmentRow> DeploymentRuleStore::protections(ProjectId project) const {
  static const std::string sql = select_protections() + " WHERE project_id = ? ORDER BY name";
  return select<ProtectedEnvironmentRow>(session_, sql, project);
}

std::optional<ProtectedEnvironmentRow> DeploymentRuleStore::protection(
    ProjectId project, std::string_view name) const {
  static const std::string sql = select_protections() + " WHERE project_id = ? AND name = ?";
  return select_one<ProtectedEnvironmentRow>(session_, sql, project, name);
}

void DeploymentRuleStore::protect(const ProtectedEnvironmentRow& row) {
  execute(session_, "DELETE FROM protected_environments WHERE project_id = ? AND name = ?",
          row.project_id, row.name);
  insert_row(session_, "protected_environments", row);
}

bool DeploymentRuleStore::unprotect(ProjectId project, std::string_view name) {
  if (!protection(project, name)) return false;
  execute(session_, "DELETE FROM protected_environments WHERE project_id = ? AND name = ?", project,
          name);
  return true;
}

std::vector<FreezePeriodRow> DeploymentRuleStore::freezes(ProjectId project) const {
  static const std::string sql = select_freezes() + " WHERE project_id = ? ORDER BY id";
  return select<FreezePeriodRow>(session_, sql, project);
}

std::vector<FreezePeriodRow> DeploymentRuleStore::all_freezes() const {
  static const std::string sql = select_freezes() + " ORDER BY id";
  return select<FreezePeriodRow>(session_, sql);
}

std::optional<FreezePeriodRow> DeploymentRuleStore::freeze(FreezePeriodId id) const {
  static const std::string sql = select_freezes() + " WHERE id = ?";
  return select_one<FreezePeriodRow>(session_, sql, id);
}

std::optional<UnixMillis> DeploymentRuleStore::frozen_until(ProjectId project,
                                                            UnixMillis now) const {
  std::optional<UnixMillis> until;
  for (const FreezePeriodRow& row : freezes(project))
    if (is_on(row, now)) until = std::max(until, row.frozen_until);
  return until;
}

FreezePeriodId DeploymentRuleStore::insert(FreezePeriodRow& row) {
  row.id = {insert_row(session_, "freeze_periods", row)};
  return row.id;
}

void DeploymentRuleStore::update(const FreezePeriodRow& row) {
  execute(session_, R"sql(
UPDATE freeze_periods SET freeze_start = ?, freeze_end = ?, cron_timezone = ?, frozen_from = ?,
 frozen_until = ?, updated_at = ? WHERE id = ?)sql",
          row.freeze_start, row.freeze_end, row.cron_timezone, row.frozen_from, row.frozen_until,
          row.updated_at, row.id);
}

void DeploymentRuleStore::remove(FreezePeriodId id) {
  execute(session_, "DELETE FROM freeze_periods WHERE id = ?", id);
}

}  // namespace slipway::server
