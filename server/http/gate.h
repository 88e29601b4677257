// Who may come in: finds the credential where the route expects it, checks that the browser's user
// meant the request, finds the project, group or runner of the path, and asks the policy.
// Thread-safe.
//
// What the caller may not see answers exactly as what does not exist.
#pragma once

#include <string>

#include "server/auth/access_tokens.h"
#include "server/auth/sessions.h"
#include "server/coordinator/coordinator.h"
#include "server/http/front.h"
#include "server/store/database.h"

namespace slipway::server::http {

class AuthGate final : public Gate {
 public:
  // `external_url` without a trailing slash: the origin that browsers have to come from.
  AuthGate(auth::Sessions& sessions, auth::AccessTokens& tokens, Coordinator& coordinator,
           Database& database, const Clock& clock, const std::string& external_url);

  std::optional<Response> admit(const Route& route, Call& call) override;

 private:
  std::optional<Response> identify(const Route& route, Call& call);
  std::optional<Response> identify_user(const Route& route, Call& call);
  std::optional<Response> identify_runner(Call& call);
  std::optional<Response> identify_job(Call& call);
  std::optional<Response> identify_user_or_job(const Route& route, Call& call);
  std::optional<Response> identify_basic(const Route& route, Call& call);
  void become_job(Call& call, const JobCredential& credential);
  std::optional<Response> check_csrf(const Route& route, const Call& call) const;
  [[nodiscard]] bool from_own_origin(const Request& request) const;
  // What the path names; nullopt when it is not there. Fills `project` and `level` of the call.
  [[nodiscard]] std::optional<auth::Place> find_place(const Route& route, Call& call);

  auth::Sessions& sessions_;
  auth::AccessTokens& tokens_;
  Coordinator& coordinator_;
  Database& database_;
  const Clock& clock_;
  std::string origin_;
};

inline constexpr std::string_view kSessionCookie = "slipway_session";

// The value of one cookie; nullopt when there is none.
std::optional<std::string> cookie_value(const Headers& headers, std::string_view name);

}  // namespace slipway::server::http
