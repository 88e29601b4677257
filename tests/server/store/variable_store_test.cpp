#include "server/store/variable_store.h"

#include "server/store/migrations.h"
#include "server/store/session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server::test {
namespace {

VariableRow variable(const VariableOwner& owner, const std::string& key,
                     const std::string& scope = "*") {
  VariableRow row;
  row.project_id = owner.project_id;
  row.group_path = owner.group_path;
  row.key = key;
  row.value = "sealed " + key;
  row.environment_scope = scope;
  return row;
}

std::vector<std::string> owners(const std::vector<VariableRow>& rows) {
  std::vector<std::string> texts;
  for (const VariableRow& row : rows) texts.push_back(to_string(row.owner()) + " " + row.key);
  return texts;
}

}  // namespace

TEST_CASE("a variable keeps what it was told", "[store][variables]") {
  StoreFixture fixture;
  const auto owner = VariableOwner::project(fixture.project());
  auto& variables = fixture.stores().variables;
  VariableRow row = variable(owner, "TOKEN", "review/*");
  row.masked = row.hidden = row.protected_only = row.file = row.raw = true;
  row.description = "of the registry";
  row.created_at = 3;
  row.updated_at = 4;
  row.id = variables.insert(row);

  auto found = variables.find(owner, "TOKEN");
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == row.id);
  CHECK(found[0].value == "sealed TOKEN");
  CHECK((found[0].masked && found[0].hidden && found[0].protected_only && found[0].file &&
         found[0].raw));
  CHECK(found[0].environment_scope == "review/*");
  CHECK(found[0].description == "of the registry");
  CHECK(found[0].created_at == 3);
  CHECK(found[0].updated_at == 4);

  row.value = "other";
  row.masked = row.hidden = row.protected_only = row.file = row.raw = false;
  row.environment_scope = "*";
  row.description.clear();
  row.updated_at = 9;
  variables.update(row);
  found = variables.find(owner, "TOKEN");
  REQUIRE(found.size() == 1);
  CHECK(found[0].value == "other");
  CHECK_FALSE((found[0].masked || found[0].hidden || found[0].protected_only || found[0].file ||
               found[0].raw));
  CHECK(found[0].environment_scope == "*");
  CHECK(found[0].updated_at == 9);
  CHECK(found[0].created_at == 3);

  variables.remove(row.id);
  CHECK(variables.find(owner, "TOKEN").empty());
}

TEST_CASE("each owner has a key once for each scope", "[store][variables]") {
  StoreFixture fixture;
  const auto project = VariableOwner::project(fixture.project());
  auto& variables = fixture.stores().variables;
  for (const auto& owner : {VariableOwner::instance(), VariableOwner::group("team"),
                            VariableOwner::project(*project.project_id)}) {
    CAPTURE(to_string(owner));
    variables.insert(variable(owner, "KEY"));
    variables.insert(variable(owner, "KEY", "production"));
    CHECK_THROWS_AS(variables.insert(variable(owner, "KEY")), StoreFailure);
    CHECK(variables.list(owner, {}).total == 2);
  }
  CHECK_THROWS_AS(variables.insert(variable(VariableOwner::group("TEAM"), "KEY")), StoreFailure);
  CHECK(variables.list(project, {2, 1}).rows.at(0).environment_scope == "production");
}

TEST_CASE("a project has its own variables, those of its groups and the instance's",
          "[store][variables]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project("Team/web/app");
  const ProjectId other = fixture.project("team/web-2/app");
  auto& variables = fixture.stores().variables;
  for (const auto& owner :
       {VariableOwner::project(id), VariableOwner::group("team/web"), VariableOwner::group("team"),
        VariableOwner::instance(), VariableOwner::project(other), VariableOwner::group("te"),
        VariableOwner::group("team/web/app"), VariableOwner::group("web")})
    variables.insert(variable(owner, "KEY"));

  CHECK(owners(variables.for_project(id, "Team/web/app")) ==
        std::vector<std::string>{"instance KEY", "group/team KEY", "group/team/web KEY",
                                 "project/" + std::to_string(id.value) + " KEY"});
  CHECK(variables.has_group("TEAM"));
  CHECK(variables.has_group("team/web"));
  CHECK(variables.has_group("te"));  // by its variables alone
  CHECK_FALSE(variables.has_group("team/we"));
  CHECK_FALSE(variables.has_group("team/web-2/app"));
  CHECK_FALSE(variables.has_group(""));
}

TEST_CASE("that a job was handed a variable outlives the variable", "[store][variables]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  const auto job = fixture.job(fixture.pipeline(id), "deploy");
  auto& variables = fixture.stores().variables;
  const auto token = variables.insert(variable(VariableOwner::project(id), "TOKEN"));
  variables.used({0, token, job.id, RunnerId{7}, "project/1", "TOKEN", "*", 11});
  variables.used({0, token, job.id, RunnerId{8}, "project/1", "TOKEN", "*", 12});

  variables.remove(token);

  const auto uses = variables.uses(token, {1, 1});
  CHECK(uses.total == 2);
  REQUIRE(uses.rows.size() == 1);
  CHECK(uses.rows[0].runner_id == RunnerId{8});
  CHECK(uses.rows[0].job_id == job.id);
  CHECK(uses.rows[0].key == "TOKEN");
  CHECK(uses.rows[0].at == 12);
}

TEST_CASE("refs are protected and unprotected by name, the default branch from the start",
          "[store][protections]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  auto& protections = fixture.stores().protections;
  REQUIRE(protections.of_project(id, RefKind::Branch).size() == 1);
  CHECK(protections.of_project(id, RefKind::Branch)[0].name == "main");
  CHECK(protections.of_project(id, RefKind::Tag).empty());

  protections.protect(id, RefKind::Tag, "v*", 5);
  protections.protect(id, RefKind::Tag, "v*", 6);
  protections.protect(id, RefKind::Branch, "release/*", 7);
  CHECK(protections.list(id, RefKind::Tag, {}).total == 1);
  CHECK(protections.find(id, RefKind::Tag, "v*")->created_at == 5);
  CHECK_FALSE(protections.find(id, RefKind::Branch, "v*"));
  CHECK(protections.list(id, RefKind::Branch, {2, 1}).rows.at(0).name == "release/*");

  CHECK(protections.unprotect(id, RefKind::Branch, "main"));
  CHECK_FALSE(protections.unprotect(id, RefKind::Branch, "main"));
  CHECK(protections.of_project(id, RefKind::Branch).size() == 1);
}

TEST_CASE("projects of before get their default branch protected", "[store][protections]") {
  slipway::test::TempDirectory directory;
  const auto& all = migrations();
  constexpr std::size_t kBefore = 5;
  const slipway::test::TestPlace at{directory / "old.db", slipway::test::TestTables::None};
  const auto opened = open_session(at.place(), Session::Mode::Writer);
  Session& session = *opened;
  REQUIRE(migrate(session, {all.begin(), all.begin() + kBefore}));
  session.run(
      "INSERT INTO projects (path, repository_url, default_branch, visibility, ci_config_path, "
      "webhook_secret, created_at) VALUES ('a/b', '', 'trunk', 'private', '', '', 3)");

  REQUIRE(migrate(session, all));

  const auto refs = ProtectionStore{session}.of_project(ProjectId{1}, RefKind::Branch);
  REQUIRE(refs.size() == 1);
  CHECK(refs[0].name == "trunk");
}

}  // namespace slipway::server::test
