#include "base/settings.h"

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;

namespace {

struct Example {
  std::string listen;
  long long lease = 0;
  std::string token;

  std::vector<Setting> table() {
    return {{"listen", "address to listen on", "127.0.0.1:8080",
             [this](const std::string& text) {
               listen = text;
               return std::string{};
             }},
            {"lease", "silence after which a runner is lost", "90",
             [this](const std::string& text) {
               const auto seconds = parse_seconds(text);
               if (!seconds || *seconds < 10) return std::string{"a time of at least 10s"};
               lease = *seconds;
               return std::string{};
             }},
            {"token", "runner token", "",
             [this](const std::string& text) {
               token = text;
               return std::string{};
             },
             SettingKind::Secret}};
  }
};

Getenv environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
}

}  // namespace

TEST_CASE("a flag beats the environment, which beats the file, which beats the default",
          "[settings]") {
  Example settings;
  const auto table = settings.table();
  const auto origins = apply_settings(
      table, {"listen: file\nlease: 20\n",
              "slipway.yml",
              environment({{"SLIPWAY_LEASE", "30s"}, {"SLIPWAY_LISTEN", "variable"}}),
              {{"listen", "flag"}}});

  REQUIRE(origins);
  CHECK(settings.listen == "flag");
  CHECK(settings.lease == 30);
  CHECK(origins->at("listen") == "--listen");
  CHECK(origins->at("lease") == "SLIPWAY_LEASE");
  CHECK(origins->at("token") == "default");
}

TEST_CASE("a secret is read from the file that its variable names", "[settings]") {
  const test::TempDirectory dir;
  REQUIRE(replace_file(dir / "token", "glrt-abc\n"));
  Example settings;
  const auto table = settings.table();

  REQUIRE(apply_settings(
      table, {"", "", environment({{"SLIPWAY_TOKEN_FILE", (dir / "token").string()}}), {}}));
  CHECK(settings.token == "glrt-abc");
}

TEST_CASE("mistakes in settings name the place and what was expected", "[settings]") {
  Example settings;
  const auto table = settings.table();
  const auto none = environment({});

  const auto unknown = apply_settings(table, {"listen: x\nlaese: 20\n", "s.yml", none, {}});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "unknown setting 'laese'");
  CHECK(unknown.error().span == SourceSpan{"s.yml", 2, 1});

  const auto bad = apply_settings(table, {"lease: 3\n", "s.yml", none, {}});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message == "'lease' must be a time of at least 10s");
  CHECK(bad.error().span->line == 1);

  const auto variable = apply_settings(table, {"", "", environment({{"SLIPWAY_LEASE", "x"}}), {}});
  REQUIRE_FALSE(variable);
  CHECK(variable.error().message == "'SLIPWAY_LEASE' must be a time of at least 10s");

  for (const char* text : {",", "a: [", "- x", "listen: {a: b}", "word"})
    CHECK_FALSE(apply_settings(table, {text, "s.yml", none, {}}));
}

TEST_CASE("a settings file of comments sets nothing", "[settings]") {
  Example settings;
  const auto table = settings.table();
  REQUIRE(apply_settings(table, {"# nothing: here\n\n", "s.yml", environment({}), {}}));
  CHECK(settings.lease == 90);
}

TEST_CASE("durations and sizes are read with their units", "[settings]") {
  CHECK(parse_seconds("90") == 90);
  CHECK(parse_seconds("5m") == 300);
  CHECK(parse_seconds("2h") == 7200);
  CHECK(parse_bytes("100M") == 104'857'600);
  CHECK(parse_bytes("2G") == 2'147'483'648);
  for (const char* text :
       {"", "m", "-1", "1 m", "5mm", "99999999999999999999", "9999999999999999d"})
    CHECK_FALSE(parse_seconds(text));
}
