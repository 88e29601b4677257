// Includes, extends and references: what the tree of a file becomes before its jobs are read.

#include "pipeline/read/resolve.h"

#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

std::string first_finding(std::string_view text, std::map<std::string, std::string> files = {}) {
  const auto outcome = outcome_of(text, std::move(files));
  REQUIRE_FALSE(outcome.configuration);
  REQUIRE_FALSE(outcome.findings.empty());
  return outcome.findings.front().message;
}

std::vector<std::string> script_of(std::string_view text, std::string_view job = "test",
                                   std::map<std::string, std::string> files = {}) {
  const Configuration configuration = configuration_of(text, std::move(files));
  return job_of(configuration, job).script;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an included file lies under the file that includes it", "[include]") {
  const Configuration configuration = configuration_of(
      "include: ci/base.yml\n"
      "variables: {B: main}\n"
      "test: {script: own}\n",
      {{"ci/base.yml",
        "variables: {A: base, B: base}\n"
        "test: {script: [base, base2], tags: [linux]}\n"
        "other: {script: base}\n"}});
  CHECK(job_of(configuration, "test").script == Lines{"own"});
  CHECK(job_of(configuration, "test").tags == Lines{"linux"});
  CHECK(job_of(configuration, "other").script == Lines{"base"});
  CHECK(value(configuration.variables, "A") == "base");
  CHECK(value(configuration.variables, "B") == "main");
}

TEST_CASE("of several includes the later one wins, and a nested one lies under its includer",
          "[include]") {
  const std::map<std::string, std::string> files{
      {"a.yml", "include: /deep.yml\ntest: {script: a, stage: build}\n"},
      {"b.yml", "test: {script: b}\n"},
      {"deep.yml", "test: {script: deep, stage: deploy, tags: [deep]}\n"}};
  const Configuration configuration =
      configuration_of("include: [a.yml, {local: /b.yml}]\n", files);
  const Job& test = job_of(configuration, "test");
  CHECK(test.script == Lines{"b"});
  CHECK(test.stage == "build");
  CHECK(test.tags == Lines{"deep"});
}

TEST_CASE("null in the includer removes what was included", "[include]") {
  const Configuration configuration = configuration_of(
      "include: a.yml\ntest: {tags: null}\n", {{"a.yml", "test: {script: x, tags: [y]}\n"}});
  CHECK(job_of(configuration, "test").tags.empty());
}

TEST_CASE("wildcards in includes: * stays in a directory, ** crosses them", "[include]") {
  const std::map<std::string, std::string> files{{"ci/a.yml", "a: {script: x}\n"},
                                                 {"ci/deep/b.yml", "b: {script: x}\n"},
                                                 {"ci/note.txt", "not yaml: {"}};
  CHECK(configuration_of("include: 'ci/*.yml'\n", files).jobs.size() == 1);
  CHECK(configuration_of("include: 'ci/**.yml'\n", files).jobs.size() == 2);
  CHECK(configuration_of("include: 'none/*.yml'\nx: {script: y}\n", files).jobs.size() == 1);
}

TEST_CASE("rules decide whether a file is included", "[include]") {
  const std::map<std::string, std::string> files{{"a.yml", "a: {script: x}\n"}};
  struct Row {
    const char* rules;
    bool included;
  };
  const auto row = GENERATE(values<Row>({
      {"[{if: $CI_COMMIT_BRANCH == 'main'}]", true},
      {"[{if: $CI_COMMIT_BRANCH == 'other'}]", false},
      {"[{if: $CI_COMMIT_BRANCH, when: never}, {when: always}]", false},
      {"[{exists: [a.yml]}]", true},
      {"[{exists: ['*.md']}]", false},
      {"[]", false},
  }));
  CAPTURE(row.rules);
  const Configuration configuration = configuration_of(
      std::string{"include: {local: a.yml, rules: "} + row.rules + "}\nx: {script: y}\n", files,
      {{"CI_COMMIT_BRANCH", "main"}});
  CHECK((configuration.jobs.size() == 2) == row.included);
}

TEST_CASE("what cannot be included is said at its place", "[include]") {
  struct Row {
    const char* include;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"none.yml", "Local file `none.yml` does not exist!"},
      {"empty.yml", "Local file `empty.yml` is empty!"},
      {"comment.yml", "Included file `comment.yml` does not have valid YAML syntax!"},
      {"list.yml", "`list.yml`: Invalid configuration format"},
      {"a.txt", "Included file `a.txt` does not have YAML extension!"},
      {"https://example.com/a.yml",
       "Remote file could not be fetched because URL 'https://example.com/a.yml' is blocked: "
       "remote "
       "files are not available here!"},
      {"{project: a/b, file: c.yml}",
       "Project `a/b` not found or access denied! Make sure any includes in the pipeline "
       "configuration are correctly defined."},
      {"{template: X.gitlab-ci.yml}",
       "Included file `X.gitlab-ci.yml` is empty or does not exist!"},
      {"{template: X.yml}", "Template file `X.yml` is not a valid location!"},
      {"{component: h/x/y@1.0.0}",
       "Component 'h/x/y@1.0.0' - project does not exist or you don't have sufficient permissions"},
      {"{component: x/y@1}", "Component 'x/y@1' - the component path is not supported"},
      {"{artifact: a.yml, job: b}",
       "Including configs from artifacts is only allowed when triggering child pipelines"},
      {"{yolo: a.yml}",
       "`{\"yolo\":\"a.yml\"}` does not have a valid subkey for include. Valid subkeys are: "
       "`local`, "
       "`project`, `remote`, `template`, `artifact`, `component`"},
      {"{project: a/b}",
       "`{\"project\":\"a/b\"}` does not have a valid subkey for include. Valid subkeys are: "
       "`local`, `project`, `remote`, `template`, `artifact`, `component`"},
      {"{local: a.yml, remote: 'https://x/a.yml'}",
       "Each include must use only one of: `local`, `project`, `remote`, `template`, `artifact`, "
       "`component`"},
      {"{local: a.yml, inputs: {x: 1}}",
       "`a.yml`: Given inputs not defined in the `spec` section of the included configuration "
       "file"},
      {"{local: a.yml, inputs: [x]}", "Given inputs must be a hash"},
      {"{local: [a.yml]}", "Included file `[\"a.yml\"]` needs to be a string"},
      {"{local: 10}", "Included file `10` needs to be a string"},
      {"[[a.yml]]", "include should be a string, a hash or an array of them"},
      {"{local: a.yml, rules: [{iff: x}]}", "include:rules:rule config contains unknown keys: iff"},
      {"{local: a.yml, rules: [{if: $A ==}]}", "include:rules:rule if invalid expression syntax"},
      {"{local: a.yml, rules: [{when: manual}]}", "include:rules:rule when unknown value: manual"},
      {"{local: a.yml, rules: yes}", "include:rules config should be a array"},
      {"{local: a.yml, rules: [x]}", "include:rules:rule config should be a hash"},
  }));
  CAPTURE(row.include);
  const auto outcome = outcome_of(std::string{"include: "} + row.include + "\nx: {script: y}\n",
                                  {{"a.yml", "a: {script: x}\n"},
                                   {"empty.yml", ""},
                                   {"comment.yml", "# nothing\n"},
                                   {"list.yml", "[a]"},
                                   {"a.txt", "a: {script: x}\n"}});
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].message == row.message);
  CHECK(outcome.findings[0].span.line == 1);
}

TEST_CASE("a finding inside an included file names that file", "[include]") {
  const auto outcome =
      outcome_of("include: ci/a.yml\n", {{"ci/a.yml", "test:\n  script: x\n  tagz: [y]\n"}});
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].span == slipway::SourceSpan{"ci/a.yml", 3, 3});
}

TEST_CASE("files that include each other end at the limit", "[include]") {
  const auto outcome =
      outcome_of("include: a.yml\nx: {script: y}\n",
                 {{"a.yml", "include: [b.yml, b.yml]\n"}, {"b.yml", "include: [a.yml, a.yml]\n"}});
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].message == "Maximum of 150 nested includes are allowed!");
}

TEST_CASE("150 includes are allowed and 151 are not", "[include]") {
  const auto includes = [](int count) {
    std::string text = "include: [";
    for (int i = 0; i < count; ++i) text += "a.yml, ";
    return text + "]\n";
  };
  const std::map<std::string, std::string> files{{"a.yml", "a: {script: x}\n"}};
  CHECK(configuration_of(includes(150), files).jobs.size() == 1);
  CHECK(first_finding(includes(151), files) == "Maximum of 150 nested includes are allowed!");
}

TEST_CASE("extends merges mappings and replaces everything else", "[extends]") {
  const Configuration configuration = configuration_of(
      ".base:\n"
      "  script: [one, two]\n"
      "  variables: {A: base, B: base}\n"
      "  tags: [base]\n"
      ".more:\n"
      "  variables: {B: more}\n"
      "  tags: [more]\n"
      "test:\n"
      "  extends: [.base, .more]\n"
      "  variables: {C: own}\n"
      "clean:\n"
      "  extends: .base\n"
      "  variables: null\n"
      "  tags: null\n"
      "kept:\n"
      "  extends: .base\n"
      "  variables: {}\n");
  const Job& test = job_of(configuration, "test");
  CHECK(test.script == Lines{"one", "two"});
  CHECK(value(test.variables, "A") == "base");
  CHECK(value(test.variables, "B") == "more");
  CHECK(value(test.variables, "C") == "own");
  CHECK(test.tags == Lines{"more"});
  CHECK(job_of(configuration, "clean").variables.empty());
  CHECK(job_of(configuration, "clean").tags.empty());
  CHECK(job_of(configuration, "kept").variables.size() == 2);
}

TEST_CASE("a job may extend a visible job and one of another file", "[extends]") {
  const Configuration configuration = configuration_of(
      "include: a.yml\nfirst: {script: x, stage: build}\nsecond: {extends: first}\n"
      "third: {extends: .far}\n",
      {{"a.yml", ".far: {script: far}\n"}});
  CHECK(job_of(configuration, "second").stage == "build");
  CHECK(job_of(configuration, "third").script == Lines{"far"});
}

TEST_CASE("extends goes ten ancestors deep and no deeper", "[extends]") {
  const auto chain = [](int ancestors) {
    std::string text = ".a0: {script: x}\n";
    for (int i = 1; i < ancestors; ++i)
      text += ".a" + std::to_string(i) + ": {extends: .a" + std::to_string(i - 1) + "}\n";
    return text + "test: {extends: .a" + std::to_string(ancestors - 1) + "}\n";
  };
  CHECK(script_of(chain(10)) == Lines{"x"});
  CHECK(first_finding(chain(11)).find("nesting too deep in `extends`") != std::string::npos);
}

TEST_CASE("what extends cannot do is said with GitLab's words", "[extends]") {
  struct Row {
    const char* text;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"test: {extends: .none, script: x}\n", "test: unknown keys in `extends` (.none)"},
      {".a: text\ntest: {extends: .a, script: x}\n", "test: invalid base hashes in `extends` (.a)"},
      {"a: {extends: b, script: x}\nb: {extends: a, script: x}\n",
       "a: circular dependency detected in `extends`"},
      {"a: {extends: a, script: x}\n", "a: circular dependency detected in `extends`"},
      {"a: {extends: {b: c}, script: x}\n",
       "a: `extends` should be a string or an array of strings"},
  }));
  CAPTURE(row.text);
  CHECK(first_finding(row.text) == row.message);
}

TEST_CASE("the nearest name is offered for an unknown base", "[extends]") {
  const auto outcome = outcome_of(".base: {script: x}\ntest: {extends: .bsae}\n");
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].hint == "did you mean '.base'?");
  CHECK(outcome.findings[0].span == slipway::SourceSpan{"ci.yml", 2, 17});
}

TEST_CASE("a reference stands for a whole value or for items of a list", "[reference]") {
  const Configuration configuration = configuration_of(
      ".setup:\n  script: [a, b]\n  variables: {X: '1', Y: '2'}\n  tags: [t]\n"
      ".main: $CI_COMMIT_BRANCH == 'main'\n"
      "test:\n"
      "  script: [first, !reference [.setup, script], last]\n"
      "  variables: !reference [.setup, variables]\n"
      "  tags: !reference [.setup, tags]\n"
      "  rules: [{if: !reference [.main]}]\n"
      "other:\n"
      "  script: x\n"
      "  variables: {Z: !reference [.setup, variables, Y]}\n"
      "  rules: [!reference [test, rules]]\n");
  const Job& test = job_of(configuration, "test");
  CHECK(test.script == Lines{"first", "a", "b", "last"});
  CHECK(value(test.variables, "Y") == "2");
  CHECK(test.tags == Lines{"t"});
  CHECK(test.rules->at(0).condition == "$CI_COMMIT_BRANCH == 'main'");
  const Job& other = job_of(configuration, "other");
  CHECK(value(other.variables, "Z") == "2");
  CHECK(other.rules->at(0).condition == "$CI_COMMIT_BRANCH == 'main'");
}

TEST_CASE("references are followed, and see what extends made", "[reference]") {
  CHECK(script_of(".a: {script: [x]}\n.b: {extends: .a}\n.c: {script: !reference [.b, script]}\n"
                  "test: {script: [!reference [.c, script], y]}\n") == Lines{"x", "y"});
  CHECK(script_of(".a: {script: [x]}\n.b: !reference [.a]\n"
                  "test: {script: !reference [.b, script]}\n") == Lines{"x"});
}

TEST_CASE("a reference into nothing or into itself is an error at its place", "[reference]") {
  const auto missing = outcome_of("test:\n  script: !reference [.a, script]\n");
  REQUIRE(missing.findings.size() == 1);
  CHECK(missing.findings[0].message == "!reference [\".a\", \"script\"] could not be found");
  CHECK(missing.findings[0].span == slipway::SourceSpan{"ci.yml", 2, 11});
  const auto* circle =
      GENERATE("a: {script: !reference [a, script]}\n",
               "a: {script: !reference [b, script]}\nb: {script: !reference [a, script]}\n",
               "a: {script: [!reference [a]]}\n");
  CHECK(first_finding(circle).find("is part of a circular chain") != std::string::npos);
}

TEST_CASE("all references that lead nowhere are found at once", "[reference]") {
  const auto outcome = outcome_of(
      "a: {script: !reference [x]}\nb: {script: !reference [y]}\nc: {script: [z, !reference "
      "[]]}\n");
  REQUIRE(outcome.findings.size() == 3);
  CHECK(outcome.findings[0].message == "!reference [\"x\"] could not be found");
  CHECK(outcome.findings[1].message == "!reference [\"y\"] could not be found");
  CHECK(outcome.findings[2].message == "!reference [] is not valid");
}

TEST_CASE("references cannot multiply a small file", "[reference]") {
  std::string bomb = ".a0: [x, x, x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += ".a" + std::to_string(i) + ": [";
    for (int j = 0; j < 12; ++j) bomb += "!reference [.a" + std::to_string(i - 1) + "], ";
    bomb += "]\n";
  }
  CHECK(first_finding(bomb + "test: {script: x}\n").find("The parsed YAML is too big") == 0);
}

TEST_CASE("extends cannot multiply a small file", "[extends]") {
  std::string text = ".a:\n";
  for (int i = 0; i < 1000; ++i) text += "  k" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 1000; ++i) text += ".j" + std::to_string(i) + ": {extends: .a}\n";
  CHECK(first_finding(text + "x: {script: y}\n").find("The parsed YAML is too big") !=
        std::string::npos);
}

TEST_CASE("a file of very many keys is read in reasonable time", "[include]") {
  std::string text = "include: a.yml\ntest: {script: x}\n";
  for (int i = 0; i < 60'000; ++i) text += ".k" + std::to_string(i) + ": 1\n";
  CHECK(configuration_of(text, {{"a.yml", ".x: 1\n"}}).jobs.size() == 1);
}

TEST_CASE("deep_merge keeps the order of the base and appends what is new", "[include]") {
  Diagnostics findings;
  const auto base = read::parse("{a: 1, b: {x: 1}, c: [1]}", "base", findings);
  const auto over = read::parse("{d: 4, c: [2], b: {y: 2}, a: null}", "over", findings);
  const auto merged = read::deep_merge(base, over);
  REQUIRE(merged->entries.size() == 4);
  CHECK(merged->entries[0].key == "a");
  CHECK(merged->entries[0].value->kind == read::Kind::Null);
  CHECK((*merged->find("b"))->entries.size() == 2);
  CHECK((*merged->find("c"))->items.at(0)->text == "2");
  CHECK(merged->entries[3].key == "d");
}
