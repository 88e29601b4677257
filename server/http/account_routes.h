// First run, logging in and out, who am I, and personal tokens.
#pragma once

#include "server/auth/access_tokens.h"
#include "server/auth/accounts.h"
#include "server/auth/password_pool.h"
#include "server/auth/sessions.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class AccountRoutes {
 public:
  // `secure_cookies`: browsers come by https.
  AccountRoutes(Database& database, auth::Accounts& accounts, auth::Sessions& sessions,
                auth::AccessTokens& tokens, auth::PasswordPool& passwords, bool secure_cookies);

  Result<Response> setup_state(const Call& call);
  void setup(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  void login(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  void accept_invitation(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  void change_password(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  Result<Response> logout(const Call& call);
  Result<Response> list_sessions(const Call& call);
  Result<Response> end_session(const Call& call);
  Result<Response> current_user(const Call& call);
  Result<Response> list_tokens(const Call& call);
  Result<Response> create_token(const Call& call);
  Result<Response> revoke_token(const Call& call);
  // The token that asks.
  Result<Response> show_own_token(const Call& call);
  Result<Response> revoke_own_token(const Call& call);
  Result<Response> rotate_token(const Call& call);

 private:
  [[nodiscard]] Response logged_in(const auth::LoggedIn& done) const;
  // Hashes where it may take its time, when this caller may try at all.
  void try_password(const Call& call, const std::string& account,
                    const std::shared_ptr<Exchange>& exchange, std::function<Response()> work);

  Database& database_;
  auth::Accounts& accounts_;
  auth::Sessions& sessions_;
  auth::AccessTokens& tokens_;
  auth::PasswordPool& passwords_;
  bool secure_cookies_;
};

// The Set-Cookie of a session; "" takes it away.
std::string session_cookie(std::string_view value, bool secure);

}  // namespace slipway::server::http
