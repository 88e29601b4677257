#include "server/http/front.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/logging.h"
#include "server/http/json.h"
#include "server/store/database.h"
#include "server/telemetry/metrics.h"

namespace slipway::server::http {

namespace {

Response internal_error(std::string_view request_id, const char* text) {
  log::error("request.failed", {{"request", request_id}, {"error", text}});
  return message_response(
      500, "internal error, see the server's log for request " + std::string{request_id});
}

// The client's own id when it is harmless, so that its log and ours can be laid side by side.
std::string request_id(const Headers& headers) {
  const auto given = headers.get("x-request-id");
  const bool harmless =
      !given.empty() && given.size() <= 64 && std::all_of(given.begin(), given.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      });
  return harmless ? std::string{given} : random_hex(16);
}

Response no_route(const RouteMatch& match) {
  if (match.malformed) return message_response(400, "malformed path");
  if (match.allowed.empty()) return message_response(404, "404 Not Found");
  auto response = message_response(405, "method not allowed, this address has " + match.allowed);
  response.headers.set("Allow", match.allowed);
  return response;
}

std::optional<Response> refuse_length(const Route& route, const RequestHead& head) {
  if (head.headers.find("expect") && !head.expects_continue)
    return message_response(417, "Expect may only be 100-continue");
  if (head.content_length.value_or(0) > route.body_limit)
    return message_response(
        413, "the body may have at most " + std::to_string(route.body_limit) + " bytes");
  return std::nullopt;
}

}  // namespace

Response guarded(std::string_view request_id, const std::function<Response()>& work) noexcept {
  try {
    return work();
  } catch (const StoreFailure& failure) {
    if (failure.error().kind == ErrorKind::Internal)
      return internal_error(request_id, failure.what());
    log::warn("store.failed", {{"request", request_id}, {"error", failure.what()}});
    if (failure.error().kind == ErrorKind::Conflict) return error_response(failure.error());
    return message_response(503, "the database does not answer, try again");
  } catch (const std::exception& failure) {
    return internal_error(request_id, failure.what());
  } catch (...) {
    return internal_error(request_id, "unknown exception");
  }
}

Front::Front(std::vector<Route> routes, Gate& gate, telemetry::Metrics* metrics)
    : routes_(std::move(routes)), router_(routes_), gate_(gate), metrics_(metrics) {}

Opening Front::open(RequestHead& head, std::string remote) const {
  Opening opening;
  auto& request = opening.request;
  request.id = request_id(head.headers);
  request.remote = std::move(remote);
  request.method = head.method;
  request.headers = std::move(head.headers);
  auto target = parse_target(head.target);
  if (!target) {
    opening.refusal = error_response(target.error());
    return opening;
  }
  auto match = router_.find(head.method, target->segments);
  if (match.route == nullptr) {
    opening.refusal = no_route(match);
    return opening;
  }
  opening.route = match.route;
  request.segments = std::move(target->segments);
  request.query = std::move(target->query);
  request.params = std::move(match.params);
  head.headers = request.headers;
  opening.refusal = refuse_length(*match.route, head);
  return opening;
}

Response Front::answer(const Route& route, Request request) const {
  const std::string id = request.id;
  return guarded(id, [&]() -> Response {
    Call call;
    call.request = std::move(request);
    if (auto refusal = gate_.admit(route, call)) return std::move(*refusal);
    auto response = std::get<PlainHandler>(route.handler)(call);
    return response ? std::move(*response) : error_response(response.error());
  });
}

void Front::hold(const Route& route, Request request,
                 const std::shared_ptr<Exchange>& exchange) const {
  const std::string id = request.id;
  bool taken = false;
  auto refusal = guarded(id, [&]() -> Response {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    if (auto refused = gate_.admit(route, *call)) return std::move(*refused);
    std::get<HeldHandler>(route.handler)(call, exchange);
    taken = true;
    return {};
  });
  if (!taken) exchange->answer(std::move(refusal));
}

Reception Front::receive(const Route& route, Request request) const {
  const std::string id = request.id;
  std::unique_ptr<BodySink> sink;
  auto refusal = guarded(id, [&]() -> Response {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    if (auto refused = gate_.admit(route, *call)) return std::move(*refused);
    auto reception = std::get<UploadHandler>(route.handler)(call);
    if (auto* refused = std::get_if<Response>(&reception)) return std::move(*refused);
    sink = std::move(std::get<std::unique_ptr<BodySink>>(reception));
    return {};
  });
  if (sink) return sink;
  return refusal;
}

void Front::closed(const Answered& answered) const {
  if (metrics_ != nullptr)
    metrics_->count_request(answered.method, answered.route, answered.status, answered.took);
  const auto path = answered.target.substr(0, answered.target.find('?'));
  log::access("request.answered", {{"method", answered.method},
                                   {"path", path},
                                   {"route", answered.route},
                                   {"status", answered.status},
                                   {"bytes", answered.sent_bytes},
                                   {"took_us", answered.took.count()},
                                   {"remote", answered.remote},
                                   {"request", answered.request_id}});
}

}  // namespace slipway::server::http
