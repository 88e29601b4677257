// What a pipeline file on the server may include from other projects, and from the web.

#include "server/intake/planner.h"
#include "tests/server/git/git_repository.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

struct Fixture : test::StoreFixture {
  test::GitRepository remote;
  test::GitRepository shared;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  ProjectRow shared_project = project_row(2, "group/shared", shared.url());
  Keyring keys = Keyring::make();
  VariableVault vault{*database, keys};
  Planner planner{mirrors,
                  vault,
                  {{"https://ci.example:8443", "", "1.0"}},
                  {[this](const std::string& path) -> std::optional<ProjectRow> {
                     if (path == shared_project.path) return shared_project;
                     return std::nullopt;
                   },
                   {},
                   false}};

  static ProjectRow project_row(std::int64_t id, const std::string& path, const std::string& url) {
    ProjectRow row;
    row.id = ProjectId{id};
    row.path = path;
    row.repository_url = url;
    return row;
  }

  // The names of the planned jobs, or the reason why there is no plan.
  std::string planned(const std::string& include) {
    remote.write(".gitlab-ci.yml", "include: " + include + "\nown: {script: x}\n");
    PlanRequest request;
    request.project = project_row(1, "group/name", remote.url());
    request.ref = "main";
    request.sha = remote.commit("Change");
    REQUIRE(mirrors.fetch(1, remote.url(), "", request.sha));
    const auto planned = planner.plan(request);
    REQUIRE(planned);
    REQUIRE(planned->pipeline);
    if (!planned->pipeline->row.reason_code.empty()) return planned->pipeline->row.reason_text;
    std::string names;
    for (const auto& job : planned->pipeline->plan->jobs)
      names += (names.empty() ? "" : " ") + job.job.name;
    return names;
  }
};

constexpr const char* kHidden =
    "Project `group/shared` not found or access denied! Make sure any includes in the pipeline "
    "configuration are correctly defined.";

}  // namespace

TEST_CASE_METHOD(Fixture, "a file of another project is read from its mirror at the reference",
                 "[intake]") {
  const std::string first = shared.commit_file("ci/a.yml", "first: {script: x}\n");
  shared.git({"tag", "v1"});
  shared.git({"checkout", "--quiet", "-b", "dev"});
  shared.commit_file("ci/a.yml", "dev: {script: x}\n");
  shared.git({"checkout", "--quiet", "main"});
  shared.commit_file("ci/a.yml", "last: {script: x}\n");
  const std::string include = "{project: group/shared, file: ci/a.yml, ref: ";
  CHECK(planned("{project: group/shared, file: /ci/a.yml}") == "last own");
  CHECK(planned(include + "v1}") == "first own");
  CHECK(planned(include + "dev}") == "dev own");
  CHECK(planned(include + first + "}") == "first own");
  CHECK(planned(include + "'" + first.substr(0, 8) + "'}") == "first own");
  CHECK(
      planned(include + "none}").find("Project `group/shared` reference `none` does not exist!") !=
      std::string::npos);
  CHECK(planned(include + std::string(40, 'a') + "}").find("does not exist!") != std::string::npos);
  CHECK(
      planned(include + "'--upload-pack=x'}").find("reference `--upload-pack=x` does not exist!") !=
      std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a project that may not be read is as one that is not there",
                 "[intake]") {
  shared.commit_file("a.yml", "a: {script: x}\n");
  shared_project.path = "other/shared";
  const std::string denied = planned("{project: other/shared, file: a.yml}");
  const std::string unknown = planned("{project: other/none, file: a.yml}");
  CHECK(denied.find("Project `other/shared` not found or access denied!") != std::string::npos);
  CHECK(unknown.find("Project `other/none` not found or access denied!") != std::string::npos);
  shared_project.visibility = "public";
  CHECK(planned("{project: other/shared, file: a.yml}") == "a own");
}

TEST_CASE_METHOD(Fixture, "rules look at the files of another project as includes do", "[intake]") {
  shared.commit_file("lib/a", "a");
  const auto asked = [&](const std::string& where) {
    return planned(
        "{local: .gitlab-ci.yml, rules: [{when: never}]}\n"
        "asked: {script: x, rules: [{exists: {paths: [lib/*], " +
        where + "}}]}");
  };
  CHECK(asked("project: group/shared") == "asked own");
  CHECK(asked("project: group/shared, ref: main") == "asked own");
  CHECK(asked("project: group/shared, ref: none")
            .find("Failed to parse rule for asked: rules:exists:ref `none` is not a valid ref in "
                  "project "
                  "`group/shared`") != std::string::npos);
  shared_project.path = "other/shared";
  for (const char* hidden : {"other/shared", "other/none"})
    CHECK(asked(std::string{"project: "} + hidden)
              .find(std::string{"rules:exists:project `"} + hidden +
                    "` not found or access denied") != std::string::npos);
}

TEST_CASE("whose files a pipeline may include", "[intake]") {
  struct Row {
    const char* asking;
    const char* asking_visibility;
    const char* wanted;
    const char* wanted_visibility;
    bool allowed;
  };
  const auto row = GENERATE(values<Row>({
      {"a/x", "private", "a/y", "private", true},
      {"a/x", "private", "a/b/y", "private", true},
      {"a/x", "public", "a/y", "private", false},
      {"a/x", "private", "b/y", "private", false},
      {"a/x", "private", "ab/y", "private", false},
      {"x", "private", "x", "private", false},
      {"a/x", "private", "b/y", "public", true},
      {"a/x", "private", "b/y", "internal", true},
      {"a/x", "internal", "b/y", "internal", true},
      {"a/x", "public", "b/y", "internal", false},
      {"a/x", "internal", "a/y", "private", false},
  }));
  CAPTURE(row.asking, row.wanted);
  ProjectRow asking = Fixture::project_row(1, row.asking, "");
  asking.visibility = row.asking_visibility;
  ProjectRow wanted = Fixture::project_row(2, row.wanted, "");
  wanted.visibility = row.wanted_visibility;
  CHECK(may_include(asking, wanted) == row.allowed);
  CHECK(may_include(asking, asking));
}

TEST_CASE_METHOD(Fixture, "a component is found at the highest version of this server's project",
                 "[intake]") {
  for (const char* version : {"1.0.0", "1.2.0"}) {
    shared.commit_file("templates/scan.yml", "spec: {component: [version]}\n---\nscan-" +
                                                 std::string{"$[[ component.version ]]"} +
                                                 ": {script: x}\n");
    shared.git({"tag", version});
  }
  CHECK(planned("{component: $CI_SERVER_FQDN/group/shared/scan@1}") == "scan-1.2.0 own");
  CHECK(planned("{component: 'ci.example:8443/group/shared/scan@1.0.0'}") == "scan-1.0.0 own");
  CHECK(planned("{component: gitlab.com/group/shared/scan@1}")
            .find("project does not exist or you don't have sufficient permissions") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a link in another project is no file", "[intake]") {
  std::filesystem::create_symlink("/etc/hostname", shared.path() / "a.yml");
  shared.commit("Link");
  CHECK(planned("{project: group/shared, file: a.yml}")
            .find("Project `group/shared` file `a.yml` does not exist!") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "remote files of our own network are refused", "[intake]") {
  CHECK(planned("'http://127.0.0.1:1/a.yml'")
            .find("Remote file could not be fetched because URL 'http://127.0.0.1:1/a.yml' is "
                  "blocked: Requests to localhost are not allowed!") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "linting holds includes to the same rule", "[intake]") {
  shared_project.path = "other/shared";
  PlanRequest request;
  request.project = project_row(1, "group/name", remote.url());
  const auto findings =
      planner
          .lint(request, "include: {project: group/shared, file: a.yml}\nx: {script: y}\n",
                Simulate::no)
          .findings;
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message == kHidden);
}

}  // namespace slipway::server
