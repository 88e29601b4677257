#include "pipeline/configuration.h"

#include <cstdlib>
#include <map>

#include "base/files.h"
#include "pipeline/plan.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;

namespace {

class Files : public IncludeSource {
 public:
  std::map<std::string, std::string> files;

  Result<std::string> local_file(const std::string& path) override {
    const auto at = files.find(path);
    if (at == files.end()) return fail(ErrorKind::NotFound, "no such file");
    return at->second;
  }
  Result<std::vector<std::string>> local_paths() override {
    std::vector<std::string> paths;
    for (const auto& [path, text] : files) paths.push_back(path);
    return paths;
  }
};

ReadOutcome read_text(std::string_view text, Files files = {}) {
  return read_configuration(text, "ci.yml", files);
}

Configuration valid(std::string_view text, Files files = {}) {
  ReadOutcome outcome = read_text(text, std::move(files));
  for (const Diagnostic& finding : outcome.findings) UNSCOPED_INFO(finding.message);
  REQUIRE(outcome.configuration);
  return std::move(*outcome.configuration);
}

std::string seed() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  const std::string root = source == nullptr ? "." : source;
  const auto text = read_file(root + "/tests/pipeline/corpus/seed.yml");
  REQUIRE(text);
  return *text;
}

Trigger push_to(const std::string& branch) {
  Trigger trigger;
  trigger.branch = branch;
  return trigger;
}

}  // namespace

TEST_CASE("the sample pipeline reads word for word, with one warning", "[configuration]") {
  const std::string text = seed();
  const ReadOutcome outcome = read_text(text);
  REQUIRE(outcome.configuration);
  CHECK(outcome.configuration->jobs.size() == 4);
  CHECK(outcome.configuration->jobs[1].coverage == R"(Coverage: \d+\.\d+)");
  REQUIRE(outcome.findings.size() == 1);
  CHECK(render(outcome.findings[0], text) ==
        "ci.yml:21:13: warning: a plain value with ': ' in it is not valid YAML and GitLab refuses "
        "it\n"
        "   21 |   coverage: /Coverage: \\d+\\.\\d+/\n"
        "      |             ^\n"
        "hint: write it as coverage: '/Coverage: \\d+\\.\\d+/'\n");
}

TEST_CASE("the sample deploys from main alone, and says why not elsewhere", "[plan]") {
  const Configuration configuration = valid(seed());
  CHECK(make_plan(configuration, push_to("main")).jobs.size() == 4);

  const Plan plan = make_plan(configuration, push_to("feature"));
  CHECK(plan.jobs.size() == 3);
  REQUIRE(plan.left_out.size() == 1);
  CHECK(plan.left_out[0].name == "deploy");
  CHECK(plan.left_out[0].rule.line == 34);
  CHECK(plan.left_out[0].reason.text ==
        "Its `only` does not hold: only: [main] does not include branch 'feature'.");
}

TEST_CASE("all findings come at once, each with its place and a hint", "[configuration]") {
  const ReadOutcome outcome =
      read_text("a:\n  scirpt: [make]\nb:\n  script:\n    - echo \"a: b\"\n");
  CHECK_FALSE(outcome.configuration);
  REQUIRE(outcome.findings.size() == 2);
  CHECK(outcome.findings[0].span == SourceSpan{"ci.yml", 2, 3});
  CHECK(outcome.findings[0].hint == "did you mean 'script' instead of 'scirpt'?");
  CHECK(
      outcome.findings[1].message ==
      "jobs:b:script config should be a string or a nested array of strings up to 10 levels deep");
  CHECK(outcome.findings[1].hint.find("quotes") != std::string::npos);
}

TEST_CASE("what is not a valid pipeline gives an error with a line", "[configuration]") {
  const auto* text = GENERATE(
      "", "[]", "a: {script: x, stage: nowhere}", "a: {script: x, needs: [b]}",
      "a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}", "a: {script: x, extends: .b}",
      "a: {script: x, when: sometimes}", "a: {script: x, retry: 9}", "a: {script: x, only: main}",
      "a: {script: !reference [.b, script]}", "include: missing.yml\na: {script: x}",
      "include: {remote: 'https://example.com/a.yml'}\na: {script: x}", ".hidden: {script: x}",
      "a: {script: x, rules: [{if: '$A =='}]}", "a:\n\tscript: x\n", "a: b: c\n");
  CAPTURE(text);
  const ReadOutcome outcome = read_text(text);
  CHECK_FALSE(outcome.configuration);
  CHECK(has_errors(outcome.findings));
}

TEST_CASE("bases, references and includes are merged in", "[configuration]") {
  Files files;
  files.files["ci/base.yml"] = ".base:\n  image: alpine\n  before_script: [prepare]\n";
  const Configuration configuration = valid(
      "include: /ci/base.yml\n"
      ".steps: {script: [one, two]}\n"
      "job:\n  extends: .base\n  script:\n    - !reference [.steps, script]\n    - three\n",
      files);
  REQUIRE(configuration.jobs.size() == 1);
  const Job& job = configuration.jobs[0];
  REQUIRE(job.image);
  CHECK(job.image->name == "alpine");
  CHECK(job.script == std::vector<std::string>{"prepare", "one", "two", "three"});
}

TEST_CASE("files that include each other end in an error", "[configuration]") {
  Files files;
  files.files["a.yml"] = "include: b.yml\n";
  files.files["b.yml"] = "include: a.yml\n";
  CHECK_FALSE(read_text("include: a.yml\njob: {script: x}\n", files).configuration);
}

TEST_CASE("parallel jobs get their names", "[configuration]") {
  const Configuration configuration = valid(
      "a: {script: x, parallel: 2}\n"
      "b:\n  script: x\n  parallel:\n    matrix:\n      - {OS: [linux, mac]}\n");
  std::vector<std::string> names;
  for (const Job& job : configuration.jobs) names.push_back(job.name);
  CHECK(names == std::vector<std::string>{"a 1/2", "a 2/2", "b: [linux]", "b: [mac]"});
}

TEST_CASE("the first rule that matches decides", "[plan]") {
  const Configuration configuration = valid(
      "job:\n  script: x\n  rules:\n"
      "    - if: $CI_COMMIT_BRANCH == 'skip'\n      when: never\n"
      "    - if: $CI_COMMIT_BRANCH == 'main'\n      when: manual\n"
      "other: {script: x}\n");
  const Plan on_main = make_plan(configuration, push_to("main"));
  REQUIRE(on_main.jobs.size() == 2);
  CHECK(on_main.jobs[0].when == When::Manual);
  REQUIRE(on_main.jobs[0].rule);
  CHECK(on_main.jobs[0].rule->line == 6);

  const Plan on_skip = make_plan(configuration, push_to("skip"));
  REQUIRE(on_skip.left_out.size() == 1);
  CHECK(on_skip.left_out[0].reason.code == ReasonCode::RuleNever);
  CHECK(on_skip.left_out[0].rule.line == 4);

  const Plan elsewhere = make_plan(configuration, push_to("x"));
  REQUIRE(elsewhere.left_out.size() == 1);
  CHECK(elsewhere.left_out[0].reason.code == ReasonCode::NoRuleMatched);
}

TEST_CASE("workflow rules can refuse the whole pipeline", "[plan]") {
  const Configuration configuration =
      valid("workflow:\n  rules:\n    - if: $CI_COMMIT_TAG\njob: {script: x}\n");
  const Plan plan = make_plan(configuration, push_to("main"));
  REQUIRE(plan.no_pipeline);
  CHECK(plan.no_pipeline->code == ReasonCode::WorkflowFiltered);
  CHECK(plan.jobs.empty());
}

TEST_CASE("a need of a job that the plan leaves out is an error unless optional", "[plan]") {
  const std::string base = "a: {script: x, only: [tags]}\nb: {script: x, needs: [";
  const Plan strict = make_plan(valid(base + "a]}\n"), push_to("main"));
  REQUIRE(strict.findings.size() == 1);
  CHECK(strict.findings[0].code == "missing_need");
  const Plan lenient = make_plan(valid(base + "{job: a, optional: true}]}\n"), push_to("main"));
  CHECK(lenient.findings.empty());
  REQUIRE(lenient.jobs.size() == 1);
  CHECK(lenient.jobs[0].dag);
}

TEST_CASE("a missing include hides nothing that is wrong in the file itself", "[configuration]") {
  const ReadOutcome outcome = read_text(
      "include: /missing.yml\n"
      "build:\n"
      "  extends: .base\n"
      "  script: make\n"
      "test:\n"
      "  stage: from-elsewhere\n"
      "  script: make\n"
      "  needs: [from-elsewhere]\n"
      "  timeoout: 1h\n");
  const auto messages = [&] {
    std::vector<std::string> found;
    for (const Diagnostic& finding : outcome.findings) found.push_back(finding.message);
    return found;
  };
  // The base may stand in what is missing, so what is built on it is not looked into.
  CHECK(messages() == std::vector<std::string>{"Local file `missing.yml` does not exist!"});

  const ReadOutcome without_base = read_text(
      "include: /missing.yml\n"
      "test:\n"
      "  stage: from-elsewhere\n"
      "  script: make\n"
      "  needs: [from-elsewhere]\n"
      "  timeoout: 1h\n");
  REQUIRE(without_base.findings.size() == 2);
  CHECK(without_base.findings[1].message == "jobs:test config contains unknown keys: timeoout");
  CHECK_FALSE(without_base.configuration);
}
