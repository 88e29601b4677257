// What a git host is told of a pipeline: the call that sets a commit's status, as each host has it.
//
// Pure: a report in, an HTTP request out. Sending it is the outbox's business.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/forge/forge.h"

namespace slipway::server {

struct CommitStatus {
  std::string sha;
  std::string ref;          // a branch or tag of the repository; "" for what is on none
  std::string context;      // stays the same from push to push: branch protection names it
  std::string status;       // the pipeline's word: "running"
  std::string description;  // cut to what every host takes
  std::string target_url;   // the pipeline's page
};

struct StatusCall {
  std::string url;
  std::map<std::string, std::string> headers;  // with the token
  std::string body;                            // JSON
};

// The address under which a host's API is: the one that is given, or what follows from the host of
// the repository. InvalidInput when neither is there.
Result<std::string> forge_api(ForgeKind kind, const std::string& given,
                              std::string_view repository_url);

// The path of a repository on its host: "group/name" of https://host/group/name.git and
// git@host:group/name.git; "" when the address has none.
std::string repository_path(std::string_view repository_url);

StatusCall status_call(ForgeKind kind, const std::string& api, const std::string& repository,
                       const std::string& token, const CommitStatus& status);

// What the host's answer means. Unavailable: it may pass by itself, or by a person's hand (a token
// that has expired, a repository that was moved). InvalidInput: it will not.
Result<void> status_answer(ForgeKind kind, int http_status, std::string_view body);

}  // namespace slipway::server
