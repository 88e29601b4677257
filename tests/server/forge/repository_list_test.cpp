#include "server/forge/repository_list.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using nlohmann::json;

RepositoryPage page_of(ForgeKind kind, const json& body) {
  const auto page = list_answer(kind, 200, body.dump());
  REQUIRE(page);
  return *page;
}

void check_app(const RepositoryPage& page) {
  REQUIRE(page.repositories.size() == 1);
  const ForgeRepository& app = page.repositories[0];
  CHECK(app.path == "team/app");
  CHECK(app.url == "https://git.example/team/app.git");
  CHECK(app.default_branch == "main");
  CHECK(app.is_private);
}

}  // namespace

TEST_CASE("each host is asked in its own way, with the token in a header", "[forge]") {
  const auto github = list_call(ForgeKind::GitHub, "https://api.github.com", "t", "x", 2);
  CHECK(github.url == "https://api.github.com/user/repos?per_page=50&sort=full_name&page=2");
  CHECK(github.headers.at("Authorization") == "Bearer t");
  const auto gitlab = list_call(ForgeKind::GitLab, "https://g/api/v4", "t", "a&b", 1);
  CHECK(gitlab.url.find("&search=a%26b") != std::string::npos);
  CHECK(gitlab.url.find("membership=true") != std::string::npos);
  CHECK(gitlab.headers.at("PRIVATE-TOKEN") == "t");
  const auto gitea = list_call(ForgeKind::Gitea, "https://g/api/v1", "t", "", 1);
  CHECK(gitea.headers.at("Authorization") == "token t");
  const auto bitbucket = list_call(ForgeKind::Bitbucket, "https://b/2.0", "t", "", 1);
  CHECK(bitbucket.url.starts_with("https://b/2.0/repositories?role=member"));
  for (const auto& call : {github, gitlab, gitea, bitbucket})
    CHECK(call.url.find("token") == std::string::npos);
}

TEST_CASE("each host's list is read, and what has no address is left out", "[forge]") {
  const json github{{{"full_name", "team/app"},
                     {"clone_url", "https://git.example/team/app.git"},
                     {"default_branch", "main"},
                     {"private", true}},
                    {{"full_name", "team/odd"}},
                    5};
  for (const auto kind : {ForgeKind::GitHub, ForgeKind::Gitea, ForgeKind::Forgejo})
    check_app(page_of(kind, github));
  check_app(page_of(ForgeKind::GitLab,
                    json::array({{{"path_with_namespace", "team/app"},
                                  {"http_url_to_repo", "https://git.example/team/app.git"},
                                  {"default_branch", "main"},
                                  {"visibility", "internal"}}})));
  const json clone{{{"name", "ssh"}, {"href", "git@git.example:team/app.git"}},
                   {{"name", "https"}, {"href", "https://ann@git.example/team/app.git"}}};
  const json bitbucket{{"next", "https://b/2.0/repositories?page=2"},
                       {"values",
                        {{{"full_name", "team/app"},
                          {"is_private", true},
                          {"mainbranch", {{"name", "main"}}},
                          {"links", {{"clone", clone}}}}}}};
  const auto page = page_of(ForgeKind::Bitbucket, bitbucket);
  check_app(page);
  CHECK(page.more);
}

TEST_CASE("an answer that is no list says what it is", "[forge]") {
  const auto why = [](int status, const std::string& body, ForgeKind kind = ForgeKind::GitHub) {
    return list_answer(kind, status, body).error().message;
  };
  CHECK(why(401, "[]") == "the git host does not take the token");
  CHECK(why(502, "[]") == "the git host answered 502 instead of a list");
  CHECK(why(302, "") == "the git host answered 302 instead of a list");
  CHECK(why(200, "<html>") == "the git host's answer is no list of repositories");
  CHECK(why(200, "{}", ForgeKind::Bitbucket) == "the git host's answer is no list of repositories");
  CHECK_FALSE(service_api(ForgeKind::Gitea, ""));
  CHECK(service_api(ForgeKind::GitHub, "").value() == "https://api.github.com");
  CHECK(service_api(ForgeKind::GitLab, "").value() == "https://gitlab.com/api/v4");
}

}  // namespace slipway::server
