#include "server/http/login_routes.h"

#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "server/http/common.h"
#include "server/http/front.h"
#include "server/http/gate.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::string_view kLoginCookie = "slipway_login";

// For the way back only; SameSite=Lax, as it comes from the provider's page.
std::string login_cookie(std::string_view value, bool secure) {
  std::string text{kLoginCookie};
  text += "=" + std::string{value} + "; Path=/api/v4/login; HttpOnly; SameSite=Lax; Max-Age=";
  text += value.empty() ? "0" : "600";
  if (secure) text += "; Secure";
  return text;
}

Response redirect(const std::string& to) {
  auto response = empty_response(303);
  response.headers.set("Location", to);
  return response;
}

}  // namespace

Result<Response> LoginRoutes::list(const Call&) {
  auto items = json::array();
  for (const auto& provider : logins_.providers())
    items.push_back({{"id", provider.id}, {"title", provider.title}});
  return json_response(200, items);
}

void LoginRoutes::post(const SharedCall& call, const std::shared_ptr<Exchange>& exchange,
                       std::function<Response()> work) {
  const bool posted = pool_.post([exchange, id = call->request.id, work = std::move(work)] {
    exchange->answer(guarded(id, work));
  });
  if (posted) return;
  auto busy = message_response(429, "too many attempts, wait a moment");
  busy.headers.set("Retry-After", "2");
  exchange->answer(std::move(busy));
}

void LoginRoutes::begin(const SharedCall& call, const std::shared_ptr<Exchange>& exchange) {
  const auto body = parse_object(call->request.body);
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  FieldReader fields{*body};
  const auto next = fields.text("next").value_or("/");
  const bool link = fields.flag("link").value_or(false);
  if (fields.error()) {
    exchange->answer(error_response(*fields.error()));
    return;
  }
  // The connection outlives a token, so a token cannot make it.
  if (link && call->principal.session.empty()) {
    exchange->answer(message_response(401, "log in first, then connect another login"));
    return;
  }
  post(call, exchange, [this, call, next, link]() -> Response {
    const auto begun = logins_.begin(call->request.param("provider"), next,
                                     link ? call->principal.user : UserId{});
    if (!begun) return error_response(begun.error());
    auto response = json_response(201, {{"url", begun->url}});
    response.headers.add("Set-Cookie", login_cookie(begun->cookie, secure_cookies_));
    return response;
  });
}

void LoginRoutes::finish(const SharedCall& call, const std::shared_ptr<Exchange>& exchange) {
  const auto& request = call->request;
  const auto text = [&](std::string_view name) {
    return std::string{request.query_value(name).value_or("")};
  };
  login::ReturnedLogin returned;
  returned.provider = request.param("provider");
  returned.state = text("state");
  returned.code = text("code");
  returned.issuer = text("iss");
  returned.cookie = cookie_value(request.headers, kLoginCookie).value_or("");
  returned.user = call->principal.user;
  const auth::ClientInfo client{request.remote, std::string{request.headers.get("user-agent")}};
  post(call, exchange, [this, returned, client]() -> Response {
    const auto done = logins_.finish(returned, client);
    auto response =
        redirect(done ? done->next : "/-/login#reason=" + url_encode(done.error().message));
    response.headers.add("Set-Cookie", login_cookie("", secure_cookies_));
    if (done)
      response.headers.add("Set-Cookie", session_cookie(done->login.session, secure_cookies_));
    return response;
  });
}

}  // namespace slipway::server::http
