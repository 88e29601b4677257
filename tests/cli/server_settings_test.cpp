#include "server/settings/server_settings.h"

#include <cstdlib>

#include "base/files.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

Result<std::map<std::string, std::string>> apply(ServerSettings& settings,
                                                 std::map<std::string, std::string> flags) {
  const auto table = settings_table(settings);
  return apply_settings(table,
                        {"", "", [](const auto&) { return std::nullopt; }, std::move(flags)});
}

std::string source_directory() {
  const char* directory = std::getenv("SLIPWAY_SOURCE");
  return directory == nullptr ? "." : directory;
}

}  // namespace

TEST_CASE("every default is a value that its own setting accepts", "[settings]") {
  ServerSettings settings;
  REQUIRE(apply(settings, {}));
  CHECK(settings.listen_address == "127.0.0.1");
  CHECK(settings.listen_port == 8080);
  CHECK(settings.data_dir == "./var");
  CHECK(settings.trace_limit == 104'857'600);
  CHECK(settings.poll_hold == std::chrono::seconds{30});
  CHECK_FALSE(settings.allow_local_repositories);
  CHECK_FALSE(settings.allow_private_includes);
  CHECK_FALSE(settings.allow_private_forges);
}

TEST_CASE("each setting of the server stands in the README with its default", "[settings]") {
  const auto readme = read_file(source_directory() + "/README.md");
  REQUIRE(readme);
  ServerSettings settings;
  for (const Setting& row : settings_table(settings)) {
    CAPTURE(row.name);
    const auto at = readme->find("| `" + row.name + "` |");
    REQUIRE(at != std::string::npos);
    const std::string line = readme->substr(at, readme->find('\n', at) - at);
    if (!row.default_value.empty())
      CHECK(line.find("`" + row.default_value + "`") != std::string::npos);
  }
}

TEST_CASE("an address is read with its port and refused without", "[settings]") {
  ServerSettings settings;
  REQUIRE(apply(settings, {{"listen", "[::1]:9000"}}));
  CHECK(settings.listen_address == "::1");
  CHECK(settings.listen_port == 9000);
  CHECK(derived_external_url(settings, 9000) == "http://[::1]:9000");

  for (const char* bad : {"8080", ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"}) {
    const auto refused = apply(settings, {{"listen", bad}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "'--listen' must be an address and a port, as 127.0.0.1:8080 or [::1]:8080");
  }
}

TEST_CASE("a database's address holds no password, which flags and listings would show",
          "[settings]") {
  ServerSettings settings;
  for (const char* good : {"", "postgresql://ann@host:5432/name?sslmode=verify-full",
                           "postgres:///name?host=/run/postgresql", "postgresql://[::1]:5432/name"})
    CHECK(apply(settings, {{"database", good}}));
  for (const char* bad : {"postgresql://ann:secret@host/name",
                          "postgresql://host/name?password=secret", "mysql://host/name"}) {
    const auto refused = apply(settings, {{"database", bad}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("'--database' must be an address") == 0);
    CHECK(refused.error().message.find("=secret") == std::string::npos);
  }
}

TEST_CASE("listening beyond loopback in clear text is refused unless it is asked for",
          "[settings]") {
  ServerSettings settings;
  REQUIRE(apply(settings, {{"listen", "0.0.0.0:8080"}}));
  const auto refused = finish_settings(settings, false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "listening on '0.0.0.0' would carry passwords and tokens in clear text");
  CHECK(finish_settings(settings, true));

  settings.external_url = "https://ci.example.com";
  CHECK(finish_settings(settings, false));
}
