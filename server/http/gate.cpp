#include "server/http/gate.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/http/json.h"
#include "server/http/places.h"

namespace slipway::server::http {

namespace {

using auth::Credential;
using auth::Decision;

std::string origin_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::string{url};
  return std::string{url.substr(0, url.find('/', scheme_end + 3))};
}

Response unauthenticated(const Route& route) {
  auto response = message_response(401, "401 Unauthorized");
  if (route.credential == Credential::JobTokenBasic)
    response.headers.set("WWW-Authenticate", "Basic realm=\"Slipway\"");
  return response;
}

std::optional<std::string_view> after_prefix(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size() || !equal_ignoring_case(text.substr(0, prefix.size()), prefix))
    return std::nullopt;
  return text.substr(prefix.size());
}

// The token that a runner puts into its JSON body.
std::string body_token(const Request& request) {
  if (request.body.empty()) return {};
  const auto body = parse_object(request.body);
  if (!body) return {};
  const auto token = body->find("token");
  return token != body->end() && token->is_string() ? token->get<std::string>() : std::string{};
}

// The header, else the body: runners of different age use different ones.
std::string given_token(const Request& request, std::string_view header) {
  const auto value = request.headers.get(header);
  return value.empty() ? body_token(request) : std::string{value};
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t id = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, id);
  if (parsed.ec != std::errc{} || parsed.ptr != end || id <= 0) return std::nullopt;
  return id;
}

bool names_project(const Route& route) {
  return route.pattern.starts_with("/api/v4/projects/{id}") ||
         route.pattern.find("{project_path}") != std::string_view::npos;
}

bool names_group(const Route& route) {
  return route.pattern.starts_with("/api/v4/groups/{group}");
}

bool names_runner(const Route& route) {
  return route.pattern.starts_with("/api/v4/runners/{runner_id}");
}

Response hidden(const Route& route) {
  if (names_project(route)) return message_response(404, "404 Project Not Found");
  if (names_group(route)) return message_response(404, "404 Group Not Found");
  return message_response(404, names_runner(route) ? "404 Runner Not Found" : "404 Not Found");
}

}  // namespace

std::optional<std::string> cookie_value(const Headers& headers, std::string_view name) {
  auto rest = headers.get("cookie");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return std::string{pair.substr(name.size() + 1)};
  }
  return std::nullopt;
}

AuthGate::AuthGate(auth::Sessions& sessions, auth::AccessTokens& tokens, Coordinator& coordinator,
                   Database& database, const Clock& clock, const std::string& external_url)
    : sessions_(sessions),
      tokens_(tokens),
      coordinator_(coordinator),
      database_(database),
      clock_(clock),
      origin_(origin_of(external_url)) {}

std::optional<Response> AuthGate::admit(const Route& route, Call& call) {
  if (auto refusal = identify(route, call)) return refusal;
  if (auto refusal = check_csrf(route, call)) return refusal;
  const bool names_place = names_project(route) || names_group(route) || names_runner(route);
  const auto place = names_place ? find_place(route, call) : std::nullopt;
  auto decision = names_place && !place ? Decision::Hidden
                                        : auth::decide(call.principal, route.role, route.scope,
                                                       place ? &*place : nullptr);
  // git asks for credentials only when it is told that some are wanted.
  if (decision == Decision::Hidden && route.credential == Credential::JobTokenBasic &&
      call.principal.kind == auth::PrincipalKind::Anonymous)
    decision = Decision::Unauthenticated;
  switch (decision) {
    case Decision::Allowed: return std::nullopt;
    case Decision::Unauthenticated: return unauthenticated(route);
    case Decision::Denied: return message_response(403, "403 Forbidden");
    case Decision::Hidden: return hidden(route);
  }
  return message_response(403, "403 Forbidden");
}

std::optional<Response> AuthGate::identify(const Route& route, Call& call) {
  switch (route.credential) {
    case Credential::None: return std::nullopt;
    case Credential::User: return identify_user(route, call);
    case Credential::UserOrJob: return identify_user_or_job(route, call);
    case Credential::RunnerToken: return identify_runner(call);
    case Credential::JobToken: return identify_job(call);
    case Credential::JobTokenBasic: return identify_basic(route, call);
  }
  return std::nullopt;
}

std::optional<Response> AuthGate::identify_user(const Route& route, Call& call) {
  const auto& headers = call.request.headers;
  auto token = headers.find("private-token");
  if (!token) token = after_prefix(headers.get("authorization"), "Bearer ");
  if (token || headers.find("authorization")) {
    auto principal = token ? tokens_.find(*token) : std::nullopt;
    if (!principal) return unauthenticated(route);
    call.principal = std::move(*principal);
    return std::nullopt;
  }
  // A job's token is a credential, but not here: the request is not as good as anonymous.
  if (headers.find("job-token")) return unauthenticated(route);
  if (const auto cookie = cookie_value(headers, kSessionCookie))
    if (auto principal = sessions_.find(*cookie)) call.principal = std::move(*principal);
  return std::nullopt;
}

std::optional<Response> AuthGate::identify_user_or_job(const Route& route, Call& call) {
  const auto token = call.request.headers.find("job-token");
  if (!token) return identify_user(route, call);
  const auto credential = coordinator_.find_job(*token);
  if (!credential || credential->finished) return unauthenticated(route);
  become_job(call, *credential);
  return std::nullopt;
}

std::optional<Response> AuthGate::identify_runner(Call& call) {
  const auto token = given_token(call.request, "runner-token");
  if (token.empty()) return message_response(400, "token is missing");
  const auto runner = coordinator_.find_runner(token);
  if (!runner) return message_response(403, "403 Forbidden");
  call.principal.kind = auth::PrincipalKind::Runner;
  call.principal.runner = runner->id;
  return std::nullopt;
}

void AuthGate::become_job(Call& call, const JobCredential& credential) {
  call.principal.kind = auth::PrincipalKind::Job;
  call.principal.job = credential.job_id;
  call.principal.job_project = credential.project_id;
  call.job = credential;
}

std::optional<Response> AuthGate::identify_job(Call& call) {
  auto token = given_token(call.request, "job-token");
  if (token.empty()) token = call.request.query_value("job_token").value_or("");
  const auto credential = coordinator_.find_job(token);
  if (!credential) return message_response(403, "403 Forbidden");
  become_job(call, *credential);
  return std::nullopt;
}

std::optional<Response> AuthGate::identify_basic(const Route& route, Call& call) {
  const auto encoded = after_prefix(call.request.headers.get("authorization"), "Basic ");
  if (!encoded) return identify_user(route, call);
  const auto pair = base64_decode(*encoded).value_or("");
  const auto colon = pair.find(':');
  if (colon == std::string::npos) return unauthenticated(route);
  const auto secret = std::string_view{pair}.substr(colon + 1);
  if (std::string_view{pair}.substr(0, colon) == "gitlab-ci-token") {
    const auto credential = coordinator_.find_job(secret);
    if (!credential || credential->finished) return unauthenticated(route);
    become_job(call, *credential);
    return std::nullopt;
  }
  auto principal = tokens_.find(secret);
  if (!principal) return unauthenticated(route);
  call.principal = std::move(*principal);
  return std::nullopt;
}

bool AuthGate::from_own_origin(const Request& request) const {
  if (const auto site = request.headers.find("sec-fetch-site"))
    return *site == "same-origin" || *site == "none";
  const auto origin = request.headers.find("origin");
  return !origin || *origin == origin_;
}

std::optional<Response> AuthGate::check_csrf(const Route& route, const Call& call) const {
  if (route.csrf == Csrf::Safe || route.csrf == Csrf::Token) return std::nullopt;
  const auto& headers = call.request.headers;
  const bool by_session = !call.principal.session.empty();
  if (route.csrf == Csrf::Session && !by_session) return std::nullopt;
  if (!from_own_origin(call.request))
    return message_response(403, "the request comes from another site");
  if (route.csrf == Csrf::Origin) {
    if (headers.get("content-type").starts_with("application/json")) return std::nullopt;
    return message_response(415, "the body must be application/json");
  }
  if (constant_time_equal(headers.get("x-csrf-token"),
                          auth::Sessions::csrf_token(call.principal.session)))
    return std::nullopt;
  return message_response(403, "X-CSRF-Token is missing or wrong");
}

std::optional<auth::Place> AuthGate::find_place(const Route& route, Call& call) {
  auto read = database_.read();
  auth::Place place;
  if (names_project(route)) {
    auto name = call.request.param("id");
    if (name.empty()) name = call.request.param("project_path");
    const auto id = number(name);
    call.project = id ? read->projects.find(ProjectId{*id}) : read->projects.find_by_path(name);
    if (!call.project) return std::nullopt;
    place = project_place(*read, clock_.now(), call.principal, *call.project);
  } else if (names_group(route)) {
    const auto path = call.request.param("group");
    if (!read->variables.has_group(path)) return std::nullopt;
    place = group_place(*read, clock_.now(), call.principal, path);
  } else {
    const auto id = number(call.request.param("runner_id"));
    const auto runner = id ? read->runners.find(RunnerId{*id}) : std::nullopt;
    if (!runner) return std::nullopt;
    place = runner_place(*read, clock_.now(), call.principal, *runner);
  }
  call.level = place.level;
  return place;
}

}  // namespace slipway::server::http
