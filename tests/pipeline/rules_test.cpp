// rules, only, except and workflow: who is let in, and what is said to those who are not.

#include "pipeline/rules/rules.h"

#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

// Whether a job with `keywords` is in a pipeline of `trigger`.
bool runs(const std::string& keywords, const Trigger& trigger) {
  const Plan plan = make_plan(configuration_of("job:\n  script: x\n  " + keywords + "\n"), trigger);
  return !plan.jobs.empty();
}

LeftOutJob left_out(const std::string& text, const Trigger& trigger) {
  const Plan plan = make_plan(configuration_of(text), trigger);
  REQUIRE(plan.left_out.size() == 1);
  return plan.left_out.front();
}

Trigger from(Source source, std::string branch = "main") {
  Trigger trigger = push_to(std::move(branch));
  trigger.source = source;
  return trigger;
}

Trigger changing(std::vector<std::string> paths) {
  Trigger trigger = push_to("main");
  trigger.changed_paths = std::move(paths);
  return trigger;
}

}  // namespace

TEST_CASE("the first rule that matches decides", "[rules]") {
  const std::string rules =
      "rules: [{if: $CI_COMMIT_TAG, when: never}, {if: $CI_COMMIT_BRANCH == 'main', when: manual},"
      " {when: on_failure}]";
  const Configuration configuration = configuration_of("job:\n  script: x\n  " + rules + "\n");
  CHECK(make_plan(configuration, tag("v1")).jobs.empty());
  CHECK(planned(make_plan(configuration, push_to("main")), "job").when == When::Manual);
  CHECK(planned(make_plan(configuration, push_to("x")), "job").when == When::OnFailure);
}

TEST_CASE("all clauses of a rule must hold", "[rules]") {
  Trigger trigger = changing({"src/a.cpp"});
  trigger.paths = {"Makefile", "src/a.cpp", "docs/deep/x.md"};
  CHECK(runs("rules: [{if: $CI_COMMIT_BRANCH, changes: [src/*], exists: [Makefile]}]", trigger));
  CHECK_FALSE(runs("rules: [{if: $CI_COMMIT_TAG, changes: [src/*]}]", trigger));
  CHECK_FALSE(runs("rules: [{if: $CI_COMMIT_BRANCH, changes: [docs/*]}]", trigger));
  CHECK_FALSE(runs("rules: [{changes: [src/*], exists: [Dockerfile]}]", trigger));
  CHECK(runs("rules: [{exists: ['**/*.md']}]", trigger));
  CHECK(runs("rules: [{exists: [docs/deep/]}]", trigger));
  CHECK_FALSE(runs("rules: [{exists: [deep/]}]", trigger));
  CHECK_FALSE(runs("rules: []", trigger));
}

TEST_CASE("changes hold while it is not known what changed, and not when nothing did", "[rules]") {
  CHECK(runs("rules: [{changes: [a]}]", push_to("main")));
  CHECK_FALSE(runs("rules: [{changes: [a]}]", changing({})));
  CHECK(runs("rules: [{exists: [a]}]", push_to("main")));
}

TEST_CASE("variables in patterns are expanded, unknown ones stay", "[rules]") {
  CHECK(runs("rules: [{changes: ['$CI_COMMIT_BRANCH/*']}]", changing({"main/a"})));
  CHECK(runs("rules: [{changes: ['$NOBODY/*']}]", changing({"$NOBODY/a"})));
  CHECK(
      runs("variables: {DIR: src}\n  rules: [{changes: ['${DIR}/**/*']}]", changing({"src/a/b"})));
}

TEST_CASE("beyond fifty thousand comparisons a clause holds", "[rules]") {
  CHECK(runs("rules: [{changes: [none, nothing]}]",
             changing(std::vector<std::string>(25'001, "some/path"))));
  CHECK_FALSE(
      runs("rules: [{changes: [none, nothing]}]", changing(std::vector<std::string>(100, "a"))));
}

TEST_CASE("operands are predefined, the file's, the project's and the trigger's variables",
          "[rules]") {
  Trigger trigger = push_to("main");
  CHECK(runs("rules: [{if: $CI_JOB_NAME == 'job' && $CI_JOB_STAGE == 'test'}]", trigger));
  CHECK(runs("variables: {X: a}\n  rules: [{if: $X == 'a'}]", trigger));
  trigger.project_variables = {Variable{"X", "b"}};
  CHECK(runs("variables: {X: a}\n  rules: [{if: $X == 'b'}]", trigger));
  trigger.pipeline_variables = {{"X", "c"}};
  CHECK(runs("variables: {X: a}\n  rules: [{if: $X == 'c'}]", trigger));
}

TEST_CASE("a value is compared as it is written, not expanded", "[rules]") {
  CHECK(runs("variables: {A: $B, B: x}\n  rules: [{if: $A == '$B'}]", push_to("main")));
}

TEST_CASE("each rule set of a matrix sees its own variables", "[rules]") {
  const Plan plan =
      make_plan(configuration_of("job:\n  script: x\n  parallel: {matrix: [{OS: [linux, mac]}]}\n"
                                 "  rules: [{if: $OS == 'mac'}]\n"),
                push_to("main"));
  CHECK(names_of(plan) == std::vector<std::string>{"job: [mac]"});
}

TEST_CASE("a job that is left out says which rule it was, with file and line", "[rules]") {
  SECTION("a rule that says never") {
    const auto out = left_out(
        "keep: {script: x}\n"
        "job:\n"
        "  script: x\n"
        "  rules:\n"
        "    - if: $CI_COMMIT_TAG\n"
        "    - if: $CI_COMMIT_BRANCH == 'main'\n"
        "      when: never\n",
        push_to("main"));
    CHECK(out.name == "job");
    CHECK(out.stage == "test");
    CHECK(out.reason.code == ReasonCode::RuleNever);
    CHECK(out.reason.text ==
          "A rule says never: if $CI_COMMIT_BRANCH == 'main' ($CI_COMMIT_BRANCH is \"main\").");
    CHECK(out.rule == slipway::SourceSpan{"ci.yml", 6, 7});
  }
  SECTION("no rule that holds") {
    const auto out = left_out(
        "keep: {script: x}\n"
        "job:\n"
        "  script: x\n"
        "  rules:\n"
        "    - if: $CI_COMMIT_TAG\n"
        "    - if: $CI_COMMIT_BRANCH == 'main'\n"
        "      changes: [a]\n",
        push_to("x"));
    CHECK(out.reason.code == ReasonCode::NoRuleMatched);
    CHECK(out.reason.text ==
          "None of its rules holds: if $CI_COMMIT_TAG ($CI_COMMIT_TAG is not set); "
          "if $CI_COMMIT_BRANCH == 'main' ($CI_COMMIT_BRANCH is \"x\") and changes [a].");
    CHECK(out.rule == slipway::SourceSpan{"ci.yml", 5, 7});
  }
  SECTION("no rules at all") {
    const auto out = left_out("keep: {script: x}\njob: {script: x, rules: []}\n", push_to("x"));
    CHECK(out.reason.text == "None of its rules holds: it has none.");
    CHECK(out.rule == slipway::SourceSpan{"ci.yml", 2, 1});
  }
  SECTION("only") {
    const auto out =
        left_out("keep: {script: x}\njob:\n  script: x\n  only:\n    - main\n    - /^release-/\n",
                 push_to("feature"));
    CHECK(out.reason.code == ReasonCode::OnlyRefs);
    CHECK(out.reason.text ==
          "Its `only` does not hold: only: [main, /^release-/] does not include branch 'feature'.");
    CHECK(out.rule.line == 4);
  }
  SECTION("except") {
    const auto out =
        left_out("keep: {script: x}\njob:\n  script: x\n  except: [tags]\n", tag("v1"));
    CHECK(out.reason.code == ReasonCode::ExceptRefs);
    CHECK(out.reason.text == "Its `except` holds: except: [tags] includes tag 'v1'.");
    CHECK(out.rule == slipway::SourceSpan{"ci.yml", 4, 3});
  }
  SECTION("the default, in a merge request") {
    const auto out = left_out("job: {script: x}\nmr: {script: x, only: [merge_requests]}\n",
                              from(Source::MergeRequestEvent));
    CHECK(out.name == "job");
    CHECK(out.reason.text ==
          "Its `only` does not hold: only: [branches, tags], the default, does not include merge "
          "requests.");
    CHECK(out.rule == slipway::SourceSpan{"ci.yml", 1, 1});
  }
}

TEST_CASE("a masked value is not shown in a reason", "[rules]") {
  Trigger trigger = push_to("main");
  trigger.project_variables = {Variable{.name = "SECRET", .value = "hidden-value", .masked = true}};
  const auto out =
      left_out("keep: {script: x}\njob: {script: x, rules: [{if: $SECRET == 'other'}]}\n", trigger);
  CHECK(out.reason.text.find("hidden-value") == std::string::npos);
  CHECK(out.reason.text.find("[MASKED]") != std::string::npos);
}

TEST_CASE("only and except by kinds of refs", "[rules]") {
  struct Row {
    const char* keywords;
    bool main;
    bool v1;
    bool merge;
    bool schedule;
  };
  const auto row = GENERATE(values<Row>({
      {"only: [branches]", true, false, false, true},
      {"only: [tags]", false, true, false, false},
      {"only: [merge_requests]", false, false, true, false},
      {"only: [schedules]", false, false, false, true},
      {"only: [schedule]", false, false, false, true},
      {"only: [pushes]", true, true, false, false},
      {"only: [main]", true, false, false, true},
      {"only: [/^ma/]", true, false, false, true},
      {"only: [/^MA/]", false, false, false, false},
      {"only: [/^MA/i]", true, false, false, true},
      {"only: [/^v\\d$/]", false, true, false, false},
      {"only: [ma]", false, false, false, false},
      {"only: [main@Team/App]", true, false, false, true},
      {"only: [main@other/app]", false, false, false, false},
      {"only: [branches@Team/App]", true, false, false, true},
      {"only: [web, api]", false, false, false, false},
      {"only: [main, tags]", true, true, false, true},
      {"except: [main]", false, true, false, false},
      {"except: [tags]", true, false, false, true},
      {"except: [schedules]", true, true, false, false},
      {"only: [branches]\n  except: [main]", false, false, false, false},
      {"only: {refs: [tags]}", false, true, false, false},
      {"when: on_success", true, true, false, true},
  }));
  CAPTURE(row.keywords);
  CHECK(runs(row.keywords, push_to("main")) == row.main);
  CHECK(runs(row.keywords, tag("v1")) == row.v1);
  CHECK(runs(row.keywords, from(Source::MergeRequestEvent)) == row.merge);
  CHECK(runs(row.keywords, from(Source::Schedule)) == row.schedule);
}

TEST_CASE("the sources of pipelines have their words in only", "[rules]") {
  CHECK(runs("only: [web]", from(Source::Web)));
  CHECK(runs("only: [api]", from(Source::Api)));
  CHECK(runs("only: [triggers]", from(Source::Trigger)));
  CHECK(runs("only: [pipelines]", from(Source::Pipeline)));
  CHECK(runs("only: [parent_pipelines]", from(Source::ParentPipeline)));
}

TEST_CASE("keys of only are all asked for, keys of except any", "[rules]") {
  const Trigger trigger = changing({"src/a"});
  CHECK(runs("only: {variables: ['$CI_COMMIT_BRANCH == \"main\"'], changes: [src/*]}", trigger));
  CHECK_FALSE(runs("only: {variables: ['$NONE'], changes: [src/*]}", trigger));
  CHECK(runs("only: {variables: ['$NONE', '$CI']}", trigger));
  CHECK_FALSE(runs("only: {changes: [docs/*]}", trigger));
  CHECK_FALSE(runs("only: {changes: [src/*]}", from(Source::MergeRequestEvent)));
  CHECK_FALSE(runs("except: {variables: ['$NONE', '$CI']}", trigger));
  CHECK_FALSE(runs("except: {changes: [src/*]}", trigger));
  CHECK(runs("except: {variables: ['$NONE'], changes: [docs/*]}", trigger));
}

TEST_CASE("why only:variables, only:changes and their likes of except kept a job out", "[rules]") {
  struct Row {
    const char* keywords;
    const char* text;
  };
  const auto row = GENERATE(values<Row>({
      {"only: {variables: [$A, $B]}",
       "Its `only` does not hold: none of only:variables [$A ($A is not set), $B ($B is not set)] "
       "holds."},
      {"only: {changes: [docs/*]}",
       "Its `only` does not hold: no changed file matches only:changes [docs/*]."},
      {"except: {variables: [$CI]}",
       "Its `except` holds: one of except:variables [$CI ($CI is \"true\")] holds."},
      {"except: {changes: [src/*]}",
       "Its `except` holds: a changed file matches except:changes [src/*]."},
  }));
  const auto out =
      left_out(std::string{"keep: {script: x}\njob:\n  script: x\n  "} + row.keywords + "\n",
               changing({"src/a"}));
  CHECK(out.reason.text == row.text);
}

TEST_CASE("with workflow rules the default of branches and tags is gone", "[rules]") {
  const Configuration with =
      configuration_of("workflow: {rules: [{when: always}]}\njob: {script: x}\n");
  CHECK(make_plan(with, from(Source::MergeRequestEvent)).jobs.size() == 1);
  const Configuration without = configuration_of("job: {script: x}\n");
  CHECK(make_plan(without, from(Source::MergeRequestEvent)).jobs.empty());
}

TEST_CASE("workflow rules let a pipeline in or say why not", "[rules]") {
  const Configuration configuration = configuration_of(
      "variables: {MODE: normal}\n"
      "workflow:\n"
      "  rules:\n"
      "    - if: $CI_COMMIT_BRANCH == 'stop'\n"
      "      when: never\n"
      "    - if: $CI_COMMIT_BRANCH == 'main'\n"
      "      variables: {MODE: release, EXTRA: 'yes'}\n"
      "job: {script: x}\n");
  const Plan on_main = make_plan(configuration, push_to("main"));
  CHECK_FALSE(on_main.no_pipeline);
  CHECK(value(planned(on_main, "job").variables, "MODE") == "release");
  CHECK(value(planned(on_main, "job").variables, "EXTRA") == "yes");

  const Plan stopped = make_plan(configuration, push_to("stop"));
  REQUIRE(stopped.no_pipeline);
  CHECK(stopped.no_pipeline->code == ReasonCode::WorkflowFiltered);
  CHECK(stopped.no_pipeline->text ==
        "Pipeline filtered out by workflow rules: A rule says never: if $CI_COMMIT_BRANCH == "
        "'stop' ($CI_COMMIT_BRANCH is \"stop\").");
  CHECK(stopped.no_pipeline_rule == slipway::SourceSpan{"ci.yml", 4, 7});

  const Plan other = make_plan(configuration, push_to("other"));
  REQUIRE(other.no_pipeline);
  CHECK(other.no_pipeline->text.find("None of its rules holds") != std::string::npos);
  CHECK(other.no_pipeline_rule.line == 4);
  CHECK(other.jobs.empty());
}

TEST_CASE("the globs of a pipeline have one bound on their work, and beyond it no pipeline",
          "[rules]") {
  // The alternatives of a glob are written out, which counts by their length: a million for each.
  const std::string hard = "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}" + std::string(3000, 'x');
  const auto plan_of = [&](int globs) {
    std::string text;
    for (int i = 0; i < globs; ++i)
      text += "job" + std::to_string(i) + ": {script: x, rules: [{changes: ['" + hard +
              std::to_string(i) + "']}]}\n";
    return make_plan(configuration_of(text), changing({"a", "b", "c", "d"}));
  };
  CHECK(plan_of(2).findings.empty());
  const Plan plan = plan_of(14);
  REQUIRE(plan.findings.size() == 1);
  CHECK(plan.findings[0].severity == Severity::Error);
  CHECK(plan.findings[0].code == "too_many_globs");
  CHECK(plan.findings[0].message ==
        "the globs of `changes` and `exists` ask for too much work: more than 50000000 steps for "
        "one pipeline");
}

TEST_CASE("a glob that many jobs have is looked for once", "[rules]") {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "a/";
  const std::vector<std::string> paths(20, deep);
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "job" + std::to_string(i) +
            ": {script: x, rules: [{changes: ['**/a/**/a/**/a/**/a/**/a/**/a/**/a/b']}]}\n";
  const Plan plan = make_plan(configuration_of(text), changing(paths));
  CHECK(plan.findings.empty());
  CHECK(plan.left_out.size() == 60);
}

TEST_CASE("a glob and a regular expression of the same letters are two questions", "[rules]") {
  Trigger trigger = push_to("main");
  trigger.paths = {"src/a"};
  CHECK(make_plan(configuration_of("one: {script: x, rules: [{exists: [/src/]}]}\n"
                                   "two: {script: x, rules: [{exists: {regexp: src}}]}\n"),
                  trigger)
            .jobs.size() == 1);
}
