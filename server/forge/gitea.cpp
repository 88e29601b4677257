// Gitea and Forgejo: docs.gitea.com/usage/repository/webhooks. They send GitHub's payloads under
// headers of their own, and GitHub's headers beside them.
#include "server/forge/hosts.h"

namespace slipway::server::gitea {

Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        bool forgejo) {
  if (forgejo)
    return verify_signed(header, body, secret,
                         {"X-Forgejo-Signature", "", "X-Forgejo-Event", "X-Forgejo-Delivery"});
  return verify_signed(header, body, secret,
                       {"X-Gitea-Signature", "", "X-Gitea-Event", "X-Gitea-Delivery"});
}

}  // namespace slipway::server::gitea
