#include "pipeline/setting_variables.h"

#include "pipeline/job_payload.h"
#include "pipeline/variables.h"
#include "tests/pipeline/support.h"
#include "tests/support/catch.h"

namespace slipway::pipeline {
namespace {

SettingVariable setting(const std::string& name, const std::string& value, int level,
                        const std::string& scope = "*") {
  SettingVariable made{Variable{.name = name, .value = value}};
  made.level = level;
  made.environment_scope = scope;
  return made;
}

std::string value_for(const SettingVariables& all, const std::string& environment) {
  const Variables variables = variables_for(all, environment);
  const Variable* found = find_variable(variables, "KEY");
  return found == nullptr ? "(none)" : found->value;
}

}  // namespace

TEST_CASE("a star in a wildcard stands for any text", "[settings-variables]") {
  struct Row {
    const char* pattern;
    const char* text;
    bool matches;
  };
  for (const Row& row :
       {Row{"*", "", true}, Row{"*", "review/a", true}, Row{"review/*", "review/a/b", true},
        Row{"review/*", "review", false}, Row{"*/web", "a/b/web", true}, Row{"*/web", "web", false},
        Row{"v*.*", "v1.2.3", true}, Row{"v*.*", "v1", false}, Row{"prod", "prod", true},
        Row{"prod", "production", false}, Row{"prod", "PROD", false}, Row{"a*b*c", "aXbXbXc", true},
        Row{"a**c", "ac", true}, Row{"", "", true}, Row{"", "a", false},
        Row{"v1.?", "v1.2", false}}) {
    CAPTURE(row.pattern, row.text);
    CHECK(matches_wildcard(row.pattern, row.text) == row.matches);
  }
  // No more steps than both lengths multiplied.
  CHECK_FALSE(matches_wildcard("*a*a*a*a*a*a*a*b", std::string(20'000, 'a')));
}

TEST_CASE("the level counts first, then how near the scope is to the environment",
          "[settings-variables]") {
  const SettingVariables all{
      setting("KEY", "project", 9),
      setting("KEY", "group for production", 2, "production"),
      setting("KEY", "outer group", 1),
      setting("KEY", "instance", 0),
  };
  CHECK(value_for(all, "") == "project");
  CHECK(value_for(all, "production") == "project");

  const SettingVariables without_project(all.begin() + 1, all.end());
  CHECK(value_for(without_project, "") == "outer group");
  CHECK(value_for(without_project, "production") == "group for production");
  CHECK(value_for(without_project, "staging") == "outer group");
  CHECK(value_for({all.back()}, "staging") == "instance");

  const SettingVariables scopes{setting("KEY", "exact", 9, "review/a"), setting("KEY", "any", 9),
                                setting("KEY", "longer", 9, "review/*"),
                                setting("KEY", "shorter", 9, "r*")};
  CHECK(value_for(scopes, "review/a") == "exact");
  CHECK(value_for(scopes, "review/b") == "longer");
  CHECK(value_for(scopes, "remote") == "shorter");
  CHECK(value_for(scopes, "production") == "any");
  CHECK(value_for(scopes, "") == "any");
  CHECK(value_for({scopes[0]}, "") == "(none)");
}

TEST_CASE("rules see the settings' variables of the job's environment", "[settings-variables]") {
  Trigger trigger = test::push_to("main");
  trigger.project_variables = {setting("DEPLOY", "yes", 9, "production/*"),
                               setting("KIND", "production", 9), setting("SHOWN", "all", 9)};
  const auto plan =
      make_plan(test::configuration_of("deploy:\n"
                                       "  script: x\n"
                                       "  environment: $KIND/eu\n"
                                       "  rules: [{if: $DEPLOY == 'yes'}]\n"
                                       "other:\n"
                                       "  script: x\n"
                                       "  rules: [{if: $DEPLOY == 'yes'}]\n"
                                       "third: {script: x, rules: [{if: $SHOWN == 'all'}]}\n"),
                trigger);
  REQUIRE(plan.jobs.size() == 2);
  CHECK(plan.jobs[0].job.name == "deploy");
  CHECK(plan.jobs[0].job.environment->name == "production/eu");
  CHECK(plan.jobs[1].job.name == "third");
  REQUIRE(plan.left_out.size() == 1);
  CHECK(plan.left_out[0].name == "other");
}

TEST_CASE("workflow rules see those for all environments only", "[settings-variables]") {
  Trigger trigger = test::push_to("main");
  const std::string file = "workflow: {rules: [{if: $GATE == 'open'}]}\njob: {script: x}\n";
  trigger.project_variables = {setting("GATE", "open", 9, "production")};
  CHECK(make_plan(test::configuration_of(file), trigger).no_pipeline);
  trigger.project_variables = {setting("GATE", "open", 9)};
  CHECK_FALSE(make_plan(test::configuration_of(file), trigger).no_pipeline);
}

TEST_CASE("includes may use them, below those of the trigger", "[settings-variables]") {
  Trigger trigger = test::push_to("main");
  trigger.project_variables = {setting("DIR", "settings", 9), setting("SCOPED", "x", 9, "prod")};
  CHECK(find_variable(include_variables(trigger), "DIR")->value == "settings");
  CHECK(find_variable(include_variables(trigger), "SCOPED") == nullptr);
  trigger.pipeline_variables = {Variable{.name = "DIR", .value = "trigger"}};
  CHECK(find_variable(include_variables(trigger), "DIR")->value == "trigger");
}

TEST_CASE("a runner gets them with their flags, and none of them is public",
          "[settings-variables]") {
  PlannedJob planned;
  planned.job.name = "deploy";
  planned.job.script = {"true"};
  planned.job.environment.emplace().name = "prod";
  planned.variables = {Variable{.name = "IN_FILE", .value = "a"}};
  JobFacts facts;
  SettingVariable secret{
      Variable{.name = "SECRET", .value = "pa$$word", .raw = true, .file = true, .masked = true}};
  secret.environment_scope = "prod";
  facts.trigger.project_variables = {secret, setting("PLAIN", "b", 9),
                                     setting("OTHER", "c", 9, "staging")};
  facts.trigger.pipeline_variables = {Variable{.name = "GIVEN", .value = "d"}};
  const auto spec = make_job_spec(planned, facts);
  REQUIRE(spec);
  const auto shown = [&](const std::string& name) -> std::string {
    for (const JobVariable& one : spec->variables)
      if (one.key == name)
        return one.value + (one.is_public ? " public" : "") + (one.masked ? " masked" : "") +
               (one.file ? " file" : "") + (one.raw ? " raw" : "");
    return "(none)";
  };
  CHECK(shown("SECRET") == "pa$$word masked file raw");
  CHECK(shown("PLAIN") == "b");
  CHECK(shown("OTHER") == "(none)");
  CHECK(shown("GIVEN") == "d");
  CHECK(shown("IN_FILE") == "a public");
}

}  // namespace slipway::pipeline
