#include "server/trace/trace_store.h"

#include "base/crypto.h"
#include "server/trace/backward_lines.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

#include <vector>

using namespace slipway;
using namespace slipway::server;

namespace {

struct TraceFixture {
  slipway::test::TempDirectory directory;
  std::unique_ptr<TraceStore> traces = open({});

  std::unique_ptr<TraceStore> open(TraceOptions options) const {
    auto opened = TraceStore::open(directory / "traces", options);
    REQUIRE(opened);
    return std::move(*opened);
  }
  void append(std::int64_t job, std::string_view text) {
    const auto outcome = traces->append(job, traces->size(job), text);
    REQUIRE(outcome);
    REQUIRE(outcome->verdict == AppendVerdict::Stored);
  }
  std::vector<std::string> backwards(std::int64_t job) const {
    std::vector<std::string> found;
    BackwardLines lines{*traces, job};
    while (auto line = lines.next()) found.push_back(std::move(*line));
    return found;
  }
};

}  // namespace

TEST_CASE("a log grows by pieces that fit, and tells the size for those that do not", "[trace]") {
  TraceFixture fixture;
  CHECK(fixture.traces->append(7, 0, "hello ")->size == 6);
  CHECK(fixture.traces->append(7, 6, "world")->size == 11);

  const auto gap = fixture.traces->append(7, 12, "x");
  const auto repeat = fixture.traces->append(7, 6, "world");

  CHECK(gap->verdict == AppendVerdict::WrongOffset);
  CHECK(gap->size == 11);
  CHECK(repeat->verdict == AppendVerdict::WrongOffset);
  CHECK(repeat->size == 11);
  CHECK(fixture.traces->read(7, 0, 100).value() == "hello world");
  CHECK(fixture.traces->read(7, 6, 3).value() == "wor");
  CHECK(fixture.traces->read(7, 11, 3).value().empty());
  CHECK(fixture.traces->read(8, 0, 3).value().empty());
}

TEST_CASE("a log goes on where it was after the server was started again", "[trace]") {
  TraceFixture fixture;
  fixture.append(1, "one\n");

  fixture.traces.reset();
  fixture.traces = fixture.open({});

  CHECK(fixture.traces->size(1) == 4);
  fixture.append(1, "two\n");
  CHECK(fixture.traces->read(1, 0, 100).value() == "one\ntwo\n");
}

TEST_CASE("a log that would pass the limit is not written", "[trace]") {
  TraceFixture fixture;
  fixture.traces.reset();
  fixture.traces = fixture.open({.limit = 5});

  CHECK(fixture.traces->append(1, 0, "12345")->verdict == AppendVerdict::Stored);
  CHECK(fixture.traces->append(1, 5, "6")->verdict == AppendVerdict::TooLong);
  CHECK(fixture.traces->size(1) == 5);
}

TEST_CASE("a finished log has the size and checksum of its bytes", "[trace]") {
  TraceFixture fixture;
  const std::string text(700'000, 'x');
  fixture.append(1, text);

  const auto summary = fixture.traces->finish(1);

  REQUIRE(summary);
  CHECK(summary->size == 700'000);
  CHECK(summary->crc32 == crc32_update(0, text));
}

TEST_CASE("the checksum covers what was there before a restart", "[trace]") {
  TraceFixture fixture;
  fixture.append(1, "one\n");
  fixture.traces.reset();
  fixture.traces = fixture.open({});
  fixture.append(1, "two\n");

  CHECK(fixture.traces->finish(1)->crc32 == crc32_update(0, "one\ntwo\n"));
  fixture.append(1, "three\n");
  CHECK(fixture.traces->finish(1)->crc32 == crc32_update(0, "one\ntwo\nthree\n"));
  REQUIRE(fixture.traces->truncate(1));
  fixture.append(1, "four\n");
  CHECK(fixture.traces->finish(1)->crc32 == crc32_update(0, "four\n"));
}

TEST_CASE("a truncated log starts again from nothing", "[trace]") {
  TraceFixture fixture;
  fixture.append(1, "old");

  REQUIRE(fixture.traces->truncate(1));

  CHECK(fixture.traces->append(1, 3, "x")->size == 0);
  fixture.append(1, "new");
  CHECK(fixture.traces->read(1, 0, 10).value() == "new");
  fixture.traces->remove(1);
  CHECK(fixture.traces->size(1) == 0);
}

TEST_CASE("a subscriber hears of growth until it leaves", "[trace]") {
  TraceFixture fixture;
  int heard = 0;
  {
    const auto subscription = fixture.traces->subscribe(1, [&] { ++heard; });
    CHECK(fixture.traces->has_subscribers(1));
    fixture.append(1, "a");
    fixture.append(2, "b");
    CHECK(heard == 1);
  }

  fixture.append(1, "c");

  CHECK(heard == 1);
  CHECK_FALSE(fixture.traces->has_subscribers(1));
}

TEST_CASE("more logs than are kept open stay correct", "[trace]") {
  TraceFixture fixture;
  fixture.traces.reset();
  fixture.traces = fixture.open({.open_files = 2});

  for (int round = 0; round < 3; ++round)
    for (int job = 1; job <= 6; ++job) fixture.append(job, "line\n");

  for (int job = 1; job <= 6; ++job)
    CHECK(fixture.traces->read(job, 0, 100).value() == "line\nline\nline\n");
}

TEST_CASE("lines are read from the end, over blocks, with and without a last newline", "[trace]") {
  TraceFixture fixture;
  CHECK(fixture.backwards(9).empty());
  fixture.append(1, "first\n\nlast\n");
  fixture.append(2, "no newline");
  for (int i = 0; i < 30'000; ++i) fixture.append(3, "line " + std::to_string(i) + "\n");
  fixture.append(4, "top\n" + std::string(300'000, 'y') + "\n");

  CHECK(fixture.backwards(1) == std::vector<std::string>{"last", "", "first"});
  CHECK(fixture.backwards(2) == std::vector<std::string>{"no newline"});
  const auto many = fixture.backwards(3);
  REQUIRE(many.size() == 30'000);
  CHECK(many.front() == "line 29999");
  CHECK(many.back() == "line 0");
  const auto long_line = fixture.backwards(4);
  REQUIRE(long_line.size() == 2);
  CHECK(long_line[0].size() == BackwardLines::kLongestLine);
  CHECK(long_line[1] == "top");
}
