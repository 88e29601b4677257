#include "server/http/audit_routes.h"

#include <nlohmann/json.hpp>

#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

json event_view(const AuditRow& row) {
  return {{"id", row.seq},
          {"created_at", to_rfc3339(row.at)},
          {"actor", row.actor},
          {"action", row.action},
          {"object", row.object},
          {"result", row.result},
          {"ip_address", row.ip_address},
          {"hash", row.hash}};
}

}  // namespace

Result<Response> AuditRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->audit.list(*page);
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(event_view(row));
  return list_response(items, *page, rows.total);
}

Result<Response> AuditRoutes::show(const Call& call) {
  const auto id = path_number(call.request, "event_id");
  if (!id) return not_found("Audit Event");
  const auto row = database_.read()->audit.find(*id);
  if (!row) return not_found("Audit Event");
  return json_response(200, event_view(*row));
}

Result<Response> AuditRoutes::verify(const Call&) {
  const auto verdict = database_.read()->audit.verify();
  return json_response(200, {{"valid", !verdict.broken},
                             {"rows", verdict.rows},
                             {"head", verdict.head},
                             {"broken", verdict.broken ? json(*verdict.broken) : json(nullptr)},
                             {"reason", verdict.why}});
}

}  // namespace slipway::server::http
