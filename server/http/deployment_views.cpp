#include "server/http/deployment_views.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/coordinator/deployment_rules.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

const char* describe(int level) {
  if (level <= static_cast<int>(Level::Developer)) return "Developers + Maintainers";
  return level == static_cast<int>(Level::Maintainer) ? "Maintainers" : "Owners";
}

json level_view(int level) {
  return json::array({{{"access_level", level}, {"access_level_description", describe(level)}}});
}

}  // namespace

json DeploymentViews::user(std::optional<UserId> id) const {
  const auto row = id ? stores_.users.find(*id) : std::nullopt;
  return row ? user_view(*row) : json();
}

json DeploymentViews::environment(const EnvironmentRow& row) const {
  const auto current = stores_.deployments.current(row.id);
  const auto newest = stores_.deployments.newest(row.id);
  const auto rule = rule_for(stores_.deployment_rules.protections(row.project_id), row.name);
  const auto slash = row.name.find('/');
  json view = {{"id", row.id.value},
               {"name", row.name},
               {"slug", row.slug},
               {"tier", row.tier},
               {"external_url", row.external_url.empty() ? json() : json(row.external_url)},
               {"state", row.state},
               {"folder", slash == std::string::npos ? json() : json(row.name.substr(0, slash))},
               {"auto_stop_at", time_or_null(row.auto_stop_at)},
               {"created_at", to_rfc3339(row.created_at)},
               {"updated_at", to_rfc3339(row.updated_at)},
               {"stops_by", row.on_stop.empty() ? json() : json(row.on_stop)},
               {"protection", rule ? protected_environment_view(*rule) : json()},
               {"last_deployment", current ? deployment(*current) : json()},
               // What is on its way there, or did not get there.
               {"upcoming_deployment",
                newest && (!current || newest->id != current->id) ? deployment(*newest) : json()}};
  return view;
}

void DeploymentViews::add_approvals(json& view, const DeploymentRow& row,
                                    std::string_view environment) const {
  auto given = json::array();
  int approved = 0;
  for (const ApprovalRow& word : stores_.deployments.approvals(row.id)) {
    approved += word.status == "approved" ? 1 : 0;
    given.push_back({{"user", user(word.user_id)},
                     {"status", word.status},
                     {"comment", word.comment},
                     {"created_at", to_rfc3339(word.created_at)}});
  }
  const auto rule = rule_for(stores_.deployment_rules.protections(row.project_id), environment);
  const int needed = rule ? rule->required_approvals : 0;
  const bool waits = row.status == "created" || row.status == "blocked";
  view["approvals"] = std::move(given);
  view["pending_approval_count"] = waits ? std::max(0, needed - approved) : 0;
}

json DeploymentViews::deployment(const DeploymentRow& row) const {
  const auto environment = stores_.environments.find(row.environment_id);
  const auto job = stores_.jobs.find(row.job_id);
  const auto pipeline = stores_.pipelines.find(row.pipeline_id);
  const auto before = stores_.deployments.before(row);
  json view = {
      {"id", row.id.value},
      {"iid", row.iid},
      {"ref", row.ref},
      {"tag", row.tag},
      {"sha", row.sha},
      {"status", row.status},
      {"kind", row.kind},
      {"created_at", to_rfc3339(row.created_at)},
      {"updated_at", to_rfc3339(row.updated_at)},
      {"finished_at", time_or_null(row.finished_at)},
      {"user", user(job ? job->user_id : std::nullopt)},
      {"environment", environment ? json{{"id", environment->id.value},
                                         {"name", environment->name},
                                         {"external_url", environment->external_url.empty()
                                                              ? json()
                                                              : json(environment->external_url)}}
                                  : json()},
      {"deployable", job ? Views{stores_, url_, now_}.job(*job) : json()},
      {"commit", pipeline ? json{{"id", row.sha},
                                 {"short_id", row.sha.substr(0, 8)},
                                 {"title", pipeline->commit_message.substr(
                                               0, pipeline->commit_message.find('\n'))},
                                 {"author_name", pipeline->author_name}}
                          : json()},
      {"previous_sha", before ? json(before->sha) : json()}};
  add_approvals(view, row, environment ? environment->name : "");
  return view;
}

json protected_environment_view(const ProtectedEnvironmentRow& row) {
  return {
      {"name", row.name},
      {"deploy_access_levels", level_view(row.deploy_level)},
      {"approval_rules", json::array({{{"access_level", row.approve_level},
                                       {"access_level_description", describe(row.approve_level)},
                                       {"required_approvals", row.required_approvals}}})},
      {"required_approval_count", row.required_approvals},
      {"allow_own_approval", row.own_approval}};
}

json freeze_period_view(const FreezePeriodRow& row, UnixMillis now) {
  return {{"id", row.id.value},
          {"freeze_start", row.freeze_start},
          {"freeze_end", row.freeze_end},
          {"cron_timezone", row.cron_timezone},
          {"frozen_until", is_on(row, now) ? json(to_rfc3339(*row.frozen_until)) : json()},
          {"created_at", to_rfc3339(row.created_at)},
          {"updated_at", to_rfc3339(row.updated_at)}};
}

}  // namespace slipway::server::http
