// Sessions, tokens, logins through other sites and the audit log, through the HTTP interface.

#include <algorithm>

#include "base/crypto.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/login/provider_simulator.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;

std::string with_token(const std::string& token) {
  return "PRIVATE-TOKEN: " + token + "\r\n";
}

// The cookie of that name, as the browser sends it back; "" when it was not set.
std::string cookie_of(const std::string& header, const std::string& name) {
  const auto at = header.find(name + "=");
  if (at == std::string::npos) return "";
  return "Cookie: " + header.substr(at, header.find(';', at) - at) + "\r\n";
}

Answer log_in(ApiFixture& api, const std::string& agent) {
  return api.call_with("User-Agent: " + agent + "\r\n", "POST", "/api/v4/session",
                       {{"username", "bea"}, {"password", "password of bea"}});
}

TEST_CASE("one's sessions are listed, and end by their name", "[sessions]") {
  ApiFixture api;
  api.make_user("bea");
  const auto phone = log_in(api, "phone");
  const auto desk = log_in(api, "desk");
  const auto cookie = cookie_of(desk.raw.header("set-cookie"), "slipway_session");
  const auto csrf = "X-CSRF-Token: " + desk.body["csrf_token"].get<std::string>() + "\r\n";
  const auto list = api.call_with(cookie, "GET", "/api/v4/user/sessions").body;
  REQUIRE(list.size() == 3);  // and the one that the invitation began
  std::string id;
  for (const auto& one : list) {
    CHECK(one["current"] == (one["user_agent"] == "desk"));
    if (one["user_agent"] == "phone") id = one["id"];
    CHECK(phone.raw.header("set-cookie").find(one["id"].get<std::string>()) == std::string::npos);
  }
  const std::string path = "/api/v4/user/sessions/" + id;
  // Somebody else's is not there, whatever its name.
  CHECK(api.call("DELETE", path).status == 404);
  CHECK(api.call_with(cookie, "DELETE", path).status == 403);
  CHECK(api.call_with(cookie + csrf, "DELETE", path).status == 204);
  CHECK(api.call_with(cookie_of(phone.raw.header("set-cookie"), "slipway_session"), "GET",
                      "/api/v4/user")
            .status == 401);
  CHECK(api.call_with(cookie, "GET", "/api/v4/user/sessions").body.size() == 2);
}

TEST_CASE("guessing at a password is told when to try again", "[sessions]") {
  ApiFixture api;
  int status = 0;
  Answer answer;
  for (int i = 0; i < 8 && status != 429; ++i) {
    answer = api.call_with("", "POST", "/api/v4/session",
                           {{"username", "bea"}, {"password", "wrong password"}});
    status = answer.status;
  }
  CHECK(status == 429);
  CHECK(std::stoi(answer.raw.header("retry-after")) >= 1);
}

TEST_CASE("a token says what it is, is rotated, and revokes itself", "[sessions]") {
  ApiFixture api;
  const auto made = api.call("POST", "/api/v4/personal_access_tokens",
                             {{"name", "t"}, {"scopes", {"read_user"}}});
  const auto reader = with_token(made.body["token"].get<std::string>());
  CHECK(api.call_with(reader, "GET", "/api/v4/personal_access_tokens/self").body["id"] ==
        made.body["id"]);
  CHECK(api.call_with(reader, "GET", "/api/v4/user").status == 200);
  CHECK(api.call_with(reader, "GET", "/api/v4/projects").status == 403);
  const auto rotate = "/api/v4/personal_access_tokens/" + made.body["id"].dump() + "/rotate";
  CHECK(api.call_with(reader, "POST", rotate).status == 403);
  const auto rotated = api.call("POST", rotate, {{"expires_in_days", 2}});
  CHECK(rotated.status == 200);
  CHECK(rotated.body["scopes"] == made.body["scopes"]);
  CHECK(api.call_with(reader, "GET", "/api/v4/user").status == 401);
  CHECK(api.call("POST", rotate).status == 404);
  const auto full = with_token(api.call("POST", "/api/v4/personal_access_tokens", {{"name", "f"}})
                                   .body["token"]
                                   .get<std::string>());
  CHECK(api.call_with(full, "DELETE", "/api/v4/personal_access_tokens/self").status == 204);
  CHECK(api.call_with(full, "GET", "/api/v4/user").status == 401);
}

TEST_CASE("administrators revoke anybody's token, others their own", "[sessions]") {
  ApiFixture api;
  const auto bea = api.make_user("bea");
  const auto id =
      api.call_with(with_token(bea), "GET", "/api/v4/personal_access_tokens/self").body["id"];
  const auto path = "/api/v4/personal_access_tokens/" + id.dump();
  const auto cai = api.make_user("cai");
  CHECK(api.call_with(with_token(cai), "DELETE", path).status == 404);
  CHECK(api.call("DELETE", path).status == 204);
  CHECK(api.call_with(with_token(bea), "GET", "/api/v4/user").status == 401);
}

TEST_CASE("a token that reads repositories clones and does nothing else", "[sessions]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto token = api.call("POST", "/api/v4/personal_access_tokens",
                              {{"name", "t"}, {"scopes", {"read_repository"}}})
                         .body["token"]
                         .get<std::string>();
  const auto basic = "Authorization: Basic " + base64_encode("x:" + token) + "\r\n";
  CHECK(api.call_with(basic, "GET", "/team/one.git/info/refs?service=git-upload-pack").status ==
        200);
  CHECK(api.call_with(with_token(token), "GET", "/api/v4/projects/1").status == 403);
}

TEST_CASE("clients show a token in any of the three headers", "[sessions]") {
  ApiFixture api;
  api.make_project("team/one");
  api.make_pipeline(ProjectId{1});
  const auto job = api.take_job(api.make_runner());
  CHECK(api.call_with(with_token(api.admin), "GET", "/api/v4/projects/1").status == 200);
  CHECK(api.call_with("Authorization: Bearer " + api.admin + "\r\n", "GET", "/api/v4/projects/1")
            .status == 200);
  // A job's own token opens what jobs may open: it came as far as looking for the archive.
  const std::string artifacts = "/api/v4/projects/1/jobs/1/artifacts";
  CHECK(api.call_with(job.header(), "GET", artifacts).body["message"] == "404 Artifacts Not Found");
  CHECK(api.call_with("JOB-TOKEN: wrong\r\n", "GET", artifacts).status == 401);
  CHECK(api.call_with(job.header(), "GET", "/api/v4/projects/1").status == 401);
  CHECK(api.call_with(job.header(), "GET", "/api/v4/job").status == 200);
}

TEST_CASE("what was done stands in the audit log, by whom and from where", "[audit]") {
  ApiFixture api;
  api.make_project("team/one");
  const auto bea = api.make_user("bea");
  api.make_member("projects/1", "bea", Level::Developer);
  CHECK(api.call_with("", "POST", "/api/v4/session",
                      {{"username", "bea"}, {"password", "wrong password"}})
            .status == 401);
  api.make_pipeline(ProjectId{1});
  CHECK(api.call("POST", "/api/v4/projects/1/pipelines/1/cancel").status == 201);
  api.make_runner();
  CHECK(api.call("POST", "/api/v4/users/2/block").status == 201);
  // Notes are written after what they tell of.
  std::vector<std::string> seen;
  const auto entries = api.call("GET", "/api/v4/audit_events?per_page=100").body;
  for (const auto& entry : entries) {
    seen.push_back(entry["action"].get<std::string>() + " " + entry["result"].get<std::string>());
    CHECK(entry["hash"].get<std::string>().size() == 64);
  }
  for (const auto* wanted :
       {"setup.done ok", "project.created ok", "user.created ok", "invitation.used ok",
        "token.created ok", "member.added ok", "session.created refused", "pipeline.canceled ok",
        "runner.created ok", "user.blocked ok"}) {
    CAPTURE(wanted);
    CHECK(std::count(seen.begin(), seen.end(), wanted) == 1);
  }
  const auto& newest = entries[0];
  CHECK(newest["actor"] == "user/1");
  CHECK(newest["object"] == "user/2");
  CHECK(newest["ip_address"] == "127.0.0.1");
  CHECK(api.call("GET", "/api/v4/audit_events/1").body["action"] == "setup.done");
  const auto verdict = api.call("GET", "/api/v4/audit_events/verification").body;
  CHECK(verdict["valid"] == true);
  CHECK(verdict["head"] == newest["hash"]);
  CHECK(api.call_with(with_token(bea), "GET", "/api/v4/audit_events").status == 401);
}

TEST_CASE("logging in through another site, from the button to the session", "[login]") {
  const SystemClock clock;
  test::ProviderSimulator site{clock};
  ApiFixture api{
      {"site", "Site", login::ProviderKind::Oidc, site.url(), "", "slipway", "s3cret", true}};
  CHECK(api.call_with("", "GET", "/api/v4/login").body ==
        json::array({{{"id", "site"}, {"title", "Site"}}}));
  CHECK(api.call_with("", "POST", "/api/v4/login/other", json::object()).status == 404);
  CHECK(api.call_with("", "POST", "/api/v4/login/site", {{"link", true}}).status == 401);
  const auto begun = api.call_with("", "POST", "/api/v4/login/site", {{"next", "/team/one"}});
  REQUIRE(begun.status == 201);
  const auto url = begun.body["url"].get<std::string>();
  const auto set = begun.raw.header("set-cookie");
  CHECK(set.find("HttpOnly; SameSite=Lax") != std::string::npos);
  const auto code = site.agree(url, "42");
  const auto state = test::fields_of(url.substr(url.find('?') + 1)).at("state");
  const auto back = "/api/v4/login/site/callback?code=" + code + "&state=";
  const auto refused = api.call_with(cookie_of(set, "slipway_login"), "GET", back + "invented");
  CHECK(refused.status == 303);
  CHECK(refused.raw.header("location").starts_with("/-/login#reason="));
  CHECK(cookie_of(refused.raw.header("set-cookie"), "slipway_session").empty());
  const auto done = api.call_with(cookie_of(set, "slipway_login"), "GET", back + state);
  CHECK(done.status == 303);
  CHECK(done.raw.header("location") == "/team/one");
  const auto session = cookie_of(done.raw.header("set-cookie"), "slipway_session");
  CHECK(api.call_with(session, "GET", "/api/v4/user").body["username"] == "bea");
}

TEST_CASE("a site that does not answer lets nobody wait for ever", "[login]") {
  ApiFixture api;
  CHECK(api.call_with("", "POST", "/api/v4/login/site", json::object()).status == 503);
}

}  // namespace
}  // namespace slipway::server::http
