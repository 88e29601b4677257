// Whose jobs reach a project with their job tokens, over the API and compared with openapi.yaml.
#include "base/crypto.h"
#include "server/access/access.h"
#include "server/store/run_refs.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using test::check_contract;

const std::string kScope = "/api/v4/projects/{id}/job_token_scope";

// A job of team/app, and club/library, which it would like to read.
struct Fixture : ApiFixture {
  ProjectId app = make_project("team/app");
  ProjectId library = make_project("club/library");
  TakenJob job;
  std::string scope = "/api/v4/projects/" + std::to_string(library.value) + "/job_token_scope";

  Fixture() {
    const auto runner = make_runner();
    make_pipeline(app);
    job = take_job(runner);
  }
  int clone(const std::string& path) {
    auto client = connect();
    return client
        .request("GET", "/" + path + ".git/info/refs?service=git-upload-pack",
                 "Authorization: Basic " + base64_encode("gitlab-ci-token:" + job.token) + "\r\n",
                 "")
        .status;
  }
  // 404 both for what is hidden and for a job without artifacts: the words tell which.
  std::string artifacts() {
    const PipelineId other = make_pipeline(library);
    const auto id = database->read()->jobs.of_pipeline(other).at(0).id;
    return call_with(job.header(), "GET",
                     "/api/v4/projects/" + std::to_string(library.value) + "/jobs/" +
                         std::to_string(id.value) + "/artifacts")
        .body["message"];
  }
};

// A job of a pipeline that `user` started, in a project.
JobId insert_job(Stores& stores, ProjectId project, std::optional<UserId> user,
                 const std::string& ref) {
  PipelineRow pipeline;
  pipeline.project_id = project;
  pipeline.ref = ref;
  pipeline.user_id = user;
  stores.pipelines.insert(pipeline, {});
  JobRow job;
  job.pipeline_id = pipeline.id;
  job.project_id = project;
  return stores.jobs.insert(job);
}

}  // namespace

TEST_CASE("a job reaches its own project, and another one when that lets it in", "[api]") {
  Fixture api;
  CHECK(api.clone("team/app") == 200);
  CHECK(api.clone("club/library") == 404);
  CHECK(api.artifacts() == "404 Project Not Found");

  const auto shown = api.call("GET", api.scope);
  check_contract("GET", kScope, shown, 200);
  CHECK(shown.body["inbound_enabled"] == true);
  const auto allowed =
      api.call("POST", api.scope + "/allowlist", {{"target_project_id", api.app.value}});
  check_contract("POST", kScope + "/allowlist", allowed, 201);
  CHECK(api.clone("club/library") == 200);
  CHECK(api.artifacts() != "404 Project Not Found");
  const auto list = api.call("GET", api.scope + "/allowlist");
  check_contract("GET", kScope + "/allowlist", list, 200);
  CHECK(list.body[0]["path_with_namespace"] == "team/app");

  const auto one = api.scope + "/allowlist/" + std::to_string(api.app.value);
  check_contract("DELETE", kScope + "/allowlist/{target_project_id}", api.call("DELETE", one), 204);
  CHECK(api.call("DELETE", one).status == 404);
  CHECK(api.clone("club/library") == 404);

  check_contract("PATCH", kScope, api.call("PATCH", api.scope, {{"enabled", false}}), 204);
  CHECK(api.call("GET", api.scope).body["inbound_enabled"] == false);
  CHECK(api.call("PATCH", api.scope, json::object()).status == 400);
  // Open is not open to everybody: nobody who may read the library started this pipeline.
  CHECK(api.clone("club/library") == 404);
  const auto audit = api.database->read()->audit.list({}).rows;
  CHECK(audit.at(0).action == "job_token_scope.opened");
  CHECK(audit.at(1).action == "job_token_scope.forbidden");
  CHECK(audit.at(2).action == "job_token_scope.allowed");
}

TEST_CASE("what is let in is a project that one sees, and not the project itself", "[api]") {
  Fixture api;
  const auto token = api.make_user("mia");
  api.make_member("projects/" + std::to_string(api.library.value), "mia", Level::Maintainer);
  const auto as_mia = [&](const char* method, const std::string& target, const json& body = {}) {
    return api.call_with("PRIVATE-TOKEN: " + token + "\r\n", method, target, body);
  };
  const auto list = api.scope + "/allowlist";
  CHECK(as_mia("POST", list, {{"target_project_id", api.app.value}}).status == 404);
  CHECK(as_mia("POST", list, {{"target_project_id", 999}}).status == 404);
  CHECK(as_mia("POST", list, {{"target_project_id", api.library.value}}).status == 400);
  CHECK(api.call("POST", list, {{"target_project_id", api.app.value}}).status == 201);
  CHECK(as_mia("GET", list).body == json::array({{{"id", api.app.value}}}));
}

TEST_CASE("a job has the rights of who started it, and one of a fork has none", "[api]") {
  Fixture api;
  api.make_user("member");
  api.make_user("stranger");
  api.make_member("projects/" + std::to_string(api.library.value), "member", Level::Reporter);
  const auto wanted = [&] { return *api.database->read()->projects.find(api.library); };
  const auto sibling = api.make_project("club/sibling");
  struct Jobs {
    JobId of_member, of_stranger, of_push, of_fork, of_sibling;
  };
  const auto jobs = api.coordinator->write<Jobs>([&](WriteTransaction& write) -> Result<Jobs> {
    Stores& stores = write.stores;
    const auto id = [&](const char* name) { return stores.users.find_by_name(name)->id; };
    const UserId member = id("member");
    return Jobs{insert_job(stores, api.app, member, "main"),
                insert_job(stores, api.app, id("stranger"), "main"),
                insert_job(stores, api.app, std::nullopt, "main"),
                insert_job(stores, api.app, member, fork_ref(7, "main")),
                insert_job(stores, sibling, std::nullopt, "main")};
  });
  REQUIRE(jobs);
  const auto reach = [&](JobId job) {
    return job_may_reach(*api.database->read(), api.clock.now(), job, wanted());
  };
  for (const JobId job : {jobs->of_member, jobs->of_push, jobs->of_sibling})
    CHECK_FALSE(reach(job));

  REQUIRE(
      api.call("POST", api.scope + "/allowlist", {{"target_project_id", api.app.value}}).status ==
      201);
  CHECK(reach(jobs->of_member));
  CHECK(reach(jobs->of_push));
  CHECK_FALSE(reach(jobs->of_stranger));
  CHECK_FALSE(reach(jobs->of_fork));
  CHECK_FALSE(reach(jobs->of_sibling));

  REQUIRE(api.call("PATCH", api.scope, {{"enabled", false}}).status == 204);
  CHECK(reach(jobs->of_sibling));  // of the same group
  CHECK_FALSE(reach(jobs->of_stranger));
  CHECK_FALSE(reach(jobs->of_fork));
}

}  // namespace slipway::server::http
