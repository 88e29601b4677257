#include "runner/local/results.h"

#include <fstream>

#include "base/files.h"
#include "runner/artifacts.h"
#include "runner/local/local_link.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;

namespace {

struct Fixture {
  Fixture() {
    REQUIRE(replace_file(tree / "file", "data\n"));
    REQUIRE(results.begin("job"));
  }
  std::filesystem::path zip() {
    REQUIRE(write_zip(tree.path(), {"file"}, tree / "packed"));
    return tree / "packed";
  }
  std::filesystem::path gzip(const std::string& text) {
    REQUIRE(replace_file(tree / "report", text));
    REQUIRE(write_gzip(tree.path(), {"report"}, tree / "packed"));
    return tree / "packed";
  }

  test::TempDirectory tree;
  test::TempDirectory directory;
  LocalResults results = LocalResults::open(directory / ".slipway").value();
};

}  // namespace

TEST_CASE("an archive is unpacked for people and kept for later jobs", "[local]") {
  Fixture fixture;
  CHECK_FALSE(fixture.results.archive_of("job"));

  REQUIRE(fixture.results.take("job", "archive", "zip", "artifacts.zip", fixture.zip()));

  CHECK(read_file(fixture.results.artifacts_of("job") / "file").value() == "data\n");
  CHECK(fixture.results.archive_of("job"));
  REQUIRE(fixture.results.begin("job"));
  CHECK_FALSE(fixture.results.archive_of("job"));
  CHECK_FALSE(std::filesystem::exists(fixture.results.artifacts_of("job")));
}

TEST_CASE("a dotenv report is what the job hands on", "[local]") {
  Fixture fixture;
  REQUIRE(fixture.results.take("job", "dotenv", "gzip", ".env.gz", fixture.gzip("A=$B\nC=2\n")));

  const auto variables = fixture.results.handed_on_by("job");

  REQUIRE(variables.size() == 2);
  CHECK(variables[0].value == "$B");
  CHECK(variables[0].raw);
  CHECK(read_file(fixture.results.artifacts_of("job") / "dotenv-.env").value() == "A=$B\nC=2\n");
  CHECK(fixture.results.handed_on_by("other").empty());
}

TEST_CASE("a report that nobody can read is refused", "[local]") {
  Fixture fixture;
  CHECK_FALSE(
      fixture.results.take("job", "dotenv", "gzip", ".env.gz", fixture.gzip("no variable\n")));
  CHECK(fixture.results.handed_on_by("job").empty());
  CHECK(fixture.results
            .take("job", "dotenv", "gzip", ".env.gz", fixture.gzip("A=" + std::string(6000, 'x')))
            .error()
            .kind == ErrorKind::TooLarge);
  CHECK_FALSE(fixture.results.take("job", "junit", "gzip", "junit.xml.gz", fixture.tree / "file"));
}

TEST_CASE("no name of a job leads out of the results", "[local]") {
  CHECK(file_name_of("unit: [linux, 3.11]") == "unit: [linux, 3.11]");
  CHECK(file_name_of("a/../../b") == "a%2f..%2f..%2fb");
  CHECK(file_name_of("..") == "%2e.");
  CHECK(file_name_of("-rf") == "%2drf");
  CHECK(file_name_of("a%2fb") == "a%252fb");
  CHECK(file_name_of("line\nbreak") == "line%0abreak");
}

TEST_CASE("a directory that exists keeps its own .gitignore", "[local]") {
  const test::TempDirectory directory;
  REQUIRE(replace_file(directory / ".gitignore", "mine\n"));
  REQUIRE(LocalResults::open(directory.path()));
  CHECK(read_file(directory / ".gitignore").value() == "mine\n");
}

TEST_CASE("a job's link takes its log, its result and its artifacts", "[local]") {
  Fixture fixture;
  std::string seen;
  LocalJobEnds ends{fixture.results,
                    "job",
                    fixture.directory / "upload",
                    [&](std::string_view bytes) { seen += bytes; },
                    [](std::int64_t id) { return id == 7 ? "job" : "none"; },
                    {},
                    {}};
  LocalLink first{ends};
  const auto link = first.another(std::chrono::seconds{1}).value();

  CHECK(link->append_trace(1, "", 0, "log\n")->status == 202);
  CHECK(link->update(1, "", {"running", "", {}, "", 0})->status == 200);
  CHECK_FALSE(ends.end);
  CHECK(link->update(1, "", {"failed", "script_failure", 3, "", 0})->status == 200);
  REQUIRE(ends.end);
  CHECK(ends.end->exit_code == 3);
  CHECK(seen == "log\n");

  std::string bytes = read_file(fixture.zip()).value();
  const auto all_at_once = [&] { return std::exchange(bytes, ""); };
  CHECK(link->upload(1, "", "archive", "zip", "artifacts.zip", "", all_at_once)->status == 201);
  std::size_t size = 0;
  const auto count = [&](std::string_view piece) { return size += piece.size(), true; };
  CHECK(link->download(7, "", count)->status == 200);
  CHECK(size > 0);
  CHECK(link->download(8, "", count)->status == 404);

  bytes = "this is no zip";
  const auto refused = link->upload(1, "", "archive", "zip", "x.zip", "", all_at_once);
  CHECK(refused->status == 400);
  CHECK_FALSE(refused->message.empty());
}
