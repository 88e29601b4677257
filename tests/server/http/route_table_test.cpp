// The table itself, and every row asked by every kind of caller.

#include "server/http/route_table.h"

#include <optional>

#include "server/auth/policy.h"
#include "server/http/gate.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"
#include "tests/server/http/table_only.h"

namespace slipway::server::http {
namespace {

using auth::Credential;
using auth::Role;
using nlohmann::json;
using test::ApiFixture;

bool is_page(const Route& route) {
  return route.pattern == "/" || route.pattern == "/{page}";
}

bool changes(const Route& route) {
  return route.method != "GET";
}

TEST_CASE("the table and openapi.yaml have the same operations", "[routes]") {
  ApiFixture api;
  const TableOnly table{api};
  std::set<std::string> rows;
  for (const auto& route : table.routes)
    if (!is_page(route))
      CHECK(rows.insert(std::string{route.method} + " " + std::string{route.pattern}).second);
  CHECK(rows == test::OpenApi{}.operations());
}

TEST_CASE("every row is complete and its columns agree", "[routes]") {
  ApiFixture api;
  const TableOnly table{api};
  for (const auto& route : table.routes) {
    CAPTURE(route.method, route.pattern);
    CHECK(
        std::visit([](const auto& handler) { return static_cast<bool>(handler); }, route.handler));
    const bool reads = !changes(route);
    CHECK((route.csrf == Csrf::Safe) == reads);
    CHECK((route.body_limit == 0) == reads);
    if (changes(route) && route.credential == Credential::User) CHECK(route.csrf == Csrf::Session);
    if (route.credential == Credential::RunnerToken) CHECK(route.role == Role::Runner);
    if (route.credential == Credential::JobToken) CHECK(route.role == Role::Job);
    if (route.credential == Credential::None) CHECK(route.role == Role::Anybody);
    if (changes(route) && route.credential == Credential::User)
      CHECK(route.scope != auth::Scope::ReadApi);
  }
}

struct Caller {
  const char* name;
  std::string headers;
  bool signed_in;  // as the administrator, but not so that it may change anything
};

// The pattern with something in its holes.
std::string address(const Route& route, const std::string& project) {
  std::string path{route.pattern};
  const auto fill = [&](const std::string& hole, const std::string& value) {
    if (const auto at = path.find(hole); at != std::string::npos)
      path.replace(at, hole.size(), value);
  };
  fill("{id}", project);
  fill("{project_path}", "group/secret");
  for (const auto* hole : {"{pipeline_id}", "{job_id}", "{token_id}", "{schedule_id}",
                           "{trigger_id}", "{user_id}", "{session_id}", "{provider}", "{event_id}"})
    fill(hole, "999");
  fill("{runner_id}", "1");
  fill("{ref}", "main");
  fill("{ref_name}", "main");
  fill("{group}", "group");
  fill("{key}", "KEY");
  if (route.pattern.ends_with("info/refs")) path += "?service=git-upload-pack";
  return path;
}

TEST_CASE("every row answers every kind of caller as the policy says", "[routes]") {
  ApiFixture api;
  const TableOnly table{api};
  api.make_project("group/secret");
  const auto token_of = [&](const char* scope) {
    return api.call("POST", "/api/v4/personal_access_tokens", {{"name", "t"}, {"scopes", {scope}}})
        .body["token"]
        .get<std::string>();
  };
  const auto cookie = "Cookie: slipway_session=" + api.session + "\r\n";
  const std::vector<Caller> callers{
      {"anonymous", "", false},
      {"wrong token", "PRIVATE-TOKEN: glpat-wrong\r\n", false},
      {"session without CSRF token", cookie, true},
      {"session from another site",
       cookie + "X-CSRF-Token: " + api.csrf + "\r\nSec-Fetch-Site: cross-site\r\n", true},
      {"read token", "PRIVATE-TOKEN: " + token_of("read_api") + "\r\n", true},
      {"runner's token", "RUNNER-TOKEN: " + api.make_runner() + "\r\n", false}};
  for (const auto& route : table.routes) {
    if (route.credential != Credential::User || route.role == Role::Anybody) continue;
    const bool of_project = route.pattern.find("{id}") != std::string_view::npos ||
                            route.pattern.find("{project_path}") != std::string_view::npos;
    for (const auto& caller : callers) {
      if (caller.signed_in && !changes(route)) continue;  // may read: the other tests look at that
      CAPTURE(route.method, route.pattern, caller.name);
      auto client = api.connect();
      // The stream of events would not end.
      const bool endless = route.pattern == "/api/v4/events";
      const auto answer = client.request(endless ? "HEAD" : route.method, address(route, "1"),
                                         caller.headers + "Content-Type: application/json\r\n",
                                         changes(route) ? "{}" : "");
      if (std::string_view{caller.name} == "wrong token") {
        CHECK(answer.status == 401);
      } else if (caller.signed_in) {
        CHECK(answer.status == 403);
      } else if (of_project) {
        CHECK(answer.status == 404);
        CHECK(answer.body == R"({"message":"404 Project Not Found"})");
      } else if (route.pattern.starts_with("/api/v4/groups/{group}")) {
        CHECK(answer.body == R"({"message":"404 Group Not Found"})");
      } else if (route.pattern.starts_with("/api/v4/runners/{runner_id}")) {
        CHECK(answer.body == R"({"message":"404 Runner Not Found"})");
      } else if (route.role != Role::Reader) {
        CHECK(answer.status == 401);
      } else {
        CHECK(answer.status == 200);
      }
    }
  }
}

TEST_CASE("runner and job rows take no other credential", "[routes]") {
  ApiFixture api;
  const TableOnly table{api};
  const auto runner = api.make_runner();
  for (const auto& route : table.routes) {
    if (route.credential != Credential::RunnerToken && route.credential != Credential::JobToken)
      continue;
    const bool of_job = route.credential == Credential::JobToken;
    for (const auto& headers :
         {std::string{}, "PRIVATE-TOKEN: " + api.admin + "\r\n",
          "Cookie: slipway_session=" + api.session + "\r\nX-CSRF-Token: " + api.csrf + "\r\n",
          (of_job ? "JOB-TOKEN: " : "RUNNER-TOKEN: ") + api.admin + "\r\n",
          "JOB-TOKEN: " + runner + "\r\n"}) {
      CAPTURE(route.method, route.pattern, headers);
      const auto answer = api.connect().request(route.method, address(route, "1"), headers,
                                                changes(route) ? "{}" : "");
      CHECK((answer.status == 403 || (answer.status == 400 && !of_job)));
    }
  }
}

TEST_CASE("an administrator's page is reached by no other spelling of its path", "[routes]") {
  ApiFixture api;
  for (const auto* path :
       {"//api/v4/runners/1", "/api//v4/runners/1", "/api/./v4/runners/1", "/x/../api/v4/runners/1",
        "/api/v4/runners/1;x", "/api/v4/runners/1/", "/api/v4/runners/1.css", "/%61pi/v4/runners/1",
        "/api/v4/runners%2f1", "/api%2fv4/runners/1", "/api/v4/runners/%2e%2e/runners/1",
        "/API/v4/runners/1", "/api/v4/runners/1%00", "/api/v4/runners/1%20",
        "/api\\v4\\runners\\1"}) {
    for (const auto* method : {"GET", "PUT", "DELETE", "POST"}) {
      CAPTURE(path, method);
      const auto answer = api.connect().request(
          method, path, "X-HTTP-Method-Override: GET\r\nX-Original-URL: /healthz\r\n");
      CHECK(answer.status >= 400);
      CHECK(answer.status < 500);
    }
  }
}

}  // namespace
}  // namespace slipway::server::http
