// How a provider is asked: where its endpoints are, what a code is worth, which keys it signs with.
//
// Blocks on the network, ten seconds at most each time; follows no redirect, takes no answer longer
// than a megabyte. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "server/login/id_token.h"
#include "server/login/provider.h"

namespace slipway::server::login {

struct Endpoints {
  std::string authorize;
  std::string token;
  std::string keys;             // "" for GitHub
  bool secret_in_body = false;  // instead of the Authorization header
};

class ProviderClient {
 public:
  explicit ProviderClient(const Clock& clock) : clock_(clock) {}

  // By discovery, kept for ten minutes. Unavailable when the provider does not answer, Denied when
  // it says that it is another one or names an address without TLS.
  Result<Endpoints> endpoints(const Provider& provider);
  // Who came back with the code. The provider's tokens are thrown away.
  Result<TokenClaims> redeem(const Provider& provider, const std::string& code,
                             const std::string& verifier, const std::string& nonce,
                             const std::string& redirect_uri);

 private:
  struct Known {
    Endpoints endpoints;
    SteadyTime until{};
  };
  Result<Endpoints> discover(const Provider& provider) const;

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by the provider's id
};

}  // namespace slipway::server::login
