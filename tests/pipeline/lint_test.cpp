// The warnings of `slipway lint --strict`, and the expanded YAML of `slipway plan --merged`.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "pipeline/lint/warnings.h"
#include "pipeline/lint/yaml_text.h"
#include "tests/pipeline/support.h"

using namespace slipway;
using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

namespace fs = std::filesystem;

Diagnostics warnings_of(std::string_view text) {
  const ReadOutcome outcome = outcome_of(text);
  return lint::warnings(outcome, [&](const std::string&) { return text; });
}

// "3:5 code: message" a line.
std::string shown(const Diagnostics& findings) {
  std::string text;
  for (const Diagnostic& finding : findings) {
    CHECK(finding.severity == Severity::Warning);
    CHECK_FALSE(finding.hint.empty());
    text += std::to_string(finding.span.line) + ":" + std::to_string(finding.span.column) + " " +
            finding.code + ": " + finding.message + "\n";
  }
  return text;
}

std::string strict(std::string_view text) {
  return shown(warnings_of(text));
}

std::string rules_of(const std::string& rules) {
  return strict("j:\n  script: make\n  rules:\n" + rules);
}

std::string repeated(char c, int count) {
  return std::string(static_cast<std::size_t>(count), c);
}

fs::path source() {
  const char* directory = std::getenv("SLIPWAY_SOURCE");
  return directory == nullptr ? "." : directory;
}

// The sources of the corpus and of the golden cases that stand alone.
std::vector<std::string> sample_files() {
  std::vector<std::string> texts;
  for (const auto& entry : fs::recursive_directory_iterator{source() / "tests/pipeline"}) {
    const auto extension = entry.path().extension();
    if (extension != ".yml" && extension != ".case") continue;
    const auto text = read_file(entry.path());
    REQUIRE(text);
    if (text->find("\n--- file:") != std::string::npos) continue;
    texts.push_back(extension == ".yml" ? *text : text->substr(0, text->find("\n== ") + 1));
  }
  return texts;
}

// Two trees as values: kinds and texts, whatever their places.
bool same(const read::Node& a, const read::Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size())
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(*a.items[i], *b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || a.entries[i].key_kind != b.entries[i].key_kind ||
        !same(*a.entries[i].value, *b.entries[i].value))
      return false;
  return true;
}

std::string without_places(nlohmann::json job) {
  job["job"].erase("at");
  job.erase("rule");
  return job.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string plan_text(const Configuration& configuration, const Trigger& trigger) {
  const Plan plan = make_plan(configuration, trigger);
  std::string text = plan.name + "\n";
  for (const std::string& stage : plan.stages) text += stage + "\n";
  for (const PlannedJob& job : plan.jobs) text += without_places(to_json(job)) + "\n";
  for (const LeftOutJob& job : plan.left_out) text += job.name + " " + job.reason.text + "\n";
  for (const Diagnostic& finding : plan.findings) text += finding.message + "\n";
  if (plan.no_pipeline) text += plan.no_pipeline->text;
  return text;
}

}  // namespace

TEST_CASE("a file without doubtful places has no warnings", "[lint]") {
  CHECK(strict("image: alpine:3.19\n"
               "variables: {VERSION: \"3.10\", COUNT: 3, PASSWORD: $FROM_SETTINGS}\n"
               "test:\n  script: make\n"
               "  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n"
               "    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n"
               "      changes: ['docs/**/*', '*.md', src/*]\n") == "");
}

TEST_CASE("a glob of `changes` that matches less than it seems to is warned of", "[lint]") {
  CHECK(rules_of("    - changes: ['docs/**']\n") ==
        "4:17 shallow_glob: 'docs/**' matches only files directly in 'docs', not those in "
        "directories below it\n");
  CHECK(rules_of("    - changes: {paths: [src/]}\n") ==
        "4:25 glob_never_matches: 'src/' matches nothing: changed paths are files, never "
        "directories\n");
  CHECK(rules_of("    - changes: [./src/*, /a]\n") ==
        "4:17 glob_never_matches: './src/*' matches nothing: changed paths begin at the top of the "
        "repository, without '/' or './'\n"
        "4:26 glob_never_matches: '/a' matches nothing: changed paths begin at the top of the "
        "repository, without '/' or './'\n");
  CHECK(strict("j:\n  script: make\n  only:\n    changes: ['a/**']\n").find("shallow_glob") !=
        std::string::npos);
}

TEST_CASE("an image that changes without notice is warned of once, where it is written", "[lint]") {
  CHECK(strict("image: node\n"
               ".base: {image: 'alpine:latest'}\n"
               "a: {extends: .base, script: x}\nb: {extends: .base, script: x}\n"
               "c: {script: x, image: {name: localhost:5000/tool}, services: [postgres]}\n") ==
        "1:8 mutable_image: the image 'node' has no tag, which means 'latest': it changes without "
        "notice\n"
        "2:16 mutable_image: the image 'alpine:latest' is another one after each release: it "
        "changes without notice\n"
        "5:30 mutable_image: the image 'localhost:5000/tool' has no tag, which means 'latest': it "
        "changes without notice\n"
        "5:63 mutable_image: the image 'postgres' has no tag, which means 'latest': it changes "
        "without notice\n");
  CHECK(strict("image: $IMAGE\na: {script: x, image: 'x/$NAME'}\n"
               "b: {script: x, image: 'a@sha256:0'}\nc: {script: x, image: 'a:$TAG'}\n") == "");
}

TEST_CASE("an include in an included file is warned of where it stands", "[lint]") {
  struct WithWeb : Repository {
    using Repository::Repository;
    Result<std::string> remote_file(const std::string&) override {
      return std::string{"c: {script: x, image: 'a:1'}\n"};
    }
  };
  WithWeb files{
      {{"a.yml", "include:\n  - {local: b.yml}\n  - {remote: 'https://x.example/c.yml'}\n"},
       {"b.yml", "b: {script: x, image: 'a:1'}\n"}}};
  const ReadOutcome outcome = read_configuration(
      "include: {local: a.yml}\nown: {script: x, image: 'a:1'}\n", "ci.yml", files);
  REQUIRE(outcome.configuration);
  const auto findings = lint::warnings(outcome, [](const std::string&) { return ""; });
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "mutable_include");
  CHECK(findings[0].span.file == "a.yml");
  CHECK(findings[0].span.line == 3);
}

TEST_CASE("an include that changes without notice is warned of", "[lint]") {
  const auto include = [](const std::string& item) {
    const auto tree = [&] {
      Diagnostics none;
      return read::parse("include: " + item + "\n", "ci.yml", none);
    }();
    Diagnostics findings;
    lint::warn_of_includes(**tree->find("include"), findings);
    return shown(findings);
  };
  CHECK(include("[{project: a/b, file: x.yml}]") ==
        "1:21 mutable_include: the project's file is included without `ref`, from its default "
        "branch: its jobs change without notice\n");
  CHECK(include("{project: a/b, ref: main, file: x.yml}") ==
        "1:30 mutable_include: the project's file is included from the branch 'main': its jobs "
        "change without notice\n");
  CHECK(include("{component: h/a/b@~latest}") ==
        "1:22 mutable_include: the component is included at '~latest': its jobs change without "
        "notice\n");
  CHECK(include("https://x/y.yml") ==
        "1:10 mutable_include: the remote file is included without `integrity`: its jobs change "
        "without notice\n");
  CHECK(include("{remote: 'https://x/y.yml', integrity: sha256-x}") == "");
  CHECK(include("{project: a/b, ref: v1.2, file: x.yml}") == "");
  CHECK(include("[x.yml, {component: h/a/b@1.2}, {template: X.yml}]") == "");
}

TEST_CASE("a secret is warned of and never repeated", "[lint]") {
  const std::string token = "ghp_" + repeated('a', 36);
  const std::string found = strict("j:\n  script:\n    - curl -H " + token + " x\n");
  CHECK(found == "3:7 secret: this looks like a GitHub token\n");

  const auto variable = [](const std::string& name, const std::string& value) {
    return strict("variables:\n  " + name + ": \"" + value + "\"\nj: {script: x}\n");
  };
  CHECK(variable("X", "AKIA" + repeated('B', 16)) ==
        "2:6 secret: this looks like an AWS access key\n");
  CHECK(variable("X", "glpat-" + repeated('x', 20)) ==
        "2:6 secret: this looks like a GitLab token\n");
  CHECK(variable("X", "-----BEGIN RSA PRIVATE KEY-----") ==
        "2:6 secret: this looks like a private key\n");
  CHECK(variable("DB_PASSWORD", "x8Kq2LmP9vRt4WzY") ==
        "2:16 secret: the value of 'DB_PASSWORD' looks like a real secret\n");

  CHECK(variable("X", "AKIAIOSFODNN7EXAMPLE") == "");
  CHECK(variable("POSTGRES_PASSWORD", "postgres") == "");
  CHECK(variable("DEPLOY_TOKEN", "$CI_JOB_TOKEN") == "");
  CHECK(variable("IMAGE_TAG", "x8Kq2LmP9vRt4WzY") == "");
  CHECK(variable("TOKEN", "registry.example.com/group/project-12") == "");
}

TEST_CASE("a value of a variable that YAML reads as another is warned of", "[lint]") {
  CHECK(strict("variables:\n  A: 3.10\n  B: 010\n  C: {value: yes}\n  D: 12\n  E: true\n"
               "j:\n  script: x\n  parallel:\n    matrix:\n      - PYTHON: [3.9, 3.10]\n") ==
        "2:6 yaml_value: YAML reads 3.10 as 3.1\n"
        "3:6 yaml_value: YAML reads 010 as 8\n"
        "4:14 yaml_value: YAML reads yes as true\n"
        "11:23 yaml_value: YAML reads 3.10 as 3.1\n");
}

TEST_CASE("a job that no event can start is warned of", "[lint]") {
  const std::string never =
      "4:7 job_never_starts: no event can start 'j': each of its rules says never or cannot "
      "match\n";
  CHECK(rules_of("    - when: never\n") == never);
  CHECK(rules_of("    - if: $A\n      when: never\n    - when: never\n") == never);
  // What was let past the first rule cannot match the second.
  CHECK(rules_of("    - if: $A == null\n      when: never\n    - if: '!$A && $A == null'\n") ==
        never);
  CHECK(rules_of("    - if: $CI_COMMIT_TAG && $CI_COMMIT_BRANCH\n") ==
        never +
            "4:7 rule_never_matches: this rule can never match: $CI_COMMIT_TAG && "
            "$CI_COMMIT_BRANCH\n");
  CHECK(strict("j: {script: x, rules: []}\n") ==
        "1:1 job_never_starts: no event can start 'j': it has no rules\n");
  CHECK(strict("j: {script: x, only: [tags], except: [tags, main]}\n") ==
        "1:30 job_never_starts: no event can start 'j': `except` names all that `only` names\n");
  CHECK(strict("workflow: {rules: [{when: never}]}\nj: {script: x}\n") ==
        "1:21 job_never_starts: no event can start a pipeline: each of its rules says never or "
        "cannot match\n");
}

TEST_CASE("a rule that can never match is warned of, with the source that was meant", "[lint]") {
  const auto findings = warnings_of(
      "j:\n  script: x\n  rules:\n    - if: $CI_PIPELINE_SOURCE == \"merge_request\"\n"
      "    - if: $CI_COMMIT_BRANCH\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "rule_never_matches");
  CHECK(findings[0].hint == "did you mean 'merge_request_event'?");

  for (const char* condition :
       {"$A == \"x\" && $A == \"y\"", "$A == \"x\" && $A != \"x\"", "$A && $A == null",
        "$CI_PIPELINE_SOURCE == \"merge_request_event\" && $CI_COMMIT_BRANCH == \"main\"",
        "$CI_COMMIT_TAG && $CI_PIPELINE_SOURCE == \"merge_request_event\"",
        "$CI_MERGE_REQUEST_IID && $CI_COMMIT_BRANCH =~ /^x/", "$A == \"abc\" && $A =~ /^b/", "null",
        "\"\" || false"}) {
    CAPTURE(condition);
    CHECK(rules_of("    - when: manual\n      if: '" + std::string{condition} + "'\n")
              .find("rule_never_matches") != std::string::npos);
  }
}

TEST_CASE("a rule behind one that always decides is warned of", "[lint]") {
  CHECK(rules_of("    - if: $A\n    - when: manual\n    - if: $B\n") ==
        "6:7 rule_never_reached: this rule is never reached: an earlier one always decides\n");
  CHECK(rules_of("    - if: $A\n    - if: $A == \"x\" && $B\n      when: never\n    - if: $C\n") ==
        "5:7 rule_never_reached: this rule is never reached: an earlier one always decides\n");
}

TEST_CASE("a rule that some job can use is no mistake", "[lint]") {
  CHECK(strict(".a:\n  - if: $A\n"
               "x: {script: x, rules: [{when: manual}, !reference [.a]]}\n"
               "y: {script: x, rules: [!reference [.a]]}\n") == "");
}

TEST_CASE("nothing is said of rules that depend on more than their variables", "[lint]") {
  for (const char* condition :
       {"$A == \"x\" || $A == \"y\"", "$A =~ /^a/ && $A =~ /^b/", "$A == $B && $A == \"x\"",
        "$CI_PIPELINE_SOURCE == \"push\" || $CI_COMMIT_TAG", "$A == \"\"", "$A != null && !$A",
        "$CI_MERGE_REQUEST_IID && $CI_PIPELINE_SOURCE == \"parent_pipeline\"", "!$A", "true",
        "($A && $B) == \"x\"", "$CI_COMMIT_TAG !~ /x/ && $CI_COMMIT_BRANCH"}) {
    CAPTURE(condition);
    CHECK(rules_of("    - if: '" + std::string{condition} + "'\n") == "");
  }
  CHECK(rules_of("    - changes: [a]\n      when: never\n    - if: $A\n") == "");
  CHECK(rules_of("    - exists: [a]\n    - if: $A\n") == "");
}

TEST_CASE("rules with more combinations than can be tried are left alone", "[lint]") {
  std::string condition = "$V0";
  for (int i = 1; i < 40; ++i) condition += " && $V" + std::to_string(i);
  CHECK(rules_of("    - if: " + condition + " && $V0 == null\n") == "");
}

TEST_CASE("of a file with errors the rest is still looked at", "[lint]") {
  CHECK(strict("j:\n  scirpt: x\n  image: node\n") ==
        "3:10 mutable_image: the image 'node' has no tag, which means 'latest': it changes without "
        "notice\n");
  CHECK(strict("[") == "");
}

TEST_CASE("YAML that is written reads as the same values", "[merged]") {
  std::vector<std::string> texts = sample_files();
  texts.insert(texts.end(),
               {"{}", "a", "a: ''", "\"a\\nb\": \"x\\n\"", "a: |+\n  x\n\n", "a: |\n  x\n   y \n",
                "a: \"  x\\ny\"", "a: \"\\e[1m\\u2028\\uFEFF\\u0085\\u00A0é漢\"", "1: {no: ~}",
                "a: [.inf, -.inf, .nan, 1e17, 1.0e+17, 3.10, 010, 0x1F, 1:30, yes, ~]",
                "a: ['3.10', 'yes', '~', '', 'null', '- x', 'a: b', 'a #b', '*x', '&x', '!x', "
                "'%x', '@x', '`x', '---', '...', '? x', '>', '|', ' a', 'a ', \"'\", '\"', '<<', "
                "'=', '2020-01-01', 'a:', ':a', 'a,b', '[', '{']",
                "a: [[], {}, [[1]], [{b: [c]}], {d: [e, [f]]}]",
                "\"" + repeated('k', 1100) + "\": {\"" + repeated('j', 1100) + "\": x}"});
  int read_back = 0;
  for (const std::string& text : texts) {
    Diagnostics findings;
    const read::NodePtr tree = read::parse(text, "a.yml", findings);
    if (!tree || text.find("!reference") != std::string::npos) continue;
    const std::string written = lint::yaml_text(*tree);
    INFO(text << "\n--- is written as\n" << written);
    const read::NodePtr again = read::parse(written, "b.yml", findings);
    REQUIRE(again);
    CHECK(same(*tree, *again));
    ++read_back;
  }
  CHECK(read_back > 100);
}

TEST_CASE("the merged file makes the same plan as the file itself", "[merged]") {
  int planned = 0;
  for (const std::string& text : sample_files()) {
    const ReadOutcome outcome = outcome_of(text);
    if (!outcome.configuration) continue;
    const std::string merged = lint::merged_yaml(*outcome.tree);
    INFO(text << "\n--- is merged to\n" << merged);
    const ReadOutcome again = outcome_of(merged);
    REQUIRE(again.configuration);
    Trigger merge_request = push_to("feature");
    merge_request.source = Source::MergeRequestEvent;
    for (const Trigger& trigger : {push_to("main"), push_to("feature"), tag("v1"), merge_request})
      CHECK(plan_text(*again.configuration, trigger) == plan_text(*outcome.configuration, trigger));
    CHECK(lint::merged_yaml(*again.tree) == merged);
    ++planned;
  }
  CHECK(planned > 50);
}

TEST_CASE("the merged file holds what was included, extended and referred to", "[merged]") {
  const ReadOutcome outcome =
      outcome_of("include: a.yml\ntest:\n  extends: .base\n  script: [!reference [.s, lines]]\n",
                 {{"a.yml", ".base: {image: 'a:1'}\n.s: {lines: ['echo \"a: b\"']}\n"}});
  REQUIRE(outcome.tree);
  CHECK(lint::merged_yaml(*outcome.tree) ==
        ".base:\n  image: a:1\n.s:\n  lines:\n    - \"echo \\\"a: b\\\"\"\n"
        "test:\n  image: a:1\n  script:\n    -\n      - \"echo \\\"a: b\\\"\"\n");
}
