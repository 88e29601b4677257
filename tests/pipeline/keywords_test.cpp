// Keywords one by one: what they come to, and what is said when they are wrong.

#include "pipeline/keywords/fields.h"
#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

// The first job of a file with these keywords besides its script.
Job job_with(const std::string& keywords) {
  return configuration_of("job:\n  script: x\n  " + keywords + "\n").jobs.front();
}

std::string only_message(const std::string& text) {
  const auto outcome = outcome_of(text);
  for (const Diagnostic& finding : outcome.findings) UNSCOPED_INFO(finding.message);
  REQUIRE(outcome.findings.size() == 1);
  CHECK_FALSE(outcome.configuration);
  return outcome.findings.front().message;
}

std::vector<std::string> names(const Configuration& configuration) {
  std::vector<std::string> names;
  for (const Job& job : configuration.jobs) names.push_back(job.name);
  return names;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("wrong values of job keywords are told in GitLab's words", "[keywords]") {
  struct Row {
    const char* keywords;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"bad_tags: [x]", "jobs:job config contains unknown keys: bad_tags"},
      {"stage: [a]", "jobs:job:stage config should be a string"},
      {"tags: docker", "jobs:job:tags config should be an array of strings"},
      {"image: [a]", "jobs:job:image config should be a hash or a string"},
      {"image: {entrypoint: [sh]}", "jobs:job:image name can't be blank"},
      {"image: {name: a, pull_policy: daily}",
       "jobs:job:image:pull_policy config is not included in the list"},
      {"services: postgres", "jobs:job:services config should be a array"},
      {"services: [[a]]", "jobs:job:services:service config should be a hash or a string"},
      {"variables: [a]", "jobs:job:variables config should be a hash"},
      {"variables: {A: [b]}", "variable definition must be either a string or a hash"},
      {"variables: {A: {value: b, description: c}}",
       "jobs:job:variables:A config uses invalid data keys: description"},
      {"when: never",
       "jobs:job when should be one of: on_success, on_failure, always, manual, delayed"},
      {"allow_failure: maybe", "jobs:job allow failure should be a hash or a boolean value"},
      {"allow_failure: {exit_codes: [a]}",
       "jobs:job:allow_failure exit codes should be an array of integers or an integer"},
      {"retry: 3", "jobs:job:retry config must be less than or equal to 2"},
      {"retry: -1", "jobs:job:retry config must be greater than or equal to 0"},
      {"retry: often", "jobs:job:retry config has to be either an integer or a hash"},
      {"retry: {max: 1, until: x}", "jobs:job:retry config contains unknown keys: until"},
      {"parallel: many", "jobs:job:parallel should be an integer or a hash"},
      {"parallel: 0", "jobs:job:parallel config must be greater than or equal to 1"},
      {"parallel: 201", "jobs:job:parallel config must be less than or equal to 200"},
      {"parallel: {matrix: {A: b}}",
       "jobs:job:parallel:matrix config should be an array of hashes"},
      {"parallel: {matrix: []}",
       "jobs:job:parallel:matrix config should have at least one combination of values"},
      {"parallel: {matrix: [{A: []}]}",
       "jobs:job:parallel:matrix config should have at least one combination of values"},
      {"parallel: {matrix: [{}]}",
       "jobs:job:parallel:matrix:variables config requires at least 1 items"},
      {"coverage: 'Total: \\d+'",
       "jobs:job:coverage config must be a regular expression with re2 syntax"},
      {"coverage: '/(open/'",
       "jobs:job:coverage config must be a regular expression with re2 syntax"},
      {"timeout: soon", "jobs:job:timeout config should be a duration"},
      {"interruptible: sometimes", "jobs:job:interruptible config should be a boolean value"},
      {"start_in: 1 hour", "jobs:job start in must be blank"},
      {"when: delayed", "jobs:job start in should be a duration"},
      {"needs: build", "jobs:job:needs config can only be a hash or an array"},
      {"needs: [{artifacts: true}]", "jobs:job:needs:need has an unsupported type"},
      {"dependencies: build", "jobs:job dependencies should be an array of strings"},
      {"only: main", "jobs:job:only has to be either an array of conditions or a hash"},
      {"only: {branches: [a]}", "jobs:job:only config contains unknown keys: branches"},
      {"only: {variables: [$A ==]}", "jobs:job:only variables invalid expression syntax"},
      {"only: [/(/]",
       "jobs:job:only config should be an array of strings or regular expressions using re2 "
       "syntax"},
      {"rules: always", "jobs:job rules should be an array containing hashes and arrays of hashes"},
      {"rules: [{}]", "jobs:job:rules:rule config can't be blank"},
      {"rules: [{unless: $A}]", "jobs:job:rules:rule config contains unknown keys: unless"},
      {"rules: [{changes: a}]", "jobs:job:rules:rule:changes should be an array or a hash"},
      {"rules: [{changes: {compare_to: main}}]",
       "jobs:job:rules:rule:changes config missing required keys: paths"},
      {"rules: [{when: delayed}]", "jobs:job:rules:rule start in can't be blank"},
      {"rules: [{start_in: 1 day}]",
       "jobs:job:rules:rule config contains disallowed keys: start_in"},
      {"rules: [{when: x}]", "jobs:job:rules:rule when unknown value: x"},
      {"rules: []\n  only: [a]", "jobs:job config key may not be used with `rules`: only"},
      {"rules: []\n  except: [a]", "jobs:job config key may not be used with `rules`: except"},
      {"artifacts: build/", "jobs:job:artifacts config should be a hash"},
      {"artifacts: {paths: build/}", "jobs:job:artifacts paths should be an array of strings"},
      {"artifacts: {when: sometimes}",
       "jobs:job:artifacts when should be one of: on_success, on_failure, always"},
      {"artifacts: {untracked: 1}", "jobs:job:artifacts untracked should be a boolean value"},
      {"artifacts: {reports: {junitt: a}}",
       "jobs:job:artifacts:reports config contains unknown keys: junitt"},
      {"artifacts: {reports: {coverage_report: {path: a}}}",
       "jobs:job:artifacts:reports:coverage_report coverage format can't be blank"},
      {"cache: {key: [a]}", "jobs:job:cache:key should be a hash, a string or a symbol"},
      {"cache: {key: {prefix: a}}", "jobs:job:cache:key config missing required keys: files"},
      {"cache: {paths: a}", "jobs:job:cache:paths config should be an array of strings"},
      {"cache: {policy: both}",
       "jobs:job:cache policy should be a variable or one of: pull-push, push, pull"},
      {"environment: {url: a}", "jobs:job:environment name can't be blank"},
      {"environment: {name: a, action: begin}",
       "jobs:job:environment action should be start, stop, prepare, verify, or access"},
      {"inherit: all", "jobs:job:inherit config should be a hash"},
      {"inherit: {default: some}", "jobs:job:inherit:default should be a bool or array of strings"},
      {"secrets: {A: b}", "jobs:job:secrets:A config should be a hash"},
      {"release: {tag_name: a}", "jobs:job:release description can't be blank"},
  }));
  CAPTURE(row.keywords);
  CHECK(only_message(std::string{"job:\n  script: x\n  "} + row.keywords + "\n") == row.message);
}

TEST_CASE("wrong files as a whole are told in GitLab's words", "[keywords]") {
  struct Row {
    const char* text;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"", "Please provide content of ci.yml"},
      {"- a\n", "Invalid configuration format"},
      {"text\n", "Invalid configuration format"},
      {".hidden: {script: x}\n", "jobs config should contain at least one visible job"},
      {"a: text\n", "jobs a config should implement the script:, run:, or trigger: keyword"},
      {"a: {image: b}\n", "jobs a config should implement the script:, run:, or trigger: keyword"},
      {"10: {script: x}\n", "jobs:10 name should be a symbol"},
      {"'': {script: x}\n", "jobs:job name can't be blank"},
      {"a: {script: []}\n", "jobs:a script can't be blank"},
      {"stages: build\na: {script: x}\n",
       "stages config should be an array of strings or a nested array of strings up to 10 levels "
       "deep"},
      {"stages: [build]\na: {script: x}\n",
       "a job: chosen stage test does not exist; available stages are .pre, build, .post"},
      {"workflow: [a]\na: {script: x}\n", "workflow config should be a hash"},
      {"workflow: {variables: {}}\na: {script: x}\n",
       "workflow config contains unknown keys: variables"},
      {"workflow: {rules: [{when: manual}]}\na: {script: x}\n",
       "workflow:rules:rule when unknown value: manual"},
      {"default: [a]\na: {script: x}\n", "default config should be a hash"},
      {"default: {stage: a}\na: {script: x}\n", "default config contains unknown keys: stage"},
      {"default: {image: a}\nimage: b\na: {script: x}\n",
       "default image is defined in top-level and `default:` entry"},
      {"default: {retry: 9}\na: {script: x}\nb: {script: x}\n",
       "default:retry config must be less than or equal to 2"},
      {"variables: {A: {value: b, options: [c]}}\na: {script: x}\n",
       "variables:A config value must be present in options"},
      {"variables: {A-B: c}\na: {script: x}\n",
       "variables should be a hash of key value pairs: 'A-B' is no name of a variable"},
      {"a: {script: x, needs: [b]}\n", "a job: undefined need: b"},
      {"a: {script: x, dependencies: [b]}\n", "a job: undefined dependency: b"},
      {"a: {script: x, needs: [b]}\nb: {script: x, stage: deploy}\n",
       "a job: need b is not defined in current or prior stages"},
      {"a: {script: x, dependencies: [b]}\nb: {script: x, stage: deploy}\n",
       "a job: dependency b is not defined in current or prior stages"},
      {"a: {script: x, needs: [b, b]}\nb: {script: x}\n",
       "a has the following needs duplicated: b."},
      {"a: {script: x, needs: [b], dependencies: [c]}\nb: {script: x}\nc: {script: x}\n",
       "jobs:a dependencies the c should be part of needs"},
      {"a: {script: x, needs: [a]}\n",
       "The pipeline has circular dependencies: self-dependency: a"},
      {"a: {script: x, needs: [b]}\nb: {script: x, needs: [c]}\nc: {script: x, needs: [a]}\n",
       "The pipeline has circular dependencies: topological sort failed: [\"a\", \"b\", \"c\"]"},
  }));
  CAPTURE(row.text);
  CHECK(only_message(row.text) == row.message);
}

TEST_CASE("a job may need fifty others and not one more", "[keywords]") {
  const auto file = [](int count) {
    std::string text = "a: {script: x, parallel: " + std::to_string(count) + "}\n";
    return text + "b: {script: x, needs: [a]}\n";
  };
  CHECK(job_of(configuration_of(file(50)), "b").needs->size() == 50);
  CHECK(only_message(file(51)).find("b: one job can only need 50 others, but you have listed 51") ==
        0);
}

TEST_CASE("a file may make ten thousand jobs and not one more", "[keywords]") {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "j" + std::to_string(i) + ": {script: x, parallel: 200}\n";
  CHECK(configuration_of(text).jobs.size() == 10'000);
  CHECK(only_message(text + "more: {script: x}\n") ==
        "jobs config has 10001 jobs (maximum is 10000)");
}

TEST_CASE("of very many findings the first hundred errors are shown", "[keywords]") {
  std::string text = "a: {script: x}\na: {script: x}\n";
  for (int i = 0; i < 150; ++i) text += "b" + std::to_string(i) + ": 1\n";
  const auto outcome = outcome_of(text);
  REQUIRE(outcome.findings.size() == 101);
  CHECK(outcome.findings.front().span.line == 3);
  CHECK(outcome.findings.back().message == "50 more problems like these are not shown");
  CHECK(outcome.findings.back().severity == Severity::Error);
}

TEST_CASE("names of needed jobs end at 128 characters, those of others at 255", "[keywords]") {
  const auto needing = [](std::size_t length) {
    const std::string name(length, 'n');
    return name + ": {script: x}\njob: {script: x, needs: [" + name + "]}\n";
  };
  CHECK(configuration_of(needing(128)).jobs.size() == 2);
  CHECK(only_message(needing(129)).find("name is too long (maximum is 128 characters)") !=
        std::string::npos);
  CHECK(configuration_of("? " + std::string(255, 'n') + "\n: {script: x}\n").jobs.size() == 1);
  CHECK(only_message("? " + std::string(256, 'n') + "\n: {script: x}\n")
            .find("name is too long (maximum is 255 characters)") != std::string::npos);
}

TEST_CASE("the nearest word is offered, however it was missed", "[keywords]") {
  struct Row {
    const char* text;
    const char* hint;
  };
  const auto row = GENERATE(values<Row>({
      {"a: {script: x, artifact: {}}\n", "did you mean 'artifacts'?"},
      {"a: {script: x, before_scirpt: y}\n", "did you mean 'before_script'?"},
      {"a: {script: x, tag: [y]}\n", "did you mean 'tags'?"},
      {"a: {scripts: x}\n", "did you mean 'script' instead of 'scripts'?"},
      {"variable: {A: b}\na: {script: x}\n", "did you mean the keyword 'variables'?"},
      {"a: {script: x, when: alway}\n", "did you mean 'always'?"},
      {"a: {script: x, stage: biuld}\n", "did you mean 'build'?"},
      {"a: {script: x, needs: [biuld]}\nbuild: {script: x}\n", "did you mean 'build'?"},
      {"a: {script: x, xyzzy: 1}\n", ""},
  }));
  CAPTURE(row.text);
  const auto outcome = outcome_of(row.text);
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].hint == row.hint);
}

TEST_CASE("a finding is shown with its line, a caret and a hint", "[keywords]") {
  CHECK(findings_of("test:\n"
                    "  script: make\n"
                    "  tagz: [linux]\n"
                    "\twhen: x\n") ==
        "ci.yml:4:1: error: (<unknown>): found character that cannot start any token while "
        "scanning for the next token at line 4 column 1\n"
        "    4 |  when: x\n"
        "      | ^\n"
        "hint: indent with spaces, not tabs; quote a value that begins with @, ` or %\n");
  CHECK(findings_of("test:\n  script: make\n  tagz: [linux]\n  when: manuel\n") ==
        "ci.yml:3:3: error: jobs:test config contains unknown keys: tagz\n"
        "    3 |   tagz: [linux]\n"
        "      |   ^\n"
        "hint: did you mean 'tags'?\n"
        "ci.yml:4:9: error: jobs:test when should be one of: on_success, on_failure, always, "
        "manual, delayed\n"
        "    4 |   when: manuel\n"
        "      |         ^\n"
        "hint: did you mean 'manual'?\n");
}

TEST_CASE("the findings are in the order of the file", "[keywords]") {
  const auto outcome = outcome_of(
      "a: {script: x, stage: nowhere}\n"
      "b: {script: x, retry: 3}\n"
      "c: {script: x, needs: [d]}\n"
      "variables: [x]\n");
  REQUIRE(outcome.findings.size() == 4);
  for (int i = 0; i < 4; ++i)
    CHECK(outcome.findings[static_cast<std::size_t>(i)].span.line == i + 1);
}

TEST_CASE("a line of a script that YAML reads as a mapping gets the quotes as a hint",
          "[keywords]") {
  const auto outcome = outcome_of("a:\n  script:\n    - ok\n    - echo \"done: yes\"\n");
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].span == slipway::SourceSpan{"ci.yml", 4, 7});
  CHECK(outcome.findings[0].hint ==
        "YAML reads a ': ' as a mapping; put the whole line in quotes: 'echo \"done: yes\"'");
}

TEST_CASE("defaults go to jobs that lack the keyword, whole or not at all", "[keywords]") {
  const Configuration configuration = configuration_of(
      "default:\n"
      "  image: alpine\n"
      "  before_script: [prepare]\n"
      "  tags: [docker]\n"
      "  retry: 1\n"
      "plain: {script: x}\n"
      "own: {script: x, image: busybox, before_script: [], tags: [own]}\n"
      "unset: {script: x, image: null}\n"
      "none: {script: x, inherit: {default: false}}\n"
      "some: {script: x, inherit: {default: [image, retry]}}\n");
  const Job& plain = job_of(configuration, "plain");
  CHECK(plain.image->name == "alpine");
  CHECK(plain.script == Lines{"prepare", "x"});
  CHECK(plain.retry.max == 1);
  const Job& own = job_of(configuration, "own");
  CHECK(own.image->name == "busybox");
  CHECK(own.script == Lines{"x"});
  CHECK(own.tags == Lines{"own"});
  CHECK(job_of(configuration, "unset").image->name == "alpine");
  const Job& none = job_of(configuration, "none");
  CHECK_FALSE(none.image);
  CHECK(none.script == Lines{"x"});
  const Job& some = job_of(configuration, "some");
  CHECK(some.image->name == "alpine");
  CHECK(some.retry.max == 1);
  CHECK(some.tags.empty());
}

TEST_CASE("jobs inherit global variables, all, some or none", "[keywords]") {
  const Configuration configuration = configuration_of(
      "variables: {A: a, B: b}\n"
      "all: {script: x, variables: {B: own}}\n"
      "some: {script: x, inherit: {variables: [A]}}\n"
      "none: {script: x, inherit: {variables: false}}\n");
  const Plan plan = make_plan(configuration, push_to("main"));
  CHECK(planned(plan, "all").variables == Variables{{"A", "a"}, {"B", "own"}});
  CHECK(planned(plan, "some").variables == Variables{{"A", "a"}});
  CHECK(planned(plan, "none").variables.empty());
}

TEST_CASE("stages have their edges, and repeated ones are one", "[keywords]") {
  CHECK(configuration_of("a: {script: x}\n").stages ==
        Lines{".pre", "build", "test", "deploy", ".post"});
  CHECK(configuration_of("stages: [.post, one, [two, one], .pre]\na: {script: x, stage: one}\n")
            .stages == Lines{".pre", "one", "two", ".post"});
}

TEST_CASE("parallel jobs are numbered or named by their values", "[keywords]") {
  CHECK(names(configuration_of("a: {script: x, parallel: 3}\n")) ==
        Lines{"a 1/3", "a 2/3", "a 3/3"});
  CHECK(names(configuration_of("a: {script: x, parallel: 1}\n")) == Lines{"a 1/1"});
  CHECK(names(configuration_of("a:\n  script: x\n  parallel:\n    matrix:\n"
                               "      - {A: [1, 2], B: [x, y]}\n"
                               "      - {A: 3}\n")) ==
        Lines{"a: [1, x]", "a: [1, y]", "a: [2, x]", "a: [2, y]", "a: [3]"});
}

TEST_CASE("an instance has its place, its values and the name as written", "[keywords]") {
  const Configuration configuration = configuration_of(
      "a: {script: x, variables: {A: zero, C: c}, parallel: {matrix: [{A: [one, two]}]}}\n");
  const Job& second = configuration.jobs.at(1);
  CHECK(second.base_name == "a");
  CHECK(second.node_index == 2);
  CHECK(second.node_total == 2);
  CHECK(value(second.variables, "A") == "two");
  CHECK(value(second.variables, "C") == "c");
}

TEST_CASE("combinations of the same values are one job, from the later", "[keywords]") {
  const Configuration configuration =
      configuration_of("a: {script: x, parallel: {matrix: [{A: [one, one]}, {B: one}]}}\n");
  REQUIRE(names(configuration) == Lines{"a: [one]"});
  CHECK(value(configuration.jobs[0].variables, "B") == "one");
}

TEST_CASE("a matrix of 200 is allowed and of 201 is not", "[keywords]") {
  const auto matrix = [](int count) {
    std::string text = "a: {script: x, parallel: {matrix: [{A: [";
    for (int i = 0; i < count; ++i) text += std::to_string(i) + ", ";
    return text + "]}]}}\n";
  };
  CHECK(configuration_of(matrix(200)).jobs.size() == 200);
  CHECK(only_message(matrix(201)) ==
        "jobs:a:parallel:matrix config generates too many jobs (maximum is 200)");
}

TEST_CASE("a need of a parallel job means all its instances, or the one it names", "[keywords]") {
  const Configuration configuration = configuration_of(
      "a: {script: x, parallel: 2}\n"
      "all: {script: x, needs: [a]}\n"
      "one: {script: x, needs: ['a 2/2']}\n"
      "from: {script: x, dependencies: [a]}\n");
  const auto needs = [&](const char* name) {
    Lines jobs;
    for (const Need& need : *job_of(configuration, name).needs) jobs.push_back(need.job);
    return jobs;
  };
  CHECK(needs("all") == Lines{"a 1/2", "a 2/2"});
  CHECK(needs("one") == Lines{"a 2/2"});
  CHECK(*job_of(configuration, "from").dependencies == Lines{"a 1/2", "a 2/2"});
}

TEST_CASE("scripts are texts, lists, and lists in lists", "[keywords]") {
  CHECK(job_with("before_script: a").script == Lines{"a", "x"});
  CHECK(job_with("before_script: ''").script == Lines{"x"});
  CHECK(job_with("before_script: [a, [b, [c]], '5', 'true']").script ==
        Lines{"a", "b", "c", "5", "true", "x"});
  CHECK(job_with("after_script: |\n    one\n    two").after_script == Lines{"one\ntwo\n"});
}

TEST_CASE("images, services, caches, artifacts and retries keep what they say", "[keywords]") {
  const Job job = job_with(
      "image: {name: a, entrypoint: [''], pull_policy: never, docker: {user: dave}}\n"
      "  services:\n"
      "    - postgres\n"
      "    - {name: redis, alias: cache, command: [redis, --quiet], variables: {A: b}}\n"
      "  cache:\n"
      "    - {key: k, paths: [p], policy: pull, when: always}\n"
      "    - {key: {files: [lock], prefix: pre}, untracked: true, fallback_keys: [f]}\n"
      "  artifacts: {name: n, paths: [p], exclude: [e], when: on_failure, expire_in: 1 week,\n"
      "    reports: {junit: r.xml, dotenv: [d], coverage_report: {coverage_format: cobertura, "
      "path: c.xml}}}\n"
      "  retry: {max: 1, when: [script_failure], exit_codes: 3}\n"
      "  allow_failure: {exit_codes: [1, 2]}\n"
      "  timeout: 1h 30m\n"
      "  resource_group: g");
  CHECK(job.image->entrypoint == Lines{""});
  CHECK(job.image->has_entrypoint);
  CHECK(job.image->pull_policy == Lines{"never"});
  CHECK(job.image->docker_user == "dave");
  REQUIRE(job.services.size() == 2);
  CHECK(job.services[0].image.name == "postgres");
  CHECK(job.services[1].alias == "cache");
  CHECK(job.services[1].command == Lines{"redis", "--quiet"});
  CHECK(job.services[1].variables == Variables{{"A", "b"}});
  REQUIRE(job.caches.size() == 2);
  CHECK(job.caches[0].policy == "pull");
  CHECK(job.caches[0].when == UploadWhen::Always);
  CHECK(job.caches[1].key_files == Lines{"lock"});
  CHECK(job.caches[1].key_prefix == "pre");
  CHECK(job.caches[1].fallback_keys == Lines{"f"});
  CHECK(job.artifacts->when == UploadWhen::OnFailure);
  CHECK(job.artifacts->expire_in == "1 week");
  REQUIRE(job.artifacts->reports.size() == 3);
  CHECK(job.artifacts->reports[2].type == "cobertura");
  CHECK(job.retry.max == 1);
  CHECK(job.retry.when == Lines{"script_failure"});
  CHECK(job.retry.exit_codes == std::vector<int>{3});
  CHECK(job.allow_failure->exit_codes == std::vector<int>{1, 2});
  CHECK(job.timeout == std::chrono::minutes{90});
  CHECK(job.resource_group == "g");
}

TEST_CASE("durations are read in every form that GitLab reads", "[keywords]") {
  struct Row {
    const char* text;
    long seconds;
  };
  const auto row = GENERATE(values<Row>({
      {"42", 42},
      {"42 seconds", 42},
      {"3 mins 4 sec", 184},
      {"2 hrs 20 min", 8400},
      {"2h20min", 8400},
      {"6 mos 1 day", 15638400},
      {"3 weeks and 2 days", 1987200},
      {"one hour", 3600},
      {"3h 30m", 12600},
      {"1 week", 604800},
      {"1:30", 90},
      {"1.5 hours", 5400},
      {"1 hour, 5 minutes", 3900},
  }));
  CAPTURE(row.text);
  const auto duration = keywords::parse_duration(row.text);
  REQUIRE(duration);
  CHECK(duration->count() == row.seconds);
}

TEST_CASE("what is no duration is refused", "[keywords]") {
  const auto* text = GENERATE("", "soon", "3 parsecs", "hours", "-5", "1::2", "a:b", "1e9 years",
                              "99999999999 years", "5 minutes!", "...", "1:2:3:4:5");
  CAPTURE(text);
  CHECK_FALSE(keywords::parse_duration(text));
}
