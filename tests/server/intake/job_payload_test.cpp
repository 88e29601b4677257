#include "server/intake/job_payload.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using pipeline::JobSpec;
using pipeline::JobVariable;

struct Fixture : test::StoreFixture {
  FakeClock clock;
  Coordinator coordinator{*database, clock};  // its thread does not run: there is nothing to record
  Keyring keys = Keyring::make();
  VariableVault vault{*database, keys};
  JobPayload payload{*database,
                     vault,
                     coordinator,
                     {{"https://ci.example", "", "1.0"}, std::chrono::seconds{3600}}};
  ProjectId project_id = project();
  PipelineRow row = pipeline(project_id);
  JobRow earlier = job(row, "compile");
  JobRow own = job(row, "unit");
  pipeline::PlannedJob planned;
  Assignment assignment;

  Fixture() {
    planned.job.name = planned.job.base_name = "unit";
    planned.job.script = {"true"};
    own.stage_index = planned.job.stage_index = 2;
    row.sha = std::string(40, 'a');
    assignment.token = "glcbt-secret";
    assignment.variables = "[]";
    assignment.project = *database->read()->projects.find(project_id);
  }
  JobSpec make() {
    assignment.job = own;
    assignment.pipeline = row;
    assignment.plan = to_json(planned).dump();
    auto made = payload.make(assignment);
    REQUIRE(made);
    return std::move(*made);
  }
  void archive_of(const JobRow& of) {
    commit([&](Stores& stores) {
      ArtifactRow artifact;
      artifact.job_id = of.id;
      artifact.project_id = project_id;
      artifact.file_name = "artifacts.zip";
      artifact.blob = "1";
      artifact.size = 12;
      return stores.artifacts.insert(artifact);
    });
  }
};

JobVariable variable(const JobSpec& spec, const std::string& name) {
  const auto at = std::find_if(spec.variables.begin(), spec.variables.end(),
                               [&](const JobVariable& v) { return v.key == name; });
  INFO(name);
  REQUIRE(at != spec.variables.end());
  return *at;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "the time-out is the job's, within the runner's, and never 0",
                 "[intake]") {
  CHECK(make().timeout == 3600);
  planned.job.timeout = std::chrono::seconds{7200};
  CHECK(make().timeout == 7200);
  assignment.runner.maximum_timeout = 600;
  CHECK(make().timeout == 600);
  assignment.runner.maximum_timeout = 0;
  CHECK(make().timeout == 7200);
  planned.job.timeout = std::chrono::seconds{0};
  CHECK(make().timeout == 1);
}

TEST_CASE_METHOD(Fixture, "what was given with the trigger overrides the file", "[intake]") {
  planned.variables = {{.name = "WHO", .value = "file"}, {.name = "HI", .value = "hi $WHO"}};
  CHECK(variable(make(), "HI").value == "hi file");
  assignment.variables = R"([{"key":"WHO","value":"asked"},{"key":"CI_JOB_STAGE","value":"x"}])";
  const JobSpec spec = make();
  CHECK(variable(spec, "WHO").value == "asked");
  CHECK(variable(spec, "HI").value == "hi asked");
  CHECK(variable(spec, "CI_JOB_STAGE").value == "x");
  CHECK(variable(spec, "CI_COMMIT_SHA").value == row.sha);
}

TEST_CASE_METHOD(Fixture, "the token and the address that holds it are masked", "[intake]") {
  const JobSpec spec = make();
  for (const char* name : {"CI_JOB_TOKEN", "CI_REPOSITORY_URL"}) {
    CHECK(variable(spec, name).masked);
    CHECK_FALSE(variable(spec, name).is_public);
    CHECK(variable(spec, name).value.find("glcbt-secret") != std::string::npos);
  }
  CHECK_FALSE(variable(spec, "CI_JOB_ID").masked);
  CHECK(variable(spec, "CI_JOB_ID").is_public);
  CHECK(spec.repo_url == "https://gitlab-ci-token:glcbt-secret@ci.example/group/name.git");
}

TEST_CASE_METHOD(Fixture, "a job knows who asked for its pipeline", "[intake]") {
  row.user_id = commit([](Stores& stores) {
    UserRow user;
    user.username = "ada";
    return stores.users.insert(user);
  });
  CHECK(variable(make(), "GITLAB_USER_LOGIN").value == "ada");
}

TEST_CASE_METHOD(Fixture, "a job has what only its event knew, below what the file says",
                 "[intake]") {
  planned.of_event = {{.name = "CI_MERGE_REQUEST_IID", .value = "3", .raw = true},
                      {.name = "CI_MERGE_REQUEST_TITLE", .value = "Speak", .raw = true}};
  planned.variables = {{.name = "CI_MERGE_REQUEST_TITLE", .value = "Own"}};
  const JobSpec spec = make();
  CHECK(variable(spec, "CI_MERGE_REQUEST_IID").value == "3");
  CHECK(variable(spec, "CI_MERGE_REQUEST_TITLE").value == "Own");
}

TEST_CASE_METHOD(Fixture, "refspecs bring the branch or tag, and the commit by its id",
                 "[intake]") {
  const std::string commit = "+" + row.sha + ":refs/pipelines/" + std::to_string(row.id.value);
  CHECK(make().refspecs ==
        std::vector<std::string>{"+refs/heads/main:refs/remotes/origin/main", commit});
  CHECK(make().before_sha == std::string(40, '0'));
  planned.variables = {{.name = "GIT_DEPTH", .value = "0"}};
  CHECK(make().depth == 0);
  CHECK(make().refspecs == std::vector<std::string>{"+refs/heads/*:refs/remotes/origin/*",
                                                    "+refs/tags/*:refs/tags/*", commit});
  planned.variables = {{.name = "GIT_DEPTH", .value = "5"}};
  row.tag = true;
  row.ref = "v1";
  CHECK(make().depth == 5);
  CHECK(make().ref_type == "tag");
  CHECK(make().refspecs == std::vector<std::string>{"+refs/tags/v1:refs/tags/v1", commit});
}

TEST_CASE_METHOD(Fixture, "artifacts are an archive and one entry for each report", "[intake]") {
  planned.job.artifacts.emplace().reports = {{"junit", {"a.xml", "b.xml"}}, {"sast", {"s.json"}}};
  CHECK(make().artifacts.size() == 2);
  planned.job.artifacts.own().paths = {"out/"};
  const JobSpec spec = make();
  REQUIRE(spec.artifacts.size() == 3);
  CHECK(spec.artifacts[0].name == "artifacts");
  CHECK(spec.artifacts[0].artifact_type == "archive");
  CHECK(spec.artifacts[0].artifact_format == "zip");
  CHECK(spec.artifacts[1].name == "junit.xml");
  CHECK(spec.artifacts[1].artifact_type == "junit");
  CHECK(spec.artifacts[1].artifact_format == "gzip");
  CHECK(spec.artifacts[1].when == "always");
  CHECK(spec.artifacts[1].paths == std::vector<std::string>{"a.xml", "b.xml"});
  CHECK(spec.artifacts[2].name == "gl-sast-report.json");
  CHECK(spec.artifacts[2].artifact_format == "raw");
}

TEST_CASE_METHOD(Fixture, "archives come from earlier stages, needs or dependencies", "[intake]") {
  CHECK(make().dependencies.empty());
  archive_of(earlier);
  const JobSpec spec = make();
  REQUIRE(spec.dependencies.size() == 1);
  CHECK(spec.dependencies[0].id == earlier.id.value);
  CHECK(spec.dependencies[0].name == "compile");
  CHECK(spec.dependencies[0].token == "glcbt-secret");
  CHECK(spec.dependencies[0].filename == "artifacts.zip");
  CHECK(spec.dependencies[0].size == 12);

  planned.job.dependencies.emplace();
  CHECK(make().dependencies.empty());
  planned.job.dependencies->push_back("compile");
  CHECK(make().dependencies.size() == 1);
  planned.dag = true;
  CHECK(make().dependencies.empty());
  planned.needs = {{.job = "compile"}};
  CHECK(make().dependencies.size() == 1);
  planned.needs[0].artifacts = false;
  CHECK(make().dependencies.empty());
}

TEST_CASE_METHOD(Fixture, "a job without a script is not handed out as one that succeeds at once",
                 "[intake]") {
  const auto refusal = [this] {
    assignment.job = own;
    assignment.pipeline = row;
    assignment.plan = to_json(planned).dump();
    const auto made = payload.make(assignment);
    REQUIRE_FALSE(made);
    return made.error();
  };
  planned.job.bridge.emplace().project = "group/other";
  CHECK(refusal().message == "job 'unit' is for no runner");
  planned.job.bridge.reset();
  planned.job.steps_json = {R"({"name":"a","script":"b"})"};
  CHECK(refusal().message == "this server does not run steps yet");
  CHECK(refusal().kind == ErrorKind::Unavailable);  // becomes unsupported_on_slipway
}

TEST_CASE_METHOD(Fixture, "artifacts come from a job of the parent pipeline, by its number",
                 "[intake]") {
  PipelineRow parent = pipeline(project_id);
  const JobRow generate = job(parent, "generate");
  const JobRow bridge = job(parent, "child");
  planned.job.foreign_needs = {{.pipeline = "$PARENT", .job = "generate"}};
  assignment.variables =
      R"([{"key": "PARENT", "value": ")" + std::to_string(parent.id.value) + R"("}])";
  const auto refusal = [this] {
    assignment.job = own;
    assignment.pipeline = row;
    assignment.plan = to_json(planned).dump();
    const auto made = payload.make(assignment);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::NotFound);  // becomes missing_dependency_failure
    return made.error().message;
  };
  const std::string number = std::to_string(parent.id.value);
  archive_of(generate);
  CHECK(refusal() == "job 'generate' of pipeline '" + number +
                         "' is not of the pipelines that this one hangs together with");
  commit([&](Stores& stores) {
    stores.bridges.insert({bridge.id, parent.id, row.id, "child"});
    return 0;
  });
  const JobSpec spec = make();
  REQUIRE(spec.dependencies.size() == 1);
  CHECK(spec.dependencies[0].id == generate.id.value);
  CHECK(spec.dependencies[0].token == "glcbt-secret");

  planned.job.foreign_needs[0].job = "other";
  CHECK(refusal() == "job 'other' of pipeline '" + number + "' has left no artifacts");
  planned.job.foreign_needs[0].optional = true;
  CHECK(make().dependencies.empty());
}

TEST_CASE_METHOD(Fixture, "a cache that is not protected is shared by all branches", "[intake]") {
  planned.job.caches.resize(2);
  planned.job.caches[1].unprotect = true;
  row.ref_protected = true;
  const JobSpec spec = make();
  CHECK(spec.caches[0].key == "default-protected");
  CHECK(spec.caches[1].key == "default-non_protected");
}

TEST_CASE_METHOD(Fixture, "a plan that cannot be read is an error", "[intake]") {
  assignment.job = own;
  assignment.plan = "{";
  const auto made = payload.make(assignment);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::Internal);
  CHECK(made.error().message ==
        "the stored plan of job " + std::to_string(own.id.value) + " cannot be read");
}

}  // namespace slipway::server
