#include "server/http/job_token_routes.h"

#include <nlohmann/json.hpp>

#include "server/access/access.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

std::string object_of(ProjectId target, ProjectId source) {
  return "project/" + std::to_string(target.value) + " from project/" +
         std::to_string(source.value);
}

json reference_view(const ProjectRow& row, const std::string& url) {
  return {{"id", row.id.value},
          {"name", row.path.substr(row.path.rfind('/') + 1)},
          {"path_with_namespace", row.path},
          {"web_url", url + "/" + row.path}};
}

// In GitLab's words the source is the project whose list it is.
json pair_view(ProjectId owner, ProjectId listed) {
  return {{"source_project_id", owner.value}, {"target_project_id", listed.value}};
}

}  // namespace

Result<Response> JobTokenRoutes::show(const Call& call) {
  // What GitLab calls outbound was given up there, too: the target alone decides.
  return json_response(
      200, {{"inbound_enabled", call.project->job_token_limited}, {"outbound_enabled", false}});
}

Result<Response> JobTokenRoutes::change(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto enabled = fields.flag("enabled");
  if (!enabled) fields.refuse("enabled", "true or false");
  if (fields.error()) return *fields.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    auto row = write.stores.projects.find(call.project->id);
    if (!row) return not_found("Project");
    row->job_token_limited = *enabled;
    write.stores.projects.update(*row);
    write.changes.projects.push_back(row->id);
    auth::audit(
        write.stores, write.now,
        {call.principal.name(), *enabled ? "job_token_scope.limited" : "job_token_scope.opened",
         "project/" + std::to_string(row->id.value), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> JobTokenRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto allowed = read->job_tokens.allowed(call.project->id, *page);
  auto items = json::array();
  for (const ProjectId id : allowed.rows) {
    const auto row = read->projects.find(id);
    if (!row) continue;
    // Of one that the asking person may not see the list tells that it is there, and no more.
    if (call.principal.is_admin || may_read(*read, clock_.now(), call.principal.user, *row))
      items.push_back(reference_view(*row, url_));
    else
      items.push_back({{"id", id.value}});
  }
  return list_response(items, *page, allowed.total);
}

Result<Response> JobTokenRoutes::allow(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto number = fields.number("target_project_id");
  if (!number) fields.refuse("target_project_id", "the number of a project");
  if (fields.error()) return *fields.error();
  const ProjectId source{*number};
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    const auto row = write.stores.projects.find(source);
    const bool seen = row && (call.principal.is_admin ||
                              may_read(write.stores, write.now, call.principal.user, *row));
    if (!seen) return not_found("Target Project");
    if (source == call.project->id)
      return fail(ErrorKind::InvalidInput, "a project's own jobs reach it anyway");
    write.stores.job_tokens.allow(call.project->id, source, write.now);
    auth::audit(write.stores, write.now,
                {call.principal.name(), "job_token_scope.allowed",
                 object_of(call.project->id, source), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return json_response(201, pair_view(call.project->id, source));
}

Result<Response> JobTokenRoutes::forbid(const Call& call) {
  const auto id = path_number(call.request, "target_project_id");
  if (!id) return not_found("Target Project");
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    if (!write.stores.job_tokens.forbid(call.project->id, ProjectId{*id}))
      return not_found("Target Project");
    auth::audit(write.stores, write.now,
                {call.principal.name(), "job_token_scope.forbidden",
                 object_of(call.project->id, ProjectId{*id}), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

}  // namespace slipway::server::http
