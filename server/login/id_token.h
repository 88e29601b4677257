// The ID token of OpenID Connect: who somebody is, signed by the provider. Pure.
//
// Checked as OpenID Connect Core 3.1.3.7 wants it: signature by a key of the provider's set and an
// algorithm with a public key, issuer, audience, times and nonce. What does not fit is Denied.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::server::login {

struct ExpectedToken {
  std::string issuer;
  std::string client_id;
  std::string nonce;
  UnixMillis now = 0;
};

struct TokenClaims {
  std::string subject;
  std::string username;  // preferred_username, nickname; "" when there is neither
  std::string name;
};

// `key_set` is the provider's JWKS.
Result<TokenClaims> read_id_token(const std::string& token, const std::string& key_set,
                                  const ExpectedToken& expected);

}  // namespace slipway::server::login
