#include "server/http/deployment_routes.h"

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "server/access/access.h"
#include "server/coordinator/deployment_rules.h"
#include "server/http/common.h"
#include "server/http/deployment_views.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

const std::vector<std::string>& states() {
  static const std::vector<std::string> words{"available", "stopping", "stopped"};
  return words;
}

const std::vector<std::string>& tiers() {
  static const std::vector<std::string> words{"production", "staging", "testing", "development",
                                              "other"};
  return words;
}

const std::vector<std::string>& deployment_statuses() {
  static const std::vector<std::string> words{"created", "blocked",  "running", "success",
                                              "failed",  "canceled", "skipped"};
  return words;
}

Result<void> check_level(Level level, int least, const std::string& what) {
  if (static_cast<int>(level) >= least) return {};
  return fail(ErrorKind::Denied,
              fmt::format("{} needs the access level {} in this project", what, least));
}

}  // namespace

Result<EnvironmentRow> DeploymentRoutes::environment_of(const Call& call) {
  const auto id = path_number(call.request, "environment_id");
  if (!id) return not_found("Environment");
  const auto row = database_.read()->environments.find(EnvironmentId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Environment");
  return *row;
}

Result<DeploymentRow> DeploymentRoutes::deployment_of(const Call& call) {
  const auto id = path_number(call.request, "deployment_id");
  if (!id) return not_found("Deployment");
  const auto row = database_.read()->deployments.find(DeploymentId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Deployment");
  return *row;
}

Result<void> DeploymentRoutes::check_deployer(const Call& call, std::string_view environment) {
  const auto rule =
      rule_for(database_.read()->deployment_rules.protections(call.project->id), environment);
  if (!rule) return {};
  return check_level(call.level, rule->deploy_level,
                     fmt::format("deploying to the protected environment '{}'", environment));
}

Result<Response> DeploymentRoutes::list_environments(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto state = query_word(call.request, "states", states());
  if (!state) return state.error();
  auto read = database_.read();
  const auto rows = read->environments.list(
      call.project->id, {query_text(call.request, "name"), query_text(call.request, "search"), *state},
      *page);
  const DeploymentViews views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const EnvironmentRow& row : rows.rows) items.push_back(views.environment(row));
  return list_response(items, *page, rows.total);
}

Result<Response> DeploymentRoutes::show_environment(const Call& call) {
  const auto row = environment_of(call);
  if (!row) return row.error();
  auto read = database_.read();
  return json_response(200, DeploymentViews{*read, url_, clock_.now()}.environment(*row));
}

Result<Response> DeploymentRoutes::update_environment(const Call& call) {
  auto row = environment_of(call);
  if (!row) return row.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto url = fields.text("external_url");
  const auto tier = fields.text("tier");
  if (url && !url->empty() && !url->starts_with("https://") && !url->starts_with("http://"))
    fields.refuse("external_url", "an address that begins with https:// or http://");
  if (tier && std::find(tiers().begin(), tiers().end(), *tier) == tiers().end())
    fields.refuse("tier", "production, staging, testing, development or other");
  if (fields.error()) return *fields.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    auto fresh = open.stores.environments.find(row->id);
    if (!fresh) return not_found("Environment");
    if (url) fresh->external_url = *url;
    if (tier) fresh->tier = *tier;
    fresh->updated_at = open.now;
    open.stores.environments.update(*fresh);
    return {};
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "environment.changed",
            "environment/" + std::to_string(row->id.value));
  return show_environment(call);
}

Result<Response> DeploymentRoutes::remove_environment(const Call& call) {
  const auto row = environment_of(call);
  if (!row) return row.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& open) -> Result<void> {
    const auto fresh = open.stores.environments.find(row->id);
    if (!fresh) return not_found("Environment");
    if (fresh->state != "stopped")
      return fail(ErrorKind::Denied,
                  fmt::format("the environment '{}' is {}", fresh->name, fresh->state))
          .with_hint("stop it first");
    open.stores.environments.remove(row->id);
    return {};
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "environment.removed",
            "environment/" + std::to_string(row->id.value));
  return empty_response(204);
}

Result<Response> DeploymentRoutes::stop(const Call& call) {
  const auto row = environment_of(call);
  if (!row) return row.error();
  if (auto fine = check_deployer(call, row->name); !fine) return fine.error();
  const auto stops = wait_for<std::optional<JobId>>([&](Completion<std::optional<JobId>> then) {
    coordinator_.stop_environment(row->id, std::move(then), call.principal.user);
  });
  if (!stops) return stops.error();
  note_audit(coordinator_, call, "environment.stopped",
            "environment/" + std::to_string(row->id.value));
  return show_environment(call);
}

Result<Response> DeploymentRoutes::roll_back(const Call& call) {
  const auto row = environment_of(call);
  if (!row) return row.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto number = fields.number("deployment_id");
  if (!fields.error() && !number) fields.refuse("deployment_id", "the number of a deployment");
  if (fields.error()) return *fields.error();
  if (auto fine = check_deployer(call, row->name); !fine) return fine.error();
  std::optional<JobId> job;
  {
    auto read = database_.read();
    const auto deployment = read->deployments.find(DeploymentId{*number});
    if (!deployment || deployment->environment_id != row->id) return not_found("Deployment");
    const auto kind = deployment->tag ? RefKind::Tag : RefKind::Branch;
    if (auto fine = check_may_run(*read, call.level, call.project->id, kind, deployment->ref);
        !fine)
      return fine.error();
    // Of its job the newest try, since that is the one that can be tried again.
    const auto made_by = read->jobs.find(deployment->job_id);
    for (const JobRow& other : read->jobs.of_pipeline(deployment->pipeline_id))
      if (made_by && other.name == made_by->name && !other.retried) job = other.id;
  }
  if (!job) return not_found("Job");
  const auto again = wait_for<JobId>([&](Completion<JobId> then) {
    coordinator_.retry_job(*job, std::move(then), call.principal.user);
  });
  if (!again) return again.error();
  note_audit(coordinator_, call, "deployment.rolled_back", fmt::format("job/{}", again->value));
  auto read = database_.read();
  const auto made = read->deployments.of_job(*again);
  if (!made) return not_found("Deployment");
  return json_response(201, DeploymentViews{*read, url_, clock_.now()}.deployment(*made));
}

Result<Response> DeploymentRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto status = query_word(call.request, "status", deployment_statuses());
  if (!status) return status.error();
  const auto sort = query_word(call.request, "sort", {"asc", "desc"});
  if (!sort) return sort.error();
  DeploymentFilter filter{query_text(call.request, "environment"), *status, *sort == "asc"};
  auto read = database_.read();
  const auto rows = read->deployments.list(call.project->id, filter, *page);
  const DeploymentViews views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const DeploymentRow& row : rows.rows) items.push_back(views.deployment(row));
  return list_response(items, *page, rows.total);
}

Result<Response> DeploymentRoutes::show(const Call& call) {
  const auto row = deployment_of(call);
  if (!row) return row.error();
  auto read = database_.read();
  return json_response(200, DeploymentViews{*read, url_, clock_.now()}.deployment(*row));
}

Result<Response> DeploymentRoutes::approve(const Call& call) {
  const auto row = deployment_of(call);
  if (!row) return row.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  ApprovalRow approval;
  approval.status = fields.needed_text("status");
  approval.comment = fields.text("comment").value_or("");
  const auto sha = fields.text("sha").value_or("");
  if (!fields.error() && approval.status != "approved" && approval.status != "rejected")
    fields.refuse("status", "\"approved\" or \"rejected\"");
  if (approval.comment.size() > 1000) fields.refuse("comment", "at most 1000 characters");
  if (fields.error()) return *fields.error();
  {
    auto read = database_.read();
    const auto environment = read->environments.find(row->environment_id);
    if (!environment) return not_found("Environment");
    const auto rule =
        rule_for(read->deployment_rules.protections(call.project->id), environment->name);
    if (!rule || rule->required_approvals == 0)
      return fail(ErrorKind::Conflict,
                  fmt::format("deployments to '{}' need no approval", environment->name));
    if (auto fine = check_level(call.level, rule->approve_level, "approving deployments here");
        !fine)
      return fine.error();
    // Four eyes: whoever starts it does not also wave it through.
    const auto job = read->jobs.find(row->job_id);
    if (approval.status == "approved" && !rule->own_approval && job &&
        job->user_id == call.principal.user)
      return fail(ErrorKind::Denied, "whoever started a deployment cannot approve it")
          .with_hint("another member who may approve deployments here has to look at it");
  }
  // Whoever can make a token could be two.
  if (call.principal.is_bot)
    return fail(ErrorKind::Denied, "deployments are approved by people, not by a project's token");
  approval.deployment_id = row->id;
  approval.user_id = call.principal.user;
  approval.username = call.principal.username;
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.approve_deployment(approval, sha, std::move(then));
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "deployment." + approval.status,
            fmt::format("deployment/{}/{}", row->id.value, row->sha));
  return show(call);
}

}  // namespace slipway::server::http
