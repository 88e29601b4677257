// The repositories that somebody may see on a git host, by a token of theirs: the call that asks
// for a page of them, and what its answer says. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/forge/forge.h"

namespace slipway::server {

struct ForgeRepository {
  std::string path;  // "group/name"
  std::string url;   // https://, to clone from
  std::string default_branch;
  bool is_private = true;
};

struct RepositoryPage {
  std::vector<ForgeRepository> repositories;
  bool more = false;  // another page follows
};

struct ListCall {
  std::string url;
  std::map<std::string, std::string> headers;  // with the token
};

// The address of a host's API: the one that is given, or that of the host's own service.
// InvalidInput for hosts that have none.
Result<std::string> service_api(ForgeKind kind, const std::string& given);

// `search` narrows the list on hosts that can; page counts from 1.
ListCall list_call(ForgeKind kind, const std::string& api, const std::string& token,
                   const std::string& search, int page);
// Denied: the host does not take the token. Unavailable for any other answer than a list.
Result<RepositoryPage> list_answer(ForgeKind kind, int http_status, std::string_view body);

}  // namespace slipway::server
