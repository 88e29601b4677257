// Logging in through another site: OpenID Connect with PKCE, or GitHub's OAuth.
//
// An account here is found by who issued the identity and the unchanging subject in it, never by a
// name or a mail address: those change hands. Whoever has none gets one where the provider's file
// says so; else it is connected by its owner, who is logged in, once.
//
// Thread-safe. begin() and finish() block on the network: not for the workers that answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/auth/accounts.h"
#include "server/auth/writer.h"
#include "server/login/pending_logins.h"
#include "server/login/provider.h"
#include "server/login/provider_client.h"

namespace slipway::server::login {

struct BegunLogin {
  std::string url;     // where the browser goes
  std::string cookie;  // that it must bring back
};

// What the provider sent the browser back with.
struct ReturnedLogin {
  std::string provider;  // each has an address of its own to come back to
  std::string state;
  std::string code;
  std::string issuer;  // RFC 9207; "" when it does not say
  std::string cookie;
  UserId user;  // who is logged in meanwhile; 0 for nobody
};

struct FinishedLogin {
  auth::LoggedIn login;
  std::string next;
};

class RemoteLogin {
 public:
  // `external_url` without a trailing slash.
  RemoteLogin(auth::Writer& writer, const Clock& clock, std::vector<Provider> providers,
              std::string external_url);

  [[nodiscard]] const std::vector<Provider>& providers() const { return providers_; }
  // `next` is where the browser goes in the end; what is no path of this server becomes "/".
  // NotFound for an unknown provider, Unavailable when it does not answer or too many log in.
  Result<BegunLogin> begin(std::string_view provider, std::string_view next, UserId link);
  // Denied when it does not fit what was begun, by this browser; Unauthenticated when the person
  // has no account here, or a blocked one.
  Result<FinishedLogin> finish(const ReturnedLogin& returned, const auth::ClientInfo& client);

 private:
  Result<TokenClaims> redeem(const ReturnedLogin& returned, const PendingLogin& begun,
                             const Provider& provider);
  // The account of the identity, connected or made when that is wanted.
  Result<UserRow> account(Stores& stores, UnixMillis now, const Provider& provider,
                          const TokenClaims& claims, UserId link) const;
  [[nodiscard]] const Provider* find(std::string_view id) const;
  [[nodiscard]] std::string redirect_uri(const Provider& provider) const;

  auth::Writer& writer_;
  const std::vector<Provider> providers_;
  const std::string url_;
  PendingLogins pending_;
  ProviderClient client_;
};

}  // namespace slipway::server::login
