// Schedules, trigger tokens, modes of resource groups and trigger jobs over the API, compared with
// openapi.yaml.
#include "pipeline/plan.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::check_contract;

const std::string kProject = "/api/v4/projects/{id}";
const std::string kSchedules = kProject + "/pipeline_schedules";
const std::string kSchedule = kSchedules + "/{schedule_id}";

const json kNightly{{"description", "nightly"},
                    {"ref", "refs/heads/main"},
                    {"cron", "0 4 * * *"},
                    {"cron_timezone", "Europe/Berlin"},
                    {"variables", {{{"key", "LEVEL"}, {"value", "all"}}}}};

// A form as curl sends it.
Answer post_form(ApiFixture& api, const std::string& target, const std::string& type,
                 const std::string& body) {
  auto client = api.connect();
  Answer answer;
  answer.raw = client.request("POST", target, "Content-Type: " + type + "\r\n", body);
  answer.status = answer.raw.status;
  answer.body = json::parse(answer.raw.body, nullptr, false);
  return answer;
}

}  // namespace

TEST_CASE("a schedule is made, shown, changed, played, taken over and deleted", "[api]") {
  ApiFixture api;
  api.make_project();
  const std::string all = "/api/v4/projects/1/pipeline_schedules";
  const auto made = api.call("POST", all, kNightly);
  check_contract("POST", kSchedules, made, 201);
  CHECK(made.body["ref"] == "main");
  CHECK(made.body["active"] == true);
  CHECK(made.body["owner"]["username"] == "ann");
  CHECK(made.body["next_run_at"].is_string());
  CHECK(made.body["variables"] ==
        json::array({{{"key", "LEVEL"}, {"value", "all"}, {"variable_type", "env_var"}}}));
  const std::string one = all + "/" + made.body["id"].dump();

  const auto list = api.call("GET", all);
  check_contract("GET", kSchedules, list, 200);
  CHECK(list.body.size() == 1);
  CHECK(api.call("GET", all + "?scope=inactive").body.empty());
  CHECK(api.call("GET", all + "?scope=other").status == 400);
  check_contract("GET", kSchedule, api.call("GET", one), 200);

  const auto off = api.call("PUT", one, {{"active", false}});
  check_contract("PUT", kSchedule, off, 200);
  CHECK(off.body["next_run_at"].is_null());
  CHECK(api.call("GET", all + "?scope=inactive").body.size() == 1);

  check_contract("POST", kSchedule + "/play", api.call("POST", one + "/play"), 201);
  const auto runs = api.call("GET", one + "/runs");
  check_contract("GET", kSchedule + "/runs", runs, 200);
  REQUIRE(runs.body.size() == 1);
  CHECK(runs.body[0]["by_hand"] == true);
  CHECK(runs.body[0]["state"] == "waiting");
  check_contract("POST", kSchedule + "/take_ownership", api.call("POST", one + "/take_ownership"),
                 201);
  CHECK(api.call("DELETE", one).status == 204);
  CHECK(api.call("GET", one).status == 404);
}

TEST_CASE("a schedule's variables are added, changed and removed one by one", "[api]") {
  ApiFixture api;
  api.make_project();
  const std::string all = "/api/v4/projects/1/pipeline_schedules";
  const std::string one = all + "/" + api.call("POST", all, kNightly).body["id"].dump();
  const json more{{"key", "CERT"}, {"value", "x"}, {"variable_type", "file"}};
  const auto added = api.call("POST", one + "/variables", more);
  check_contract("POST", kSchedule + "/variables", added, 201);
  CHECK(added.body == more);
  const auto twice = api.call("POST", one + "/variables", more);
  CHECK(twice.status == 409);
  CHECK(twice.body["message"] == "the schedule has a variable 'CERT' already");
  CHECK(api.call("POST", one + "/variables", {{"key", "A B"}, {"value", ""}}).status == 400);
  check_contract("PUT", kSchedule + "/variables/{key}",
                 api.call("PUT", one + "/variables/LEVEL", {{"value", "few"}}), 200);
  CHECK(api.call("PUT", one + "/variables/NONE", {{"value", "few"}}).status == 404);
  CHECK(api.call("DELETE", one + "/variables/CERT").status == 204);
  CHECK(api.call("DELETE", one + "/variables/CERT").status == 404);
  CHECK(api.call("GET", one).body["variables"] ==
        json::array({{{"key", "LEVEL"}, {"value", "few"}, {"variable_type", "env_var"}}}));
}

TEST_CASE("what is wrong with a schedule is said", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto refusal = [&](const char* field, const json& value) {
    json body = kNightly;
    body[field] = value;
    const auto answer = api.call("POST", "/api/v4/projects/1/pipeline_schedules", body);
    CHECK(answer.status == 400);
    return answer.body["message"].get<std::string>();
  };
  CHECK(refusal("cron", "61 * * * *").find("the minute of the cron is '61'") == 0);
  CHECK(refusal("cron", "0 0 30 2 *") == "the cron '0 0 30 2 *' is never due");
  CHECK(refusal("cron_timezone", "Nowhere/City") == "'Nowhere/City' is no time zone");
  CHECK(refusal("description", "").find("description") != std::string::npos);
  CHECK(refusal("ref", nullptr).find("ref") != std::string::npos);
  CHECK(api.call("GET", "/api/v4/projects/1/pipeline_schedules").body.empty());
}

TEST_CASE("a schedule is nobody's but its project's", "[api]") {
  ApiFixture api;
  api.make_project("group/one");
  api.make_project("group/two");
  api.call("POST", "/api/v4/projects/1/pipeline_schedules", kNightly);
  CHECK(api.call("GET", "/api/v4/projects/2/pipeline_schedules/1").status == 404);
  for (const char* method : {"PUT", "DELETE"})
    CHECK(api.call(method, "/api/v4/projects/2/pipeline_schedules/1", json::object()).status ==
          404);
  CHECK(api.call("POST", "/api/v4/projects/2/pipeline_schedules/1/play").status == 404);
}

TEST_CASE("a trigger token starts pipelines of its project and is shown once", "[api]") {
  ApiFixture api;
  api.make_project();
  const std::string all = "/api/v4/projects/1/triggers";
  const auto made = api.call("POST", all, {{"description", "nightly"}});
  check_contract("POST", kProject + "/triggers", made, 201);
  const std::string token = made.body["token"];
  CHECK(token.starts_with("glptt-"));
  const std::string one = all + "/" + made.body["id"].dump();
  check_contract("GET", kProject + "/triggers/{trigger_id}", api.call("GET", one), 200);
  CHECK(api.call("GET", one).body["token"] == token.substr(6, 4));
  check_contract("GET", kProject + "/triggers", api.call("GET", all), 200);
  check_contract("PUT", kProject + "/triggers/{trigger_id}",
                 api.call("PUT", one, {{"description", "weekly"}}), 200);

  const std::string target = "/api/v4/projects/1/trigger/pipeline";
  const std::string form = "application/x-www-form-urlencoded";
  const auto started = post_form(api, target, form,
                                 "token=" + token + "&ref=main&variables[A]=x%20y&inputs[count]=3");
  check_contract("POST", kProject + "/trigger/pipeline", started, 201);
  CHECK(api.outside.asked.back() == "trigger main by token A=x y with count=3");

  const auto multipart =
      post_form(api, target, "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n" + token +
                    "\r\n--b\r\nContent-Disposition: form-data; name=\"ref\"\r\n\r\nmain"
                    "\r\n--b--\r\n");
  CHECK(multipart.status == 201);
  CHECK(api.call_with("", "POST", target,
                      {{"token", token}, {"ref", "main"}, {"variables", {{"A", "1"}}}})
            .status == 201);
  CHECK(api.call("GET", one).body["last_used"].is_string());

  CHECK(api.call("DELETE", one).status == 204);
  CHECK(post_form(api, target, form, "token=" + token + "&ref=main").status == 404);
}

TEST_CASE("a form that is not UTF-8 is refused by the field's name", "[api]") {
  ApiFixture api;
  api.make_project();
  for (const std::string field : {"inputs[level]", "variables[LEVEL]", "ref"}) {
    const auto answer =
        post_form(api, "/api/v4/projects/1/trigger/pipeline", "application/x-www-form-urlencoded",
                  "token=glptt-any&" + field + "=%FF");
    CHECK(answer.status == 400);
    CHECK(answer.body["message"] == "field '" + field + "' is not UTF-8");
  }
}

TEST_CASE("a wrong trigger token learns nothing, and none is taken from the address", "[api]") {
  ApiFixture api;
  api.make_project("group/one");
  api.make_project("group/two");
  const std::string token =
      api.call("POST", "/api/v4/projects/1/triggers", {{"description", "x"}}).body["token"];
  const std::string form = "application/x-www-form-urlencoded";
  const std::string body = "ref=main&token=";
  const auto nothing = post_form(api, "/api/v4/projects/9/trigger/pipeline", form, body + token);
  CHECK(nothing.status == 404);
  const std::vector<std::pair<std::string, std::string>> tries{{"1", "glptt-wrong"}, {"2", token}};
  for (const auto& [project, used] : tries) {
    const auto answer =
        post_form(api, "/api/v4/projects/" + project + "/trigger/pipeline", form, body + used);
    CHECK(answer.status == 404);
    CHECK(answer.raw.body == nothing.raw.body);
  }
  const auto in_address =
      post_form(api, "/api/v4/projects/1/trigger/pipeline?ref=main&token=" + token, form, "");
  CHECK(in_address.status == 400);
  CHECK(in_address.body["message"] ==
        "the token must not stand in the address, which logs and proxies keep");
  CHECK(api.outside.asked.empty());
  CHECK(post_form(api, "/api/v4/projects/1/trigger/pipeline", form, "token=" + token)
            .body["message"] == "field 'ref' is missing");
  // It opens nothing else.
  CHECK(api.call_with("PRIVATE-TOKEN: " + token + "\r\n", "GET", "/api/v4/projects/1").status ==
        401);
}

TEST_CASE("the database holds no trigger token", "[api]") {
  ApiFixture api;
  api.make_project();
  const std::string token =
      api.call("POST", "/api/v4/projects/1/triggers", {{"description", "x"}}).body["token"];
  const auto row = api.database->read()->trigger_tokens.find(TriggerTokenId{1});
  REQUIRE(row);
  CHECK(row->token_hash.find(token) == std::string::npos);
  CHECK(row->hint.size() == 4);
}

TEST_CASE("a resource group is shown and its mode changed", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const std::string all = "/api/v4/projects/1/resource_groups";
  CHECK(api.call("PUT", all + "/production", {{"process_mode", "oldest_first"}}).status == 404);
  const auto noted = api.coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.resource_groups.note(project, "production", write.now);
    return true;
  });
  REQUIRE(noted);
  const auto list = api.call("GET", all);
  check_contract("GET", kProject + "/resource_groups", list, 200);
  CHECK(list.body[0]["process_mode"] == "unordered");
  const auto changed = api.call("PUT", all + "/production", {{"process_mode", "newest_first"}});
  check_contract("PUT", kProject + "/resource_groups/{key}", changed, 200);
  CHECK(changed.body["process_mode"] == "newest_first");
  check_contract("GET", kProject + "/resource_groups/{key}", api.call("GET", all + "/production"),
                 200);
  CHECK(api.call("PUT", all + "/production", {{"process_mode", "random"}}).status == 400);
}

TEST_CASE("trigger jobs are shown with what they triggered, and it with them", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto make = [&](NewPipeline made) {
    made.row.project_id = project;
    made.row.ref = "main";
    made.row.sha = std::string(40, 'a');
    std::promise<Result<PipelineId>> done;
    api.coordinator->create_pipeline(std::move(made),
                                     [&](Result<PipelineId> id) { done.set_value(std::move(id)); });
    const auto id = done.get_future().get();
    REQUIRE(id);
    return *id;
  };
  pipeline::Plan plan;
  plan.stages = {"test"};
  plan.jobs.resize(1);
  plan.jobs[0].job.name = plan.jobs[0].job.base_name = "bridge";
  plan.jobs[0].job.bridge = pipeline::Bridge{.files = {{.kind = "local", .from = "a.yml"}}};
  NewPipeline above;
  above.row.source = "push";
  above.plan = std::make_shared<const pipeline::Plan>(plan);
  const auto parent = make(std::move(above));
  const std::string pipelines = "/api/v4/projects/1/pipelines/";
  const std::string bridges = pipelines + std::to_string(parent.value) + "/bridges";
  const auto waiting = api.call("GET", bridges);
  check_contract("GET", kProject + "/pipelines/{pipeline_id}/bridges", waiting, 200);
  REQUIRE(waiting.body.size() == 1);
  CHECK(waiting.body[0]["downstream_pipeline"].is_null());

  pipeline::Plan below = plan;
  below.jobs[0].job.bridge.reset();
  below.jobs[0].job.name = below.jobs[0].job.base_name = "unit";
  NewPipeline downstream;
  downstream.row.source = "parent_pipeline";
  downstream.plan = std::make_shared<const pipeline::Plan>(below);
  downstream.bridge = JobId{waiting.body[0]["id"].get<std::int64_t>()};
  const auto child = make(std::move(downstream));
  const auto triggered = api.call("GET", bridges);
  check_contract("GET", kProject + "/pipelines/{pipeline_id}/bridges", triggered, 200);
  CHECK(triggered.body[0]["downstream_pipeline"]["id"] == child.value);
  CHECK(triggered.body[0]["downstream_pipeline"]["project_path"] == "group/name");
  CHECK(api.call("GET", pipelines + std::to_string(parent.value) + "/jobs").body.empty());
  const auto detail = api.call("GET", pipelines + std::to_string(child.value));
  check_contract("GET", kProject + "/pipelines/{pipeline_id}", detail, 200);
  CHECK(detail.body["upstream_pipeline"]["id"] == parent.value);
  CHECK(detail.body["upstream_pipeline"]["job"]["name"] == "bridge");
}

}  // namespace slipway::server::http
