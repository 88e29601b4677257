#include "server/intake/planner.h"

#include <nlohmann/json.hpp>

#include "tests/server/git/git_repository.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

struct Fixture : test::StoreFixture {
  test::GitRepository remote;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  Keyring keys = Keyring::make();
  VariableVault vault{*database, keys};
  Planner planner{mirrors, vault, {{"https://ci.example", "registry.example", "1.0"}}};
  ProjectId project_id = project("group/name");

  // Commits `text` as the pipeline file and gives the request of its push.
  PlanRequest pushed(const std::string& text, const std::string& message = "Change") {
    remote.write(".gitlab-ci.yml", text);
    return pushed_commit(remote.commit(message));
  }
  PlanRequest pushed_commit(const std::string& sha) {
    REQUIRE(mirrors.fetch(project_id.value, remote.url(), "", sha));
    PlanRequest request;
    request.project.id = project_id;
    request.project.path = "group/name";
    request.ref = "main";
    request.sha = sha;
    return request;
  }
  NewPipeline made(const PlanRequest& request) {
    auto planned = planner.plan(request);
    REQUIRE(planned);
    REQUIRE(planned->pipeline);
    CHECK_FALSE(planned->none);
    return std::move(*planned->pipeline);
  }
  std::vector<std::string> jobs(const PlanRequest& request) {
    const NewPipeline pipeline = made(request);
    REQUIRE(pipeline.plan);
    std::vector<std::string> names;
    for (const auto& job : pipeline.plan->jobs) names.push_back(job.job.name);
    return names;
  }
  pipeline::Reason none(const PlanRequest& request) {
    auto planned = planner.plan(request);
    REQUIRE(planned);
    CHECK_FALSE(planned->pipeline);
    REQUIRE(planned->none);
    return planned->none->reason;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "a push is planned with the facts of its commit", "[intake]") {
  PlanRequest request = pushed("compile:\n  script: make\n", "Speak louder\n\nAt last.");
  request.before_sha = std::string(40, '1');
  request.variables = {{.name = "WHO", .value = "a \"b\""}};
  const NewPipeline pipeline = made(request);
  CHECK(pipeline.row.source == "push");
  CHECK(pipeline.row.ref == "main");
  CHECK_FALSE(pipeline.row.tag);
  CHECK(pipeline.row.ref_protected);
  CHECK(pipeline.row.sha == request.sha);
  CHECK(pipeline.row.before_sha == request.before_sha);
  CHECK(pipeline.row.commit_title == "Speak louder");
  CHECK(pipeline.row.commit_message == "Speak louder\n\nAt last.\n");
  CHECK(pipeline.row.author_name == "Ada");
  CHECK(pipeline.row.author_email == "ada@example.com");
  CHECK(pipeline.row.committed_at.has_value());
  CHECK(pipeline.row.reason_code.empty());
  CHECK(pipeline.findings.empty());
  CHECK(pipeline.variables == R"([{"key":"WHO","value":"a \"b\""}])");
  REQUIRE(pipeline.plan);
  CHECK(pipeline.plan->jobs.at(0).job.name == "compile");
}

TEST_CASE_METHOD(Fixture, "rules see the branch, the tag and what was given", "[intake]") {
  PlanRequest request = pushed(
      "always: {script: x}\n"
      "main: {script: x, rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]}\n"
      "side: {script: x, rules: [{if: $CI_COMMIT_BRANCH == 'side'}]}\n"
      "tag: {script: x, rules: [{if: $CI_COMMIT_TAG}]}\n"
      "asked: {script: x, rules: [{if: $WHO == 'ada'}]}\n"
      "api: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == 'api'}]}\n");
  CHECK(jobs(request) == Names{"always", "main"});
  request.ref = "side";
  CHECK(jobs(request) == Names{"always", "side"});
  CHECK_FALSE(made(request).row.ref_protected);
  request.ref = "main";
  request.is_tag = true;
  CHECK(jobs(request) == Names{"always", "tag"});
  CHECK_FALSE(made(request).row.ref_protected);
  request.is_tag = false;
  request.source = pipeline::Source::Api;
  request.variables = {{.name = "WHO", .value = "ada"}};
  CHECK(jobs(request) == Names{"always", "main", "asked", "api"});
}

TEST_CASE_METHOD(Fixture, "changes are compared with the commit before, and hold when unknown",
                 "[intake]") {
  remote.write("docs/a", "a");
  const std::string before = pushed(
                                 "docs: {script: x, rules: [{changes: [docs/*]}]}\n"
                                 "code: {script: x, rules: [{changes: [src/**/*]}]}\n")
                                 .sha;
  PlanRequest request = pushed_commit(remote.commit_file("src/deep/b", "b"));
  request.before_sha = before;
  CHECK(jobs(request) == Names{"code"});
  request.before_sha = "";
  CHECK(jobs(request) == Names{"docs", "code"});
  request.before_sha = std::string(40, 'e');
  CHECK(jobs(request) == Names{"docs", "code"});
  request.before_sha = before;
  request.source = pipeline::Source::Web;
  CHECK(jobs(request) == Names{"docs", "code"});
}

TEST_CASE_METHOD(Fixture, "compare_to looks at what differs from the merge base", "[intake]") {
  pushed("a: {script: x}\n");
  remote.git({"checkout", "--quiet", "-b", "feature"});
  remote.write("src/a", "a");
  PlanRequest request = pushed(
      "code: {script: x, rules: [{changes: {paths: [src/*], compare_to: refs/heads/main}}]}\n"
      "docs: {script: x, rules: [{changes: {paths: [docs/*], compare_to: main}}]}\n"
      "head: {script: x, rules: [{changes: {paths: [src/*], compare_to: HEAD}}]}\n");
  request.ref = "feature";
  request.project.default_branch = "main";
  CHECK(jobs(request) == Names{"code", "head"});
  PlanRequest refused =
      pushed("code: {script: x, rules: [{changes: {paths: [src/*], compare_to: nowhere}}]}\n");
  const NewPipeline made_of_it = made(refused);
  CHECK(made_of_it.row.reason_code == "configuration_invalid");
  REQUIRE(made_of_it.findings.size() == 1);
  CHECK(made_of_it.findings[0].message ==
        "Failed to parse rule for code: rules:changes:compare_to is not a valid ref");
}

TEST_CASE_METHOD(Fixture, "a tag's message reaches its jobs", "[intake]") {
  PlanRequest request = pushed("a: {script: x, rules: [{if: $CI_COMMIT_TAG_MESSAGE}]}\n");
  remote.git({"tag", "--annotate", "v1", "--message", "The first"});
  remote.git({"tag", "light"});
  REQUIRE(mirrors.fetch(1, remote.url(), "v1", ""));
  request.is_tag = true;
  request.ref = "v1";
  const NewPipeline pipeline = made(request);
  REQUIRE(pipeline.plan);
  CHECK(pipeline.plan->jobs.at(0).of_event.at(0).value == "The first\n");
  request.ref = "light";
  CHECK(none(request).code == pipeline::ReasonCode::NoJobs);
}

TEST_CASE_METHOD(Fixture, "includes may use what was given with the trigger", "[intake]") {
  remote.write("ci/a.yml", "a: {script: x}\n");
  PlanRequest request = pushed("include: {local: ci/$WHICH.yml}\nown: {script: x}\n");
  request.variables = {{.name = "WHICH", .value = "a"}};
  CHECK(jobs(request) == Names{"a", "own"});
}

TEST_CASE_METHOD(Fixture, "a workflow's exists looks at the files of the commit", "[intake]") {
  CHECK(none(pushed("workflow: {rules: [{exists: [none]}]}\na: {script: x}\n")).code ==
        pipeline::ReasonCode::WorkflowFiltered);
}

TEST_CASE_METHOD(Fixture, "exists looks at the files of the commit", "[intake]") {
  remote.write("go.mod", "");
  CHECK(jobs(pushed("go: {script: x, rules: [{exists: [go.mod]}]}\n"
                    "node: {script: x, rules: [{exists: [package.json]}]}\n"
                    "any: {script: x}\n")) == Names{"go", "any"});
}

TEST_CASE_METHOD(Fixture, "includes come from the same commit", "[intake]") {
  remote.write("ci/jobs.yml", "included: {script: one}\n");
  const PlanRequest old = pushed("include: {local: /ci/jobs.yml}\nown: {script: x}\n");
  CHECK(jobs(old) == Names{"included", "own"});
  const PlanRequest changed =
      pushed_commit(remote.commit_file("ci/jobs.yml", "renamed: {script: two}\n"));
  CHECK(jobs(changed) == Names{"renamed", "own"});
  CHECK(jobs(old) == Names{"included", "own"});
}

TEST_CASE_METHOD(Fixture, "an include through a link or of a missing file is a finding",
                 "[intake]") {
  std::filesystem::create_symlink("/etc/passwd", remote.path() / "link.yml");
  const std::string file = GENERATE("link.yml", "missing.yml", "../../etc/passwd");
  const NewPipeline pipeline = made(pushed("include: {local: " + file + "}\na: {script: x}\n"));
  CHECK_FALSE(pipeline.plan);
  CHECK(pipeline.row.reason_code == "configuration_invalid");
  REQUIRE_FALSE(pipeline.findings.empty());
  CHECK(pipeline.findings[0].severity == "error");
  CHECK(pipeline.findings[0].message.find("root:") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "an invalid file is kept with its findings and the first as reason",
                 "[intake]") {
  const NewPipeline pipeline =
      made(pushed("a:\n  script: 7\n  wen: manual\nb:\n  stage: nowhere\n"));
  CHECK_FALSE(pipeline.plan);
  CHECK(pipeline.row.reason_code == "configuration_invalid");
  CHECK(pipeline.row.reason_text.find("The pipeline file is not valid: .gitlab-ci.yml:") == 0);
  CHECK(pipeline.row.reason_text.find(" more)") != std::string::npos);
  REQUIRE(pipeline.findings.size() >= 2);
  CHECK(pipeline.findings[0].file == ".gitlab-ci.yml");
  CHECK(pipeline.findings[0].line >= 1);
}

TEST_CASE_METHOD(Fixture, "a need that the plan does not have makes the pipeline fail",
                 "[intake]") {
  const NewPipeline pipeline =
      made(pushed("a: {script: x, rules: [{when: never}]}\nb: {script: x, needs: [a]}\n"));
  CHECK(pipeline.row.reason_code == "configuration_invalid");
  CHECK(pipeline.row.reason_text.find("'a'") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "no file, no jobs and a filtering workflow make no pipeline",
                 "[intake]") {
  const PlanRequest without = pushed_commit(remote.commit_file("README", "x"));
  CHECK(none(without).code == pipeline::ReasonCode::ConfigurationMissing);
  CHECK(none(without).text == "The commit has no pipeline file .gitlab-ci.yml.");
  CHECK(none(pushed("a: {script: x, rules: [{when: never}]}\n")).code ==
        pipeline::ReasonCode::NoJobs);
  const auto filtered =
      none(pushed("workflow: {rules: [{if: $CI_COMMIT_BRANCH == 'other'}]}\na: {script: x}\n"));
  CHECK(filtered.code == pipeline::ReasonCode::WorkflowFiltered);
  CHECK(filtered.text.find("Pipeline filtered out by workflow rules") == 0);
}

TEST_CASE_METHOD(Fixture, "another path of the pipeline file is the project's choice", "[intake]") {
  remote.write("ci/main.yml", "elsewhere: {script: x}\n");
  PlanRequest request = pushed("here: {script: x}\n");
  CHECK(jobs(request) == Names{"here"});
  request.project.ci_config_path = "ci/main.yml";
  CHECK(jobs(request) == Names{"elsewhere"});
}

TEST_CASE_METHOD(Fixture, "[skip ci] skips a push and nothing else", "[intake]") {
  PlanRequest request = pushed("a: {script: x}\n", "Fix typo [skip ci]");
  const NewPipeline skipped = made(request);
  CHECK_FALSE(skipped.plan);
  CHECK(skipped.row.reason_code == "skip_ci");
  CHECK(skipped.row.reason_text == "The commit message asks to skip the pipeline.");
  request.source = pipeline::Source::Web;
  CHECK(jobs(request) == Names{"a"});
}

TEST_CASE_METHOD(Fixture, "a commit that is not in the mirror cannot be planned", "[intake]") {
  PlanRequest request = pushed("a: {script: x}\n");
  request.sha = std::string(40, 'e');
  const auto failed = planner.plan(request);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "a commit message that is no UTF-8 is stored as UTF-8", "[intake]") {
  remote.write(".gitlab-ci.yml", "a: {script: x}\n");
  remote.git({"config", "i18n.commitEncoding", "ISO-8859-1"});
  const NewPipeline pipeline =
      made(pushed_commit(remote.commit("gr\xF6\xDF"
                                       "e")));
  CHECK(nlohmann::json(pipeline.row.commit_title).dump() == "\"gr\uFFFD\uFFFDe\"");
}

TEST_CASE_METHOD(Fixture, "lint reads a text as the project's file, with includes of a commit",
                 "[intake]") {
  remote.write("more.yml", "more: {script: x}\n");
  const PlanRequest request = pushed("a: {script: x}\n");
  const std::string text = "include: more.yml\nb: {script: x}\n";
  const auto report = planner.lint(request, text, Simulate::no);
  CHECK(report.findings.empty());
  CHECK(report.merged_yaml == "more:\n  script: x\nb:\n  script: x\n");
  CHECK(report.jobs.size() == 2);
  PlanRequest nowhere = request;
  nowhere.sha.clear();
  const auto without = planner.lint(nowhere, text, Simulate::no).findings;
  REQUIRE(without.size() == 1);
  CHECK(without[0].span.line == 1);
  const auto rows = finding_rows(planner.lint(request, "b: {scrip: x}\n", Simulate::no).findings);
  REQUIRE_FALSE(rows.empty());
  CHECK(rows[0].file == ".gitlab-ci.yml");
  CHECK(rows[0].line == 1);
}

TEST_CASE_METHOD(Fixture, "lint of a project reads its own file and plans the push", "[intake]") {
  const PlanRequest request =
      pushed("a: {script: x}\nb: {script: x, only: [tags], when: manual}\n");
  const auto all = planner.lint(request, std::nullopt, Simulate::no);
  REQUIRE(all.jobs.size() == 2);
  CHECK(all.jobs[1].when == pipeline::When::Manual);
  const auto planned = planner.lint(request, std::nullopt, Simulate::yes);
  CHECK(planned.findings.empty());
  REQUIRE(planned.jobs.size() == 1);
  CHECK(planned.jobs[0].job.name == "a");

  const auto filtered =
      planner.lint(request, "workflow: {rules: [{when: never}]}\na: {script: x}\n", Simulate::yes);
  REQUIRE(filtered.findings.size() == 1);
  CHECK(filtered.findings[0].code == "no_pipeline");
  PlanRequest nowhere = request;
  nowhere.sha.clear();
  const auto missing = planner.lint(nowhere, std::nullopt, Simulate::no);
  REQUIRE(missing.findings.size() == 1);
  CHECK(missing.findings[0].message == "Please provide content of .gitlab-ci.yml");
}

TEST_CASE_METHOD(Fixture, "a cache's key follows the files that it is made from", "[intake]") {
  const std::string file =
      "install:\n  script: make\n  cache:\n"
      "    - key: {files: [lock, none], prefix: deps}\n      paths: [vendor]\n"
      "    - key: {files: [none]}\n      paths: [other]\n";
  const auto cache_keys = [&](const std::string& lock, const std::string& other) {
    remote.write("lock", lock);
    remote.write("other", other);
    const NewPipeline pipeline = made(pushed(file));
    std::vector<std::string> found;
    for (const auto& cache : pipeline.plan->jobs.at(0).job.caches) found.push_back(cache.key);
    return found;
  };
  const auto first = cache_keys("one", "a");
  REQUIRE(first.size() == 2);
  CHECK(first[0].rfind("deps-", 0) == 0);
  CHECK(first[0].size() == std::string{"deps-"}.size() + 40);
  CHECK(first[1] == "default");
  CHECK(cache_keys("one", "b") == first);
  CHECK(cache_keys("two", "b") != first);
}

TEST_CASE_METHOD(Fixture, "a file beyond a limit of the settings says which", "[intake]") {
  IncludeAccess access;
  access.limits.file_bytes = 1024;
  Planner small{mirrors, vault, {{"https://ci.example", "", "1.0"}}, access};
  const std::string fits = "a: {script: x}\n" + std::string(1024 - 15, '#');
  const auto reason_of = [&](const PlanRequest& request) {
    const auto planned = small.plan(request);
    REQUIRE(planned);
    REQUIRE(planned->pipeline);
    return planned->pipeline->row.reason_text;
  };
  CHECK(reason_of(pushed(fits)).empty());
  const std::string refused =
      "The parsed YAML is too big: the file has more than 1024 bytes (setting "
      "pipeline_file_limit)";
  const auto beyond = pushed(fits + "#");
  CHECK(reason_of(beyond).find(refused) != std::string::npos);
  CHECK(small.lint(beyond, std::nullopt, Simulate::no).findings.at(0).message == refused);
  // Even the mirror hands out no more than any setting allows.
  const auto huge = pushed(std::string(pipeline::kLargestPipelineFile + 1, '#'));
  CHECK(reason_of(huge).find(refused) != std::string::npos);
  CHECK(small.lint(huge, std::nullopt, Simulate::no).findings.at(0).message == refused);
}

}  // namespace slipway::server
