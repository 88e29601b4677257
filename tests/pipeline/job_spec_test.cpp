// The payload of a job, against one as GitLab sends it (payload/full.json) and against wrong ones.

#include "pipeline/job_spec.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using nlohmann::json;

namespace {

json full_payload() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  const std::string root = source == nullptr ? "." : source;
  const auto text = read_file(root + "/tests/pipeline/payload/full.json");
  REQUIRE(text);
  return json::parse(*text);
}

using Lines = std::vector<std::string>;

// Each value of `written` is in `model` too, and of the same JSON type there, null aside.
void check_types(const json& written, const json& model, const std::string& path) {
  CAPTURE(path);
  if (written.is_object()) {
    REQUIRE(model.is_object());
    for (const auto& [key, value] : written.items())
      if (model.contains(key)) check_types(value, model[key], path + "." + key);
    return;
  }
  if (written.is_array() && !written.empty() && model.is_array() && !model.empty()) {
    check_types(written[0], model[0], path + "[0]");
    return;
  }
  if (written.is_null() || model.is_null()) return;
  CHECK(written.type_name() == std::string{model.type_name()});
}

}  // namespace

TEST_CASE("a payload as GitLab sends it is read whole", "[job_spec]") {
  const auto spec = job_spec_from_json(full_payload());
  REQUIRE(spec);
  CHECK(spec->id == 4711);
  CHECK(spec->token == "glcbt-64_Zb1xq9W3kTtQh8pLrs2v");
  CHECK(spec->allow_git_fetch);
  CHECK(spec->name == "test:unit 1/2");
  CHECK(spec->stage == "test");
  CHECK(spec->pipeline_id == 512);
  CHECK(spec->project_id == 42);
  CHECK(spec->project_name == "shop");
  CHECK(spec->project_full_path == "acme/shop");
  CHECK(spec->time_in_queue_seconds == 1.25);
  CHECK(spec->ref == "main");
  CHECK(spec->sha == "8f4b0a1f7d6c2e9a5b3c4d5e6f708192a3b4c5d6");
  CHECK(spec->refspecs.size() == 2);
  CHECK(spec->depth == 20);
  CHECK(spec->ref_protected);
  CHECK(spec->timeout == 3600);
  REQUIRE(spec->variables.size() == 20);
  CHECK(spec->variables[2].key == "CI_JOB_TOKEN");
  CHECK_FALSE(spec->variables[2].is_public);
  CHECK(spec->variables[2].masked);
  CHECK(spec->variables[19].file);
  CHECK(spec->variables[19].raw);
  REQUIRE(spec->steps.size() == 2);
  CHECK(spec->steps[0].script.at(1) == "pytest --junitxml=report.xml\necho done");
  CHECK(spec->steps[1].when == "always");
  CHECK(spec->steps[1].allow_failure);
  REQUIRE(spec->image);
  CHECK(spec->image->name == "python:3.12-slim");
  CHECK_FALSE(spec->image->entrypoint);
  CHECK(spec->image->pull_policy == Lines{"if-not-present"});
  CHECK(spec->image->docker_user == "1000:1000");
  REQUIRE(spec->services.size() == 1);
  CHECK(spec->services[0].alias == "db");
  CHECK(*spec->services[0].command == Lines{"postgres", "-c", "fsync=off"});
  CHECK(spec->services[0].variables.at(0).key == "POSTGRES_PASSWORD");
  CHECK(spec->services[0].variables.at(0).is_public);
  REQUIRE(spec->artifacts.size() == 2);
  CHECK(spec->artifacts[0].exclude == Lines{"build/tmp/**/*"});
  CHECK(spec->artifacts[1].exclude.empty());
  CHECK(spec->artifacts[1].artifact_type == "junit");
  CHECK(spec->artifacts[1].artifact_format == "gzip");
  REQUIRE(spec->caches.size() == 1);
  CHECK(spec->caches[0].fallback_keys == Lines{"pip-default-protected"});
  CHECK(spec->credentials.at(0).url == "registry.example.com:5050");
  REQUIRE(spec->dependencies.size() == 1);
  CHECK(spec->dependencies[0].filename == "artifacts.zip");
  CHECK(spec->dependencies[0].size == 104857);
  CHECK(spec->token_mask_prefixes == Lines{"glpat-", "glrt-"});
  CHECK(spec->failure_reasons.size() == 8);
  CHECK(spec->hooks.at(0).first == "pre_get_sources_script");
}

TEST_CASE("what is written has the types of GitLab's payload and reads back the same",
          "[job_spec]") {
  const json model = full_payload();
  const auto spec = job_spec_from_json(model);
  REQUIRE(spec);
  const json written = to_json(*spec);
  check_types(written, model, "");
  const auto back = job_spec_from_json(json::parse(written.dump()));
  REQUIRE(back);
  CHECK(to_json(*back) == written);
  for (const auto& [key, value] : model.items()) {
    CAPTURE(key);
    CHECK(written.contains(key));
  }
  CHECK(written["variables"] == model["variables"]);
  CHECK(written["steps"] == model["steps"]);
  CHECK(written["artifacts"] == model["artifacts"]);
  CHECK(written["cache"] == model["cache"]);
  CHECK(written["dependencies"] == model["dependencies"]);
  CHECK(written["credentials"] == model["credentials"]);
  CHECK(written["hooks"] == model["hooks"]);
}

TEST_CASE("lists are lists even when they are empty, and there is no run key", "[job_spec]") {
  JobSpec spec;
  spec.id = 1;
  const json written = to_json(spec);
  for (const char* key : {"variables", "steps", "services", "artifacts", "cache", "credentials",
                          "dependencies", "hooks", "inputs"}) {
    CAPTURE(key);
    CHECK(written[key].is_array());
  }
  CHECK(written["image"].is_null());
  CHECK_FALSE(written.contains("run"));
  CHECK(written["runner_info"]["timeout"] == 3600);
}

TEST_CASE("a dependency without an archive has no file", "[job_spec]") {
  JobSpec spec;
  spec.id = 1;
  spec.dependencies.push_back({2, "build", "token", "", 0});
  const json written = to_json(spec);
  CHECK(written["dependencies"][0]["artifacts_file"].is_null());
  CHECK(job_spec_from_json(written)->dependencies.at(0).filename.empty());
}

TEST_CASE("an entrypoint of nothing and none at all stay apart", "[job_spec]") {
  JobSpec spec;
  spec.id = 1;
  spec.image.emplace();
  spec.image->name = "a";
  CHECK(to_json(spec)["image"]["entrypoint"].is_null());
  spec.image->entrypoint = Lines{};
  CHECK(job_spec_from_json(to_json(spec))->image->entrypoint == Lines{});
}

TEST_CASE("unknown keys are passed over, missing ones and nulls are empty", "[job_spec]") {
  const auto small = job_spec_from_json(json{{"id", 5}, {"brand_new", {{"a", 1}}}});
  REQUIRE(small);
  CHECK(small->steps.empty());
  CHECK(small->timeout == 3600);
  json nulls = full_payload();
  for (auto& [key, value] : nulls.items())
    if (key != "id") value = nullptr;
  const auto spec = job_spec_from_json(nulls);
  REQUIRE(spec);
  CHECK_FALSE(spec->image);
  CHECK(spec->variables.empty());
}

TEST_CASE("a wrong type anywhere is an error that names its path", "[job_spec]") {
  struct Row {
    const char* pointer;
    json wrong;
    const char* path;
  };
  const std::vector<Row> rows{
      {"/id", "4711", "'id'"},
      {"/id", 1.5, "'id'"},
      {"/id", 18446744073709551615ULL, "'id'"},
      {"/token", 5, "'token'"},
      {"/allow_git_fetch", "true", "'allow_git_fetch'"},
      {"/job_info", json::array(), "'job_info'"},
      {"/job_info/time_in_queue_seconds", "1", "'job_info.time_in_queue_seconds'"},
      {"/git_info/depth", "20", "'git_info.depth'"},
      {"/git_info/refspecs", "+refs", "'git_info.refspecs'"},
      {"/git_info/refspecs/1", 7, "'git_info.refspecs"},
      {"/git_info/protected", 1, "'git_info.protected'"},
      {"/runner_info/timeout", nullptr, ""},
      {"/variables", json::object(), "'variables'"},
      {"/variables/2", "x", "'variables[2]'"},
      {"/variables/2/masked", 1, "'variables[2].masked'"},
      {"/steps/0/script", "make", "'steps[0].script'"},
      {"/image", "alpine", "'image'"},
      {"/image/entrypoint", 3, "'image.entrypoint'"},
      {"/image/pull_policy", "always", "'image.pull_policy'"},
      {"/image/executor_opts/docker/user", 0, "'image.executor_opts.docker.user'"},
      {"/services/0/variables/0/key", 0, "'services[0].variables[0].key'"},
      {"/artifacts/1/paths", json::object(), "'artifacts[1].paths'"},
      {"/cache/0/untracked", "no", "'cache[0].untracked'"},
      {"/credentials/0/password", 1, "'credentials[0].password'"},
      {"/dependencies/0/artifacts_file/size", "big", "'dependencies[0].artifacts_file.size'"},
      {"/hooks/0/script", 1, "'hooks[0].script'"},
      {"/features/token_mask_prefixes", "x", "'features.token_mask_prefixes'"},
  };
  for (const Row& row : rows) {
    json payload = full_payload();
    payload[json::json_pointer{row.pointer}] = row.wrong;
    CAPTURE(row.pointer);
    const auto spec = job_spec_from_json(payload);
    if (row.wrong.is_null()) {
      CHECK(spec);
      continue;
    }
    REQUIRE_FALSE(spec);
    CHECK(spec.error().kind == ErrorKind::InvalidInput);
    CAPTURE(spec.error().message);
    CHECK(spec.error().message.find(row.path) != std::string::npos);
  }
}

TEST_CASE("a payload that is no job is refused", "[job_spec]") {
  for (const json& payload : {json{}, json::array(), json{"text"}, json::object(), json{{"id", 0}},
                              json{{"id", -3}}, json{{"token", "x"}}}) {
    CAPTURE(payload.dump());
    CHECK_FALSE(job_spec_from_json(payload));
  }
}
