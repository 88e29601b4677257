#include "pipeline/variables.h"

#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

std::string expanded(const Variables& variables, std::string_view name) {
  const auto result = expand_variables(variables);
  REQUIRE(result);
  return value(*result, name);
}

}  // namespace

TEST_CASE("the server's forms of a reference are expanded, others stay", "[variables]") {
  struct Row {
    const char* text;
    const char* expanded;
  };
  const auto row = GENERATE(values<Row>({
      {"$A", "x"},
      {"${A}", "x"},
      {"%A%", "x"},
      {"a$A-$A", "ax-x"},
      {"$AB", "$AB"},
      {"${A", "${A"},
      {"${A B}", "${A B}"},
      {"%A", "%A"},
      {"%A %A%", "%A x"},
      {"$$A", "$$A"},
      {"%%A%%", "%%A%%"},
      {"$$$A", "$$x"},
      {"$1", "$1"},
      {"$", "$"},
      {"%", "%"},
      {"$-", "$-"},
      {"$UNKNOWN ${UNKNOWN} %UNKNOWN%", "$UNKNOWN ${UNKNOWN} %UNKNOWN%"},
      {"$RAW $FILE", "$RAW $FILE"},
      {"$SELF", "$SELF:y"},
  }));
  CAPTURE(row.text);
  CHECK(expanded({{"A", "x"},
                  {.name = "RAW", .value = "$A", .raw = true},
                  {.name = "FILE", .value = "$A", .file = true},
                  {"SELF", "$SELF:y"},
                  {"T", row.text}},
                 "T") == row.expanded);
}

TEST_CASE("values are expanded through each other, whatever their order", "[variables]") {
  const Variables variables{{"C", "$B$B"}, {"B", "<$A>"}, {"A", "a"}};
  CHECK(expanded(variables, "C") == "<a><a>");
}

TEST_CASE("of several entries of a name the last counts, and is kept once", "[variables]") {
  const auto result = expand_variables(Variables{{"A", "old"}, {"B", "$A"}, {"A", "new"}});
  REQUIRE(result);
  CHECK(result->size() == 2);
  CHECK(value(*result, "B") == "new");
}

TEST_CASE("a scope looks into its last layer first, and copies nothing", "[variables]") {
  const Variables predefined{{"A", "1"}, {"B", "1"}, {"C", "1"}};
  const Variables own{{"B", "2"}, {"C", "2"}, {"C", "3"}};
  const slipway::pipeline::Scope scope{&predefined, &own};
  CHECK(scope.find("A") == &predefined[0]);
  CHECK(scope.find("B") == &own[0]);
  CHECK(scope.find("C") == &own[2]);
  CHECK(scope.find("D") == nullptr);
  CHECK(scope.flat() == Variables{{"A", "1"}, {"B", "2"}, {"C", "3"}});
}

TEST_CASE("a text takes expanded values, and written ones where they go in a circle",
          "[variables]") {
  const Variables variables{{"A", "$B"}, {"B", "<$C>"},       {"C", "c"},
                            {"X", "$Y"}, {"RAW", "$C", true}, {"Y", "$X"}};
  CHECK(expand_nested("$A-${A} $NO", variables, false) == "<c>-<c> $NO");
  CHECK(expand_nested("$A $NO", variables, true) == "<c> ");
  CHECK(expand_nested("$RAW", variables, false) == "$C");
  CHECK(expand_nested("$X", variables, false) == "$Y");
  const Variables deeper{{"A", "$RAW-$FILE-$NO"},
                         {"RAW", "$C", true},
                         {"C", "c"},
                         Variable{.name = "FILE", .value = "text", .file = true}};
  CHECK(expand_nested("$A", deeper, false) == "$C-text-$NO");
  CHECK(expand_nested("$A", deeper, true) == "$C-text-");
  CHECK(expand_text("$A", variables, false) == "$B");
}

TEST_CASE("circles of any length are refused with their names", "[variables]") {
  const auto two = expand_variables(Variables{{"A", "$B"}, {"B", "x${A}"}, {"C", "c"}});
  REQUIRE_FALSE(two);
  CHECK(two.error().kind == slipway::ErrorKind::InvalidInput);
  const auto three =
      expand_variables(Variables{{"X", "$A"}, {"A", "$B"}, {"B", "$C"}, {"C", "%A%"}});
  REQUIRE_FALSE(three);
  CHECK(three.error().message == R"(circular variable reference detected: ["A", "B", "C"])");
}

TEST_CASE("expansion cannot exhaust the memory or the stack", "[variables]") {
  Variables bomb{{"V0", std::string(100, 'x')}};
  for (int i = 1; i < 60; ++i) {
    const std::string before = "$V" + std::to_string(i - 1);
    bomb.push_back({"V" + std::to_string(i), before + before + before + before});
  }
  const auto result = expand_variables(bomb);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == slipway::ErrorKind::TooLarge);

  const auto chain = [](int length) {
    Variables variables{{"V0", "end"}};
    for (int i = 1; i < length; ++i)
      variables.insert(variables.begin(), {"V" + std::to_string(i), "$V" + std::to_string(i - 1)});
    return variables;
  };
  CHECK(expanded(chain(100), "V99") == "end");
  const auto deep = expand_variables(chain(5000));
  REQUIRE_FALSE(deep);
  CHECK(deep.error().message == "variable V4999 refers to others more than 100 levels deep");
}

TEST_CASE("a text is expanded once, unknown names as asked", "[variables]") {
  const Variables variables{{"A", "$B"}, {"B", "b"}};
  CHECK(expand_text("$A-$NONE", variables, false) == "$B-$NONE");
  CHECK(expand_text("$A-$NONE", variables, true) == "$B-");
}

TEST_CASE("the runner expands as Go's os.Expand does", "[variables]") {
  const std::map<std::string, std::string> known{{"A", "$B"}, {"B", "b"}, {"C_1", "c"}};
  struct Row {
    const char* text;
    const char* expanded;
  };
  const auto row = GENERATE(values<Row>({
      {"$A", "$B"},
      {"${A}/$C_1", "$B/c"},
      {"$NONE|${NONE}|", "||"},
      {"$$A", "$A"},
      {"$$$$", "$$"},
      {"$1$*$@$#$?$!$-", ""},
      {"$", "$"},
      {"a$", "a$"},
      {"$.", "$."},
      {"${", ""},
      {"${A", "A"},
      {"${}", ""},
      {"%A%", "%A%"},
      {"plain", "plain"},
  }));
  CAPTURE(row.text);
  CHECK(expand_on_runner(row.text, known) == row.expanded);
}

TEST_CASE("a dotenv report is taken as it is or refused with its line", "[variables]") {
  const auto good = parse_dotenv(
      "\xEF\xBB\xBF"
      "A=\"quoted\"\r\nB = x # y\nC=\nD=a=b\n_9=$A\nA=last");
  REQUIRE(good);
  CHECK(value(*good, "A") == "last");
  CHECK(value(*good, "B") == "x # y");
  CHECK(value(*good, "C").empty());
  CHECK(value(*good, "D") == "a=b");
  CHECK(value(*good, "_9") == "$A");
  CHECK(find_variable(*good, "_9")->raw);
  CHECK(good->size() == 5);

  struct Row {
    const char* text;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"A=1\n\nB=2\n", "dotenv line 2: expected KEY=value"},
      {"# comment\n", "dotenv line 1: expected KEY=value"},
      {"A=1\nB\n", "dotenv line 2: expected KEY=value"},
      {"=x\n", "dotenv line 1: '' is no name of a variable"},
      {"export A=1\n", "dotenv line 1: 'export A' is no name of a variable"},
      {"A.B=1\n", "dotenv line 1: 'A.B' is no name of a variable"},
  }));
  const auto bad = parse_dotenv(row.text);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message == row.message);
}

TEST_CASE("a dotenv report has limits", "[variables]") {
  const auto lines = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "V" + std::to_string(i) + "=x\n";
    return text;
  };
  CHECK(parse_dotenv(lines(150)));
  CHECK(parse_dotenv(lines(151)).error().kind == slipway::ErrorKind::TooLarge);
  CHECK(parse_dotenv("A=" + std::string(5 * 1024 - 2, 'x')));
  CHECK(parse_dotenv("A=" + std::string(5 * 1024 - 1, 'x')).error().kind ==
        slipway::ErrorKind::TooLarge);
  CHECK(parse_dotenv("")->empty());
}

TEST_CASE("slugs are lower case, short, and without dashes at the ends", "[variables]") {
  CHECK(slug("Feature/ABC_1.2") == "feature-abc-1-2");
  CHECK(slug("--a--") == "a");
  CHECK(slug("///").empty());
  CHECK(slug("").empty());
  CHECK(slug("\xC3\xA9t\xC3\xA9") == "t");
  CHECK(slug(std::string(62, 'a') + "/b") == std::string(62, 'a'));
}

TEST_CASE("environment slugs keep simple names and mark changed ones", "[variables]") {
  CHECK(environment_slug("production") == "production");
  CHECK(environment_slug("a-1") == "a-1");
  const auto changed =
      GENERATE(values<std::string>({"Production", "review/x", "1st", "", "/x", "a--b",
                                    "a-name-that-is-longer-than-twenty-four"}));
  const std::string slugged = environment_slug(changed);
  CAPTURE(changed, slugged);
  CHECK(slugged != changed);
  CHECK(slugged.size() <= 24);
  CHECK(std::isalpha(static_cast<unsigned char>(slugged.front())) != 0);
  CHECK(slugged.find("--") == std::string::npos);
  CHECK(environment_slug("review/x") != environment_slug("review-x"));
}

TEST_CASE("predefined variables of a push to a branch", "[variables]") {
  Trigger trigger = push_to("feature/One");
  trigger.commit_message = "title\n\nbody\nmore";
  trigger.commit_author = "Ann <ann@example.com>";
  trigger.user_login = "ann";
  const Variables variables = predefined_variables(trigger);
  struct Row {
    const char* name;
    const char* text;
  };
  const Row rows[]{
      {"CI", "true"},
      {"GITLAB_CI", "true"},
      {"CI_COMMIT_BRANCH", "feature/One"},
      {"CI_COMMIT_TAG", "(not set)"},
      {"CI_COMMIT_REF_NAME", "feature/One"},
      {"CI_COMMIT_REF_SLUG", "feature-one"},
      {"CI_COMMIT_REF_PROTECTED", "false"},
      {"CI_COMMIT_SHORT_SHA", "01234567"},
      {"CI_COMMIT_BEFORE_SHA", "0000000000000000000000000000000000000000"},
      {"CI_COMMIT_MESSAGE", "title\n\nbody\nmore"},
      {"CI_COMMIT_TITLE", "title"},
      {"CI_COMMIT_DESCRIPTION", "body\nmore"},
      {"CI_COMMIT_AUTHOR", "Ann <ann@example.com>"},
      {"CI_DEFAULT_BRANCH", "main"},
      {"CI_CONFIG_PATH", ".gitlab-ci.yml"},
      {"CI_PROJECT_ID", "7"},
      {"CI_PROJECT_NAME", "App"},
      {"CI_PROJECT_NAMESPACE", "Team"},
      {"CI_PROJECT_PATH", "Team/App"},
      {"CI_PROJECT_PATH_SLUG", "team-app"},
      {"CI_PROJECT_URL", "https://ci.example.com/Team/App"},
      {"CI_REGISTRY", "registry.example.com"},
      {"CI_REGISTRY_IMAGE", "registry.example.com/ci/team/app"},
      {"CI_SERVER_URL", "https://ci.example.com"},
      {"CI_SERVER_HOST", "ci.example.com"},
      {"CI_SERVER_PORT", "443"},
      {"CI_SERVER_FQDN", "ci.example.com"},
      {"CI_SERVER_PROTOCOL", "https"},
      {"CI_API_V4_URL", "https://ci.example.com/api/v4"},
      {"CI_PIPELINE_SOURCE", "push"},
      {"CI_PIPELINE_TRIGGERED", "(not set)"},
      {"GITLAB_USER_LOGIN", "ann"},
      {"GITLAB_USER_EMAIL", "(not set)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(value(variables, row.name) == row.text);
  }
}

TEST_CASE("tags, merge requests, triggers and odd ports change what is predefined", "[variables]") {
  const Variables of_tag = predefined_variables(tag("v1"));
  CHECK(value(of_tag, "CI_COMMIT_TAG") == "v1");
  CHECK(value(of_tag, "CI_COMMIT_BRANCH") == "(not set)");
  CHECK(value(of_tag, "CI_COMMIT_REF_NAME") == "v1");

  Trigger merge = push_to("x");
  merge.source = Source::MergeRequestEvent;
  CHECK(value(predefined_variables(merge), "CI_COMMIT_BRANCH") == "(not set)");

  Trigger remote = push_to("x");
  remote.source = Source::Trigger;
  remote.server = {"http://localhost:8080", "", "1"};
  const Variables of_remote = predefined_variables(remote);
  CHECK(value(of_remote, "CI_PIPELINE_TRIGGERED") == "true");
  CHECK(value(of_remote, "CI_SERVER_FQDN") == "localhost:8080");
  CHECK(value(of_remote, "CI_REGISTRY_IMAGE") == "(not set)");

  remote.server.url = "http://[::1]:8080";
  CHECK(value(predefined_variables(remote), "CI_SERVER_HOST") == "[::1]");
  CHECK(value(predefined_variables(remote), "CI_SERVER_PORT") == "8080");
}

TEST_CASE("a commit's texts are never taken for references", "[variables]") {
  Trigger trigger = push_to("main");
  trigger.commit_message = "uses $CI_JOB_TOKEN";
  Variables variables = predefined_variables(trigger);
  variables.push_back({"CI_JOB_TOKEN", "secret"});
  variables.push_back({"MESSAGE", "$CI_COMMIT_MESSAGE"});
  const auto result = expand_variables(variables);
  REQUIRE(result);
  for (const Variable& variable : *result)
    if (variable.name != "CI_JOB_TOKEN") CHECK(variable.value.find("secret") == std::string::npos);
}

TEST_CASE("variables of a job tell its name, its place and its environment", "[variables]") {
  const Plan plan = make_plan(
      configuration_of("build:\n  script: x\n  parallel: 2\n"
                       "deploy now: {script: x, stage: deploy, when: manual, environment: {name: "
                       "review/a, url: 'https://a', action: stop}}\n"),
      push_to("main"));
  const Variables build = job_variables(planned(plan, "build 2/2"));
  CHECK(value(build, "CI_JOB_NAME") == "build 2/2");
  CHECK(value(build, "CI_JOB_NAME_SLUG") == "build-2-2");
  CHECK(value(build, "CI_JOB_GROUP_NAME") == "build");
  CHECK(value(build, "CI_JOB_STAGE") == "test");
  CHECK(value(build, "CI_NODE_INDEX") == "2");
  CHECK(value(build, "CI_NODE_TOTAL") == "2");
  CHECK(value(build, "CI_JOB_MANUAL") == "(not set)");
  CHECK(value(build, "CI_ENVIRONMENT_NAME") == "(not set)");
  const Variables deploy = job_variables(planned(plan, "deploy now"));
  CHECK(value(deploy, "CI_NODE_INDEX") == "(not set)");
  CHECK(value(deploy, "CI_NODE_TOTAL") == "1");
  CHECK(value(deploy, "CI_JOB_MANUAL") == "true");
  CHECK(value(deploy, "CI_ENVIRONMENT_NAME") == "review/a");
  CHECK(value(deploy, "CI_ENVIRONMENT_SLUG") == environment_slug("review/a"));
  CHECK(value(deploy, "CI_ENVIRONMENT_ACTION") == "stop");
  CHECK(value(deploy, "CI_ENVIRONMENT_URL") == "https://a");
  CHECK(value(deploy, "CI_ENVIRONMENT_TIER") == "development");
}

TEST_CASE("an environment's address is made of the environment's other variables", "[variables]") {
  const Plan plan = make_plan(configuration_of("deploy: {script: x, environment: {name: Review/a, "
                                               "url: 'https://$CI_ENVIRONMENT_SLUG.example'}}\n"),
                              push_to("main"));
  const Variables variables = job_variables(planned(plan, "deploy"));
  const Variable* url = find_variable(variables, "CI_ENVIRONMENT_URL");
  REQUIRE(url != nullptr);
  // The runner expands what is not raw.
  CHECK_FALSE(url->raw);
  CHECK(expand_text(url->value, variables, true) ==
        "https://" + environment_slug("Review/a") + ".example");
}

TEST_CASE("a long title is repeated in the description, a short one is not", "[variables]") {
  Trigger trigger = push_to("main");
  trigger.commit_message = std::string(99, 'a') + "\n\nbody\n";
  CHECK(value(predefined_variables(trigger), "CI_COMMIT_DESCRIPTION") == "body\n");
  trigger.commit_message.insert(0, "b");
  CHECK(value(predefined_variables(trigger), "CI_COMMIT_DESCRIPTION") == trigger.commit_message);
}

TEST_CASE("a merge request's variables are those that are known of it", "[variables]") {
  Trigger trigger = push_to("feature");
  CHECK(event_variables(trigger).empty());
  trigger.source = Source::MergeRequestEvent;
  trigger.project.id = 7;
  trigger.project.path = "team/app";
  trigger.server.url = "https://ci.example";
  trigger.merge_request = MergeRequestFacts{.iid = "3",
                                            .title = "Speak",
                                            .description = "Louder",
                                            .source_branch = "feature",
                                            .target_branch = "main",
                                            .diff_base_sha = "abc",
                                            .labels = "a,b",
                                            .draft = true};
  const Variables own = predefined_variables(trigger);
  CHECK(value(own, "CI_MERGE_REQUEST_TITLE") == "Speak");
  CHECK(value(own, "CI_MERGE_REQUEST_DESCRIPTION") == "Louder");
  CHECK(value(own, "CI_MERGE_REQUEST_DIFF_BASE_SHA") == "abc");
  CHECK(value(own, "CI_MERGE_REQUEST_LABELS") == "a,b");
  CHECK(value(own, "CI_MERGE_REQUEST_DRAFT") == "true");
  CHECK(value(own, "CI_MERGE_REQUEST_PROJECT_URL") == "https://ci.example/team/app");
  CHECK(value(own, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID") == "7");
  CHECK(value(own, "CI_COMMIT_BRANCH") == "(not set)");
  trigger.merge_request->source_project_path = "fork/app";
  const Variables of_fork = predefined_variables(trigger);
  CHECK(value(of_fork, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") == "fork/app");
  CHECK(value(of_fork, "CI_MERGE_REQUEST_SOURCE_PROJECT_URL") == "https://ci.example/fork/app");
  CHECK(value(of_fork, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID") == "(not set)");
}

TEST_CASE("the server's version is there in parts", "[variables]") {
  Trigger trigger = push_to("main");
  trigger.server.version = "1.20-dev";
  const Variables variables = predefined_variables(trigger);
  CHECK(value(variables, "CI_SERVER_VERSION_MAJOR") == "1");
  CHECK(value(variables, "CI_SERVER_VERSION_MINOR") == "20");
  CHECK(value(variables, "CI_SERVER_VERSION_PATCH") == "0");
}
