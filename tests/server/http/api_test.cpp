// The API as people and pages use it; what it answers is compared with openapi.yaml.

#include <thread>

#include "base/crypto.h"
#include "server/http/gate.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using test::check_contract;

constexpr const char* kProject = "/api/v4/projects/{id}";

TEST_CASE("health, version and metrics need no credential", "[api]") {
  ApiFixture api;
  CHECK(api.call_with("", "GET", "/healthz").raw.body == "ok\n");
  CHECK(api.call_with("", "GET", "/readyz").raw.body == "ready\n");
  check_contract("GET", "/api/v4/version", api.call_with("", "GET", "/api/v4/version"), 200);
  const auto metrics = api.call_with("", "GET", "/metrics").raw.body;
  CHECK(metrics.find("http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1") !=
        std::string::npos);
  CHECK(metrics.find("slipway_queue_length 0") != std::string::npos);
}

TEST_CASE("logging in gives a cookie that scripts cannot read and a CSRF token", "[api]") {
  ApiFixture api;
  const auto login = api.call_with("", "POST", "/api/v4/session",
                                   {{"username", "ann"}, {"password", "correct horse"}});
  check_contract("POST", "/api/v4/session", login, 201);
  const auto cookie = login.raw.header("set-cookie");
  CHECK(cookie.find("; Path=/; HttpOnly; SameSite=Lax") != std::string::npos);
  const auto mine = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  const auto me = api.call_with(mine, "GET", "/api/v4/user");
  check_contract("GET", "/api/v4/user", me, 200);
  CHECK(me.body["csrf_token"] == login.body["csrf_token"]);
  CHECK(me.body["username"] == "ann");

  CHECK(api.call_with(mine, "DELETE", "/api/v4/session").body["message"] ==
        "X-CSRF-Token is missing or wrong");
  const auto with_csrf =
      mine + "X-CSRF-Token: " + me.body["csrf_token"].get<std::string>() + "\r\n";
  CHECK(api.call_with(with_csrf + "Origin: http://evil.test\r\n", "DELETE", "/api/v4/session")
            .status == 403);
  CHECK(
      api.call_with(with_csrf + "Origin: http://ci.test\r\n", "DELETE", "/api/v4/session").status ==
      204);
  CHECK(api.call_with(mine, "GET", "/api/v4/user").status == 401);
}

TEST_CASE("logging in from another site or as a form is refused", "[api]") {
  ApiFixture api;
  const json body{{"username", "ann"}, {"password", "correct horse"}};
  CHECK(api.call_with("Origin: http://evil.test\r\n", "POST", "/api/v4/session", body).status ==
        403);
  CHECK(api.call_with("Sec-Fetch-Site: same-site\r\n", "POST", "/api/v4/session", body).status ==
        403);
  CHECK(api.connect()
            .request("POST", "/api/v4/session", "Content-Type: text/plain\r\n", body.dump())
            .status == 415);
}

TEST_CASE("guessing a password is slowed down", "[api]") {
  ApiFixture api;
  const json wrong{{"username", "ann"}, {"password", "wrong horse"}};
  int refused = 0;
  for (int i = 0; i < 7; ++i) {
    const auto answer = api.call_with("", "POST", "/api/v4/session", wrong);
    if (answer.status == 429) {
      ++refused;
      CHECK(answer.raw.header("retry-after") != "");
    } else {
      check_contract("POST", "/api/v4/session", answer, 401);
    }
  }
  CHECK(refused >= 1);
}

TEST_CASE("setup is closed once it was done", "[api]") {
  ApiFixture api;
  check_contract("GET", "/api/v4/setup", api.call_with("", "GET", "/api/v4/setup"), 200);
  CHECK(api.call_with("", "GET", "/api/v4/setup").body["needed"] == false);
  const auto again =
      api.call_with("", "POST", "/api/v4/setup",
                    {{"token", "slst-x"}, {"username", "eve"}, {"password", "correct horse"}});
  check_contract("POST", "/api/v4/setup", again, 401);
}

TEST_CASE("personal tokens are shown once, listed and revoked", "[api]") {
  ApiFixture api;
  const auto made = api.call("POST", "/api/v4/personal_access_tokens",
                             {{"name", "ci"}, {"scopes", {"read_api"}}, {"expires_in_days", 3}});
  check_contract("POST", "/api/v4/personal_access_tokens", made, 201);
  const auto listed = api.call("GET", "/api/v4/personal_access_tokens");
  check_contract("GET", "/api/v4/personal_access_tokens", listed, 200);
  CHECK(listed.raw.body.find(made.body["token"].get<std::string>()) == std::string::npos);
  const auto bearer = "Authorization: Bearer " + made.body["token"].get<std::string>() + "\r\n";
  CHECK(api.call_with(bearer, "GET", "/api/v4/user").status == 200);
  CHECK(api.call("DELETE",
                 "/api/v4/personal_access_tokens/" + std::to_string(made.body["id"].get<int>()))
            .status == 204);
  CHECK(api.call_with(bearer, "GET", "/api/v4/user").status == 401);
  CHECK(api.call("POST", "/api/v4/personal_access_tokens", {{"name", 5}}).body["message"] ==
        "field 'name' must be a string");
}

TEST_CASE("a project is made, shown, changed and removed", "[api]") {
  ApiFixture api;
  const auto made = api.call("POST", "/api/v4/projects",
                             {{"path", "group/name"}, {"url", "https://u:p@git.test/x"}});
  check_contract("POST", "/api/v4/projects", made, 201);
  CHECK(made.body["webhook_url"] == "http://ci.test/hooks/group/name");
  CHECK(made.body["repository_url"] == "https://git.test/x");
  CHECK(made.body["webhook_secret"].get<std::string>().size() >= 40);

  for (const auto* id : {"1", "group%2Fname"})
    check_contract("GET", kProject, api.call("GET", "/api/v4/projects/" + std::string{id}), 200);
  const auto changed = api.call("PUT", "/api/v4/projects/1", {{"visibility", "public"}});
  check_contract("PUT", kProject, changed, 200);
  CHECK(changed.body["visibility"] == "public");
  CHECK_FALSE(changed.body.contains("webhook_secret"));
  const std::string token = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const auto keyed = api.call("PUT", "/api/v4/projects/1", {{"webhook_secret", token}});
  CHECK(keyed.status == 200);
  CHECK(keyed.raw.body.find(token) == std::string::npos);
  CHECK(api.database->read()->projects.find_by_path("group/name")->webhook_secret ==
        "sealed " + token);
  CHECK(api.call("PUT", "/api/v4/projects/1", {{"webhook_secret", "short"}}).body["message"] ==
        "field 'webhook_secret' must be 16 to 256 characters without blanks");
  CHECK(api.call_with("", "GET", "/api/v4/projects/1").status == 200);

  CHECK(api.call("DELETE", "/api/v4/projects/1").status == 202);
  CHECK(api.outside.asked == std::vector<std::string>{"removed 1"});
  CHECK(api.call("GET", "/api/v4/projects/1").status == 404);
}

TEST_CASE("a project that will not do is refused with what would", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto message = [&](const json& body) {
    const auto answer = api.call("POST", "/api/v4/projects", body);
    return std::to_string(answer.status) + " " + answer.body["message"].get<std::string>();
  };
  CHECK(message({{"path", "group/name"}, {"url", "https://x"}}) ==
        "409 there is a project 'group/name' already");
  CHECK(message({{"url", "https://x"}}) == "400 field 'path' must be given");
  CHECK(message({{"path", "../x"}, {"url", "https://x"}}) ==
        "400 field 'path' must be like group/name, of letters, digits, '_', '-' and '.'");
  CHECK(message({{"path", "a/b"}, {"url", "ext::sh"}}) ==
        "400 field 'url' must begin with https://");
  CHECK(message({{"path", "a/b"}, {"url", "https://x"}, {"visibility", "secret"}}) ==
        "400 field 'visibility' must be private, internal or public");
  CHECK(message({{"path", "a/b"}, {"url", "https://x"}, {"default_branch", "--x"}}) ==
        "400 field 'default_branch' must be the name of a branch");
}

TEST_CASE("strangers see public projects only", "[api]") {
  ApiFixture api;
  api.make_project("a/private");
  api.make_project("a/public", "public");
  const auto seen = api.call_with("", "GET", "/api/v4/projects");
  check_contract("GET", "/api/v4/projects", seen, 200);
  REQUIRE(seen.body.size() == 1);
  CHECK(seen.body[0]["path_with_namespace"] == "a/public");
  CHECK(api.call("GET", "/api/v4/projects?per_page=1").raw.header("x-next-page") == "2");
  CHECK(api.call("GET", "/api/v4/projects?per_page=1").raw.header("x-total") == "2");
  CHECK(api.call("GET", "/api/v4/projects?per_page=101").body["message"] ==
        "'per_page' must be a number from 1 to 100");
  const auto hidden = api.call_with("", "GET", "/api/v4/projects/a%2Fprivate");
  const auto missing = api.call_with("", "GET", "/api/v4/projects/a%2Fmissing");
  CHECK(hidden.status == 404);
  CHECK(hidden.raw.body == missing.raw.body);
}

TEST_CASE("pipelines and jobs are shown as the contract says", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto id = std::to_string(api.make_pipeline(project).value);
  const std::string base = "/api/v4/projects/1";

  const auto list = api.call("GET", base + "/pipelines?ref=main");
  check_contract("GET", "/api/v4/projects/{id}/pipelines", list, 200);
  REQUIRE(list.body.size() == 1);
  CHECK(list.body[0]["stages"].size() == 2);
  CHECK(api.call("GET", base + "/pipelines?ref=other").body.empty());
  CHECK(api.call("GET", base + "/pipelines?scope=branches&search=ma&order_by=ref&sort=asc")
            .body.size() == 1);
  CHECK(api.call("GET", base + "/pipelines?username=nobody").body.empty());
  CHECK(api.call("GET", base + "/pipelines?scope=all").body["message"] ==
        "'scope' must be one of running, pending, finished, branches, tags");
  for (const auto* wrong : {"order_by=sha", "sort=up", "status=red"})
    CHECK(api.call("GET", base + "/pipelines?" + wrong).status == 400);
  const auto shown = api.call("GET", base).body;
  const auto status = shown["last_pipeline"]["status"].get<std::string>();
  const std::string projects = "/api/v4/projects?last_pipeline_status=";
  CHECK(api.call("GET", projects + status).body.size() == 1);
  CHECK(api.call("GET", projects + "failed").body.empty());
  CHECK(api.call("GET", projects + "red").status == 400);
  REQUIRE(shown["trend"].size() == 1);
  CHECK(shown["trend"][0]["id"] == shown["last_pipeline"]["id"]);
  check_contract("GET", "/api/v4/projects/{id}/pipelines/{pipeline_id}",
                 api.call("GET", base + "/pipelines/" + id), 200);
  const auto jobs = api.call("GET", base + "/pipelines/" + id + "/jobs");
  check_contract("GET", "/api/v4/projects/{id}/pipelines/{pipeline_id}/jobs", jobs, 200);
  REQUIRE(jobs.body.size() == 2);
  CHECK(jobs.body[0]["name"] == "build");
  CHECK(jobs.body[1]["reason"]["text"] != "");
  check_contract("GET", "/api/v4/projects/{id}/jobs", api.call("GET", base + "/jobs"), 200);
  const auto job = base + "/jobs/" + std::to_string(jobs.body[0]["id"].get<int>());
  check_contract("GET", "/api/v4/projects/{id}/jobs/{job_id}", api.call("GET", job), 200);

  check_contract("POST", "/api/v4/projects/{id}/jobs/{job_id}/cancel",
                 api.call("POST", job + "/cancel"), 201);
  CHECK(api.call("GET", job).body["reason"]["text"] == "Was canceled by ann.");
  check_contract("POST", "/api/v4/projects/{id}/jobs/{job_id}/cancel",
                 api.call("POST", job + "/cancel"), 409);
  check_contract("POST", "/api/v4/projects/{id}/jobs/{job_id}/retry",
                 api.call("POST", job + "/retry"), 201);
  check_contract("POST", "/api/v4/projects/{id}/pipelines/{pipeline_id}/cancel",
                 api.call("POST", base + "/pipelines/" + id + "/cancel"), 201);
  check_contract("POST", "/api/v4/projects/{id}/pipelines/{pipeline_id}/retry",
                 api.call("POST", base + "/pipelines/" + id + "/retry"), 201);
  check_contract("GET", "/api/v4/projects/{id}/coverage", api.call("GET", base + "/coverage"), 200);
  check_contract("GET", "/api/v4/projects/{id}/deliveries", api.call("GET", base + "/deliveries"),
                 200);
  CHECK(api.call("GET", base + "/jobs/x").status == 404);
}

TEST_CASE("a project's git host and its token are set, and the token is never shown", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto put = [&](const json& body) { return api.call("PUT", "/api/v4/projects/1", body); };
  const auto token = [&] {
    return api.database->read()->projects.find_by_path("group/name")->forge_token;
  };
  const auto set = put({{"forge", "gitlab"}, {"forge_token", "glpat-x"}});
  check_contract("PUT", kProject, set, 200);
  CHECK(set.body["forge"] == "gitlab");
  CHECK(set.body["forge_token_set"] == true);
  CHECK(set.raw.body.find("glpat-x") == std::string::npos);
  CHECK(token() == "sealed glpat-x");

  CHECK(put({{"visibility", "public"}}).body["forge_token_set"] == true);
  // A token does not follow to another host.
  CHECK(put({{"forge_api_url", "https://evil.test"}}).body["forge_token_set"] == false);
  CHECK(token().empty());
  put({{"forge_token", "glpat-y"}});
  CHECK(token() == "sealed glpat-y");
  CHECK(put({{"forge_token", ""}}).body["forge_token_set"] == false);
  put({{"forge_token", "glpat-z"}});
  CHECK(put({{"forge", ""}}).body["forge_token_set"] == false);
  CHECK(token().empty());

  CHECK(put({{"forge", "sourceforge"}}).body["message"] == "no such git host");
  CHECK(put({{"forge_token", "a\r\nb"}}).body["message"] ==
        "field 'forge_token' must be a token, without blanks");
}

TEST_CASE("the webhook inbox lists, shows and replays deliveries", "[api]") {
  ApiFixture api;
  api.make_project("a/first");
  api.make_project("a/second");
  const auto insert = [&](const std::string& key, const std::string& body,
                          const std::string& verdict) {
    return std::to_string(*api.coordinator->write<std::int64_t>(
        [&](server::WriteTransaction& write) -> Result<std::int64_t> {
          server::DeliveryRow row;
          row.project_id = server::ProjectId{1};
          row.delivery_key = key;
          row.event = "repo:push";
          row.headers = R"({"X-Event-Key":"repo:push"})";
          row.body = body;
          row.verdict = verdict;
          row.reason = "because";
          return write.stores.deliveries.insert(row).value;
        }));
  };
  const std::string base = "/api/v4/projects/1/deliveries";
  const auto* one = "/api/v4/projects/{id}/deliveries/{delivery_id}";
  const auto* replay = "/api/v4/projects/{id}/deliveries/{delivery_id}/replay";
  const auto first = insert("key", std::string(300'000, 'x'), "ignored");
  const auto second = insert("key/2", "", "accepted");
  check_contract("GET", "/api/v4/projects/{id}/deliveries", api.call("GET", base), 200);

  const auto shown = api.call("GET", base + "/" + first);
  check_contract("GET", one, shown, 200);
  CHECK(shown.body["delivery_id"] == "key");
  CHECK(shown.body["reason"] == "because");
  CHECK(shown.body["headers"]["X-Event-Key"] == "repo:push");
  CHECK(shown.body["body"] == std::string(256 * 1024, 'x'));
  CHECK(shown.body["body_truncated"] == true);
  // The second push of the call shows the call's body.
  CHECK(api.call("GET", base + "/" + second).body["body"] == shown.body["body"]);

  const auto again = api.call("POST", base + "/" + first + "/replay");
  check_contract("POST", replay, again, 202);
  CHECK(again.body["verdict"] == "accepted");
  CHECK(again.body["reason"] == "");
  CHECK(api.outside.asked.back() == "take up a/first " + first);
  const auto busy = api.call("POST", base + "/" + first + "/replay");
  check_contract("POST", replay, busy, 409);
  CHECK(busy.body["message"] == "the delivery is being worked on");
  CHECK(api.database->read()->audit.list({}).rows[0].action == "delivery.replayed");

  for (const auto& path : {"/api/v4/projects/2/deliveries/" + first, base + "/99", base + "/x"}) {
    CHECK(api.call("GET", path).status == 404);
    CHECK(api.call("POST", path + "/replay").status == 404);
  }
  CHECK(api.call_with("", "GET", base + "/" + first).status != 200);
}

TEST_CASE("ids of another project are not found", "[api]") {
  ApiFixture api;
  const auto first = api.make_project("a/first");
  api.make_project("a/second");
  const auto pipeline = std::to_string(api.make_pipeline(first).value);
  for (const auto* path : {"/pipelines/", "/jobs/"}) {
    CHECK(api.call("GET", "/api/v4/projects/1" + std::string{path} + pipeline).status == 200);
    CHECK(api.call("GET", "/api/v4/projects/2" + std::string{path} + pipeline).status == 404);
  }
  CHECK(api.call("POST", "/api/v4/projects/2/pipelines/" + pipeline + "/cancel").status == 404);
  CHECK(api.call("POST", "/api/v4/projects/2/jobs/1/cancel").status == 404);
}

TEST_CASE("a pipeline is started by hand, and a file is checked", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto made = api.call("POST", "/api/v4/projects/1/pipeline",
                             {{"ref", "main"}, {"variables", {{{"key", "A"}, {"value", "b"}}}}});
  check_contract("POST", "/api/v4/projects/{id}/pipeline", made, 201);
  CHECK(api.call("POST", "/api/v4/projects/1/pipeline", {{"ref", "nope"}}).body["message"] ==
        "there is no ref 'nope'");
  CHECK(api.call("POST", "/api/v4/projects/1/pipeline", {{"ref", "main"}, {"variables", {1}}})
            .body["message"] == "field 'variables' must be a list of {key, value}");
  CHECK(api.call("POST", "/api/v4/projects/1/pipeline",
                 {{"ref", "main"},
                  {"variables", {{{"key", "A"}, {"value", "b"}, {"variable_type", "x"}}}}})
            .body["message"] == "field 'variable_type' must be env_var or file");
  CHECK(api.call("POST", "/api/v4/projects/1/pipeline", {{"ref", "main"}, {"inputs", {1}}})
            .body["message"] == "field 'inputs' must be an object of names and values");
  const auto typed = api.call("POST", "/api/v4/projects/1/pipeline",
                              {{"ref", "main"}, {"inputs", {{"count", 3}, {"name", "x"}}}});
  check_contract("POST", "/api/v4/projects/{id}/pipeline", typed, 201);
  CHECK(api.outside.asked.back() == "trigger main with count=3 name=\"x\"");
  const auto lint = api.call("POST", "/api/v4/projects/1/ci/lint", {{"content", "a: {scirpt: x}"}});
  check_contract("POST", "/api/v4/projects/{id}/ci/lint", lint, 200);
  CHECK(lint.body["errors"] == json{"unknown key: scirpt"});
  CHECK(lint.body["merged_yaml"] == "");
  CHECK_FALSE(lint.body.contains("jobs"));
  CHECK(api.call("POST", "/api/v4/projects/1/ci/lint",
                 {{"content", "x"}, {"dry_run", true}, {"event", "merge_request_event"}})
            .status == 200);
  CHECK(api.outside.asked.back() == "lint x, simulated for  by merge_request_event");
  const auto odd =
      api.call("POST", "/api/v4/projects/1/ci/lint", {{"content", "x"}, {"event", "merge"}});
  CHECK(odd.status == 400);
  CHECK(odd.body["message"].get<std::string>().starts_with("event: "));
  const auto file = api.call("GET", "/api/v4/projects/1/ci/file?ref=v1");
  check_contract("GET", "/api/v4/projects/{id}/ci/file", file, 200);
  CHECK(file.body["ref"] == "v1");
  CHECK(file.body["content"] == "a: {script: x}\n");
  CHECK(api.call("GET", "/api/v4/projects/1/ci/file?ref=gone").status == 404);

  const auto own =
      api.call("GET",
               "/api/v4/projects/1/ci/lint?content_ref=v1&dry_run=true&dry_run_ref=main"
               "&include_jobs=true");
  check_contract("GET", "/api/v4/projects/{id}/ci/lint", own, 200);
  CHECK(api.outside.asked.back() == "lint the file of v1, simulated for main");
  CHECK(own.body["valid"] == true);
  CHECK(own.body["merged_yaml"] == "a:\n  script: x\n");
  CHECK(own.body["jobs"] == json{{{"name", "a"},
                                  {"stage", "test"},
                                  {"before_script", json::array()},
                                  {"script", {"x"}},
                                  {"after_script", json::array()},
                                  {"tag_list", json::array()},
                                  {"environment", nullptr},
                                  {"when", "manual"},
                                  {"allow_failure", true},
                                  {"needs", {"b"}}}});
}

TEST_CASE("runners are made, changed and removed by administrators", "[api]") {
  ApiFixture api;
  const auto made = api.call("POST", "/api/v4/user/runners",
                             {{"runner_type", "instance_type"}, {"tag_list", {"linux"}}});
  check_contract("POST", "/api/v4/user/runners", made, 201);
  check_contract("GET", "/api/v4/runners", api.call("GET", "/api/v4/runners"), 200);
  const auto paused = api.call("PUT", "/api/v4/runners/1", {{"paused", true}});
  check_contract("PUT", "/api/v4/runners/{runner_id}", paused, 200);
  CHECK(paused.body["paused"] == true);
  CHECK(paused.body["status"] == "never_contacted");
  CHECK(api.call("PUT", "/api/v4/runners/1", {{"tag_list", json::array()}, {"run_untagged", false}})
            .status == 400);
  CHECK(
      api.call("POST", "/api/v4/user/runners", {{"runner_type", "magic"}}).body["message"] ==
      "field 'runner_type' must be instance_type or project_type; groups have no runners of their "
      "own");
  CHECK(api.call("DELETE", "/api/v4/runners/1").status == 204);
  CHECK(api.call("GET", "/api/v4/runners/1").status == 404);
}

TEST_CASE("hooks are passed on with their raw body", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto taken = api.call_with("X-Hub-Signature-256: good\r\n", "POST", "/hooks/group/name",
                                   {{"ref", "refs/heads/main"}});
  check_contract("POST", "/hooks/{project_path}", taken, 202);
  CHECK(api.outside.asked.back() == R"(hook group/name {"ref":"refs/heads/main"})");
  CHECK(api.call_with("", "POST", "/hooks/1", {{"x", 1}}).status == 401);
  CHECK(api.call_with("", "POST", "/hooks/no/where", {{"x", 1}}).status == 404);
}

TEST_CASE("git clones with the job's token and nothing else", "[api]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  const std::string refs = "/group/name.git/info/refs?service=git-upload-pack";
  const auto basic = [](const std::string& pair) {
    return "Authorization: Basic " + base64_encode(pair) + "\r\nGit-Protocol: version=2\r\n";
  };
  const auto asked = api.call_with("", "GET", refs);
  CHECK(asked.status == 401);
  CHECK(asked.raw.header("www-authenticate") == "Basic realm=\"Slipway\"");
  CHECK(api.call_with("", "GET", "/no/thing.git/info/refs?service=git-upload-pack").raw.body ==
        asked.raw.body);
  const auto right = basic("gitlab-ci-token:" + job.token);
  const auto seen = api.call_with(right, "GET", refs);
  CHECK(seen.raw.body == "refs version=2");
  CHECK(seen.raw.header("content-type") == "application/x-git-upload-pack-advertisement");
  CHECK(api.call_with(right, "POST", "/group/name.git/git-upload-pack", "want").raw.body ==
        "pack for \"want\"");
  CHECK(api.call_with(right, "GET", "/group/name.git/info/refs?service=git-receive-pack").status ==
        403);
  CHECK(api.call_with(basic("gitlab-ci-token:glcbt-no"), "GET", refs).status == 401);
  CHECK(api.call_with(basic("ann:" + api.admin), "GET", refs).status == 200);
}

TEST_CASE("badges tell the state and are revalidated", "[api]") {
  ApiFixture api;
  api.make_project("group/name", "public");
  CHECK(api.call_with("", "GET", "/group/name/badges/main/pipeline.svg").raw.body.find("unknown") !=
        std::string::npos);
  api.make_pipeline(ProjectId{1});
  const auto badge = api.call_with("", "GET", "/group/name/badges/main/pipeline.svg").raw;
  CHECK(badge.body.find("pipeline: pending") != std::string::npos);
  CHECK(badge.header("content-type") == "image/svg+xml");
  CHECK(badge.header("cache-control") == "no-cache");
  CHECK(api.call_with("If-None-Match: " + badge.header("etag") + "\r\n", "GET",
                      "/group/name/badges/main/pipeline.svg")
            .status == 304);
  CHECK(api.call_with("", "GET", "/group/name/badges/main/coverage.svg").raw.body.find("unknown") !=
        std::string::npos);
}

TEST_CASE("a browser gets the application for every page, and its files", "[api]") {
  ApiFixture api;
  const std::string html = "Accept: text/html,*/*\r\n";
  for (const auto* path : {"/", "/group/name", "/group/name/-/pipelines/5", "/-/login"}) {
    CAPTURE(path);
    CHECK(api.call_with(html, "GET", path).raw.body == "<html>app");
    CHECK(api.call_with("", "GET", path).status == 404);
  }
  CHECK(api.call_with(html, "GET", "/api/v4/nothing").status == 404);
  CHECK(api.call_with(html, "GET", "/assets/missing.js").status == 404);
  const auto file = api.call_with("Accept-Encoding: gzip\r\n", "GET", "/assets/a.js").raw;
  CHECK(file.body == "zipped");
  CHECK(file.header("content-encoding") == "gzip");
  CHECK(file.header("cache-control") == "public, max-age=31536000, immutable");
  CHECK(api.call_with("", "GET", "/assets/a.js").raw.body == "code");
}

TEST_CASE("a log is served in parts", "[api]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "0123456789").status == 202);
  const auto path = "/api/v4/projects/1/jobs/" + std::to_string(job.id) + "/trace";
  const auto admin = "PRIVATE-TOKEN: " + api.admin + "\r\n";
  const auto part = api.call_with(admin + "Range: bytes=2-4\r\n", "GET", path).raw;
  CHECK(part.status == 206);
  CHECK(part.body == "234");
  CHECK(part.header("content-range") == "bytes 2-4/10");
  CHECK(api.call_with(admin + "Range: bytes=10-\r\n", "GET", path).status == 416);
  auto client = api.connect();
  CHECK(client.request("HEAD", path, admin).header("content-length") == "10");
}

TEST_CASE("a log is searched by the server", "[api]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "ok\n\x1b[31mERROR: \xff\x1b[0m it\nerror\n").status == 202);
  const auto path = "/api/v4/projects/1/jobs/" + std::to_string(job.id) + "/trace/search";
  const auto found = api.call("GET", path + "?q=error");
  CHECK(found.status == 200);
  CHECK_FALSE(found.body["truncated"]);
  REQUIRE(found.body["matches"].size() == 2);
  CHECK(found.body["matches"][0] ==
        nlohmann::json{{"line", 2}, {"offset", 3}, {"text", "ERROR: \xef\xbf\xbd it"}});
  CHECK(api.call("GET", path + "?q=%5Ee.r&regex=true&limit=1").body["matches"][0]["line"] == 3);
  CHECK(api.call("GET", path + "?q=e&limit=1").body["truncated"]);
  const auto refused = [&](const std::string& query) {
    const auto answer = api.call("GET", path + query);
    CHECK(answer.status == 400);
    return answer.body["message"];
  };
  CHECK(refused("") == "q says what to search for");
  CHECK(refused("?q=%28&regex=true") == "q must be a regular expression: missing ): (");
  CHECK(refused("?q=a&limit=0") == "limit is 1 to 1000");
  CHECK(api.call("GET", "/api/v4/projects/1/jobs/999/trace/search?q=a").status == 404);
}

TEST_CASE("a log is followed live, resumed, and ends with its job", "[api]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "one\xc3").status == 202);
  const auto path = "/api/v4/projects/1/jobs/" + std::to_string(job.id) + "/trace/events";
  const auto get = [&](const std::string& more) {
    auto client = api.connect();
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: " + api.admin + "\r\n" +
                more + "\r\n");
    return client;
  };
  auto viewer = get("");
  CHECK(viewer.wait_for("id: 3\nevent: trace\ndata: {\"offset\":0,\"text\":\"one\"}\n\n"));
  CHECK(api.patch_trace(job, 4, "\xa4 two").header("x-gitlab-trace-update-interval") == "3");
  CHECK(viewer.wait_for("id: 9\nevent: trace\ndata: {\"offset\":3,\"text\":\"\xc3\xa4 two\"}\n\n"));
  auto resumed = get("Last-Event-ID: 5\r\n");
  CHECK(resumed.wait_for("{\"offset\":5,\"text\":\" two\"}"));
  CHECK(api.call_with(job.header(), "PUT", job.path(), {{"state", "success"}}).status == 200);
  for (auto* each : {&viewer, &resumed}) {
    CHECK(each->wait_for("event: end\ndata: {\"status\":\"success\"}\n\n"));
    CHECK(each->wait_for("0\r\n\r\n"));
  }
}

TEST_CASE("pages are told what changes, may resume, and see only what they may", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto listen = [&](const std::string& headers) {
    auto client = api.connect();
    client.send("GET /api/v4/events HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    return client;
  };
  const auto admin = "PRIVATE-TOKEN: " + api.admin + "\r\n";
  auto page = listen(admin);
  REQUIRE(page.wait_for("event: hello"));
  auto stranger = listen("");
  REQUIRE(stranger.wait_for("event: hello"));
  const auto at = page.received().find("id: ") + 4;
  const auto first_id = page.received().substr(at, page.received().find('\n', at) - at);

  api.make_pipeline(project);
  CHECK(page.wait_for("event: pipeline\ndata: {"));
  CHECK(page.wait_for("event: job\ndata: {"));
  auto resumed = listen(admin + "Last-Event-ID: " + first_id + "\r\n");
  CHECK(resumed.wait_for("event: pipeline\ndata: {"));
  auto lost = listen(admin + "Last-Event-ID: 99999\r\n");
  CHECK(lost.wait_for("event: resync"));

  const auto shown = api.make_project("group/public", "public");
  api.make_pipeline(shown);
  CHECK(stranger.wait_for("event: pipeline\ndata: {"));
  CHECK(stranger.received().find("\"project_id\":" + std::to_string(project.value) + ",") ==
        std::string::npos);
}

}  // namespace
}  // namespace slipway::server::http
