#include "server/http/account_routes.h"

#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/http/common.h"
#include "server/http/front.h"
#include "server/http/gate.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

auth::ClientInfo client_of(const Request& request) {
  return {request.remote, std::string{request.headers.get("user-agent")}};
}

Response too_many(std::chrono::milliseconds wait) {
  auto response = message_response(429, "too many attempts, wait a moment");
  response.headers.set("Retry-After", std::to_string(wait.count() / 1000 + 1));
  return response;
}

struct PasswordBody {
  std::string token;
  auth::Credentials credentials;
};

Result<PasswordBody> read_body(const Request& request, bool with_token) {
  const auto object = parse_object(request.body);
  if (!object) return object.error();
  FieldReader fields{*object};
  PasswordBody body;
  if (with_token) body.token = fields.needed_text("token");
  body.credentials.username = fields.needed_text("username");
  body.credentials.password = fields.needed_text("password");
  if (fields.error()) return *fields.error();
  if (body.credentials.password.size() > 512)
    return fail(ErrorKind::InvalidInput, "field 'password' is too long");
  return body;
}

Result<std::pair<std::string, std::string>> read_texts(const Request& request, const char* first,
                                                       const char* second) {
  const auto object = parse_object(request.body);
  if (!object) return object.error();
  FieldReader fields{*object};
  std::pair<std::string, std::string> texts;
  texts.first = fields.needed_text(first);
  texts.second = fields.needed_text(second);
  if (fields.error()) return *fields.error();
  for (const auto& text : {texts.first, texts.second})
    if (text.size() > 512)
      return fail(ErrorKind::InvalidInput, "a password or token has at most 512 bytes");
  return texts;
}

}  // namespace

AccountRoutes::AccountRoutes(Database& database, auth::Accounts& accounts, auth::Sessions& sessions,
                             auth::AccessTokens& tokens, auth::PasswordPool& passwords,
                             bool secure_cookies)
    : database_(database),
      accounts_(accounts),
      sessions_(sessions),
      tokens_(tokens),
      passwords_(passwords),
      secure_cookies_(secure_cookies) {}

std::string session_cookie(std::string_view value, bool secure) {
  std::string text{kSessionCookie};
  text += "=" + std::string{value} + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=";
  text += value.empty() ? "0" : "604800";
  if (secure) text += "; Secure";
  return text;
}

Result<Response> AccountRoutes::setup_state(const Call&) {
  return json_response(200, {{"needed", accounts_.setup_needed()}});
}

void AccountRoutes::try_password(const Call& call, const std::string& account,
                                 const std::shared_ptr<Exchange>& exchange,
                                 std::function<Response()> work) {
  if (const auto wait = accounts_.admit(account, call.request.remote); wait.count() > 0) {
    exchange->answer(too_many(wait));
    return;
  }
  const auto id = call.request.id;
  const bool posted = passwords_.post(
      [exchange, id, work = std::move(work)] { exchange->answer(guarded(id, work)); });
  if (!posted) exchange->answer(too_many(std::chrono::seconds{1}));
}

void AccountRoutes::setup(const SharedCall& call, const std::shared_ptr<Exchange>& exchange) {
  auto body = read_body(call->request, true);
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  try_password(*call, "", exchange, [this, call, body = *body]() -> Response {
    const auto done = accounts_.setup(body.token, body.credentials, client_of(call->request));
    if (!done) return error_response(done.error());
    auto response =
        json_response(201, {{"token", done->personal_token}, {"user", user_view(done->user)}});
    response.headers.add("Set-Cookie", session_cookie(done->session, secure_cookies_));
    return response;
  });
}

void AccountRoutes::login(const SharedCall& call, const std::shared_ptr<Exchange>& exchange) {
  auto body = read_body(call->request, false);
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  try_password(*call, body->credentials.username, exchange,
               [this, call, body = *body]() -> Response {
                 const auto done = accounts_.login(body.credentials, client_of(call->request));
                 if (!done) return error_response(done.error());
                 return logged_in(*done);
               });
}

Response AccountRoutes::logged_in(const auth::LoggedIn& done) const {
  auto response = json_response(201, {{"user", user_view(done.user)},
                                      {"csrf_token", auth::Sessions::csrf_token(done.session)}});
  response.headers.add("Set-Cookie", session_cookie(done.session, secure_cookies_));
  return response;
}

void AccountRoutes::accept_invitation(const SharedCall& call,
                                      const std::shared_ptr<Exchange>& exchange) {
  const auto body = read_texts(call->request, "token", "password");
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  // Guesses count for the address, as there is no account to count them for.
  try_password(*call, "invitation " + call->request.remote, exchange,
               [this, call, body = *body]() -> Response {
                 const auto done =
                     accounts_.accept(body.first, body.second, client_of(call->request));
                 return done ? logged_in(*done) : error_response(done.error());
               });
}

void AccountRoutes::change_password(const SharedCall& call,
                                    const std::shared_ptr<Exchange>& exchange) {
  const auto body = read_texts(call->request, "current_password", "password");
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  // A token that leaked must not be enough to guess at what would outlive it.
  if (call->principal.token) {
    exchange->answer(message_response(403, "a token cannot change the password: log in"));
    return;
  }
  try_password(*call, call->principal.username, exchange, [this, call, body = *body]() -> Response {
    const auto done = accounts_.change_password(call->principal, body.first, body.second,
                                                client_of(call->request));
    return done ? logged_in(*done) : error_response(done.error());
  });
}

Result<Response> AccountRoutes::logout(const Call& call) {
  if (!call.principal.session.empty())
    if (auto done = sessions_.end(call.principal.session); !done) return done.error();
  auto response = empty_response(204);
  response.headers.add("Set-Cookie", session_cookie("", secure_cookies_));
  return response;
}

Result<Response> AccountRoutes::list_sessions(const Call& call) {
  auto items = json::array();
  const auto own = call.principal.session.empty() ? "" : token_hash(call.principal.session);
  for (const auto& row : sessions_.of_user(call.principal.user))
    items.push_back({{"id", auth::Sessions::id_of(row)},
                     {"created_at", to_rfc3339(row.created_at)},
                     {"last_seen_at", to_rfc3339(row.seen_at)},
                     {"expires_at", to_rfc3339(row.expires_at)},
                     {"ip_address", row.ip_address},
                     {"user_agent", row.user_agent},
                     {"current", row.token_hash == own}});
  return json_response(200, items);
}

Result<Response> AccountRoutes::end_session(const Call& call) {
  const auto done =
      sessions_.end(call.principal, call.request.param("session_id"), call.request.remote);
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> AccountRoutes::current_user(const Call& call) {
  const auto& principal = call.principal;
  const auto csrf = principal.session.empty() ? json(nullptr)
                                              : json(auth::Sessions::csrf_token(principal.session));
  const auto row = database_.read()->users.find(principal.user);
  if (!row) return not_found("User");
  auto view = user_view(*row);
  view["csrf_token"] = csrf;
  return json_response(200, view);
}

Result<Response> AccountRoutes::list_tokens(const Call& call) {
  auto list = json::array();
  for (const auto& row : tokens_.of_user(call.principal.user)) list.push_back(token_view(row));
  return json_response(200, list);
}

Result<Response> AccountRoutes::create_token(const Call& call) {
  const auto object = parse_object(call.request.body);
  if (!object) return object.error();
  FieldReader fields{*object};
  const auto name = fields.needed_text("name");
  const auto scopes = fields.texts("scopes").value_or(std::vector<std::string>{"api"});
  const auto days = fields.number("expires_in_days").value_or(90);
  if (days < 1 || days > 365) fields.refuse("expires_in_days", "a number from 1 to 365");
  if (fields.error()) return *fields.error();
  auto made =
      tokens_.create(call.principal, name, scopes, static_cast<int>(days), call.request.remote);
  if (!made) return made.error();
  auto view = token_view(made->row);
  view["token"] = made->token;
  return json_response(201, view);
}

Result<Response> AccountRoutes::show_own_token(const Call& call) {
  const auto row =
      call.principal.token ? database_.read()->tokens.find(*call.principal.token) : std::nullopt;
  if (!row) return not_found("Token");
  return json_response(200, token_view(*row));
}

Result<Response> AccountRoutes::revoke_own_token(const Call& call) {
  if (!call.principal.token) return not_found("Token");
  const auto done = tokens_.revoke(call.principal, *call.principal.token, call.request.remote);
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> AccountRoutes::rotate_token(const Call& call) {
  const auto id = path_number(call.request, "token_id");
  if (!id) return id.error();
  const auto& text = call.request.body;
  const auto object = text.empty() ? Result<json>{json::object()} : parse_object(text);
  if (!object) return object.error();
  FieldReader fields{*object};
  const auto days = fields.number("expires_in_days").value_or(90);
  if (days < 1 || days > 365) fields.refuse("expires_in_days", "a number from 1 to 365");
  if (fields.error()) return *fields.error();
  const auto made =
      tokens_.rotate(call.principal, TokenId{*id}, static_cast<int>(days), call.request.remote);
  if (!made) return made.error();
  auto view = token_view(made->row);
  view["token"] = made->token;
  return json_response(200, view);
}

Result<Response> AccountRoutes::revoke_token(const Call& call) {
  const auto id = path_number(call.request, "token_id");
  if (!id) return id.error();
  if (auto done = tokens_.revoke(call.principal, TokenId{*id}, call.request.remote); !done)
    return done.error();
  return empty_response(204);
}

}  // namespace slipway::server::http
