#include "server/variables/vault.h"

#include <fstream>
#include <iterator>

#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

constexpr const char* kSecret = "a-very-secret-value";

struct Fixture : test::StoreFixture {
  Keyring keys = Keyring::make();
  VariableVault vault{*database, keys};
  ProjectId id = project("team/web/app");

  VariableRow add(const VariableOwner& owner, const std::string& key, const std::string& value,
                  bool protected_only = false, const std::string& scope = "*") {
    VariableRow row;
    row.project_id = owner.project_id;
    row.group_path = owner.group_path;
    row.key = key;
    row.protected_only = protected_only;
    row.environment_scope = scope;
    vault.seal(row, value);
    return commit([&](Stores& stores) {
      row.id = stores.variables.insert(row);
      return row;
    });
  }
  Result<pipeline::SettingVariables> for_jobs(bool ref_protected) {
    return vault.for_jobs(*database->read()->projects.find(id), ref_protected);
  }
  std::string value_of(const std::string& key, bool ref_protected = true) {
    const auto all = for_jobs(ref_protected);
    REQUIRE(all);
    const auto variables = pipeline::variables_for(*all, "");
    const auto* found = pipeline::find_variable(variables, key);
    return found == nullptr ? "(none)" : found->value;
  }
};

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "the nearest owner's value counts", "[variables]") {
  CHECK(value_of("KEY") == "(none)");
  add(VariableOwner::instance(), "KEY", "instance");
  CHECK(value_of("KEY") == "instance");
  add(VariableOwner::group("Team"), "KEY", "outer");
  CHECK(value_of("KEY") == "outer");
  add(VariableOwner::group("team/web"), "KEY", "inner");
  CHECK(value_of("KEY") == "inner");
  add(VariableOwner::project(id), "KEY", "project");
  CHECK(value_of("KEY") == "project");
}

TEST_CASE_METHOD(Fixture, "protected variables are for protected refs alone", "[variables]") {
  add(VariableOwner::group("team"), "KEY", "for all");
  add(VariableOwner::project(id), "KEY", "protected", true);
  CHECK(value_of("KEY", true) == "protected");
  CHECK(value_of("KEY", false) == "for all");
}

TEST_CASE_METHOD(Fixture, "a ref is protected by its name or a pattern, as branch or tag",
                 "[variables]") {
  commit([&](Stores& stores) {
    stores.protections.protect(id, RefKind::Branch, "release/*", 1);
    stores.protections.protect(id, RefKind::Tag, "v*", 1);
    return 0;
  });
  struct Row {
    const char* ref;
    RefKind kind;
    bool is_protected;
  };
  for (const Row& row :
       {Row{"main", RefKind::Branch, true}, Row{"main", RefKind::Tag, false},
        Row{"release/1/x", RefKind::Branch, true}, Row{"release", RefKind::Branch, false},
        Row{"v1", RefKind::Tag, true}, Row{"v1", RefKind::Branch, false},
        Row{"Main", RefKind::Branch, false}, Row{"", RefKind::Branch, false}}) {
    CAPTURE(row.ref);
    CHECK(vault.is_protected(id, row.ref, row.kind) == row.is_protected);
  }
  CHECK_FALSE(vault.is_protected(ProjectId{99}, "main", RefKind::Branch));
}

TEST_CASE_METHOD(Fixture, "no file of the database holds a value", "[variables][sqlite]") {
  add(VariableOwner::project(id), "TOKEN", kSecret);
  const auto holds = [&](const std::string& text) {
    bool found = false;
    for (const auto& file : std::filesystem::directory_iterator{directory.path()})
      found = found || bytes_of(file.path()).find(text) != std::string::npos;
    return found;
  };
  CHECK(holds("TOKEN"));
  CHECK_FALSE(holds(kSecret));
  reopen();  // what was in the log is in the database file now
  CHECK(holds("TOKEN"));
  CHECK_FALSE(holds(kSecret));
}

TEST_CASE_METHOD(Fixture, "a value that was moved to another row does not open", "[variables]") {
  const VariableRow row = add(VariableOwner::project(id), "TOKEN", kSecret, true, "production");
  CHECK(*vault.open(row) == kSecret);
  struct Row {
    const char* what;
    std::function<void(VariableRow&)> move;
  };
  for (const Row& one :
       {Row{"project", [](VariableRow& moved) { moved.project_id = ProjectId{77}; }},
        Row{"group",
            [](VariableRow& moved) {
              moved.project_id.reset();
              moved.group_path = "x";
            }},
        Row{"key", [](VariableRow& moved) { moved.key = "OTHER"; }},
        Row{"scope", [](VariableRow& moved) { moved.environment_scope = "*"; }},
        Row{"protection", [](VariableRow& moved) { moved.protected_only = false; }}}) {
    CAPTURE(one.what);
    VariableRow moved = row;
    one.move(moved);
    const auto opened = vault.open(moved);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().kind == ErrorKind::Internal);
    CHECK(opened.error().message.find(moved.key) != std::string::npos);
    CHECK(opened.error().message.find(kSecret) == std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "a job does not go without a variable that cannot be opened",
                 "[variables]") {
  add(VariableOwner::project(id), "TOKEN", kSecret);
  const Keyring other = Keyring::make();
  const VariableVault wrong{*database, other};
  const auto all = wrong.for_jobs(*database->read()->projects.find(id), true);
  REQUIRE_FALSE(all);
  CHECK(all.error().message ==
        "the variable TOKEN of project/1 cannot be opened with the server's keys");
}

}  // namespace slipway::server
