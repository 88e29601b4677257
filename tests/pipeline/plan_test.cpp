// What a plan decides for each job that is let in, and that a stored one reads back the same.

#include "pipeline/plan.h"

#include <nlohmann/json.hpp>

#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

PlannedJob planned_with(const std::string& keywords) {
  const Plan plan =
      make_plan(configuration_of("job:\n  script: x\n  " + keywords + "\n"), push_to("main"));
  return planned(plan, "job");
}

// A job that uses every keyword that is stored.
const char* const kFull =
    "first: {script: x, stage: build}\n"
    "job:\n"
    "  script: [one, two]\n"
    "  before_script: [zero]\n"
    "  after_script: [three]\n"
    "  hooks: {pre_get_sources_script: [before]}\n"
    "  image: {name: a, entrypoint: [''], pull_policy: [always], docker: {user: u, platform: p}}\n"
    "  services: [{name: s, alias: t, command: [c], variables: {A: b}}]\n"
    "  tags: [one, two]\n"
    "  variables: {A: b, RAW: {value: $C, expand: false}}\n"
    "  artifacts: {name: n, paths: [p], exclude: [e], untracked: true, when: always, access: none, "
    "expose_as: x,\n"
    "    expire_in: 1 day, reports: {junit: [j]}}\n"
    "  cache: [{key: k, paths: [p], policy: pull, when: on_failure}, {key: {files_commits: [f]}, "
    "unprotect: true}]\n"
    "  coverage: '/x/'\n"
    "  timeout: 5 minutes\n"
    "  retry: {max: 2, when: [script_failure], exit_codes: [1]}\n"
    "  interruptible: true\n"
    "  resource_group: g\n"
    "  environment: {name: prod/$CI_COMMIT_BRANCH, url: 'https://x', on_stop: stop, "
    "deployment_tier: production}\n"
    "  needs: [{job: first, artifacts: false}]\n"
    "  dependencies: [first]\n"
    "  release: {tag_name: v1, description: d, name: n, ref: r, milestones: [m], tag_message: t,\n"
    "    released_at: '2026-01-02', assets: {links: [{name: l, url: 'https://x', filepath: /f,\n"
    "      link_type: other}]}}\n"
    "  secrets: {PASSWORD: {vault: a/b/c@d, file: false, token: $T}}\n"
    "  id_tokens: {TOKEN: {aud: [one, two]}}\n"
    "  inputs: {count: {type: number, default: 3, options: [3, 4], description: d}}\n"
    "  pages: {publish: out, path_prefix: p, expire_in: 1 day}\n"
    "  manual_confirmation: Sure?\n"
    "  rules: [{when: delayed, start_in: 1 hour, allow_failure: true, variables: {R: s}}]\n"
    "stop: {script: x, environment: {name: prod/$CI_COMMIT_BRANCH, action: stop, kubernetes:\n"
    "  {agent: a, namespace: n}}, needs: [{project: g/p, job: j, ref: r},\n"
    "  {pipeline: $ID, job: k, artifacts: false}]}\n"
    "steps: {run: [{name: s, script: x}]}\n"
    "child: {trigger: {include: [{local: a.yml, inputs: {n: 1}}, {project: g/p, file: [b], ref: "
    "r}],\n"
    "  strategy: depend, forward: {pipeline_variables: true, yaml_variables: false}}}\n"
    "other: {trigger: {project: g/p, branch: b, inputs: {n: [1]}}}\n"
    "mirror: {needs: {pipeline: g/p}}\n";

}  // namespace

TEST_CASE("a rule's attributes go before the job's own", "[plan]") {
  const PlannedJob job = planned_with(
      "when: on_failure\n  allow_failure: {exit_codes: [1]}\n  interruptible: true\n"
      "  variables: {A: job, B: job}\n"
      "  rules: [{if: $CI, when: always, allow_failure: false, interruptible: false,"
      " variables: {B: rule, C: rule}}]");
  CHECK(job.when == When::Always);
  CHECK_FALSE(job.allow_failure.always);
  CHECK(job.allow_failure.exit_codes.empty());
  CHECK_FALSE(job.interruptible);
  CHECK(job.variables == Variables{{"A", "job"}, {"B", "rule"}, {"C", "rule"}});
}

TEST_CASE("what a rule leaves open is the job's own", "[plan]") {
  const PlannedJob job = planned_with(
      "when: always\n  allow_failure: {exit_codes: [1]}\n  interruptible: true\n"
      "  rules: [{if: $CI}]");
  CHECK(job.when == When::Always);
  CHECK(job.allow_failure.exit_codes == std::vector<int>{1});
  CHECK(job.interruptible);
}

TEST_CASE("manual is optional at job level and blocks by a rule", "[plan]") {
  CHECK(planned_with("when: manual").allow_failure.always);
  CHECK_FALSE(planned_with("when: manual\n  allow_failure: false").allow_failure.always);
  CHECK_FALSE(planned_with("rules: [{when: manual}]").allow_failure.always);
  CHECK(planned_with("when: manual\n  rules: [{if: $CI}]").allow_failure.always);
}

TEST_CASE("needs, even none, take a job out of its stage's order", "[plan]") {
  CHECK_FALSE(planned_with("when: on_success").dag);
  CHECK(planned_with("needs: []").dag);
  CHECK(planned_with("rules: [{when: always, needs: []}]").dag);
}

TEST_CASE("optional needs of jobs that are not there leave none", "[plan]") {
  const PlannedJob job = planned_with("needs: [{job: nobody, optional: true}]");
  CHECK(job.dag);
  CHECK(job.needs.empty());
}

TEST_CASE("jobs come in the order of their stages, then of the file", "[plan]") {
  const Plan plan = make_plan(configuration_of("c: {script: x, stage: deploy}\n"
                                               "a: {script: x}\n"
                                               "d: {script: x, stage: .post}\n"
                                               "b: {script: x}\n"),
                              push_to("main"));
  CHECK(names_of(plan) == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(plan.stages == std::vector<std::string>{"test", "deploy", ".post"});
}

TEST_CASE("tags, resource groups and environments are expanded when planned", "[plan]") {
  const PlannedJob job = planned_with(
      "variables: {SIZE: big}\n"
      "  tags: ['$SIZE', $UNKNOWN]\n"
      "  resource_group: deploy-$CI_COMMIT_BRANCH\n"
      "  environment: review/$CI_COMMIT_REF_SLUG$UNKNOWN");
  CHECK(job.job.tags == std::vector<std::string>{"big", "$UNKNOWN"});
  CHECK(job.job.resource_group == "deploy-main");
  CHECK(job.job.environment->name == "review/main");
}

TEST_CASE("a name of an environment that variables have spoilt is warned of", "[plan]") {
  const Configuration configuration =
      configuration_of("job: {script: x, environment: review/$CI_COMMIT_REF_NAME}\n");
  CHECK(make_plan(configuration, push_to("good")).findings.empty());
  const Plan plan = make_plan(configuration, push_to("bad#1"));
  REQUIRE(plan.findings.size() == 1);
  CHECK(plan.findings[0].severity == Severity::Warning);
  CHECK(
      plan.findings[0].message ==
      "job 'job': the name of its environment is 'review/bad#1' now, but it can contain only "
      "letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, and it cannot start or end "
      "with '/'");
}

TEST_CASE("the name of a pipeline is expanded and trimmed", "[plan]") {
  const auto name = [](const char* text) {
    return make_plan(configuration_of(std::string{"workflow: {name: '"} + text +
                                      "'}\nvariables: {A: b}\na: {script: x}\n"),
                     push_to("main"))
        .name;
  };
  CHECK(name("$A on $CI_COMMIT_BRANCH") == "b on main");
  CHECK(name("  x  ") == "x");
  CHECK(name("$NOBODY").empty());
}

TEST_CASE("what cancels automatically comes from the workflow", "[plan]") {
  const Plan plan =
      make_plan(configuration_of(
                    "workflow: {auto_cancel: {on_new_commit: interruptible, on_job_failure: all}}\n"
                    "a: {script: x}\n"),
                push_to("main"));
  CHECK(plan.auto_cancel_on_new_commit == "interruptible");
  CHECK(plan.auto_cancel_on_job_failure == "all");
  const Plan usual = make_plan(configuration_of("a: {script: x}\n"), push_to("main"));
  CHECK(usual.auto_cancel_on_new_commit == "conservative");
  CHECK(usual.auto_cancel_on_job_failure == "none");
}

TEST_CASE("a plan without jobs says that there is no pipeline", "[plan]") {
  const Plan plan = make_plan(configuration_of("a: {script: x, only: [tags]}\n"), push_to("main"));
  REQUIRE(plan.no_pipeline);
  CHECK(plan.no_pipeline->code == ReasonCode::NoJobs);
  CHECK(plan.left_out.size() == 1);
}

namespace {

// A repository that cannot answer, as when it is too large or not reached.
struct Unreachable : RepositoryFacts {
  slipway::Result<std::vector<std::string>> changed_since(const std::string&) override {
    return slipway::fail(slipway::ErrorKind::TooLarge, "more than 50000 files differ");
  }
  slipway::Result<std::vector<std::string>> paths_of(const std::string&,
                                                     const std::string&) override {
    return slipway::fail(slipway::ErrorKind::Unavailable, "the host is silent");
  }
};

}  // namespace

TEST_CASE("a clause that cannot be looked at holds, and that is said", "[plan]") {
  const Configuration configuration = configuration_of(
      "a: {script: x, rules: [{changes: {paths: [b], compare_to: main}}]}\n"
      "c: {script: x, rules: [{exists: {paths: [d], project: g/p}}]}\n");
  Unreachable unreachable;
  Trigger trigger = push_to("x");
  const bool is_there = GENERATE(false, true);
  if (is_there) trigger.repository = &unreachable;
  const std::string why = trigger.repository == nullptr ? "" : ": more than 50000 files differ";
  const std::string why_not = trigger.repository == nullptr ? "" : ": the host is silent";
  const Plan plan = make_plan(configuration, trigger);
  CHECK(names_of(plan) == std::vector<std::string>{"a", "c"});
  REQUIRE(plan.findings.size() == 2);
  CHECK(plan.findings[0].severity == Severity::Warning);
  CHECK(plan.findings[0].code == "assumed");
  CHECK(plan.findings[0].message == "job 'a': what has changed since 'main' is not known" + why +
                                        "; the clause is taken to hold");
  CHECK(plan.findings[1].message == "job 'c': what there is in project 'g/p' is not known" +
                                        why_not + "; the clause is taken to hold");
}

TEST_CASE("paths are asked for by rules of jobs and of the workflow", "[plan]") {
  CHECK_FALSE(asks_for_paths(configuration_of("a: {script: x, rules: [{changes: [b]}]}\n")));
  CHECK(asks_for_paths(configuration_of("a: {script: x, rules: [{exists: [b]}]}\n")));
  CHECK(asks_for_paths(configuration_of("workflow: {rules: [{exists: [b]}]}\na: {script: x}\n")));
}

TEST_CASE("what only the event knew is stored with each job", "[plan_json]") {
  Trigger trigger = push_to("");
  trigger.tag = "v1";
  trigger.tag_message = "The first";
  const Plan plan = make_plan(configuration_of("a: {script: x}\n"), trigger);
  const auto read = planned_job_from_json(to_json(planned(plan, "a")));
  REQUIRE(read);
  CHECK(read->of_event ==
        Variables{{.name = "CI_COMMIT_TAG_MESSAGE", .value = "The first", .raw = true}});
}

TEST_CASE("words of sources read back, and others are refused", "[plan]") {
  for (const auto* word : {"push", "web", "api", "schedule", "trigger", "pipeline",
                           "parent_pipeline", "merge_request_event"}) {
    const auto source = parse_source(word);
    REQUIRE(source);
    CHECK(to_string(*source) == word);
  }
  const auto none = parse_source("carrier_pigeon");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "'carrier_pigeon' is no source of a pipeline");
}

TEST_CASE("a planned job is stored and read back the same", "[plan_json]") {
  const Plan plan = make_plan(configuration_of(kFull), push_to("main"));
  for (const PlannedJob& job : plan.jobs) {
    const nlohmann::json stored = to_json(job);
    const auto back = planned_job_from_json(nlohmann::json::parse(stored.dump()));
    REQUIRE(back);
    CHECK(to_json(*back) == stored);
  }
  const PlannedJob& job = planned(plan, "job");
  const auto back = planned_job_from_json(to_json(job));
  CHECK(back->job.image->entrypoint == job.job.image->entrypoint);
  CHECK(back->job.image->has_entrypoint);
  CHECK(back->job.at == job.job.at);
  CHECK(back->rule == job.rule);
  CHECK(back->variables == job.variables);
  CHECK(back->start_in == std::chrono::hours{1});
  CHECK(back->job.timeout == std::chrono::minutes{5});
  CHECK(back->job.environment->name == "prod/main");
  CHECK(back->job.retry.exit_codes == std::vector<int>{1});
  CHECK(back->job.caches.at(0).when == UploadWhen::OnFailure);
  CHECK(back->job.caches.at(1).key_files == std::vector<std::string>{"f"});
  CHECK(back->job.services.at(0).variables == Variables{{"A", "b"}});
  CHECK(back->job.hooks == job.job.hooks);
  CHECK(back->job.dependencies == job.job.dependencies);
  CHECK_FALSE(back->needs.at(0).artifacts);
}

TEST_CASE("no dependencies and an empty list of them stay apart in the store", "[plan_json]") {
  const auto none = planned_job_from_json(to_json(planned_with("when: always")));
  CHECK_FALSE(none->job.dependencies);
  const auto empty = planned_job_from_json(to_json(planned_with("dependencies: []")));
  REQUIRE(empty->job.dependencies);
  CHECK(empty->job.dependencies->empty());
}

TEST_CASE("a stored job with a wrong type is an error that names the field", "[plan_json]") {
  const Plan plan = make_plan(configuration_of(kFull), push_to("main"));
  struct Row {
    const char* pointer;
    nlohmann::json wrong;
    const char* path;
  };
  const std::vector<Row> rows{
      {"/job", 1, "'job'"},
      {"/job/name", 1, "'job.name'"},
      {"/job/script", "make", "'job.script'"},
      {"/job/script/0", 1, "'job.script"},
      {"/job/image/entrypoint", "sh", "'job.image.entrypoint'"},
      {"/job/stage_index", "one", "'job.stage_index'"},
      {"/job/retry/max", 1.5, "'job.retry.max'"},
      {"/job/retry/exit_codes", {"a"}, "'job.retry.exit_codes"},
      {"/variables/0/raw", "no", "'variables"},
      {"/dag", "no", "'dag'"},
      {"/needs", 3, "'needs'"},
      {"/when", "later", "when should be one of"},
  };
  for (const Row& row : rows) {
    nlohmann::json stored = to_json(planned(plan, "job"));
    stored[nlohmann::json::json_pointer{row.pointer}] = row.wrong;
    CAPTURE(row.pointer);
    const auto back = planned_job_from_json(stored);
    REQUIRE_FALSE(back);
    CHECK(back.error().kind == slipway::ErrorKind::InvalidInput);
    CAPTURE(back.error().message);
    CHECK(back.error().message.find(row.path) != std::string::npos);
  }
  CHECK_FALSE(planned_job_from_json(nlohmann::json::array()));
}
