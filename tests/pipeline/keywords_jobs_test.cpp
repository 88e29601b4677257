// Keywords of single jobs and between them: environments, retries, limits, exclusions, warnings.

#include "pipeline/unsupported.h"
#include "tests/pipeline/keyword_checks.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

TEST_CASE("steps, inputs and a question before a manual start are read", "[keywords]") {
  const Job job =
      configuration_of(
          "job:\n"
          "  run: [{name: a, script: echo}, {name: b, step: ./s, inputs: {n: 1}}]\n"
          "  inputs: {n: {type: number, default: 3, options: [3, 4]}, t: {default: x}}\n"
          "  manual_confirmation: Sure?\n")
          .jobs.at(0);
  CHECK(job.steps_json.at(0) == R"({"name":"a","script":"echo"})");
  CHECK(job.inputs.at(0).default_json == "3");
  CHECK(job.inputs.at(0).options_json == Lines{"3", "4"});
  CHECK(job.inputs.at(1).type == "string");
  CHECK(job.manual_confirmation == "Sure?");
}

TEST_CASE("wrong steps and inputs are refused", "[keywords]") {
  const auto row = GENERATE(values<Refused>({
      {"run: x", "jobs:job:run config should be an array of hashes"},
      {"run: []", "jobs:job:run config can't be blank"},
      {"run: [{script: x}]", "jobs:job:run:step name can't be blank"},
      {"run: [{name: a}]",
       "jobs:job:run:step config must use exactly one of these keys: script, step, func"},
      {"run: [{name: a, script: b, env: c}]", "jobs:job:run:step env should be a hash"},
      {"run: [{name: a, script: b, uses: c}]",
       "jobs:job:run:step config contains unknown keys: uses"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of("job:\n  " + std::string{row.keywords} + "\n") == Lines{row.message});
  CHECK(errors_of(file_with("inputs: {n: {type: number}}")) ==
        Lines{"jobs:job:inputs:n must have a default value"});
  CHECK(errors_of(file_with("inputs: {n: {type: number, default: x}}")) ==
        Lines{"jobs:job:inputs:n default should be a number"});
  CHECK(errors_of(file_with("inputs: {n: {default: x, options: [y]}}")) ==
        Lines{"jobs:job:inputs:n default must be one of the options"});
  CHECK(errors_of(file_with("inputs: {n: {default: x, regex: '('}}")) ==
        Lines{"jobs:job:inputs:n regex must be a regular expression with re2 syntax"});
  CHECK(errors_of(file_with("inputs: [n]")) == Lines{"jobs:job:inputs config should be a hash"});
}

TEST_CASE("what may not stand together is named in the order of the file", "[keywords]") {
  CHECK(errors_of("job: {script: x, trigger: a/b}\n") ==
        Lines{"jobs:job config these keys cannot be used together: script, trigger"});
  CHECK(errors_of("job: {trigger: a/b, run: [{name: a, script: b}]}\n") ==
        Lines{"jobs:job config these keys cannot be used together: trigger, run"});
  CHECK(errors_of("job: {run: [{name: a, script: b}], script: x}\n") ==
        Lines{"jobs:job config these keys cannot be used together: run, script"});
  CHECK(errors_of("job: {run: [{name: a, script: b}], after_script: x}\n") ==
        Lines{"jobs:job config these keys cannot be used together: run, after_script"});
}

TEST_CASE("rules stand alone, and with keywords that are null", "[keywords]") {
  CHECK(errors_of(file_with("rules: [{if: $A}]\n  start_in: 1 day")) ==
        Lines{"jobs:job config key may not be used with `rules`: start_in"});
  CHECK(errors_of(file_with("rules: [{if: $A}]\n  only: null\n  except: ~")).empty());
  CHECK(errors_of(file_with("rules: null\n  only: [main]")).empty());
}

TEST_CASE("what only GitLab has is accepted with a warning", "[keywords]") {
  const auto row = GENERATE(values<Refused>({
      {"identity: google_cloud",
       "jobs:job:identity signs in to Google Cloud through GitLab, and has no effect here"},
      {"dast_configuration: {site_profile: a, scanner_profile: b}",
       "jobs:job:dast_configuration names profiles that GitLab keeps, and has no effect here"},
      {"image: {name: a, kubernetes: {user: 1}}",
       "jobs:job:image `kubernetes` concerns an executor that runs pods, and has no effect here"},
      {"environment: {name: a, kubernetes: {agent: b}}",
       "jobs:job:environment:kubernetes shows a cluster on GitLab's page, and has no effect here"},
  }));
  CAPTURE(row.keywords);
  const auto outcome = outcome_of(file_with(row.keywords));
  CHECK(outcome.configuration);
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].severity == Severity::Warning);
  CHECK(outcome.findings[0].code == "unsupported_on_slipway");
  CHECK(outcome.findings[0].message == row.message);
}

TEST_CASE("a warning about a default is given once, not for each job", "[keywords]") {
  CHECK(warnings_of("default: {identity: google_cloud}\na: {script: x}\nb: {script: x}\n") ==
        Lines{"default:identity signs in to Google Cloud through GitLab, and has no effect here"});
}

TEST_CASE("wrong values of what only GitLab has are errors all the same", "[keywords]") {
  CHECK(errors_of(file_with("identity: aws")) ==
        Lines{"jobs:job:identity config should be one of: google_cloud"});
  CHECK(errors_of(file_with("dast_configuration: {profile: a}")) ==
        Lines{"jobs:job:dast_configuration config contains unknown keys: profile"});
}

TEST_CASE("an environment is stopped by a job that says so", "[keywords][environment]") {
  const std::string begin = "up: {script: x, environment: {name: r/$A, on_stop: down}}\n";
  CHECK(errors_of(begin) == Lines{"up job: on_stop job down is not defined"});
  CHECK(errors_of(begin + "down: {script: x}\n") ==
        Lines{"up job: on_stop job down does not have environment defined"});
  CHECK(errors_of(begin + "down: {script: x, environment: {name: r/b, action: stop}}\n") ==
        Lines{"up job: on_stop job down have different environment name"});
  CHECK(errors_of(begin + "down: {script: x, environment: {name: r/$A}}\n") ==
        Lines{"up job: on_stop job down needs to have action stop defined"});
  CHECK(errors_of(begin + "down: {script: x, environment: {name: r/$A, action: stop}}\n").empty());
}

TEST_CASE("wrong environments are told in GitLab's words", "[keywords][environment]") {
  const auto row = GENERATE(values<Refused>({
      {"[a]", "jobs:job:environment config should be a hash or a string"},
      {"{name: a, url: [b]}", "jobs:job:environment url should be a string"},
      {"{name: a, action: [b]}",
       "jobs:job:environment action should be start, stop, prepare, verify, or access"},
      {"{name: a, deployment_tier: qa}",
       "jobs:job:environment deployment tier must be one of production, staging, testing, "
       "development, other"},
      {"{name: a, auto_stop_in: later}", "jobs:job:environment auto stop in should be a duration"},
      {"{name: a, on_stop: [b]}", "jobs:job:environment on stop should be a string"},
      {"{name: a, kubernetes: b}", "jobs:job:environment:kubernetes config should be a hash"},
      {"{name: a, kubernetes: {flux_resource_path: b, agent: c}}",
       "jobs:job:environment:kubernetes namespace can't be blank"},
      {"{name: a, colour: b}", "jobs:job:environment config contains unknown keys: colour"},
      {"/a",
       "jobs:job:environment name can contain only letters, digits, '-', '_', '/', '$', '{', '}', "
       "'.', and spaces, but it cannot start or end with '/'"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with("environment: " + std::string{row.keywords})) == Lines{row.message});
}

TEST_CASE("tier and stop time of an environment may be variables", "[keywords][environment]") {
  const Environment environment =
      *job_with("environment: {name: a, deployment_tier: $T, auto_stop_in: $S}").environment;
  CHECK(environment.deployment_tier == "$T");
  CHECK(environment.auto_stop_in == "$S");
}

TEST_CASE("limits of numbers are kept", "[keywords]") {
  const auto tags = [](int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += "t" + std::to_string(i) + ", ";
    return file_with("tags: [" + list + "]");
  };
  CHECK(errors_of(tags(49)).empty());
  CHECK(errors_of(tags(50)) ==
        Lines{"jobs:job:tags config must be less than the limit of 50 tags"});
  CHECK(errors_of(file_with("when: delayed\n  start_in: 1 week")).empty());
  CHECK(errors_of(file_with("when: delayed\n  start_in: 8 days")) ==
        Lines{"jobs:job start in should not exceed the limit"});
  CHECK(errors_of(file_with("rules: [{if: $A, when: delayed, start_in: 8 days}]")) ==
        Lines{"jobs:job:rules:rule start in should not exceed the limit"});
  CHECK(errors_of("workflow: {name: " + std::string(256, 'a') + "}\njob: {script: x}\n") ==
        Lines{"workflow name is too long (maximum is 255 characters)"});
}

TEST_CASE("retries have reasons and exit codes, one or several", "[keywords]") {
  const Retry retry =
      job_with("retry: {max: 1, when: [api_failure, always], exit_codes: [1, 2]}").retry;
  CHECK(retry.max == 1);
  CHECK(retry.when == Lines{"api_failure", "always"});
  CHECK(retry.exit_codes == std::vector<int>{1, 2});
  CHECK(job_with("retry: {when: script_failure}").retry.max == 2);
  CHECK(job_with("retry: {exit_codes: 137}").retry.exit_codes == std::vector<int>{137});
}

TEST_CASE("wrong retries are told in GitLab's words", "[keywords]") {
  const auto row = GENERATE(values<Refused>({
      {"1.5", "jobs:job:retry config has to be either an integer or a hash"},
      {"{max: 3}", "jobs:job:retry max must be less than or equal to 2"},
      {"{max: x}", "jobs:job:retry max is not a number"},
      {"{when: never}", "jobs:job:retry when is not included in the list"},
      {"{when: [always, never]}", "jobs:job:retry when contains unknown values: never"},
      {"{when: {a: b}}", "jobs:job:retry when should be an array of strings or a string"},
      {"{exit_codes: x}", "jobs:job:retry exit codes should be an array of integers or an integer"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with("retry: " + std::string{row.keywords})) == Lines{row.message});
}

TEST_CASE("a last rule of only when may run a job twice", "[keywords]") {
  const std::string warning =
      "jobs:job may allow multiple pipelines to run for a single action due to `rules:when` clause "
      "with no `workflow:rules`";
  CHECK(warnings_of(file_with("rules: [{if: $A}, {when: always}]")) == Lines{warning});
  CHECK(warnings_of(file_with("rules: [{when: always}, {if: $A}]")).empty());
  CHECK(warnings_of(file_with("rules: [{if: $A}, {when: never}]")).empty());
  CHECK(warnings_of(file_with("rules: [{when: always, allow_failure: true}]")).empty());
  CHECK(warnings_of("workflow: {rules: [{if: $A}]}\n" + file_with("rules: [{when: always}]"))
            .empty());
}

TEST_CASE("inherit names keywords of default that there are", "[keywords]") {
  CHECK(errors_of(file_with("inherit: {default: [image, script]}")) ==
        Lines{"jobs:job:inherit:default config contains unknown values: script"});
  CHECK(errors_of(file_with("inherit: {variables: some}")) ==
        Lines{"jobs:job:inherit:variables should be a bool or array of strings"});
  CHECK(job_with("inherit: {variables: [A]}").inherited_variables == Lines{"A"});
}

TEST_CASE("old keywords at the top are checked at their own place", "[keywords]") {
  CHECK(errors_of("image: [a]\njob: {script: x}\n") ==
        Lines{"image config should be a hash or a string"});
  CHECK(errors_of("image: a\ndefault: {image: b}\njob: {script: x}\n") ==
        Lines{"default image is defined in top-level and `default:` entry"});
}

TEST_CASE("changes and exists have their long forms", "[keywords]") {
  const auto configuration = configuration_of(
      file_with("rules: [{changes: {regexp: 'a.c', compare_to: main}},\n"
                "    {exists: {paths: [b], project: g/p, ref: v1}}, {exists: {regexp: 'c$'}}]"));
  const auto& rules = *configuration.jobs.at(0).rules;
  CHECK(rules[0].changes->regexp == "a.c");
  CHECK(rules[0].changes->compare_to == "main");
  CHECK(rules[1].exists->project == "g/p");
  CHECK(rules[1].exists->ref == "v1");
  CHECK(rules[2].exists->regexp == "c$");
}

TEST_CASE("wrong long forms of changes and exists are refused", "[keywords]") {
  const auto row = GENERATE(values<Refused>({
      {"changes: {paths: [a], regexp: b}",
       "jobs:job:rules:rule:changes config these keys cannot be used together: paths, regexp"},
      {"changes: {regexp: '('}", "jobs:job:rules:rule:changes regexp must be a regular expression"},
      {"exists: {ref: a, paths: [b]}",
       "jobs:job:rules:rule:exists config missing required keys: project"},
      {"exists: {}", "jobs:job:rules:rule:exists config missing required keys: paths"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with("rules: [{" + std::string{row.keywords} + "}]")) == Lines{row.message});
}

TEST_CASE("a rule of the workflow says what cancels the pipeline", "[keywords]") {
  const auto configuration = configuration_of(
      "workflow:\n"
      "  auto_cancel: {on_new_commit: none}\n"
      "  rules: [{if: $CI, auto_cancel: {on_job_failure: all}}]\n"
      "job: {script: x}\n");
  const Plan plan = make_plan(configuration, push_to("main"));
  CHECK(plan.auto_cancel_on_new_commit == "none");
  CHECK(plan.auto_cancel_on_job_failure == "all");
}

TEST_CASE("only and except know that there is a cluster to ask for", "[keywords]") {
  CHECK(job_with("only: {kubernetes: active}").only->kubernetes_active);
  CHECK(errors_of(file_with("only: {kubernetes: idle}")) ==
        Lines{"jobs:job:only kubernetes unknown value: idle"});
  CHECK(errors_of(file_with("only: {}")) == Lines{"jobs:job:only config can't be blank"});
}

TEST_CASE("an expression over paths decides like globs", "[keywords][rules]") {
  const auto planned_for = [](const std::string& rule, std::vector<std::string> paths) {
    Trigger trigger = push_to("main");
    trigger.changed_paths = paths;
    trigger.paths = std::move(paths);
    return make_plan(configuration_of("other: {script: x}\n" + file_with("rules: [" + rule + "]")),
                     trigger)
               .jobs.size() == 2;
  };
  CHECK(planned_for("{changes: {regexp: 'src/.*[.]c$'}}", {"src/a/b.c"}));
  CHECK_FALSE(planned_for("{changes: {regexp: 'src/.*[.]c$'}}", {"src/a/b.h"}));
  CHECK(planned_for("{exists: {regexp: '^Docker'}}", {"Dockerfile"}));
  CHECK_FALSE(planned_for("{exists: {regexp: '^Docker'}}", {"src/Dockerfile"}));
  CHECK(planned_for("{exists: {paths: [a], project: g/p}}", {"b"}));
}

TEST_CASE("a job for a cluster is left out, for there is none", "[keywords][rules]") {
  const Plan plan =
      make_plan(configuration_of("a: {script: x}\nb: {script: x, only: {kubernetes: active}}\n"
                                 "c: {script: x, except: {kubernetes: active}}\n"),
                push_to("main"));
  CHECK(names_of(plan) == Lines{"a", "c"});
  REQUIRE(plan.left_out.size() == 1);
  CHECK(plan.left_out[0].reason.text ==
        "Its `only` does not hold: only: kubernetes: active, and this server keeps no cluster.");
}

TEST_CASE("what does not run yet is planned with a sentence that says so", "[keywords][plan]") {
  const Plan plan =
      make_plan(configuration_of("artifacts: {script: x, needs: [{project: a/b, ref: main, job: c, "
                                 "artifacts: true}]}\n"
                                 "steps: {run: [{name: a, script: b}]}\n"
                                 "job: {script: x, id_tokens: {A: {aud: b}, C: {aud: d}}}\n"),
                push_to("main"));
  CHECK(plan.jobs.size() == 3);
  Lines said;
  for (const Diagnostic& finding : plan.findings) {
    CHECK(finding.severity == Severity::Warning);
    CHECK(finding.code == "unsupported_on_slipway");
    said.push_back(finding.message);
  }
  CHECK(
      said ==
      Lines{"job 'artifacts' needs artifacts of another project, which this server does not fetch "
            "yet",
            "job 'steps' runs steps, which this server does not do yet: it will fail"});
}

TEST_CASE("of a file's jobs what does not run yet is said once each", "[keywords]") {
  Diagnostics findings;
  warn_of_what_does_not_run(
      configuration_of("many: {script: x, parallel: 3, release: {tag_name: v, description: d}}\n"
                       "plain: {script: x}\n"),
      findings);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message ==
        "job 'many' describes a release, which this server does not make yet: only its script "
        "runs");
}

TEST_CASE("variables in a circle keep the pipeline from being made", "[keywords][plan]") {
  const Plan plan =
      make_plan(configuration_of(file_with("variables: {A: $B, B: $A}")), push_to("main"));
  REQUIRE(plan.findings.size() == 1);
  CHECK(plan.findings[0].severity == Severity::Error);
  CHECK(plan.findings[0].message == "job: circular variable reference detected: [\"A\", \"B\"]");
}

TEST_CASE("tier and stop time of an environment are expanded when planned", "[keywords][plan]") {
  const Plan plan = make_plan(
      configuration_of(file_with("environment: {name: a, deployment_tier: $T, auto_stop_in: $S}\n"
                                 "  variables: {T: staging, S: 1 day}")),
      push_to("main"));
  CHECK(planned(plan, "job").job.environment->deployment_tier == "staging");
  CHECK(planned(plan, "job").job.environment->auto_stop_in == "1 day");
}
