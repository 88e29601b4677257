// Several people with different rights on one server, through its HTTP interface.

#include "tests/server/http/api_fixture.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;

std::string with_token(const std::string& token) {
  return "PRIVATE-TOKEN: " + token + "\r\n";
}

std::string token_of_link(const Answer& invited) {
  const auto link = invited.body["invitation_url"].get<std::string>();
  CHECK(link.starts_with("http://ci.test/-/invitation#slin-"));
  return link.substr(link.find('#') + 1);
}

struct Browser {
  std::string cookie;
  std::string csrf;

  explicit Browser(const Answer& login) {
    const auto header = login.raw.header("set-cookie");
    cookie = "Cookie: " + header.substr(0, header.find(';')) + "\r\n";
    csrf = "X-CSRF-Token: " + login.body["csrf_token"].get<std::string>() + "\r\n";
  }
};

std::vector<std::string> values(const json& list, const char* field) {
  std::vector<std::string> found;
  for (const auto& item : list) found.push_back(item[field].get<std::string>());
  return found;
}

using Words = std::vector<std::string>;

TEST_CASE("a new person sets the password with the link, once", "[people]") {
  ApiFixture api;
  const auto made = api.call("POST", "/api/v4/users", {{"username", "bea"}, {"name", "Bea B."}});
  CHECK(made.status == 201);
  CHECK(made.body["invited"] == true);
  const auto token = token_of_link(made);
  const auto login = [&](const std::string& password) {
    return api.call_with("", "POST", "/api/v4/session",
                         {{"username", "bea"}, {"password", password}});
  };
  CHECK(login("").status == 401);

  const auto accept = [&](const std::string& with) {
    return api.call_with("", "POST", "/api/v4/invitation",
                         {{"token", with}, {"password", "a long password"}});
  };
  CHECK(accept("slin-wrong").status == 401);
  const auto accepted = accept(token);
  CHECK(accepted.status == 201);
  CHECK(accepted.body["user"]["name"] == "Bea B.");
  CHECK(accept(token).status == 401);
  CHECK(login("a long password").status == 201);
  const Browser browser{accepted};
  CHECK(api.call_with(browser.cookie, "GET", "/api/v4/user").body["username"] == "bea");
}

TEST_CASE("a password that will not do leaves the invitation as it was", "[people]") {
  ApiFixture api;
  const auto token = token_of_link(api.call("POST", "/api/v4/users", {{"username", "bea"}}));
  const auto accept = [&](const std::string& password) {
    return api.call_with("", "POST", "/api/v4/invitation",
                         {{"token", token}, {"password", password}});
  };
  CHECK(accept("short").status == 400);
  CHECK(accept("a long password").status == 201);
}

TEST_CASE("a name that is taken, and one that will not do", "[people]") {
  ApiFixture api;
  CHECK(api.call("POST", "/api/v4/users", {{"username", "bea"}}).status == 201);
  CHECK(api.call("POST", "/api/v4/users", {{"username", "BEA"}}).status == 409);
  CHECK(api.call("POST", "/api/v4/users", {{"username", "b ea"}}).status == 400);
  CHECK(api.call("POST", "/api/v4/users", {{"username", "c"}, {"password", "chosen by another"}})
            .status == 400);
}

TEST_CASE("changing the password ends every other session", "[people]") {
  ApiFixture api;
  const auto token = api.make_user("bea");
  const auto login = [&](const std::string& password) {
    return api.call_with("", "POST", "/api/v4/session",
                         {{"username", "bea"}, {"password", password}});
  };
  const Browser one{login("password of bea")};
  const Browser two{login("password of bea")};
  const auto change = [&](const std::string& headers, const std::string& current) {
    return api.call_with(headers, "PUT", "/api/v4/user/password",
                         {{"current_password", current}, {"password", "another password"}});
  };
  CHECK(change(with_token(token), "password of bea").status == 403);
  CHECK(change(one.cookie + one.csrf, "wrong password").status == 401);
  const auto changed = change(one.cookie + one.csrf, "password of bea");
  CHECK(changed.status == 201);
  CHECK(api.call_with(one.cookie, "GET", "/api/v4/user").status == 401);
  CHECK(api.call_with(two.cookie, "GET", "/api/v4/user").status == 401);
  CHECK(api.call_with(Browser{changed}.cookie, "GET", "/api/v4/user").status == 200);
  CHECK(login("password of bea").status == 401);
  CHECK(login("another password").status == 201);
}

TEST_CASE("who is blocked is out at once, and in again when unblocked", "[people]") {
  ApiFixture api;
  const auto token = api.make_user("bea");
  const Browser browser{api.call_with("", "POST", "/api/v4/session",
                                      {{"username", "bea"}, {"password", "password of bea"}})};
  const auto bea = api.call("GET", "/api/v4/users?username=bea").body[0]["id"].dump();
  CHECK(api.call("POST", "/api/v4/users/" + bea + "/block").status == 201);
  CHECK(api.call_with(with_token(token), "GET", "/api/v4/user").status == 401);
  CHECK(api.call_with(browser.cookie, "GET", "/api/v4/user").status == 401);
  CHECK(api.call_with("", "POST", "/api/v4/session",
                      {{"username", "bea"}, {"password", "password of bea"}})
            .status == 401);
  CHECK(api.call("POST", "/api/v4/users/" + bea + "/invitation").status == 409);
  CHECK(api.call("POST", "/api/v4/users/" + bea + "/unblock").status == 201);
  CHECK(api.call_with(with_token(token), "GET", "/api/v4/user").status == 200);
  CHECK(api.call_with(browser.cookie, "GET", "/api/v4/user").status == 401);
}

TEST_CASE("a server keeps an administrator", "[people]") {
  ApiFixture api;
  CHECK(api.call("POST", "/api/v4/users/1/block").status == 409);
  CHECK(api.call("DELETE", "/api/v4/users/1").status == 409);
  const auto alone = api.call("PUT", "/api/v4/users/1", {{"admin", false}});
  CHECK(alone.status == 409);
  CHECK(alone.body["message"] == "'ann' is the only administrator");
  const auto second = api.make_user("bea");
  const auto bea = api.call("GET", "/api/v4/users?username=bea").body[0]["id"].dump();
  CHECK(api.call_with(with_token(second), "GET", "/api/v4/users").body.size() == 1);
  CHECK(api.call("PUT", "/api/v4/users/" + bea, {{"admin", true}}).status == 200);
  CHECK(api.call_with(with_token(second), "GET", "/api/v4/users").body.size() == 2);
  CHECK(api.call("PUT", "/api/v4/users/1", {{"admin", false}}).status == 200);
  CHECK(api.call("GET", "/api/v4/users").body.size() == 1);
}

TEST_CASE("a deleted person's tokens and memberships are gone, what they did stays", "[people]") {
  ApiFixture api;
  api.make_project("team/own");
  const auto token = api.make_user("bea");
  api.make_member("projects/1", "bea", Level::Developer);
  const auto bea = api.call("GET", "/api/v4/users?username=bea").body[0]["id"].dump();
  CHECK(api.call("DELETE", "/api/v4/users/" + bea).status == 204);
  CHECK(api.call_with(with_token(token), "GET", "/api/v4/user").status == 401);
  CHECK(api.call("GET", "/api/v4/projects/1/members").body.empty());
  CHECK(api.call("GET", "/api/v4/users/" + bea).status == 404);
}

TEST_CASE("two people, two projects: nothing crosses", "[people]") {
  ApiFixture api;
  const auto first = api.make_project("team/first");
  const auto second = api.make_project("club/second");
  api.make_project("house/internal", "internal");
  const auto bea = api.make_user("bea");
  const auto cai = api.make_user("cai");
  api.make_member("projects/" + std::to_string(first.value), "bea", Level::Owner);
  api.make_member("projects/" + std::to_string(second.value), "cai", Level::Owner);
  const auto runner = [&](ProjectId project, const std::string& token) {
    return api.call_with(with_token(token), "POST", "/api/v4/user/runners",
                         {{"runner_type", "project_type"}, {"project_id", project.value}});
  };
  CHECK(runner(first, bea).status == 201);
  CHECK(runner(second, cai).status == 201);
  CHECK(runner(second, bea).status == 404);
  CHECK(api.call_with(with_token(bea), "POST", "/api/v4/user/runners",
                      {{"runner_type", "instance_type"}})
            .status == 403);
  const auto pipeline = std::to_string(api.make_pipeline(second).value);

  const auto list = [&](const std::string& token, const std::string& path) {
    return api.call_with(with_token(token), "GET", path).body;
  };
  CHECK(values(list(bea, "/api/v4/projects"), "path_with_namespace") ==
        Words{"house/internal", "team/first"});
  CHECK(values(list(bea, "/api/v4/projects?membership=true"), "path_with_namespace") ==
        Words{"team/first"});
  CHECK(list(bea, "/api/v4/projects?min_access_level=50").size() == 1);
  CHECK(values(list(cai, "/api/v4/projects"), "path_with_namespace") ==
        Words{"club/second", "house/internal"});
  CHECK(api.call_with("", "GET", "/api/v4/projects").body.empty());
  CHECK(list(bea, "/api/v4/runners").size() == 1);
  CHECK(list(cai, "/api/v4/runners").size() == 1);
  CHECK(list(bea, "/api/v4/runners") != list(cai, "/api/v4/runners"));
  // By number inside one's own project, too.
  for (const auto& path :
       {"/api/v4/projects/1/pipelines/" + pipeline,
        "/api/v4/projects/1/pipelines/" + pipeline + "/jobs",
        std::string{"/api/v4/projects/1/jobs/1"}, std::string{"/api/v4/projects/1/jobs/1/trace"},
        std::string{"/api/v4/projects/1/jobs/1/artifacts"}, std::string{"/api/v4/projects/2"},
        std::string{"/api/v4/runners/2"}}) {
    CAPTURE(path);
    CHECK(api.call_with(with_token(bea), "GET", path).status == 404);
  }
  CHECK(api.call_with(with_token(bea), "POST", "/api/v4/projects/1/jobs/1/retry").status == 404);
  CHECK(api.call_with(with_token(cai), "GET", "/api/v4/projects/2/jobs/1").status == 200);
}

TEST_CASE("members of a group are members of its projects, now and later", "[people]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto bea = api.make_user("bea");
  const auto status = [&](const std::string& path) {
    return api.call_with(with_token(bea), "GET", "/api/v4/projects/" + path).status;
  };
  CHECK(status("1") == 404);
  api.make_member("groups/Team", "bea", Level::Reporter);
  CHECK(status("1") == 200);
  const auto later = api.make_project("team/deep/two");
  const auto beside = api.make_project("teams/three");
  CHECK(status(std::to_string(later.value)) == 200);
  CHECK(status(std::to_string(beside.value)) == 404);
  CHECK(api.call("GET", "/api/v4/projects/1/members").body.empty());
  const auto all = api.call("GET", "/api/v4/projects/1/members/all").body;
  REQUIRE(all.size() == 1);
  CHECK(all[0]["group"] == "team");
  CHECK(all[0]["access_level"] == 20);
  // The higher level counts.
  api.make_member("projects/1", "bea", Level::Guest);
  CHECK(api.call("GET", "/api/v4/projects/1/members/all").body[0]["access_level"] == 20);
  const auto id = all[0]["id"].dump();
  CHECK(api.call("PUT", "/api/v4/groups/team/members/" + id, {{"access_level", 40}}).status == 200);
  CHECK(api.call_with(with_token(bea), "GET", "/api/v4/projects/1/triggers").status == 200);
  CHECK(api.call("DELETE", "/api/v4/groups/team/members/" + id).status == 204);
  CHECK(status("1") == 200);
  CHECK(status(std::to_string(later.value)) == 404);
}

TEST_CASE("members are added once, with a level and until a day", "[people]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto bea = api.make_user("bea");
  const auto add = [&](const json& body) {
    return api.call("POST", "/api/v4/projects/1/members", body);
  };
  CHECK(add({{"username", "nobody"}, {"access_level", 30}}).status == 404);
  CHECK(add({{"access_level", 30}}).status == 400);
  CHECK(add({{"username", "bea"}}).status == 400);
  CHECK(add({{"username", "bea"}, {"access_level", 35}}).status == 400);
  CHECK(add({{"username", "bea"}, {"access_level", 30}, {"expires_at", "2030-02-30"}}).status ==
        400);
  // A membership that is over is none, and may begin again.
  CHECK(add({{"username", "bea"}, {"access_level", 30}, {"expires_at", "2020-01-01"}}).status ==
        201);
  CHECK(api.call_with(with_token(bea), "GET", "/api/v4/projects/1").status == 404);
  CHECK(api.call("GET", "/api/v4/projects/1/members").body.empty());
  const auto added = add({{"user_id", 2}, {"access_level", 30}, {"expires_at", "2999-12-31"}});
  CHECK(added.status == 201);
  CHECK(added.body["expires_at"] == "2999-12-31");
  CHECK(api.call_with(with_token(bea), "GET", "/api/v4/projects/1").status == 200);
  CHECK(add({{"username", "bea"}, {"access_level", 40}}).status == 409);
}

TEST_CASE("on a protected branch, maintainers run pipelines, and developers where they may",
          "[people]") {
  ApiFixture api;
  api.make_project("team/one");  // its default branch is protected
  const auto dev = api.make_user("dev");
  const auto chief = api.make_user("chief");
  api.make_member("projects/1", "dev", Level::Developer);
  api.make_member("projects/1", "chief", Level::Maintainer);
  const auto pipeline = std::to_string(api.make_pipeline(ProjectId{1}).value);
  const auto run = [&](const std::string& token) {
    return api.call_with(with_token(token), "POST", "/api/v4/projects/1/pipeline",
                         {{"ref", "main"}});
  };
  const auto denied = run(dev);
  CHECK(denied.status == 403);
  CHECK(denied.body["message"] ==
        "only maintainers may run pipelines on the protected branch 'main'");
  for (const auto* act : {"cancel", "retry"})
    CHECK(api.call_with(with_token(dev), "POST",
                        "/api/v4/projects/1/pipelines/" + pipeline + "/" + act)
              .status == 403);
  for (const auto* act : {"cancel", "retry", "play"})
    CHECK(api.call_with(with_token(dev), "POST", std::string{"/api/v4/projects/1/jobs/1/"} + act)
              .status == 403);
  CHECK(run(chief).status == 201);

  const auto protect = [&](const char* name, int level) {
    return api.call_with(with_token(chief), "POST", "/api/v4/projects/1/protected_branches",
                         {{"name", name}, {"push_access_level", level}});
  };
  CHECK(protect("m*", 30).status == 201);
  CHECK(run(dev).status == 201);
  CHECK(api.call("DELETE", "/api/v4/projects/1/protected_branches/m*").status == 204);
  CHECK(run(dev).status == 403);
  CHECK(api.call("DELETE", "/api/v4/projects/1/protected_branches/main").status == 204);
  CHECK(run(dev).status == 201);
  CHECK(protect("main", 35).status == 400);
  const auto closed = protect("main", 0);
  CHECK(closed.body["push_access_levels"][0]["access_level_description"] == "No one");
  CHECK(run(chief).status == 403);
}

TEST_CASE("a developer's schedule is for refs where they may run, and theirs", "[people]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto dev = api.make_user("dev");
  const auto other = api.make_user("other");
  api.make_member("projects/1", "dev", Level::Developer);
  api.make_member("projects/1", "other", Level::Developer);
  const auto make = [&](const char* ref) {
    return api.call_with(with_token(dev), "POST", "/api/v4/projects/1/pipeline_schedules",
                         {{"description", "nightly"}, {"ref", ref}, {"cron", "0 4 * * *"}});
  };
  CHECK(make("main").status == 403);
  CHECK(make("feature").status == 201);
  const std::string path = "/api/v4/projects/1/pipeline_schedules/1";
  CHECK(api.call_with(with_token(other), "PUT", path, {{"active", false}}).status == 403);
  CHECK(api.call_with(with_token(other), "DELETE", path).status == 403);
  CHECK(api.call_with(with_token(dev), "PUT", path, {{"ref", "main"}}).status == 403);
  CHECK(api.call_with(with_token(dev), "PUT", path, {{"active", false}}).status == 200);
  CHECK(api.call_with(with_token(other), "POST", path + "/take_ownership").status == 201);
  CHECK(api.call_with(with_token(dev), "DELETE", path).status == 403);
}

TEST_CASE("a trigger token works as long as its owner may run pipelines", "[people]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto chief = api.make_user("chief");
  api.make_member("projects/1", "chief", Level::Maintainer);
  const auto token = api.call_with(with_token(chief), "POST", "/api/v4/projects/1/triggers",
                                   {{"description", "deploys"}})
                         .body["token"]
                         .get<std::string>();
  const auto use = [&] {
    return api
        .call_with("", "POST", "/api/v4/projects/1/trigger/pipeline",
                   {{"token", token}, {"ref", "main"}})
        .status;
  };
  CHECK(use() == 201);
  CHECK(api.call("PUT", "/api/v4/projects/1/members/2", {{"access_level", 30}}).status == 200);
  CHECK(use() == 403);
  CHECK(api.call("DELETE", "/api/v4/projects/1/members/2").status == 204);
  CHECK(use() == 403);
}

TEST_CASE("a project's token is a member of that project and nothing else", "[people]") {
  ApiFixture api;
  api.make_project("team/one");
  api.make_project("house/internal", "internal");
  const auto chief = api.make_user("chief");
  api.make_member("projects/1", "chief", Level::Maintainer);
  const std::string path = "/api/v4/projects/1/access_tokens";
  const auto make = [&](const json& body) {
    return api.call_with(with_token(chief), "POST", path, body);
  };
  CHECK(make({{"name", "too much"}, {"access_level", 50}}).status == 403);
  CHECK(make({{"name", "odd"}, {"scopes", {"sudo"}}}).status == 400);
  const auto made =
      make({{"name", "bot"}, {"access_level", 30}, {"scopes", {"api"}}, {"expires_in_days", 7}});
  CHECK(made.status == 201);
  const auto bot = with_token(made.body["token"].get<std::string>());
  CHECK(api.call_with(bot, "GET", "/api/v4/user").body["bot"] == true);
  CHECK(values(api.call_with(bot, "GET", "/api/v4/projects").body, "path_with_namespace") ==
        Words{"team/one"});
  CHECK(api.call_with(bot, "GET", "/api/v4/projects/2").status == 404);
  CHECK(api.call_with(bot, "GET", "/api/v4/projects/1/variables").status == 403);
  // It is not among the people, and cannot be made a member of another project.
  CHECK(api.call("GET", "/api/v4/users").body.size() == 2);
  CHECK(api.call("POST", "/api/v4/projects/2/members",
                 {{"user_id", made.body["user_id"]}, {"access_level", 30}})
            .status == 404);
  const auto listed = api.call_with(with_token(chief), "GET", path).body;
  CHECK(listed[0]["access_level"] == 30);
  CHECK_FALSE(listed[0].contains("token"));
  const auto id = made.body["id"].dump();
  CHECK(api.call("DELETE", "/api/v4/projects/2/access_tokens/" + id).status == 404);
  CHECK(api.call_with(with_token(chief), "DELETE", path + "/" + id).status == 204);
  CHECK(api.call_with(bot, "GET", "/api/v4/user").status == 401);
}

TEST_CASE("logs are for reporters where jobs are not public", "[people]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_project("town/open", "public").value);
  api.make_pipeline(ProjectId{1});
  const auto guest = api.make_user("guest");
  api.make_member("projects/1", "guest", Level::Guest);
  const std::string log = "/api/v4/projects/" + id + "/jobs/1/trace";
  CHECK(api.call_with("", "GET", log).status == 200);
  CHECK(api.call("PUT", "/api/v4/projects/" + id, {{"public_jobs", false}}).body["public_jobs"] ==
        false);
  CHECK(api.call_with("", "GET", log).status == 401);
  CHECK(api.call_with(with_token(guest), "GET", log).status == 403);
  CHECK(api.call("PUT", "/api/v4/projects/1/members/2", {{"access_level", 20}}).status == 200);
  CHECK(api.call_with(with_token(guest), "GET", log).status == 200);
}

TEST_CASE("a stream shows what its viewer sees, and no more once that changes", "[people]") {
  ApiFixture api;
  const auto own = api.make_project("team/own");
  const auto other = api.make_project("club/other");
  const auto bea = api.make_user("bea");
  api.make_member("projects/1", "bea", Level::Guest);
  auto stream = api.connect();
  stream.send("GET /api/v4/events HTTP/1.1\r\nHost: a\r\n" + with_token(bea) + "\r\n");
  REQUIRE(stream.wait_for("event: hello"));
  api.make_pipeline(other);
  api.make_pipeline(own);
  REQUIRE(stream.wait_for("\"project_id\":1"));
  CHECK(stream.received().find("\"project_id\":2") == std::string::npos);

  api.make_member("projects/2", "bea", Level::Guest);
  api.make_pipeline(other);
  REQUIRE(stream.wait_for("\"project_id\":2"));
  CHECK(api.call("DELETE", "/api/v4/projects/2/members/2").status == 204);
  const auto before = stream.received().size();
  api.make_pipeline(other);
  const auto last = std::to_string(api.make_pipeline(own).value);
  REQUIRE(stream.wait_for("\"id\":" + last + ","));
  CHECK(stream.received().find("\"project_id\":2", before) == std::string::npos);
}

TEST_CASE("streams end with the session or the token that they began with", "[people]") {
  ApiFixture api;
  api.make_project("team/own");
  api.make_pipeline(ProjectId{1});
  const auto bea = api.make_user("bea");
  api.make_member("projects/1", "bea", Level::Reporter);
  const Browser browser{api.call_with("", "POST", "/api/v4/session",
                                      {{"username", "bea"}, {"password", "password of bea"}})};
  const auto open = [&](const std::string& path, const std::string& headers) {
    auto client = api.connect();
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    REQUIRE(client.wait_for("HTTP/1.1 200"));
    return client;
  };
  const std::string trace = "/api/v4/projects/1/jobs/1/trace/events";
  auto by_session = open("/api/v4/events", browser.cookie);
  auto log_by_session = open(trace, browser.cookie);
  auto by_token = open("/api/v4/events", with_token(bea));
  auto log_by_token = open(trace, with_token(bea));
  CHECK(api.call_with(browser.cookie + browser.csrf, "DELETE", "/api/v4/session").status == 204);
  CHECK(by_session.wait_for("\r\n0\r\n\r\n"));
  CHECK(log_by_session.wait_for("\r\n0\r\n\r\n"));
  // Fewer rights end the log, not the stream of what one still sees.
  CHECK(api.call("DELETE", "/api/v4/projects/1/members/2").status == 204);
  CHECK(log_by_token.wait_for("\r\n0\r\n\r\n"));
  CHECK(api.call("POST", "/api/v4/users/2/block").status == 201);
  CHECK(by_token.wait_for("\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace slipway::server::http
