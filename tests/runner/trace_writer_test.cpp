#include "runner/trace_writer.h"

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "runner/coordinator_client.h"
#include "tests/support/catch.h"
#include "tests/support/fake_coordinator.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;
using slipway::test::FakeCoordinator;

namespace {

struct Log {
  explicit Log(FakeCoordinator& server, const std::vector<std::string>& secrets = {},
               const std::string& spool = "", std::size_t most_in_memory = 1 << 20) {
    TraceOptions options;
    options.most_in_memory = most_in_memory;
    options.keep_alive = std::chrono::milliseconds{50};
    options.longest_backoff = std::chrono::milliseconds{20};
    auto client = CoordinatorClient::create({server.url(), "glrt-x", "s_1", "shell", "n"});
    REQUIRE(client);
    auto started =
        TraceWriter::start(std::make_unique<CoordinatorClient>(std::move(*client)), 12, "glcbt-job",
                           spool.empty() ? directory / "spool" : std::filesystem::path{spool},
                           Masker{secrets, {}}, {}, options);
    REQUIRE(started);
    writer = std::move(*started);
  }
  bool succeed() {
    return writer->finish({"success", "", {}, "", 0}, [] { return false; });
  }

  test::TempDirectory directory;
  std::unique_ptr<TraceWriter> writer;
};

}  // namespace

TEST_CASE("a log arrives whole, with its length and checksum in the result", "[trace]") {
  FakeCoordinator server;
  Log log{server, {"a-secret-value"}};

  log.writer->write("one a-secret-va");
  log.writer->write("lue two\n");
  REQUIRE(log.succeed());

  CHECK(server.log() == "one [MASKED] two\n");
  const auto result = nlohmann::json::parse(server.wait_for_result().value_or("{}"));
  CHECK(result["state"] == "success");
  CHECK(result["output"]["bytesize"] == 17);
  CHECK(result["output"]["checksum"] ==
        fmt::format("crc32:{:08x}", crc32_update(0, "one [MASKED] two\n")));
}

TEST_CASE("no byte is lost or doubled by refusals, failures and cut connections", "[trace]") {
  FakeCoordinator server;
  const std::string path = "PATCH /api/v4/jobs/12/trace";
  server.answer_once(path, {500, "", ""});
  server.answer_once(path, {409, "", ""});
  server.answer_once(path, {416, "Range: 0-0\r\n", ""});
  server.answer_once(path, {0, "", "", true});
  server.answer_once("PUT /api/v4/jobs/12", {503, "", ""});
  Log log{server};

  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    log.writer->write(line);
    expected += line;
  }
  REQUIRE(log.succeed());

  CHECK(server.log() == expected);
}

TEST_CASE("a silent job keeps its lease", "[trace]") {
  FakeCoordinator server;
  Log log{server};

  CHECK(server.wait_until([](const std::string&, const auto& seen) { return seen.size() >= 2; }));
  for (const auto& request : server.requests()) {
    CHECK(request.method == "PUT");
    CHECK(nlohmann::json::parse(request.body)["state"] == "running");
  }
  CHECK(log.succeed());
}

TEST_CASE("a refused token ends the log at once", "[trace]") {
  FakeCoordinator server;
  server.answer_once("PATCH ", {403, "", ""});
  Log log{server};

  log.writer->write("late\n");
  REQUIRE(server.wait_until([](const std::string&, const auto& seen) { return !seen.empty(); }));
  CHECK_FALSE(log.succeed());

  CHECK(log.writer->interruption() == Interruption::Abort);
  CHECK(server.log().empty());
}

TEST_CASE("a job that is being canceled goes on logging", "[trace]") {
  FakeCoordinator server;
  server.set_job_status("canceling");
  Log log{server};

  log.writer->write("cleaning up\n");
  CHECK(log.succeed());

  CHECK(log.writer->interruption() == Interruption::Cancel);
  CHECK(server.log() == "cleaning up\n");
}

TEST_CASE("a disk that is full costs no byte of the log", "[trace]") {
  FakeCoordinator server;
  Log log{server, {}, "/dev/full"};
  std::string all;
  for (int i = 0; i < 1000; ++i) all += fmt::format("line {}\n", i);
  server.answer_once("PATCH /api/v4/jobs/12/trace", {416, "Range: 0-0\r\n", ""});

  for (std::size_t at = 0; at < all.size(); at += 100) log.writer->write(all.substr(at, 100));
  REQUIRE(log.succeed());

  CHECK_FALSE(log.writer->broken());
  CHECK(server.log() == all);
  const auto result = nlohmann::json::parse(server.wait_for_result().value_or("{}"));
  CHECK(result["output"]["checksum"] == fmt::format("crc32:{:08x}", crc32_update(0, all)));
}

TEST_CASE("a log that cannot be kept at all ends with the reason", "[trace]") {
  FakeCoordinator server;
  Log log{server, {}, "/dev/full", 10};

  log.writer->write("first\n");
  CHECK_FALSE(log.writer->broken());
  log.writer->write("second\n");
  REQUIRE(log.writer->broken());
  CHECK(log.writer->broken()->message.find("No space left on device") != std::string::npos);
  log.writer->write("third\n");
  REQUIRE(log.succeed());

  const std::string words =
      "first\n\nERROR: " + log.writer->broken()->message + "; the log ends here\n";
  CHECK(server.log() == words);
  const auto result = nlohmann::json::parse(server.wait_for_result().value_or("{}"));
  CHECK(result["output"]["checksum"] == fmt::format("crc32:{:08x}", crc32_update(0, words)));
}

TEST_CASE("a server that keeps refusing the offset gets the log in the end", "[trace]") {
  FakeCoordinator server;
  for (int i = 0; i < 5; ++i)
    server.answer_once("PATCH /api/v4/jobs/12/trace", {416, "Range: 0-0\r\n", ""});
  Log log{server};

  log.writer->write("kept\n");
  REQUIRE(log.succeed());

  CHECK(server.log() == "kept\n");
}
