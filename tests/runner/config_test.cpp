#include "runner/config.h"

#include <sys/stat.h>

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;

namespace {

Result<std::map<std::string, std::string>> applied(RunnerSettings& settings,
                                                   const std::string& file,
                                                   std::map<std::string, std::string> flags = {}) {
  const auto table = settings_table(settings);
  return apply_settings(table, {file, "slipway-runner.yml",
                                [](const std::string&) { return std::nullopt; }, std::move(flags)});
}

std::string refusal(const std::string& name, const std::string& value) {
  RunnerSettings settings;
  const auto done = applied(settings, "", {{name, value}});
  return done ? "" : done.error().message;
}

}  // namespace

TEST_CASE("each setting takes its own default", "[config]") {
  RunnerSettings settings;
  for (const Setting& row : settings_table(settings)) {
    CAPTURE(row.name);
    CHECK(row.set(row.default_value).empty());
    CHECK_FALSE(row.help.empty());
    CHECK(row.name.rfind("runner_", 0) == 0);
  }
  CHECK(settings.executor == ExecutorKind::Shell);
  CHECK(settings.concurrent == 1);
  CHECK(settings.docker_pids == 512);
  CHECK(settings.shutdown_timeout == std::chrono::seconds{0});
}

TEST_CASE("the manual names each setting", "[config]") {
  const auto manual = read_file("README.md");
  REQUIRE(manual);
  RunnerSettings settings;
  for (const Setting& row : settings_table(settings)) {
    CAPTURE(row.name);
    CHECK(manual->find("| `" + row.name + "` |") != std::string::npos);
  }
}

TEST_CASE("what register writes is read back as it was, and only the owner may read it",
          "[config]") {
  const test::TempDirectory directory;
  RunnerSettings written;
  written.url = "https://ci.example.com/it's";
  written.token = "glrt-\"quoted\" #token";
  written.executor = ExecutorKind::Docker;
  written.concurrent = 4;
  written.name = "a name: with colon";
  written.builds_dir = "/var/builds";
  written.default_image = "alpine:3.20";
  written.environment = {"A=1", "B=it's: $x"};

  REQUIRE(write_config(directory / "runner.yml", written));

  struct stat status {};
  REQUIRE(::stat((directory / "runner.yml").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  RunnerSettings read;
  const auto done = applied(read, read_file(directory / "runner.yml").value_or(""));
  REQUIRE(done);
  CHECK(read.url == written.url);
  CHECK(read.token == written.token);
  CHECK(read.executor == written.executor);
  CHECK(read.concurrent == written.concurrent);
  CHECK(read.name == written.name);
  CHECK(read.builds_dir == written.builds_dir);
  CHECK(read.default_image == written.default_image);
  CHECK(read.environment == written.environment);
}

TEST_CASE("a setting says what it expects", "[config]") {
  const auto says = [](const std::string& name, const std::string& value,
                       const std::string& words) {
    CAPTURE(name, value);
    CHECK(refusal(name, value).find(words) != std::string::npos);
  };
  says("runner_executor", "kubernetes", "shell or docker");
  says("runner_concurrent", "0", "a number from 1 to 256");
  says("runner_concurrent", "2x", "a number from 1 to 256");
  says("runner_pull_policy", "sometimes", "always, if-not-present or never");
  says("runner_allowed_pull_policies", "always, often", "always, if-not-present or never");
  const char* const volumes =
      "a list of /host/path:/path, volume:/path (both may end in :ro) or /path; for the engine's "
      "socket see runner_docker_socket";
  says("runner_docker_volumes", "relative/x:/x", volumes);
  says("runner_docker_volumes", "-x:/x", volumes);
  says("runner_docker_volumes", "name:relative", volumes);
  says("runner_docker_extra_hosts", "db", "a list of name:address");
  says("runner_docker_network_mode", "container:other", "host, none or the name of a network");
  says("runner_output_limit", "much", "a size, as 500M");
  says("runner_docker_volumes", "/var/run/docker.sock:/var/run/docker.sock", volumes);
  says("runner_docker_socket", "maybe", "true or false");
  says("runner_environment", "no equals", "a list of NAME=value");
  says("runner_environment", "=x", "a list of NAME=value");
  says("runner_builds_dir", "", "a directory");
  says("runner_shutdown_timeout", "soon", "a time, as 10m");
  CHECK(refusal("runner_environment", "A=1\n\nB=2\n").empty());
}

TEST_CASE("a machine keeps its id", "[config]") {
  const test::TempDirectory directory;
  const auto first = system_id(directory / "runner.yml");
  REQUIRE(first);
  CHECK(first->size() == 14);
  CHECK((first->rfind("s_", 0) == 0 || first->rfind("r_", 0) == 0));
  CHECK(system_id(directory / "runner.yml").value_or("") == *first);
}
