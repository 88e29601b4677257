#include "server/http/resource_group_routes.h"

#include <nlohmann/json.hpp>

#include "pipeline/resource_group.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

json group_view(const ResourceGroupRow& row) {
  return {{"id", row.id.value},
          {"key", row.key},
          {"process_mode", row.process_mode},
          {"created_at", to_rfc3339(row.created_at)},
          {"updated_at", to_rfc3339(row.updated_at)}};
}

}  // namespace

Result<Response> ResourceGroupRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->resource_groups.list(call.project->id, *page);
  auto items = json::array();
  for (const ResourceGroupRow& row : rows.rows) items.push_back(group_view(row));
  return list_response(items, *page, rows.total);
}

Result<Response> ResourceGroupRoutes::show(const Call& call) {
  const auto row =
      database_.read()->resource_groups.find(call.project->id, call.request.param("key"));
  if (!row) return not_found("Resource Group");
  return json_response(200, group_view(*row));
}

Result<Response> ResourceGroupRoutes::update(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto word = fields.needed_text("process_mode");
  if (fields.error()) return *fields.error();
  const auto mode = pipeline::parse_process_mode(word);
  if (!mode) return mode.error();
  if (!database_.read()->resource_groups.find(call.project->id, call.request.param("key")))
    return not_found("Resource Group");
  const std::string key{call.request.param("key")};
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.set_process_mode(call.project->id, key, *mode, std::move(then));
  });
  if (!done) return done.error();
  note_audit(coordinator_, {call.principal.name(), "resource_group.changed",
                            "resource_group/" + key, false, call.request.remote});
  return show(call);
}

}  // namespace slipway::server::http
