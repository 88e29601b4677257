#include "server/forge/commit_status.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using nlohmann::json;

const std::string kSha(40, 'a');

CommitStatus status(const std::string& word, const std::string& description = "Pipeline 3.") {
  return {kSha, "main", "slipway/push", word, description, "https://ci.example/g/n/-/pipelines/9"};
}

std::string state(ForgeKind kind, const std::string& word) {
  const auto call = status_call(kind, "https://api", "group/name", "secret", status(word));
  return json::parse(call.body)["state"].get<std::string>();
}

}  // namespace

TEST_CASE("each host is told by its own call", "[forge]") {
  const auto call = [](ForgeKind kind) {
    return status_call(kind, "https://api", "group/na me", "secret", status("running"));
  };
  const json common{{"state", "pending"},
                    {"target_url", "https://ci.example/g/n/-/pipelines/9"},
                    {"description", "Pipeline 3."},
                    {"context", "slipway/push"}};

  const auto github = call(ForgeKind::GitHub);
  CHECK(github.url == "https://api/repos/group/na%20me/statuses/" + kSha);
  CHECK(github.headers.at("Authorization") == "Bearer secret");
  CHECK(json::parse(github.body) == common);

  for (const auto kind : {ForgeKind::Gitea, ForgeKind::Forgejo}) {
    const auto gitea = call(kind);
    CHECK(gitea.url == "https://api/repos/group/na%20me/statuses/" + kSha);
    CHECK(gitea.headers.at("Authorization") == "token secret");
    CHECK(json::parse(gitea.body) == common);
  }

  const auto gitlab = call(ForgeKind::GitLab);
  CHECK(gitlab.url == "https://api/projects/group%2Fna%20me/statuses/" + kSha);
  CHECK(gitlab.headers.at("PRIVATE-TOKEN") == "secret");
  CHECK(json::parse(gitlab.body) == json{{"state", "running"},
                                         {"ref", "main"},
                                         {"name", "slipway/push"},
                                         {"target_url", "https://ci.example/g/n/-/pipelines/9"},
                                         {"description", "Pipeline 3."}});

  const auto bitbucket = call(ForgeKind::Bitbucket);
  CHECK(bitbucket.url ==
        "https://api/repositories/group/na%20me/commit/" + kSha + "/statuses/build");
  CHECK(bitbucket.headers.at("Authorization") == "Bearer secret");
  CHECK(json::parse(bitbucket.body) == json{{"key", "slipway/push"},
                                            {"state", "INPROGRESS"},
                                            {"name", "slipway/push"},
                                            {"url", "https://ci.example/g/n/-/pipelines/9"},
                                            {"description", "Pipeline 3."}});
}

TEST_CASE("a pipeline's status has a word at each host, and a skipped one is a success",
          "[forge]") {
  CHECK(state(ForgeKind::GitHub, "pending") == "pending");
  CHECK(state(ForgeKind::GitHub, "manual") == "pending");
  CHECK(state(ForgeKind::GitHub, "success") == "success");
  CHECK(state(ForgeKind::GitHub, "failed") == "failure");
  CHECK(state(ForgeKind::GitHub, "canceled") == "error");
  CHECK(state(ForgeKind::GitLab, "pending") == "pending");
  CHECK(state(ForgeKind::GitLab, "failed") == "failed");
  CHECK(state(ForgeKind::GitLab, "canceled") == "canceled");
  CHECK(state(ForgeKind::Bitbucket, "failed") == "FAILED");
  CHECK(state(ForgeKind::Bitbucket, "canceled") == "STOPPED");
  for (const auto kind :
       {ForgeKind::GitHub, ForgeKind::Gitea, ForgeKind::Forgejo, ForgeKind::GitLab})
    CHECK(state(kind, "skipped") == "success");
  CHECK(state(ForgeKind::Bitbucket, "skipped") == "SUCCESSFUL");
}

TEST_CASE("a description is cut between characters", "[forge]") {
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  for (const std::string& text : {umlauts, "x" + umlauts}) {
    const auto call =
        status_call(ForgeKind::GitHub, "https://api", "g/n", "t", status("failed", text));
    const auto told = json::parse(call.body)["description"].get<std::string>();
    CHECK(told.size() <= 140);
    CHECK(told.size() >= 137);
    CHECK(told.substr(told.size() - 3) == "…");
    CHECK(told.find("\xEF\xBF\xBD") == std::string::npos);
  }
}

TEST_CASE("the API follows from the repository's host", "[forge]") {
  const auto api = [](ForgeKind kind, const std::string& repository) {
    return *forge_api(kind, "", repository);
  };
  CHECK(api(ForgeKind::GitHub, "https://github.com/g/n.git") == "https://api.github.com");
  CHECK(api(ForgeKind::GitHub, "git@github.com:g/n.git") == "https://api.github.com");
  CHECK(api(ForgeKind::GitHub, "https://github.corp/g/n") == "https://github.corp/api/v3");
  CHECK(api(ForgeKind::GitLab, "https://gitlab.corp:8443/g/n") ==
        "https://gitlab.corp:8443/api/v4");
  CHECK(api(ForgeKind::GitLab, "ssh://git@gitlab.corp:2222/g/n") == "https://gitlab.corp/api/v4");
  CHECK(api(ForgeKind::Gitea, "https://user@gitea.corp/g/n") == "https://gitea.corp/api/v1");
  CHECK(api(ForgeKind::Forgejo, "git@codeberg.org:g/n") == "https://codeberg.org/api/v1");
  CHECK(api(ForgeKind::Bitbucket, "git@bitbucket.org:g/n") == "https://api.bitbucket.org/2.0");
  CHECK(*forge_api(ForgeKind::GitLab, "https://other/api/", "https://x/y") == "https://other/api");
  const auto none = forge_api(ForgeKind::GitLab, "", "/srv/git/n");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "the repository's address names no git host; set forge_api_url");
}

TEST_CASE("a repository's path is found in each form of address", "[forge]") {
  CHECK(repository_path("https://host/group/sub/name.git") == "group/sub/name");
  CHECK(repository_path("https://user@host:8443/group/name/") == "group/name");
  CHECK(repository_path("ssh://git@host:22/group/name.git") == "group/name");
  CHECK(repository_path("git@host:group/name.git") == "group/name");
  CHECK(repository_path("/srv/git/name.git").empty());
}

TEST_CASE("a host's answer says whether trying again may help", "[forge]") {
  CHECK(status_answer(ForgeKind::GitHub, 201, ""));
  for (const int code : {401, 403, 404, 408, 429, 500, 503})
    CHECK(status_answer(ForgeKind::GitHub, code, "no").error().kind == ErrorKind::Unavailable);
  for (const int code : {302, 400, 422}) {
    const auto refused = status_answer(ForgeKind::GitHub, code, "no");
    CHECK(refused.error().kind == ErrorKind::InvalidInput);
    CHECK(refused.error().message == "github answered " + std::to_string(code) + ": no");
  }
  const std::string same = R"({"message":"Cannot transition status via :run from :running"})";
  CHECK(status_answer(ForgeKind::GitLab, 400, same));
  CHECK_FALSE(status_answer(ForgeKind::GitHub, 400, same));
}

}  // namespace slipway::server
