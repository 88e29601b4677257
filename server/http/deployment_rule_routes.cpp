#include "server/http/deployment_rule_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/deployments/freezes.h"
#include "server/http/common.h"
#include "server/http/deployment_views.h"
#include "server/http/json.h"
#include "server/schedules/cron.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr int kMostApprovals = 20;

bool is_environment_pattern(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '/' && name.back() != '/' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || std::string_view{" -_/${}.*"}.find(
                                              static_cast<char>(c)) != std::string_view::npos;
         });
}

bool is_level(long long level) {
  return level == 30 || level == 40 || level == 50;
}

std::string audited(const Call& call, const std::string& name) {
  return "project/" + std::to_string(call.project->id.value) + "/environment/" + name;
}

}  // namespace

void DeploymentRuleRoutes::rules_changed(const Call& call) {
  coordinator_.reconsider_deployments(call.project->id, {});
}

Result<Response> DeploymentRuleRoutes::list_protected(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->deployment_rules.protections(call.project->id);
  const auto [first, last] = page_bounds(*page, rows.size());
  auto items = json::array();
  for (auto i = first; i < last; ++i) items.push_back(protected_environment_view(rows[i]));
  return list_response(items, *page, static_cast<long long>(rows.size()));
}

Result<Response> DeploymentRuleRoutes::show_protected(const Call& call) {
  const auto row =
      database_.read()->deployment_rules.protection(call.project->id, call.request.param("name"));
  if (!row) return not_found("Protected Environment");
  return json_response(200, protected_environment_view(*row));
}

Result<Response> DeploymentRuleRoutes::protect(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  ProtectedEnvironmentRow row;
  row.project_id = call.project->id;
  row.name = fields.needed_text("name");
  if (!fields.error() && !is_environment_pattern(row.name))
    fields.refuse("name", "an environment, with '*' for any text");
  const auto deploy = fields.number("deploy_access_level").value_or(row.deploy_level);
  const auto approve = fields.number("approve_access_level").value_or(row.approve_level);
  const auto approvals = fields.number("required_approval_count").value_or(0);
  for (const auto& [field, level] :
       {std::pair{"deploy_access_level", deploy}, std::pair{"approve_access_level", approve}})
    if (!is_level(level))
      fields.refuse(field, "30 for developers, 40 for maintainers, 50 for owners");
  if (approvals < 0 || approvals > kMostApprovals)
    fields.refuse("required_approval_count", "a number from 0 to 20");
  row.own_approval = fields.flag("allow_own_approval").value_or(false);
  if (fields.error()) return *fields.error();
  row.deploy_level = static_cast<int>(deploy);
  row.approve_level = static_cast<int>(approve);
  row.required_approvals = static_cast<int>(approvals);
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    row.created_at = open.now;
    open.stores.deployment_rules.protect(row);
    auth::audit(open.stores, open.now,
                {call.principal.name(), "environment.protected", audited(call, row.name), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  rules_changed(call);
  return json_response(201, protected_environment_view(row));
}

Result<Response> DeploymentRuleRoutes::unprotect(const Call& call) {
  const std::string name{call.request.param("name")};
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    if (!open.stores.deployment_rules.unprotect(call.project->id, name))
      return not_found("Protected Environment");
    auth::audit(open.stores, open.now,
                {call.principal.name(), "environment.unprotected", audited(call, name), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  rules_changed(call);
  return empty_response(204);
}

Result<FreezePeriodRow> DeploymentRuleRoutes::freeze_of(const Call& call) {
  const auto id = path_number(call.request, "freeze_period_id");
  if (!id) return not_found("Freeze Period");
  const auto row = database_.read()->deployment_rules.freeze(FreezePeriodId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Freeze Period");
  return *row;
}

Result<void> DeploymentRuleRoutes::read_freeze(const Call& call, FreezePeriodRow& row,
                                               bool needed) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  if (needed) {
    row.freeze_start = fields.needed_text("freeze_start");
    row.freeze_end = fields.needed_text("freeze_end");
  } else {
    row.freeze_start = fields.text("freeze_start").value_or(row.freeze_start);
    row.freeze_end = fields.text("freeze_end").value_or(row.freeze_end);
  }
  row.cron_timezone = fields.text("cron_timezone").value_or(row.cron_timezone);
  if (fields.error()) return *fields.error();
  for (const auto& [name, text] :
       {std::pair{"freeze_start", row.freeze_start}, std::pair{"freeze_end", row.freeze_end}})
    if (const auto cron = Cron::parse(text); !cron) return Error{cron.error()}.in(name);
  if (auto known = check_time_zone(row.cron_timezone); !known)
    return std::move(known).error().in("cron_timezone");
  return {};
}

Result<Response> DeploymentRuleRoutes::list_freezes(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->deployment_rules.freezes(call.project->id);
  const auto [first, last] = page_bounds(*page, rows.size());
  auto items = json::array();
  for (auto i = first; i < last; ++i) items.push_back(freeze_period_view(rows[i], clock_.now()));
  return list_response(items, *page, static_cast<long long>(rows.size()));
}

Result<Response> DeploymentRuleRoutes::show_freeze(const Call& call) {
  const auto row = freeze_of(call);
  if (!row) return row.error();
  return json_response(200, freeze_period_view(*row, clock_.now()));
}

Result<Response> DeploymentRuleRoutes::create_freeze(const Call& call) {
  constexpr std::size_t kMost = 100;
  FreezePeriodRow row;
  row.project_id = call.project->id;
  row.cron_timezone = "UTC";
  if (auto read = read_freeze(call, row, true); !read) return read.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    if (open.stores.deployment_rules.freezes(call.project->id).size() >= kMost)
      return fail(ErrorKind::Conflict, "the project has 100 freeze periods already")
          .with_hint("remove one that is not needed any more");
    row.created_at = row.updated_at = open.now;
    set_window(row, open.now);
    open.stores.deployment_rules.insert(row);
    auth::audit(open.stores, open.now,
                {call.principal.name(), "freeze_period.created",
                 "freeze_period/" + std::to_string(row.id.value), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  rules_changed(call);
  return json_response(201, freeze_period_view(row, clock_.now()));
}

Result<Response> DeploymentRuleRoutes::update_freeze(const Call& call) {
  auto row = freeze_of(call);
  if (!row) return row.error();
  if (auto read = read_freeze(call, *row, false); !read) return read.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    row->updated_at = open.now;
    set_window(*row, open.now);
    open.stores.deployment_rules.update(*row);
    auth::audit(open.stores, open.now,
                {call.principal.name(), "freeze_period.changed",
                 "freeze_period/" + std::to_string(row->id.value), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  rules_changed(call);
  return json_response(200, freeze_period_view(*row, clock_.now()));
}

Result<Response> DeploymentRuleRoutes::remove_freeze(const Call& call) {
  const auto row = freeze_of(call);
  if (!row) return row.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    open.stores.deployment_rules.remove(row->id);
    auth::audit(open.stores, open.now,
                {call.principal.name(), "freeze_period.removed",
                 "freeze_period/" + std::to_string(row->id.value), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  rules_changed(call);
  return empty_response(204);
}

}  // namespace slipway::server::http
