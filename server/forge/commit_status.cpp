#include "server/forge/commit_status.h"

#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "base/text.h"

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::size_t kLongestDescription = 140;
constexpr std::size_t kLongestBitbucketKey = 40;
constexpr std::size_t kShownAnswer = 200;

struct Words {
  std::string_view status;
  const char* github;
  const char* gitlab;
  const char* gitea;
  const char* bitbucket;
};

// A skipped pipeline is a success with its reason in the description: a host that requires the
// status would wait for ever otherwise. One that waits for a hand is pending.
constexpr Words kWords[]{
    {"created", "pending", "pending", "pending", "INPROGRESS"},
    {"waiting_for_resource", "pending", "pending", "pending", "INPROGRESS"},
    {"preparing", "pending", "pending", "pending", "INPROGRESS"},
    {"pending", "pending", "pending", "pending", "INPROGRESS"},
    {"scheduled", "pending", "pending", "pending", "INPROGRESS"},
    {"manual", "pending", "pending", "pending", "INPROGRESS"},
    {"running", "pending", "running", "pending", "INPROGRESS"},
    {"canceling", "pending", "running", "pending", "INPROGRESS"},
    {"success", "success", "success", "success", "SUCCESSFUL"},
    {"skipped", "success", "success", "success", "SUCCESSFUL"},
    {"failed", "failure", "failed", "failure", "FAILED"},
    {"canceled", "error", "canceled", "error", "STOPPED"},
};

const Words& words_of(std::string_view status) {
  for (const Words& words : kWords)
    if (words.status == status) return words;
  return kWords[0];
}

std::string dumped(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

// owner/name with each segment encoded.
std::string encoded_path(const std::string& path) {
  std::string out;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto slash = std::min(path.find('/', begin), path.size());
    if (!out.empty()) out += '/';
    out += url_encode(path.substr(begin, slash - begin));
    begin = slash + 1;
  }
  return out;
}

StatusCall github_call(const std::string& api, const std::string& repository,
                       const std::string& token, const CommitStatus& status, bool gitea) {
  const Words& words = words_of(status.status);
  StatusCall call;
  call.url = api + "/repos/" + encoded_path(repository) + "/statuses/" + status.sha;
  call.headers["Authorization"] = (gitea ? "token " : "Bearer ") + token;
  if (!gitea) {
    call.headers["Accept"] = "application/vnd.github+json";
    call.headers["X-GitHub-Api-Version"] = "2022-11-28";
  }
  call.body = dumped({{"state", gitea ? words.gitea : words.github},
                      {"target_url", status.target_url},
                      {"description", cut_off(status.description, kLongestDescription)},
                      {"context", status.context}});
  return call;
}

StatusCall gitlab_call(const std::string& api, const std::string& repository,
                       const std::string& token, const CommitStatus& status) {
  StatusCall call;
  call.url = api + "/projects/" + url_encode(repository) + "/statuses/" + status.sha;
  call.headers["PRIVATE-TOKEN"] = token;
  json body{{"state", words_of(status.status).gitlab},
            {"name", status.context},
            {"target_url", status.target_url},
            {"description", cut_off(status.description, kLongestDescription)}};
  if (!status.ref.empty()) body["ref"] = status.ref;
  call.body = dumped(body);
  return call;
}

StatusCall bitbucket_call(const std::string& api, const std::string& repository,
                          const std::string& token, const CommitStatus& status) {
  StatusCall call;
  call.url = api + "/repositories/" + encoded_path(repository) + "/commit/" + status.sha +
             "/statuses/build";
  call.headers["Authorization"] = "Bearer " + token;
  call.body = dumped({{"key", cut_off(status.context, kLongestBitbucketKey)},
                      {"state", words_of(status.status).bitbucket},
                      {"name", status.context},
                      {"url", status.target_url},
                      {"description", cut_off(status.description, kLongestDescription)}});
  return call;
}

// "https://host:port" of a repository that is fetched so; the host alone of ssh's forms.
std::string web_origin(std::string_view url) {
  static constexpr std::string_view kHttps = "https://";
  const bool https = url.substr(0, kHttps.size()) == kHttps;
  if (!https && url.substr(0, 1) == "/") return {};
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  std::string_view authority = url.substr(0, url.find('/'));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (!https) authority = authority.substr(0, authority.find(':'));
  return authority.empty() ? std::string{} : std::string{kHttps} + std::string{authority};
}

}  // namespace

Result<std::string> forge_api(ForgeKind kind, const std::string& given,
                              std::string_view repository_url) {
  if (!given.empty()) return given.back() == '/' ? given.substr(0, given.size() - 1) : given;
  const std::string origin = web_origin(repository_url);
  if (origin.empty())
    return fail(ErrorKind::InvalidInput,
                "the repository's address names no git host; set forge_api_url");
  switch (kind) {
    case ForgeKind::GitHub:
      return origin == "https://github.com" ? "https://api.github.com" : origin + "/api/v3";
    case ForgeKind::GitLab: return origin + "/api/v4";
    case ForgeKind::Gitea:
    case ForgeKind::Forgejo: return origin + "/api/v1";
    case ForgeKind::Bitbucket: return std::string{"https://api.bitbucket.org/2.0"};
  }
  return fail(ErrorKind::Internal, "a git host without an API");
}

std::string repository_path(std::string_view url) {
  if (url.substr(0, 1) == "/") return {};
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find('/'), url.size()));
  } else {
    url.remove_prefix(std::min(url.find(':'), url.size()));
    if (!url.empty()) url.remove_prefix(1);
  }
  while (!url.empty() && url.front() == '/') url.remove_prefix(1);
  while (!url.empty() && url.back() == '/') url.remove_suffix(1);
  static constexpr std::string_view kGit = ".git";
  if (url.size() > kGit.size() && url.substr(url.size() - kGit.size()) == kGit)
    url.remove_suffix(kGit.size());
  return std::string{url};
}

StatusCall status_call(ForgeKind kind, const std::string& api, const std::string& repository,
                       const std::string& token, const CommitStatus& status) {
  switch (kind) {
    case ForgeKind::GitHub: return github_call(api, repository, token, status, false);
    case ForgeKind::Gitea:
    case ForgeKind::Forgejo: return github_call(api, repository, token, status, true);
    case ForgeKind::GitLab: return gitlab_call(api, repository, token, status);
    case ForgeKind::Bitbucket: return bitbucket_call(api, repository, token, status);
  }
  return {};
}

Result<void> status_answer(ForgeKind kind, int http_status, std::string_view body) {
  if (http_status >= 200 && http_status < 300) return {};
  // GitLab refuses to set a status to what it is already.
  if (kind == ForgeKind::GitLab && http_status == 400 &&
      body.find("Cannot transition status") != std::string_view::npos)
    return {};
  const std::string said = std::string{to_string(kind)} + " answered " +
                           std::to_string(http_status) + ": " + cut_off(body, kShownAnswer);
  const bool may_pass = http_status == 401 || http_status == 403 || http_status == 404 ||
                        http_status == 408 || http_status == 429 || http_status >= 500;
  return fail(may_pass ? ErrorKind::Unavailable : ErrorKind::InvalidInput, said);
}

}  // namespace slipway::server
