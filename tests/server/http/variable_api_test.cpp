// Variables and protected refs over the API; answers are compared with openapi.yaml.

#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::check_contract;

struct Owner {
  const char* pattern;
  std::string path;
};

std::vector<Owner> owners() {
  return {{"/api/v4/projects/{id}/variables", "/api/v4/projects/team%2Fapp/variables"},
          {"/api/v4/groups/{group}/variables", "/api/v4/groups/team/variables"},
          {"/api/v4/admin/ci/variables", "/api/v4/admin/ci/variables"}};
}

std::vector<std::string> audit_of(ApiFixture& api) {
  std::vector<std::string> lines;
  for (const auto& row : api.database->read()->audit.list({1, 100}).rows)
    if (row.action.starts_with("variable.") || row.action.starts_with("ref."))
      lines.insert(lines.begin(), row.action + " " + row.object);
  return lines;
}

std::string message(const Answer& answer) {
  return answer.body["message"].get<std::string>();
}

}  // namespace

TEST_CASE("each owner's variables are made, shown, changed and removed", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app");
  for (const auto& owner : owners()) {
    CAPTURE(owner.path);
    const std::string one = std::string{owner.pattern} + "/{key}";
    const auto made = api.call("POST", owner.path,
                               {{"key", "TOKEN"},
                                {"value", "12345678"},
                                {"masked", true},
                                {"protected", true},
                                {"raw", true},
                                {"variable_type", "file"},
                                {"description", "of the registry"}});
    check_contract("POST", owner.pattern, made, 201);
    CHECK(made.body == json{{"key", "TOKEN"},
                            {"value", "12345678"},
                            {"masked", true},
                            {"hidden", false},
                            {"protected", true},
                            {"raw", true},
                            {"variable_type", "file"},
                            {"environment_scope", "*"},
                            {"description", "of the registry"}});
    CHECK(message(api.call("POST", owner.path, {{"key", "TOKEN"}, {"value", "x"}})) ==
          "(TOKEN) has already been taken");

    const auto list = api.call("GET", owner.path);
    check_contract("GET", owner.pattern, list, 200);
    CHECK(list.body == json::array({made.body}));
    const auto shown = api.call("GET", owner.path + "/TOKEN");
    check_contract("GET", one, shown, 200);
    CHECK(shown.body == made.body);

    const auto changed =
        api.call("PUT", owner.path + "/TOKEN", {{"value", "x"}, {"masked", false}});
    check_contract("PUT", one, changed, 200);
    CHECK(changed.body["value"] == "x");
    CHECK(changed.body["protected"] == true);
    // What is not given stays, the value too.
    CHECK(api.call("PUT", owner.path + "/TOKEN", {{"protected", false}}).body["value"] == "x");

    const auto uses = api.call("GET", owner.path + "/TOKEN/uses");
    check_contract("GET", one + "/uses", uses, 200);
    CHECK(uses.body == json::array());

    CHECK(api.call("DELETE", owner.path + "/TOKEN").status == 204);
    CHECK(api.call("GET", owner.path + "/TOKEN").status == 404);
    CHECK(message(api.call("DELETE", owner.path + "/TOKEN")) == "404 Variable Not Found");
    CHECK(api.call("GET", owner.path).body == json::array());
  }
  CHECK(
      audit_of(api) ==
      std::vector<std::string>{
          "variable.created project/1/variable/TOKEN", "variable.changed project/1/variable/TOKEN",
          "variable.changed project/1/variable/TOKEN", "variable.deleted project/1/variable/TOKEN",
          "variable.created group/team/variable/TOKEN",
          "variable.changed group/team/variable/TOKEN",
          "variable.changed group/team/variable/TOKEN",
          "variable.deleted group/team/variable/TOKEN", "variable.created instance/variable/TOKEN",
          "variable.changed instance/variable/TOKEN", "variable.changed instance/variable/TOKEN",
          "variable.deleted instance/variable/TOKEN"});
}

TEST_CASE("a hidden value never comes out again", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app");
  const std::string path = "/api/v4/projects/1/variables";
  const auto made =
      api.call("POST", path, {{"key", "K"}, {"value", "12345678"}, {"masked_and_hidden", true}});
  check_contract("POST", "/api/v4/projects/{id}/variables", made, 201);
  CHECK(made.body["value"].is_null());
  CHECK(made.body["hidden"] == true);
  CHECK(made.body["masked"] == true);
  for (const auto& answer :
       {api.call("GET", path), api.call("GET", path + "/K"),
        api.call("PUT", path + "/K", {{"description", "x"}, {"hidden", false}}),
        api.call("PUT", path + "/K", {{"value", "abcdefgh12345678"}})}) {
    CAPTURE(answer.raw.body);
    CHECK(answer.status == 200);
    CHECK(answer.raw.body.find("12345678") == std::string::npos);
  }
  CHECK(message(api.call("PUT", path + "/K", {{"masked", false}})).find("stays masked") !=
        std::string::npos);
  // Hiding comes with the making alone.
  api.call("POST", path, {{"key", "L"}, {"value", "12345678"}});
  const auto late = api.call("PUT", path + "/L", {{"masked_and_hidden", true}});
  CHECK(late.status == 400);
  CHECK(late.body["hint"] == "delete the variable and make it anew");
}

TEST_CASE("variables of one key are told apart by their scope", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app");
  const std::string path = "/api/v4/projects/1/variables";
  const auto make = [&](const char* scope, const char* value) {
    return api.call("POST", path,
                    {{"key", "HOST"}, {"value", value}, {"environment_scope", scope}});
  };
  CHECK(make("*", "any").status == 201);
  CHECK(make("review/*", "review").status == 201);
  CHECK(make("review/*", "again").status == 400);

  const auto ambiguous = api.call("GET", path + "/HOST");
  CHECK(ambiguous.status == 409);
  CHECK(message(ambiguous) ==
        "There are multiple variables with provided parameters. Please use "
        "'filter[environment_scope]'");
  CHECK(api.call("DELETE", path + "/HOST").status == 409);
  const std::string filter = "?filter%5Benvironment_scope%5D=review%2F*";
  CHECK(api.call("GET", path + "/HOST" + filter).body["value"] == "review");
  CHECK(api.call("GET", path + "/HOST?filter[environment_scope]=none").status == 404);
  // A PUT may move it, not onto another.
  const json of_review = {{"environment_scope", "review/*"}};
  CHECK(message(
            api.call("PUT", path + "/HOST", {{"filter", of_review}, {"environment_scope", "*"}})) ==
        "(HOST) has already been taken");
  const auto moved =
      api.call("PUT", path + "/HOST", {{"filter", of_review}, {"environment_scope", "production"}});
  CHECK(moved.body["value"] == "review");
  CHECK(moved.body["environment_scope"] == "production");
  CHECK(api.call("DELETE", path + "/HOST", {{"filter", {{"environment_scope", "*"}}}}).status ==
        204);
  CHECK(api.call("GET", path + "/HOST").body["value"] == "review");
  CHECK(api.call("GET", path + "/HOST/uses" + filter).status == 404);
  CHECK(api.call("PUT", path + "/HOST", {{"filter", "x"}}).status == 400);
}

TEST_CASE("what a variable cannot be is refused with the field", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app");
  const std::string path = "/api/v4/projects/1/variables";
  struct Row {
    json body;
    const char* says;
  };
  for (const auto& row :
       {Row{{{"value", "x"}}, "field 'key' must be given"},
        Row{{{"key", "K"}}, "field 'value' must be given"},
        Row{{{"key", "A-B"}, {"value", "x"}}, "field 'key' must be 1 to 255 letters"},
        Row{{{"key", "K"}, {"value", "short"}, {"masked", true}}, "it has 5 characters"},
        Row{{{"key", "K"}, {"value", "has a blank"}, {"masked_and_hidden", true}},
            "one line without blanks"},
        Row{{{"key", "K"}, {"value", "x"}, {"variable_type", "secret"}}, "env_var or file"},
        Row{{{"key", "K"}, {"value", "x"}, {"masked", "yes"}}, "field 'masked' must be true"},
        Row{{{"key", "K"}, {"value", "x"}, {"environment_scope", "a?"}}, "'environment_scope'"},
        Row{{{"key", "K"}, {"value", 3}}, "field 'value' must be a string"}}) {
    CAPTURE(row.body.dump());
    const auto answer = api.call("POST", path, row.body);
    CHECK(answer.status == 400);
    CHECK(message(answer).find(row.says) != std::string::npos);
  }
  CHECK(api.call("GET", path).body.empty());
  CHECK(message(api.call("POST", "/api/v4/admin/ci/variables",
                         {{"key", "K"}, {"value", "x"}, {"environment_scope", "prod"}}))
            .find("of the instance") != std::string::npos);
}

TEST_CASE("a group is a path that projects have", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/web/app");
  const json variable = {{"key", "K"}, {"value", "x"}};
  CHECK(api.call("POST", "/api/v4/groups/team%2Fweb/variables", variable).status == 201);
  CHECK(api.call("POST", "/api/v4/groups/TEAM/variables", variable).status == 201);
  CHECK(api.call("GET", "/api/v4/groups/team/variables").body.size() == 1);
  for (const auto* none : {"tea", "team%2Fweb%2Fapp", "web", "%2F"})
    CHECK(message(api.call("GET", std::string{"/api/v4/groups/"} + none + "/variables")) ==
          "404 Group Not Found");
}

TEST_CASE("values are shown to nobody who may only read", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app", "public");
  for (const auto& owner : owners())
    REQUIRE(api.call("POST", owner.path, {{"key", "K"}, {"value", "12345678"}}).status == 201);
  const auto read_token =
      api.call("POST", "/api/v4/personal_access_tokens", {{"name", "t"}, {"scopes", {"read_api"}}})
          .body["token"]
          .get<std::string>();
  const auto runner = api.make_runner();
  for (const auto& owner : owners())
    for (const auto& [headers, status] :
         std::vector<std::pair<std::string, int>>{{"", 401},
                                                  {"PRIVATE-TOKEN: " + read_token + "\r\n", 403},
                                                  {"RUNNER-TOKEN: " + runner + "\r\n", 401},
                                                  {"PRIVATE-TOKEN: " + runner + "\r\n", 401}})
      for (const auto* rest : {"", "/K", "/K/uses"}) {
        CAPTURE(owner.path, rest, headers);
        const auto answer = api.call_with(headers, "GET", owner.path + rest);
        // A group is hidden from whoever is not in it.
        const bool hidden = status == 401 && owner.path.find("/groups/") != std::string::npos &&
                            !headers.starts_with("PRIVATE");
        CHECK(answer.status == (hidden ? 404 : status));
        CHECK(answer.raw.body.find("12345678") == std::string::npos);
      }
  // The session of an administrator sees them.
  const auto cookie = "Cookie: slipway_session=" + api.session + "\r\n";
  CHECK(api.call_with(cookie, "GET", owners()[0].path).body[0]["value"] == "12345678");
}

TEST_CASE("another project's variables are not reached", "[api][variables]") {
  ApiFixture api;
  api.make_project("team/app");
  api.make_project("team/other");
  api.call("POST", "/api/v4/projects/1/variables", {{"key", "K"}, {"value", "x"}});
  CHECK(api.call("GET", "/api/v4/projects/2/variables/K").status == 404);
  CHECK(api.call("DELETE", "/api/v4/projects/2/variables/K").status == 404);
  CHECK(api.call("PUT", "/api/v4/groups/team/variables/K", {{"value", "y"}}).status == 404);
  CHECK(api.call("GET", "/api/v4/projects/1/variables/K").body["value"] == "x");
}

TEST_CASE("branches and tags are protected and unprotected", "[api][protections]") {
  ApiFixture api;
  api.make_project("team/app");
  for (const std::string kind : {"branches", "tags"}) {
    CAPTURE(kind);
    const auto pattern = "/api/v4/projects/{id}/protected_" + kind;
    const auto path = "/api/v4/projects/1/protected_" + kind;
    const auto made = api.call("POST", path, {{"name", "release/*"}});
    check_contract("POST", pattern, made, 201);
    CHECK(api.call("POST", path, {{"name", "release/*"}}).status == 409);
    CHECK(api.call("POST", path, {{"name", "a b"}}).status == 400);
    CHECK(api.call("POST", path, json::object()).status == 400);
    const auto list = api.call("GET", path);
    check_contract("GET", pattern, list, 200);
    CHECK(list.body.size() == (kind == "tags" ? 1U : 2U));  // main is protected from the start
    const auto shown = api.call("GET", path + "/release%2F*");
    check_contract("GET", pattern + "/{ref_name}", shown, 200);
    CHECK(shown.body == made.body);
    CHECK(api.call("DELETE", path + "/release%2F*").status == 204);
    CHECK(api.call("DELETE", path + "/release%2F*").status == 404);
    CHECK(api.call("GET", path + "/release%2F*").status == 404);
  }
  CHECK(api.call("DELETE", "/api/v4/projects/1/protected_branches/main").status == 204);
  CHECK(api.call("GET", "/api/v4/projects/1/protected_branches").body.empty());
  CHECK(audit_of(api) == std::vector<std::string>{"ref.protected project/1/branch/release/*",
                                                  "ref.unprotected project/1/branch/release/*",
                                                  "ref.protected project/1/tag/release/*",
                                                  "ref.unprotected project/1/tag/release/*",
                                                  "ref.unprotected project/1/branch/main"});
}

TEST_CASE("a new default branch is protected, too", "[api][protections]") {
  ApiFixture api;
  api.make_project("team/app");
  REQUIRE(api.call("PUT", "/api/v4/projects/1", {{"default_branch", "trunk"}}).status == 200);
  CHECK(api.call("GET", "/api/v4/projects/1/protected_branches/trunk").status == 200);
  // One that was unprotected by hand stays so when other things change.
  REQUIRE(api.call("DELETE", "/api/v4/projects/1/protected_branches/trunk").status == 204);
  REQUIRE(api.call("PUT", "/api/v4/projects/1", {{"visibility", "public"}}).status == 200);
  CHECK(api.call("GET", "/api/v4/projects/1/protected_branches/trunk").status == 404);
}

TEST_CASE("the jobs that were handed a variable are listed", "[api][variables]") {
  ApiFixture api;
  const auto project = api.make_project("team/app");
  api.make_pipeline(project);
  api.call("POST", "/api/v4/projects/1/variables", {{"key", "K"}, {"value", "x"}});
  const auto taken = api.take_job(api.make_runner());
  REQUIRE(api.coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.variables.used(
        {0, VariableId{1}, JobId{taken.id}, RunnerId{1}, "project/1", "K", "*", 5000});
    return true;
  }));
  const auto uses = api.call("GET", "/api/v4/projects/1/variables/K/uses");
  check_contract("GET", "/api/v4/projects/{id}/variables/{key}/uses", uses, 200);
  REQUIRE(uses.body.size() == 1);
  CHECK(uses.body[0]["job"]["id"] == taken.id);
  CHECK(uses.body[0]["job"]["name"] == "build");
  CHECK(uses.body[0]["job"]["project_path"] == "team/app");
  CHECK(uses.body[0]["at"] == "1970-01-01T00:00:05.000Z");
}

}  // namespace slipway::server::http
