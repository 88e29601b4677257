#include "server/forge/repository_list.h"

#include "base/http_client.h"
#include "server/forge/commit_status.h"
#include "server/forge/payload.h"

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::size_t kPerPage = 50;

std::string https_of(const json& links) {
  const auto clone = links.find("clone");
  if (clone == links.end() || !clone->is_array()) return {};
  for (const json& one : *clone)
    if (text_at(one, "name") == "https") return text_at(one, "href");
  return {};
}

// Some hosts put the name of who asks into the address.
std::string without_user(std::string url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto slash = url.find('/', scheme + 3);
  const auto at = url.rfind('@', slash);
  if (at != std::string::npos && at > scheme) url.erase(scheme + 3, at - scheme - 2);
  return url;
}

ForgeRepository repository(ForgeKind kind, const json& told) {
  if (kind == ForgeKind::GitLab)
    return {text_at(told, "path_with_namespace"), text_at(told, "http_url_to_repo"),
            text_at(told, "default_branch"), text_at(told, "visibility") != "public"};
  if (kind == ForgeKind::Bitbucket)
    return {text_at(told, "full_name"), without_user(https_of(object_at(told, "links"))),
            text_at(object_at(told, "mainbranch"), "name"), flag_at(told, "is_private")};
  return {text_at(told, "full_name"), text_at(told, "clone_url"), text_at(told, "default_branch"),
          flag_at(told, "private")};
}

std::string query_of(ForgeKind kind, const std::string& search, int page) {
  const std::string number = std::to_string(page);
  switch (kind) {
    case ForgeKind::GitHub: return "/user/repos?per_page=50&sort=full_name&page=" + number;
    case ForgeKind::GitLab:
      return "/projects?membership=true&simple=true&per_page=50&order_by=path&sort=asc&page=" +
             number + (search.empty() ? "" : "&search=" + url_encode(search));
    case ForgeKind::Gitea:
    case ForgeKind::Forgejo: return "/user/repos?limit=50&page=" + number;
    case ForgeKind::Bitbucket:
      return "/repositories?role=member&pagelen=50&sort=full_name&page=" + number;
  }
  return {};
}

}  // namespace

Result<std::string> service_api(ForgeKind kind, const std::string& given) {
  switch (kind) {
    case ForgeKind::GitHub: return forge_api(kind, given, "https://github.com/");
    case ForgeKind::GitLab: return forge_api(kind, given, "https://gitlab.com/");
    case ForgeKind::Bitbucket: return forge_api(kind, given, "https://bitbucket.org/");
    case ForgeKind::Gitea:
    case ForgeKind::Forgejo: break;
  }
  if (given.empty())
    return fail(ErrorKind::InvalidInput, "field 'forge_api_url' is needed for this git host")
        .with_hint("as https://git.example.com/api/v1");
  return forge_api(kind, given, {});
}

ListCall list_call(ForgeKind kind, const std::string& api, const std::string& token,
                   const std::string& search, int page) {
  ListCall call;
  call.url = api + query_of(kind, search, page);
  call.headers["Accept"] = "application/json";
  if (kind == ForgeKind::GitLab)
    call.headers["PRIVATE-TOKEN"] = token;
  else if (kind == ForgeKind::Gitea || kind == ForgeKind::Forgejo)
    call.headers["Authorization"] = "token " + token;
  else
    call.headers["Authorization"] = "Bearer " + token;
  return call;
}

Result<RepositoryPage> list_answer(ForgeKind kind, int http_status, std::string_view body) {
  if (http_status == 401 || http_status == 403)
    return fail(ErrorKind::Denied, "the git host does not take the token")
        .with_hint("it must be allowed to read repositories");
  if (http_status != 200)
    return fail(ErrorKind::Unavailable,
                "the git host answered " + std::to_string(http_status) + " instead of a list");
  const json told = parse_bounded(body);
  const bool is_paged = kind == ForgeKind::Bitbucket;
  const auto values = is_paged && told.is_object() ? told.find("values") : told.end();
  if (is_paged ? values == told.end() || !values->is_array() : !told.is_array())
    return fail(ErrorKind::Unavailable, "the git host's answer is no list of repositories");
  const json& list = is_paged ? *values : told;
  RepositoryPage page;
  for (const json& one : list) {
    ForgeRepository found = repository(kind, one);
    // One without an address or branch (nothing was pushed yet) can be added by hand.
    if (found.path.empty() || found.url.empty()) continue;
    page.repositories.push_back(std::move(found));
  }
  page.more = is_paged ? !text_at(told, "next").empty() : list.size() >= kPerPage;
  return page;
}

}  // namespace slipway::server
