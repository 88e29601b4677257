// The hosts, and what they share. Only for the files of this folder and their tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/forge/forge.h"

namespace slipway::server {

namespace github {

Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret);

// GitHub's payloads, which also Gitea, Forgejo and deploy/hooks/post-receive send. "push",
// "pull_request" and others.
Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project);

}  // namespace github

namespace gitea {

// `forgejo`: by Forgejo's headers instead of Gitea's.
Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        bool forgejo);

}  // namespace gitea

namespace gitlab {

// Standard Webhooks when the call has such a signature or the secret is a signing key ("whsec_…");
// otherwise the secret itself stands in X-Gitlab-Token.
Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        UnixMillis now);
// "Push Hook", "Tag Push Hook", "Merge Request Hook" and others.
Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project);

}  // namespace gitlab

namespace bitbucket {

Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret);
// "repo:push", which tells of several branches and tags at once, "pullrequest:…" and others.
Result<std::vector<ForgeEvent>> parse(std::string_view event, std::string_view body,
                                      const HookedProject& project);

}  // namespace bitbucket

// How a host signs the body with HMAC-SHA256 in hexadecimal, and which headers go with it.
struct SignedCalls {
  const char* signature_header;
  std::string_view prefix;  // before the digits
  const char* event_header;
  const char* delivery_header;
};
Result<Delivery> verify_signed(const HeaderLookup& header, std::string_view body,
                               std::string_view secret, const SignedCalls& calls);

// A delivery of these, if both may be stored. The headers are named in the error.
Result<Delivery> delivery_of(std::string event, const char* event_header, std::string key,
                             const char* key_header);

// "the webhook's signature is " and `why`.
Error unauthenticated(const std::string& why);

}  // namespace slipway::server
