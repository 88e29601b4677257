#include "server/variables/keys.h"

#include "base/crypto.h"
#include "base/files.h"
#include "server/variables/vault.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

struct Fixture : test::StoreFixture {
  std::filesystem::path file = directory / "secret.key";

  // Variables, and projects with both of their secrets.
  void fill(const Keyring& keys) {
    const VariableVault vault{*database, keys};
    for (int i = 0; i < 7; ++i) {
      const auto id = project("group/name" + std::to_string(i));
      commit([&](Stores& stores) {
        ProjectRow row = *stores.projects.find(id);
        row.webhook_secret = keys.seal("hook " + row.path, kWebhookSecretContext);
        if (i % 2 == 0) row.forge_token = keys.seal("forge " + row.path, kForgeTokenContext);
        stores.projects.update(row);
        VariableRow variable;
        variable.project_id = id;
        variable.key = "KEY";
        vault.seal(variable, "value " + std::to_string(i));
        stores.variables.insert(variable);
        return 0;
      });
    }
  }
  // How many secrets do not open with the keys of the file; `stale` counts those of old keys.
  int unreadable(int* stale = nullptr) {
    const auto keys = Keyring::load(file);
    REQUIRE(keys);
    int failures = 0;
    int old = 0;
    const auto look = [&](const std::string& sealed, std::string_view context,
                          const std::string& expected) {
      const auto text = keys->open(sealed, context);
      failures += text && *text == expected ? 0 : 1;
      old += keys->is_current(sealed) ? 0 : 1;
    };
    auto read = database->read();
    for (const ProjectRow& row : read->projects.list("", "", {1, 100}).rows) {
      look(row.webhook_secret, kWebhookSecretContext, "hook " + row.path);
      if (!row.forge_token.empty()) look(row.forge_token, kForgeTokenContext, "forge " + row.path);
    }
    for (const VariableRow& row : read->variables.next_after({}, 100))
      look(row.value, seal_context(row), "value " + std::to_string(row.project_id->value - 1));
    if (stale != nullptr) *stale = old;
    return failures;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a new database gets a key, and starts with that one again", "[keys]") {
  const auto made = open_keys(file, *database);
  REQUIRE(made);
  const std::string sealed = made->seal("s3cret", "context");
  reopen();
  const auto again = open_keys(file, *database);
  REQUIRE(again);
  CHECK(*again->open(sealed, "context") == "s3cret");
}

TEST_CASE_METHOD(Fixture, "a server does not start without its key file, or with another one",
                 "[keys]") {
  REQUIRE(open_keys(file, *database));
  REQUIRE(std::filesystem::remove(file));
  const auto missing = open_keys(file, *database);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("is missing") != std::string::npos);
  CHECK(missing.error().hint.find("backup") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(file));

  REQUIRE(Keyring::make().save(file));
  const auto other = open_keys(file, *database);
  REQUIRE_FALSE(other);
  CHECK(other.error().message.find("is not the key file of this database") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "no key is made for the secrets of a database of before", "[keys]") {
  fill(Keyring::make());
  const auto opened = open_keys(file, *database);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("is missing") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a rotation seals everything anew and forgets the old key", "[keys]") {
  const auto before = open_keys(file, *database);
  REQUIRE(before);
  fill(*before);

  const auto rotation = rotate_keys(file, *database);

  REQUIRE(rotation);
  CHECK(rotation->resealed == 7 + 7 + 4 + 1);
  CHECK_FALSE(rotation->was_begun);
  int stale = -1;
  CHECK(unreadable(&stale) == 0);
  CHECK(stale == 0);
  const auto after = Keyring::load(file);
  REQUIRE(after);
  CHECK(after->size() == 1);
  CHECK_FALSE(after->is_current(before->seal("x", "y")));
  CHECK(open_keys(file, *database));
}

TEST_CASE_METHOD(Fixture, "what was sealed before keys had names is rotated, too", "[keys]") {
  const std::string key(Keyring::kKeyBytes, 'k');
  REQUIRE(Keyring{{key}}.save(file));
  const auto id = project("group/name0");
  commit([&](Stores& stores) {
    ProjectRow row = *stores.projects.find(id);
    row.webhook_secret = seal(key, "hook " + row.path, kWebhookSecretContext);
    stores.projects.update(row);
    return 0;
  });
  CHECK(unreadable() == 0);
  REQUIRE(rotate_keys(file, *database));
  int stale = -1;
  CHECK(unreadable(&stale) == 0);
  CHECK(stale == 0);
}

TEST_CASE_METHOD(Fixture,
                 "a rotation that is interrupted anywhere loses nothing and is ended later",
                 "[keys]") {
  const auto keys = open_keys(file, *database);
  REQUIRE(keys);
  fill(*keys);
  // Each round ends one step later: after the new key, after one batch, after two, …
  for (int steps = 0; steps < 9; ++steps) {
    CAPTURE(steps);
    const auto begun = begin_rotation(file);
    REQUIRE(begun);
    for (int i = 0; i < steps; ++i) REQUIRE(reseal_some(*database, *begun, 3));
    reopen();
    CHECK(unreadable() == 0);
    CHECK(open_keys(file, *database));  // a server that starts now works

    const auto rotation = rotate_keys(file, *database);
    REQUIRE(rotation);
    CHECK(rotation->was_begun);
    int stale = -1;
    CHECK(unreadable(&stale) == 0);
    CHECK(stale == 0);
    CHECK(Keyring::load(file)->size() == 1);
  }
}

TEST_CASE_METHOD(Fixture, "a value that no key opens stops a rotation and keeps the old keys",
                 "[keys]") {
  const auto keys = open_keys(file, *database);
  REQUIRE(keys);
  fill(*keys);
  commit([&](Stores& stores) {
    VariableRow row = stores.variables.next_after({}, 1).at(0);
    row.value = Keyring::make().seal("x", "y");
    stores.variables.update(row);
    return 0;
  });
  const auto rotation = rotate_keys(file, *database);
  REQUIRE_FALSE(rotation);
  CHECK(rotation.error().message.find("the variable KEY of project/1") != std::string::npos);
  CHECK(Keyring::load(file)->size() == 2);
  CHECK(unreadable() == 1);
}

}  // namespace slipway::server
