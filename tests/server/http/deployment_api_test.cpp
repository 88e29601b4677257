// Environments, deployments and the rules for them over the API, compared with openapi.yaml.
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using test::check_contract;

const std::string kProject = "/api/v4/projects/{id}";
const std::string kEnvironment = kProject + "/environments/{environment_id}";
const std::string kDeployment = kProject + "/deployments/{deployment_id}";
const std::string kOne = "/api/v4/projects/1";

constexpr const char* kFile = R"(
deploy:
  script: ['true']
  environment: {name: production, url: 'https://example.test', on_stop: stop}
stop:
  script: ['true']
  when: manual
  allow_failure: true
  environment: {name: production, action: stop}
)";
const std::string kOld(40, 'a');
const std::string kNew(40, 'b');

struct DeploymentApi : ApiFixture {
  ProjectId project = make_project();
  std::string runner = make_runner();

  std::string as(const std::string& token) { return "PRIVATE-TOKEN: " + token + "\r\n"; }
  std::string member(const std::string& name, Level level) {
    const std::string token = make_user(name);
    make_member("projects/1", name, level);
    return token;
  }
  void run_job() {
    const auto job = take_job(runner);
    const auto done =
        call_with(job.header(), "PUT", job.path(), {{"token", job.token}, {"state", "success"}});
    REQUIRE(done.status == 200);
  }
  json newest() { return call("GET", kOne + "/deployments").body.at(0); }
  std::string environment() {
    const auto all = call("GET", kOne + "/environments");
    REQUIRE(all.body.size() == 1);
    return kOne + "/environments/" + all.body[0]["id"].dump();
  }
};

}  // namespace

TEST_CASE_METHOD(DeploymentApi, "an environment tells what is there and what was", "[api]") {
  CHECK(call("GET", kOne + "/environments").body.empty());
  make_pipeline(project, kFile, kOld);
  run_job();
  make_pipeline(project, kFile, kNew);
  const auto list = call("GET", kOne + "/environments");
  check_contract("GET", kProject + "/environments", list, 200);
  REQUIRE(list.body.size() == 1);
  const json& it = list.body[0];
  CHECK(it["name"] == "production");
  CHECK(it["tier"] == "production");
  CHECK(it["state"] == "available");
  CHECK(it["last_deployment"]["sha"] == kOld);
  CHECK(it["last_deployment"]["status"] == "success");
  CHECK(it["upcoming_deployment"]["sha"] == kNew);
  CHECK(it["upcoming_deployment"]["previous_sha"] == kOld);
  CHECK(it["stops_by"] == "stop");
  check_contract("GET", kEnvironment, call("GET", environment()), 200);
  CHECK(call("GET", kOne + "/environments?search=rod").body.size() == 1);
  CHECK(call("GET", kOne + "/environments?search=%25").body.empty());
  CHECK(call("GET", kOne + "/environments?name=prod").body.empty());
  CHECK(call("GET", kOne + "/environments?states=stopped").body.empty());
  CHECK(call("GET", kOne + "/environments?states=gone").status == 400);
  CHECK(call("GET", kOne + "/environments/99").status == 404);

  const auto deployments = call("GET", kOne + "/deployments?environment=production");
  check_contract("GET", kProject + "/deployments", deployments, 200);
  REQUIRE(deployments.body.size() == 2);
  CHECK(deployments.body[0]["sha"] == kNew);
  CHECK(call("GET", kOne + "/deployments?sort=asc").body[0]["sha"] == kOld);
  CHECK(call("GET", kOne + "/deployments?status=success").body.size() == 1);
  CHECK(call("GET", kOne + "/deployments?status=odd").status == 400);
  check_contract("GET", kDeployment,
                 call("GET", kOne + "/deployments/" + deployments.body[0]["id"].dump()), 200);
}

TEST_CASE_METHOD(DeploymentApi, "an older deployment is rolled back to in one step", "[api]") {
  make_pipeline(project, kFile, kOld);
  run_job();
  const json first = newest();
  make_pipeline(project, kFile, kNew);
  run_job();
  CHECK(call("POST", environment() + "/rollback", json::object()).status == 400);
  CHECK(call("POST", environment() + "/rollback", {{"deployment_id", 99}}).status == 404);
  const auto back = call("POST", environment() + "/rollback", {{"deployment_id", first["id"]}});
  check_contract("POST", kEnvironment + "/rollback", back, 201);
  CHECK(back.body["kind"] == "rollback");
  CHECK(back.body["sha"] == kOld);
  CHECK(back.body["user"]["username"] == "ann");
  run_job();
  CHECK(call("GET", environment()).body["last_deployment"]["sha"] == kOld);
}

TEST_CASE_METHOD(DeploymentApi, "an environment is stopped by its job and then removed", "[api]") {
  make_pipeline(project, kFile, kOld);
  run_job();
  CHECK(call("DELETE", environment()).status == 403);
  const auto stopping = call("POST", environment() + "/stop");
  check_contract("POST", kEnvironment + "/stop", stopping, 200);
  CHECK(stopping.body["state"] == "stopping");
  run_job();
  CHECK(call("GET", environment()).body["state"] == "stopped");
  CHECK(call("POST", environment() + "/stop").status == 409);
  const auto changed = call("PUT", environment(), {{"external_url", "https://new.example"}});
  check_contract("PUT", kEnvironment, changed, 200);
  CHECK(changed.body["external_url"] == "https://new.example");
  CHECK(call("PUT", environment(), {{"external_url", "javascript:alert(1)"}}).status == 400);
  CHECK(call("PUT", environment(), {{"tier", "odd"}}).status == 400);
  check_contract("DELETE", kEnvironment, call("DELETE", environment()), 204);
  CHECK(call("GET", kOne + "/environments").body.empty());
}

TEST_CASE_METHOD(DeploymentApi, "a deployment is approved by somebody else, for its commit",
                 "[api]") {
  const std::string rules = kOne + "/protected_environments";
  const auto made = call("POST", rules, {{"name", "production"}, {"required_approval_count", 1}});
  check_contract("POST", kProject + "/protected_environments", made, 201);
  check_contract("GET", kProject + "/protected_environments", call("GET", rules), 200);
  check_contract("GET", kProject + "/protected_environments/{name}",
                 call("GET", rules + "/production"), 200);
  CHECK(call("POST", rules, {{"name", "/"}}).status == 400);
  CHECK(call("POST", rules, {{"name", "x"}, {"deploy_access_level", 10}}).status == 400);
  CHECK(call("POST", rules, {{"name", "x"}, {"required_approval_count", 21}}).status == 400);
  const std::string bob = member("bob", Level::Maintainer);
  const std::string dan = member("dan", Level::Developer);
  // A push to a branch that is not protected may not go there at all.
  make_pipeline(project, kFile, kOld);
  CHECK(newest()["status"] == "failed");
  CHECK(newest()["deployable"]["failure_reason"] == "protected_environment_failure");
  // Ann tries it by hand.
  const auto mine = call("POST", environment() + "/rollback", {{"deployment_id", newest()["id"]}});
  REQUIRE(mine.status == 201);
  CHECK(mine.body["status"] == "blocked");
  CHECK(mine.body["pending_approval_count"] == 1);
  CHECK(mine.body["deployable"]["reason"]["code"] == "waiting_for_approval");
  const std::string approval = kOne + "/deployments/" + mine.body["id"].dump() + "/approval";
  CHECK(call("POST", approval, {{"status", "approved"}}).status == 403);
  CHECK(call_with(as(dan), "POST", approval, {{"status", "approved"}}).status == 403);
  CHECK(call_with(as(bob), "POST", approval, {{"status", "maybe"}}).status == 400);
  const auto bot = call("POST", kOne + "/access_tokens", {{"name", "bot"}, {"access_level", 40}});
  CHECK(call_with(as(bot.body["token"]), "POST", approval, {{"status", "approved"}}).status == 403);
  CHECK(call_with(as(bob), "POST", approval, {{"status", "approved"}, {"sha", kNew}}).status ==
        409);
  const auto yes = call_with(as(bob), "POST", approval,
                             {{"status", "approved"}, {"sha", kOld}, {"comment", "looks well"}});
  check_contract("POST", kDeployment + "/approval", yes, 200);
  CHECK(yes.body["status"] == "created");
  CHECK(yes.body["approvals"][0]["user"]["username"] == "bob");
  CHECK(yes.body["approvals"][0]["comment"] == "looks well");
  run_job();
  CHECK(call_with(as(bob), "POST", approval, {{"status", "approved"}}).status == 409);
  // Whoever may not deploy there does not by rolling back or stopping either.
  CHECK(call_with(as(dan), "POST", environment() + "/rollback", {{"deployment_id", newest()["id"]}})
            .status == 403);
  CHECK(call_with(as(dan), "POST", environment() + "/stop").status == 403);
  check_contract("DELETE", kProject + "/protected_environments/{name}",
                 call("DELETE", rules + "/production"), 204);
  CHECK(call("DELETE", rules + "/production").status == 404);
}

TEST_CASE_METHOD(DeploymentApi, "removing the rule lets go what waited for it", "[api]") {
  REQUIRE(call("POST", kOne + "/protected_environments",
               {{"name", "*"}, {"required_approval_count", 2}})
              .status == 201);
  make_pipeline(project, kFile, kOld);
  const auto mine = call("POST", environment() + "/rollback", {{"deployment_id", newest()["id"]}});
  REQUIRE(mine.body["status"] == "blocked");
  REQUIRE(call("DELETE", kOne + "/protected_environments/%2A").status == 204);
  run_job();
  CHECK(newest()["status"] == "success");
}

TEST_CASE_METHOD(DeploymentApi, "freeze periods hold deployments", "[api]") {
  const std::string all = kOne + "/freeze_periods";
  // From two hours before to two hours after this one, and the other way round.
  const auto daily = [&](int from_now) {
    return "0 " + std::to_string((clock.now() / 3'600'000 + 24 + from_now) % 24) + " * * *";
  };
  const auto made = call("POST", all, {{"freeze_start", daily(2)}, {"freeze_end", daily(-2)}});
  check_contract("POST", kProject + "/freeze_periods", made, 201);
  CHECK(made.body["frozen_until"].is_null());
  const std::string one = all + "/" + made.body["id"].dump();
  const auto on = call("PUT", one, {{"freeze_start", daily(-2)}, {"freeze_end", daily(2)}});
  check_contract("PUT", kProject + "/freeze_periods/{freeze_period_id}", on, 200);
  CHECK(on.body["frozen_until"].is_string());
  check_contract("GET", kProject + "/freeze_periods", call("GET", all), 200);
  check_contract("GET", kProject + "/freeze_periods/{freeze_period_id}", call("GET", one), 200);
  make_pipeline(project, kFile, kOld);
  CHECK(newest()["status"] == "blocked");
  CHECK(newest()["deployable"]["reason"]["code"] == "deploy_freeze");
  check_contract("DELETE", kProject + "/freeze_periods/{freeze_period_id}", call("DELETE", one),
                 204);
  run_job();
  CHECK(newest()["status"] == "success");

  const auto wrong =
      call("POST", all, {{"freeze_start", "61 * * * *"}, {"freeze_end", "0 0 1 1 *"}});
  CHECK(wrong.status == 400);
  CHECK(wrong.raw.body.find("freeze_start") != std::string::npos);
  CHECK(call("POST", all,
             {{"freeze_start", "0 * * * *"},
              {"freeze_end", "0 0 1 1 *"},
              {"cron_timezone", "Moon/Crater"}})
            .status == 400);
}

}  // namespace slipway::server::http
