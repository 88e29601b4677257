#include "server/http/delivery_routes.h"

#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kShownBody = std::size_t{256} << 10U;

std::optional<DeliveryRow> find_delivery(const Stores& stores, const Call& call) {
  const auto id = path_number(call.request, "delivery_id");
  if (!id) return std::nullopt;
  auto row = stores.deliveries.find(DeliveryId{*id});
  if (!row || row->project_id != call.project->id) return std::nullopt;
  return row;
}

}  // namespace

Result<Response> DeliveryRoutes::receive(const Call& call) {
  const auto verdict = intake_.receive_hook(*call.project, call.request.headers, call.request.body);
  if (!verdict) return verdict.error();
  return json_response(202, {{"delivery_id", verdict->delivery.value},
                             {"verdict", verdict->verdict},
                             {"reason", verdict->reason}});
}

Result<Response> DeliveryRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto rows = read->deliveries.list(call.project->id, *page);
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(delivery_view(row));
  return list_response(items, *page, rows.total);
}

Result<Response> DeliveryRoutes::watch(const Call& call) {
  const auto row = database_.read()->watches.find(call.project->id).value_or(WatchRow{});
  return json_response(
      200,
      {{"poll_interval", call.project->poll_interval},
       {"compared_at", row.compared_at > 0 ? json(to_rfc3339(row.compared_at)) : json(nullptr)},
       {"due_at", row.due_at > 0 ? json(to_rfc3339(row.due_at)) : json(nullptr)},
       {"failures", row.failures},
       {"error", row.error},
       {"found", row.found}});
}

Result<Response> DeliveryRoutes::show(const Call& call) {
  auto read = database_.read();
  const auto row = find_delivery(*read, call);
  if (!row) return not_found("Delivery");
  std::string body = row->body;
  // The second push of a call and those after it keep no body of their own.
  if (const auto slash = row->delivery_key.rfind('/'); slash != std::string::npos)
    if (const auto first =
            read->deliveries.find_by_key(row->project_id, row->delivery_key.substr(0, slash)))
      body = first->body;
  auto view = delivery_view(*row);
  view["attempts"] = row->attempts;
  view["headers"] = json::parse(row->headers, nullptr, false);
  if (!view["headers"].is_object()) view["headers"] = json::object();
  view["body_truncated"] = body.size() > kShownBody;
  view["body"] = body.substr(0, kShownBody);
  return json_response(200, view);
}

Result<Response> DeliveryRoutes::replay(const Call& call) {
  const auto begun =
      coordinator_.write<DeliveryRow>([&](WriteTransaction& transaction) -> Result<DeliveryRow> {
        auto& stores = transaction.stores;
        const auto row = find_delivery(stores, call);
        if (!row) return not_found("Delivery");
        if (row->verdict == "accepted")
          return fail(ErrorKind::Conflict, "the delivery is being worked on");
        stores.deliveries.begin_again(row->id);
        auth::audit(stores, transaction.now,
                    {call.principal.name(), "delivery.replayed",
                     "delivery/" + std::to_string(row->id.value), false, call.request.remote});
        return *stores.deliveries.find(row->id);
      });
  if (!begun) return begun.error();
  intake_.take_up(*call.project, begun->id);
  return json_response(202, delivery_view(*begun));
}

}  // namespace slipway::server::http
