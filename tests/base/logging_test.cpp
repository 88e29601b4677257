#include "base/logging.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;

namespace {

// What `write` puts on standard error, where the log goes.
template <typename Write>
std::string standard_error_of(const Write& write) {
  const test::TempDirectory dir;
  const int kept = ::dup(STDERR_FILENO);
  std::FILE* file = std::fopen((dir / "log").c_str(), "w");
  ::dup2(::fileno(file), STDERR_FILENO);
  write();
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  std::fclose(file);
  return *read_file(dir / "log");
}

}  // namespace

TEST_CASE("a value cannot forge a line or a field", "[logging]") {
  log::configure(log::Level::Info, log::Format::Text);
  const std::string line = standard_error_of([] {
    log::info("push.received", {{"ref", "x\n\x1b[31m level=error \"y\""}, {"size", 3}});
  });

  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(
      line.find(R"(info application push.received ref="x\n\u001b[31m level=error \"y\"" size=3)") !=
      std::string::npos);
}

TEST_CASE("JSON lines name their stream and survive bytes that are not UTF-8", "[logging]") {
  log::configure(log::Level::Info, log::Format::Json);
  const std::string line = standard_error_of([] {
    log::audit("login.failed", {{"user", "\xff"}, {"admin", true}});
  });
  log::configure(log::Level::Info, log::Format::Text);

  const auto json = nlohmann::json::parse(line);
  CHECK(json["stream"] == "audit");
  CHECK(json["event"] == "login.failed");
  CHECK(json["user"] == "\xEF\xBF\xBD");
  CHECK(json["admin"] == true);
}

TEST_CASE("lines below the level are not written", "[logging]") {
  log::configure(log::Level::Warn, log::Format::Text);
  const std::string text = standard_error_of([] {
    log::info("job.started");
    log::warn("job.lost");
  });
  log::configure(log::Level::Info, log::Format::Text);
  CHECK(text.find("job.started") == std::string::npos);
  CHECK(text.find("warn application job.lost") != std::string::npos);
}

TEST_CASE("an unknown level or format is an error that lists the known ones", "[logging]") {
  CHECK(log::parse_level("loud").error().message ==
        "'loud' is no log level, expected debug, info, warn or error");
  CHECK(log::parse_format("xml").error().message ==
        "'xml' is no log format, expected text or json");
}
