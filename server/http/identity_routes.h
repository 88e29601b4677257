// How other services check the tokens of jobs (`id_tokens`): OpenID Connect discovery, and the
// keys.
#pragma once

#include <string>

#include "base/clock.h"
#include "server/http/route.h"
#include "server/identity/token_signer.h"

namespace slipway::server::http {

class IdentityRoutes {
 public:
  IdentityRoutes(const TokenSigner& signer, const Clock& clock, std::string external_url)
      : signer_(signer), clock_(clock), url_(std::move(external_url)) {}

  Result<Response> discovery(const Call& call);
  Result<Response> key_set(const Call& call);

 private:
  const TokenSigner& signer_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
