// Logging in through other sites: where to go, and coming back.
#pragma once

#include "server/auth/password_pool.h"
#include "server/auth/sessions.h"
#include "server/http/account_routes.h"
#include "server/http/route.h"
#include "server/login/remote_login.h"

namespace slipway::server::http {

class LoginRoutes {
 public:
  // `pool`: a few threads beside the workers, as asking another site may take seconds.
  LoginRoutes(login::RemoteLogin& logins, auth::Sessions& sessions, auth::PasswordPool& pool,
              bool secure_cookies)
      : logins_(logins), sessions_(sessions), pool_(pool), secure_cookies_(secure_cookies) {}

  Result<Response> list(const Call& call);
  // The address of the provider that the browser goes to; with `link`, to connect it with the
  // account that is logged in.
  void begin(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  // The browser is back: redirected to where it wanted to be, or to the login page with a reason.
  void finish(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);

 private:
  void post(const SharedCall& call, const std::shared_ptr<Exchange>& exchange,
            std::function<Response()> work);

  login::RemoteLogin& logins_;
  auth::Sessions& sessions_;
  auth::PasswordPool& pool_;
  bool secure_cookies_;
};

}  // namespace slipway::server::http
