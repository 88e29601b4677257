#include "pipeline/downstream.h"

#include <nlohmann/json.hpp>

#include "tests/pipeline/support.h"

using namespace slipway;
using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

using nlohmann::json;

struct Asked {
  JobFacts facts;

  Asked() {
    facts.trigger = push_to("main");
    facts.pipeline_id = 41;
  }
  DownstreamRequest request(const std::string& yaml, const std::string& job = "bridge") {
    const Plan plan = make_plan(configuration_of(yaml), facts.trigger);
    auto made = downstream_request(planned(plan, job), facts);
    REQUIRE(made);
    return std::move(*made);
  }
};

}  // namespace

TEST_CASE("a child pipeline's file is an include of what its trigger names", "[downstream]") {
  const auto request = Asked{}.request(
      "bridge:\n"
      "  trigger:\n"
      "    include:\n"
      "      - local: ci/child.yml\n"
      "        inputs: {level: 2, names: [a, b]}\n"
      "      - {project: group/lib, ref: v1, file: [a.yml, b.yml]}\n"
      "      - remote: https://example.com/c.yml\n");
  CHECK(request.is_child());
  const json expected = json::array(
      {json{{"local", "ci/child.yml"}, {"inputs", {{"level", 2}, {"names", {"a", "b"}}}}},
       json{{"project", "group/lib"}, {"ref", "v1"}, {"file", {"a.yml", "b.yml"}}},
       json{{"remote", "https://example.com/c.yml"}}});
  CHECK(json::parse(request.configuration) == json{{"include", expected}});
}

TEST_CASE("a file that a job has made is included under a name that shows it", "[downstream]") {
  const auto request = Asked{}.request(
      "generate: {stage: build, script: x, artifacts: {paths: [out]}}\n"
      "bridge:\n"
      "  variables: {FILE: out/child.yml}\n"
      "  trigger: {include: [{artifact: $FILE, job: generate}]}\n");
  REQUIRE(request.artifacts.size() == 1);
  CHECK(request.artifacts[0].job == "generate");
  CHECK(request.artifacts[0].path == "out/child.yml");
  CHECK(json::parse(request.configuration)["include"][0]["local"] == "generate:out/child.yml");
}

TEST_CASE("project and branch are expanded, and inputs keep their types", "[downstream]") {
  Asked asked;
  asked.facts.handed_on = {{.name = "BRANCH", .value = "release"}};
  const auto request = asked.request(
      "bridge:\n"
      "  trigger: {project: group/$CI_COMMIT_REF_NAME, branch: $BRANCH,\n"
      "            inputs: {count: 3}}\n");
  CHECK_FALSE(request.is_child());
  CHECK(request.project == "group/main");
  CHECK(request.branch == "release");
  REQUIRE(request.inputs.size() == 1);
  CHECK(request.inputs[0].value == "3");
  CHECK(request.inputs[0].json);
}

TEST_CASE("variables of the file are passed on, expanded, and those of the trigger when asked",
          "[downstream]") {
  Asked asked;
  asked.facts.trigger.pipeline_variables = {{.name = "GIVEN", .value = "by hand"},
                                            {.name = "SHARED", .value = "from outside"}};
  const std::string head =
      "variables: {GLOBAL: g, SHARED: of the file}\n"
      "bridge:\n"
      "  variables: {PARENT: $CI_PIPELINE_ID, OWN: $GLOBAL-1}\n";
  SECTION("as it is by itself") {
    const auto variables = asked.request(head + "  trigger: {include: a.yml}\n").variables;
    CHECK(value(variables, "PARENT") == "41");
    CHECK(value(variables, "OWN") == "g-1");
    CHECK(value(variables, "GLOBAL") == "g");
    CHECK(value(variables, "SHARED") == "of the file");
    CHECK(value(variables, "GIVEN") == "(not set)");
  }
  SECTION("with pipeline_variables") {
    const auto variables =
        asked.request(head + "  trigger: {include: a.yml, forward: {pipeline_variables: true}}\n")
            .variables;
    CHECK(value(variables, "GIVEN") == "by hand");
    CHECK(value(variables, "SHARED") == "from outside");
  }
  SECTION("without yaml_variables") {
    const auto variables =
        asked.request(head + "  trigger: {include: a.yml, forward: {yaml_variables: false}}\n")
            .variables;
    CHECK(variables.empty());
  }
  SECTION("only those that the job inherits") {
    const auto variables =
        asked.request(head + "  inherit: {variables: [SHARED]}\n  trigger: {include: a.yml}\n")
            .variables;
    CHECK(value(variables, "GLOBAL") == "(not set)");
    CHECK(value(variables, "SHARED") == "of the file");
  }
}

TEST_CASE("a secret is not written into the variables of another pipeline", "[downstream]") {
  Asked asked;
  asked.facts.trigger.project_variables = {
      Variable{.name = "PASSWORD", .value = "correct-horse", .masked = true},
      Variable{.name = "PLAIN", .value = "p"}};
  const auto variables = asked
                             .request(
                                 "bridge:\n"
                                 "  variables: {A: $PASSWORD, B: $PLAIN}\n"
                                 "  trigger: {include: a.yml}\n")
                             .variables;
  CHECK(value(variables, "A") == "$PASSWORD");
  CHECK(value(variables, "B") == "p");
}

TEST_CASE("a job may follow another project's pipeline instead of making one", "[downstream]") {
  const auto request = Asked{}.request("bridge: {needs: {pipeline: group/$CI_COMMIT_BRANCH}}\n");
  CHECK(request.upstream == "group/main");
  CHECK_FALSE(request.is_child());
}
