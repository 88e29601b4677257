#include "pipeline/job_payload.h"

#include <algorithm>

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;

namespace {

PlannedJob planned_job() {
  PlannedJob planned;
  planned.job.name = planned.job.base_name = "unit";
  planned.job.stage = "test";
  planned.job.stage_index = 2;
  planned.job.script = {"make test"};
  return planned;
}

JobFacts facts() {
  JobFacts facts;
  facts.id = 7;
  facts.pipeline_id = 3;
  facts.token = "glcbt-token";
  facts.trigger.branch = "main";
  facts.trigger.sha = std::string(40, 'a');
  facts.trigger.project.path = "group/name";
  facts.trigger.server.url = "https://ci.example";
  return facts;
}

std::string value_of(const JobSpec& spec, const std::string& name) {
  const auto at = std::find_if(spec.variables.begin(), spec.variables.end(),
                               [&](const JobVariable& variable) { return variable.key == name; });
  return at == spec.variables.end() ? "(none)" : at->value;
}

Result<JobSpec> made(const PlannedJob& planned, const JobFacts& of) {
  return make_job_spec(planned, of);
}

}  // namespace

TEST_CASE("each source of variables overrides the one before it", "[payload]") {
  PlannedJob planned = planned_job();
  JobFacts run = facts();
  const auto says = [](const std::string& value) {
    return Variable{.name = "WHO", .value = value};
  };
  const auto who = [&] { return value_of(made(planned, run).value(), "WHO"); };

  planned.variables = {says("file")};
  CHECK(who() == "file");
  run.handed_on = {says("dotenv")};
  CHECK(who() == "dotenv");
  run.trigger.project_variables = {says("project")};
  CHECK(who() == "project");
  run.trigger.pipeline_variables = {says("trigger")};
  CHECK(who() == "trigger");
}

TEST_CASE("a runner's longest time is the most that a job gets", "[payload]") {
  PlannedJob planned = planned_job();
  JobFacts run = facts();
  run.default_timeout = std::chrono::hours{2};
  CHECK(made(planned, run)->timeout == 7200);

  run.longest_timeout = std::chrono::minutes{10};
  CHECK(made(planned, run)->timeout == 600);

  planned.job.timeout = std::chrono::seconds{5};
  CHECK(made(planned, run)->timeout == 5);

  run.longest_timeout = std::chrono::seconds{0};  // none
  planned.job.timeout.reset();
  CHECK(made(planned, run)->timeout == 7200);
}

TEST_CASE("the job's token and its address of the repository are masked", "[payload]") {
  JobFacts run = facts();
  run.clone_url = "https://gitlab-ci-token:glcbt-token@ci.example/group/name.git";

  const auto spec = made(planned_job(), run);

  REQUIRE(spec);
  CHECK(value_of(*spec, "CI_JOB_TOKEN") == "glcbt-token");
  CHECK(value_of(*spec, "CI_REPOSITORY_URL") == run.clone_url);
  for (const JobVariable& variable : spec->variables)
    if (variable.value.find("glcbt-token") != std::string::npos) CHECK(variable.masked);
}

TEST_CASE("a circle of variables is told with the job's name", "[payload]") {
  PlannedJob planned = planned_job();
  planned.variables = {Variable{.name = "A", .value = "$B"}, Variable{.name = "B", .value = "$A"}};

  const auto spec = made(planned, facts());

  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("unit: circular variable reference detected") == 0);
}

TEST_CASE("artifacts come from earlier stages, or from where needs and dependencies say",
          "[payload]") {
  PlannedJob planned = planned_job();
  CHECK(takes_artifacts_of(planned, "compile", 1));
  CHECK_FALSE(takes_artifacts_of(planned, "other test", 2));

  planned.job.dependencies = {{"compile"}};
  CHECK(takes_artifacts_of(planned, "compile", 1));
  CHECK_FALSE(takes_artifacts_of(planned, "lint", 1));

  planned.job.dependencies.reset();
  planned.dag = true;
  planned.needs.push_back(Need{.job = "same stage"});
  planned.needs.push_back(Need{.job = "without", .artifacts = false});
  CHECK(takes_artifacts_of(planned, "same stage", 2));
  CHECK_FALSE(takes_artifacts_of(planned, "without", 1));
  CHECK_FALSE(takes_artifacts_of(planned, "compile", 1));
}

TEST_CASE("a job of the life cycle has what the plan says of it", "[payload]") {
  PlannedJob planned = planned_job();
  planned.when = When::Manual;
  planned.dag = true;
  planned.needs.push_back(Need{.job = "compile"});
  planned.job.resource_group = "board";

  const JobNode node = job_node(planned);

  CHECK(node.name == "unit");
  CHECK(node.stage_index == 2);
  CHECK(node.needs == std::vector<std::string>{"compile"});
  CHECK(node.dag);
  CHECK(node.when == When::Manual);
  CHECK(node.resource_group == "board");
  CHECK(node.status == Status::Created);
}

TEST_CASE("a cache and its fallbacks lie on the side of protected refs or of the others",
          "[payload]") {
  auto planned = planned_job();
  auto& cache = planned.job.caches.emplace_back();
  cache.key = "deps";
  cache.fallback_keys = {"old", "older"};
  auto of = facts();
  const auto keys = [&] {
    const auto spec = made(planned, of);
    REQUIRE(spec);
    const auto& sent = spec->caches.at(0);
    return std::vector<std::string>{sent.key, sent.fallback_keys.at(0), sent.fallback_keys.at(1)};
  };
  using Keys = std::vector<std::string>;
  CHECK(keys() == Keys{"deps-non_protected", "old-non_protected", "older-non_protected"});
  of.trigger.ref_protected = true;
  CHECK(keys() == Keys{"deps-protected", "old-protected", "older-protected"});
  cache.unprotect = true;
  CHECK(keys() == Keys{"deps-non_protected", "old-non_protected", "older-non_protected"});
}
