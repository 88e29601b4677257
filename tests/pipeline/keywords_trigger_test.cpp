// Trigger jobs: their shapes, what may stand in them, and needs of other pipelines.

#include "tests/pipeline/keyword_checks.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

Job bridge_with(const std::string& keywords) {
  return configuration_of("job:\n  " + keywords + "\n").jobs.front();
}

Bridge trigger_of(const std::string& trigger) {
  const Job job = bridge_with("trigger: " + trigger);
  REQUIRE(job.bridge);
  return *job.bridge;
}

Lines trigger_errors(const std::string& trigger) {
  return errors_of("job:\n  trigger: " + trigger + "\n");
}

}  // namespace

TEST_CASE("a trigger names a project, with or without a branch", "[keywords][trigger]") {
  CHECK(trigger_of("group/project").project == "group/project");
  const Bridge bridge = trigger_of(
      "{project: $GROUP/app, branch: stable, strategy: mirror, forward: {yaml_variables: false, "
      "pipeline_variables: true}, inputs: {count: 3, list: [a], name: x}}");
  CHECK(bridge.project == "$GROUP/app");
  CHECK(bridge.branch == "stable");
  CHECK(bridge.strategy == "mirror");
  CHECK_FALSE(bridge.forward_yaml_variables);
  CHECK(bridge.forward_pipeline_variables);
  CHECK(bridge.inputs ==
        std::vector<GivenInput>{{"count", "3"}, {"list", R"(["a"])"}, {"name", R"("x")"}});
}

TEST_CASE("a trigger forwards the variables of the file unless told otherwise",
          "[keywords][trigger]") {
  CHECK(trigger_of("group/project").forward_yaml_variables);
  CHECK_FALSE(trigger_of("group/project").forward_pipeline_variables);
}

TEST_CASE("a child pipeline comes from one file or up to three", "[keywords][trigger]") {
  const Bridge one = trigger_of("{include: path/child.yml}");
  REQUIRE(one.files.size() == 1);
  CHECK(one.files[0].kind == "local");
  CHECK(one.files[0].from == "path/child.yml");
  CHECK(trigger_of("{include: 'https://x/child.yaml'}").files[0].kind == "remote");
  const Bridge three = trigger_of(
      "{include: [{local: a.yml, inputs: {n: true}}, {project: g/p, file: [b.yml, c.yml], ref: v1},"
      " {template: T.yml}], strategy: depend}");
  REQUIRE(three.files.size() == 3);
  CHECK(three.files[0].inputs == std::vector<GivenInput>{{"n", "true"}});
  CHECK(three.files[1].kind == "project");
  CHECK(three.files[1].files == Lines{"b.yml", "c.yml"});
  CHECK(three.files[1].ref == "v1");
  CHECK(three.files[2].from == "T.yml");
}

TEST_CASE("a child pipeline may come from the artifact of an earlier job", "[keywords][trigger]") {
  const std::string make = "make: {script: x, stage: build}\n";
  const auto configuration =
      configuration_of(make + "job: {trigger: {include: [{artifact: out.yml, job: make}]}}\n");
  CHECK(job_of(configuration, "job").bridge->files[0].job == "make");
  CHECK(errors_of(make + "job: {trigger: {include: [{artifact: out.yml, job: mak}]}}\n") ==
        Lines{"job job: undefined dependency: mak"});
  CHECK(errors_of(make +
                  "job: {stage: .pre, trigger: {include: [{artifact: out.yml, job: make}]}}\n") ==
        Lines{"job job: dependency make is not defined in current or prior stages"});
}

TEST_CASE("wrong triggers are told in GitLab's words", "[keywords][trigger]") {
  const auto row = GENERATE(values<Refused>({
      {"[a/b]", "jobs:job:trigger has to be either a string or a hash"},
      {"''", "jobs:job:trigger config can't be blank"},
      {"{}", "jobs:job:trigger config can't be blank"},
      {"{branch: main}", "jobs:job:trigger project can't be blank"},
      {"{project: [a]}", "jobs:job:trigger project should be a string"},
      {"{project: a/b, branch: [c]}", "jobs:job:trigger branch should be a string"},
      {"{project: a/b, strategy: wait}", "jobs:job:trigger strategy should be depend or mirror"},
      {"{project: a/b, event: push}", "jobs:job:trigger config contains unknown keys: event"},
      {"{project: a/b, include: c.yml}", "jobs:job:trigger config contains unknown keys: project"},
      {"{include: c.yml, branch: d}", "jobs:job:trigger config contains unknown keys: branch"},
      {"{project: a/b, forward: {all: true}}",
       "jobs:job:trigger:forward config contains unknown keys: all"},
      {"{project: a/b, forward: {yaml_variables: some}}",
       "jobs:job:trigger:forward yaml variables should be a boolean value"},
      {"{project: a/b, forward: yes}", "jobs:job:trigger:forward config should be a hash"},
      {"{project: a/b, inputs: [c]}", "jobs:job:trigger:inputs config should be a hash"},
      {"{include: child.txt}", "Included file `child.txt` does not have YAML extension!"},
      {"{include: [a.yml, b.yml, c.yml, d.yml]}",
       "jobs:job:trigger:include config is too long (maximum is 3)"},
      {"{include: [{artifact: a.yml}]}",
       "jobs:job:trigger:include:include config must specify the job where to fetch the artifact "
       "from"},
      {"{include: [{project: a/b}]}",
       "jobs:job:trigger:include:include config must specify the file where to fetch the config "
       "from"},
      {"{include: [{local: a.yml, remote: b}]}",
       "jobs:job:trigger:include:include config must use exactly one of these keys: local, file, "
       "remote, template, component, artifact"},
      {"{include: [{ref: a}]}",
       "jobs:job:trigger:include:include config must use exactly one of these keys: local, file, "
       "remote, template, component, artifact"},
      {"{include: [[a]]}", "jobs:job:trigger:include:include config should be a hash or a string"},
  }));
  CAPTURE(row.keywords);
  CHECK(trigger_errors(row.keywords) == Lines{row.message});
}

TEST_CASE("a trigger job has the keywords of one, and no script", "[keywords][trigger]") {
  const auto configuration = configuration_of(
      "first: {script: x, stage: build}\n"
      "job:\n"
      "  stage: deploy\n"
      "  trigger: a/b\n"
      "  needs: [first]\n"
      "  rules: [{if: $CI}]\n"
      "  when: manual\n"
      "  variables: {A: b}\n"
      "  allow_failure: true\n"
      "  inherit: {variables: false}\n"
      "  parallel: 2\n"
      "  resource_group: g\n"
      "  environment: prod\n"
      "  interruptible: true\n");
  const Job& job = job_of(configuration, "job 1/2");
  CHECK(job.bridge);
  CHECK(job.needs->at(0).job == "first");
  CHECK(job.environment->name == "prod");
  CHECK(job.when == When::Manual);
}

TEST_CASE("keywords of scripts are unknown in a trigger job", "[keywords][trigger]") {
  const auto* keyword = GENERATE("image", "tags", "artifacts", "cache", "before_script", "services",
                                 "retry", "timeout", "coverage", "release", "start_in");
  CHECK(errors_of("job:\n  trigger: a/b\n  " + std::string{keyword} + ": x\n") ==
        Lines{"jobs:job config contains unknown keys: " + std::string{keyword}});
}

TEST_CASE("a trigger job waits for no delay and fails with no exit code", "[keywords][trigger]") {
  CHECK(errors_of("job: {trigger: a/b, when: delayed}\n") ==
        Lines{"jobs:job when should be one of: on_success, on_failure, always, manual"});
  CHECK(errors_of("job: {trigger: a/b, allow_failure: {exit_codes: 1}}\n") ==
        Lines{"jobs:job allow failure should be a boolean value"});
}

TEST_CASE("of the defaults only interruptible reaches a trigger job", "[keywords][trigger]") {
  const Job job = job_of(configuration_of("default: {interruptible: true, tags: [a], image: b}\n"
                                          "job: {trigger: a/b}\n"),
                         "job");
  CHECK(job.interruptible == true);
  CHECK(job.tags.empty());
  CHECK_FALSE(job.image);
}

TEST_CASE("a job may take over the status of another project's pipeline", "[keywords][trigger]") {
  const Job job = bridge_with("needs: {pipeline: group/project}");
  CHECK(job.bridge->upstream == "group/project");
  CHECK_FALSE(job.needs);
  CHECK(errors_of("job: {needs: [{pipeline: a/b}, {pipeline: c/d}]}\n") ==
        Lines{"jobs:job:needs config should contain at most one bridge need"});
  CHECK(errors_of("job: {script: x, needs: {pipeline: a/b}}\n") ==
        Lines{"jobs:job:needs config uses invalid types: bridge"});
}

TEST_CASE("a job may need artifacts of other pipelines", "[keywords][needs]") {
  const Job job = job_with(
      "needs: [{project: g/p, job: build, ref: main, artifacts: false, optional: true},\n"
      "    {pipeline: $PARENT, job: make}]");
  REQUIRE(job.needs);
  CHECK(job.needs->empty());
  REQUIRE(job.foreign_needs.size() == 2);
  CHECK(job.foreign_needs[0].project == "g/p");
  CHECK(job.foreign_needs[0].ref == "main");
  CHECK_FALSE(job.foreign_needs[0].artifacts);
  CHECK(job.foreign_needs[0].optional);
  CHECK(job.foreign_needs[1].pipeline == "$PARENT");
  CHECK(job.foreign_needs[1].job == "make");
  CHECK(job.foreign_needs[1].artifacts);
}

TEST_CASE("wrong needs are told in GitLab's words", "[keywords][needs]") {
  const auto row = GENERATE(values<Refused>({
      {"needs: [1]", "jobs:job:needs:need has an unsupported type"},
      {"needs: [{optional: true}]", "jobs:job:needs:need has an unsupported type"},
      {"needs: ['']", "jobs:job:needs:need config can't be blank"},
      {"needs: [{project: a/b, ref: c}]", "jobs:job:needs:need job can't be blank"},
      {"needs: [{project: a/b, job: c}]", "jobs:job:needs:need ref can't be blank"},
      {"needs: [{project: a/b, job: c, ref: d, branch: e}]",
       "jobs:job:needs:need config contains unknown keys: branch"},
      {"needs: [{pipeline: a, job: b, ref: c}]",
       "jobs:job:needs:need config contains unknown keys: ref"},
      {"needs: [{pipeline: a, job: b, artifacts: c}]",
       "jobs:job:needs:need artifacts should be a boolean value"},
      {"needs: [{job: other, optional: b}]",
       "jobs:job:needs:need optional should be a boolean value"},
      {"rules: [{if: $A, needs: [{project: a/b, job: c, ref: d}]}]",
       "jobs:job:rules:rule:needs config uses invalid types: cross_dependency"},
  }));
  CAPTURE(row.keywords);
  const Lines errors = errors_of("other: {script: x}\n" + file_with(row.keywords));
  REQUIRE_FALSE(errors.empty());
  CHECK(errors.front() == row.message);
}

TEST_CASE("a trigger job needs no artifacts of other pipelines", "[keywords][needs]") {
  CHECK(errors_of("job: {trigger: a/b, needs: [{project: a/b, job: c, ref: d}]}\n") ==
        Lines{"jobs:job:needs config uses invalid types: cross_dependency"});
}

TEST_CASE("five needs name other projects, a sixth is refused", "[keywords][needs]") {
  std::string needs = "{project: a/b, job: c, ref: d}";
  for (int i = 0; i < 4; ++i) needs += ", {project: a/b, job: c, ref: d}";
  CHECK(job_with("needs: [" + needs + "]").foreign_needs.size() == 5);
  CHECK(errors_of(file_with("needs: [" + needs + ", {project: a/b, job: c, ref: d}]")) ==
        Lines{"jobs:job:needs config must be less than or equal to 5"});
}

TEST_CASE("a need selects instances of a parallel job by their values", "[keywords][needs]") {
  const std::string build =
      "build: {stage: build, script: x, parallel: {matrix: [{OS: [linux, mac], CPU: [arm, "
      "x86]}]}}\n";
  const auto configuration = configuration_of(build +
                                              "job: {script: x, needs: [{job: build, parallel: "
                                              "{matrix: [{OS: mac, CPU: [arm, x86]}]}}]}\n");
  Lines needed;
  for (const Need& need : *job_of(configuration, "job").needs) needed.push_back(need.job);
  CHECK(needed == Lines{"build: [mac, arm]", "build: [mac, x86]"});
  CHECK(errors_of(build + "job: {script: x, needs: [{job: build, parallel: 2}]}\n") ==
        Lines{"jobs:job:needs:need:parallel config cannot use \"parallel: <number>\"."});
  CHECK(errors_of(build +
                  "job: {script: x, needs: [{job: build, parallel: {matrix: [{OS: bsd, CPU: "
                  "arm}]}}]}\n") == Lines{"job job: undefined need: build"});
}
