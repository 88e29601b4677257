#include "server/trace/trace_search.h"

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::server;

namespace {

struct SearchFixture {
  slipway::test::TempDirectory directory;
  std::unique_ptr<TraceStore> traces = std::move(TraceStore::open(directory / "traces").value());

  void append(std::string_view text) {
    REQUIRE(traces->append(1, traces->size(1), text)->verdict == AppendVerdict::Stored);
  }
  TraceMatches search(std::string_view text, bool regex = false, TraceSearchBounds bounds = {}) {
    const auto compiled = TraceSearch::compile(text, regex);
    REQUIRE(compiled);
    auto found = compiled->run(*traces, 1, bounds);
    REQUIRE(found);
    return *found;
  }
  std::vector<long long> lines(std::string_view text, bool regex = false) {
    std::vector<long long> numbers;
    for (const auto& match : search(text, regex).matches) numbers.push_back(match.line);
    return numbers;
  }
};

std::string refusal(std::string_view text, bool regex) {
  const auto compiled = TraceSearch::compile(text, regex);
  REQUIRE(!compiled);
  return compiled.error().message;
}

}  // namespace

TEST_CASE("a search tells each line once, where it begins, and its text", "[trace]") {
  SearchFixture fixture;
  fixture.append("one\ntwo Two\nthree\nTWO at the end");
  const auto found = fixture.search("two");
  REQUIRE(found.matches.size() == 2);
  CHECK(found.matches[0].line == 2);
  CHECK(found.matches[0].offset == 4);
  CHECK(found.matches[0].text == "two Two");
  CHECK(found.matches[1].line == 4);
  CHECK(found.matches[1].offset == 18);
  CHECK_FALSE(found.truncated);
  CHECK(fixture.search("four").matches.empty());
}

TEST_CASE("a text is taken as it stands, an expression is not", "[trace]") {
  SearchFixture fixture;
  fixture.append("a.c\nabc\nABC\n");
  CHECK(fixture.lines("a.c") == std::vector<long long>{1});
  CHECK(fixture.lines("a.c", true) == std::vector<long long>{1, 2});
  CHECK(fixture.lines("(?i)^a[bx]c$", true) == std::vector<long long>{2, 3});
}

TEST_CASE("a search sees what a person reads", "[trace]") {
  SearchFixture fixture;
  fixture.append(
      "\x1b[0Ksection_start:100:step_script\r\x1b[0K\x1b[36mRun the script\x1b[0m\n"
      "\x1b[31mexpected \x1b[1m0.13\x1b[0m, got 0.12\r\n");
  CHECK(fixture.lines("^Run the script$", true) == std::vector<long long>{1});
  CHECK(fixture.lines("step_script").empty());
  CHECK(fixture.lines("expected 0.13, got 0.12") == std::vector<long long>{2});
  CHECK(fixture.search("0.13").matches[0].text == "expected 0.13, got 0.12");
  fixture.append("section_start is a word\n");
  CHECK(fixture.lines("section_start") == std::vector<long long>{3});
}

TEST_CASE("lines with the runner's timestamps count as the page counts them", "[trace]") {
  SearchFixture fixture;
  const std::string stamp = "2024-05-22T12:43:46.962646Z 00O";
  fixture.append(stamp + " found one\n" + stamp + "+and found more\n" + stamp + " found two\n");
  CHECK(fixture.lines("^found", true) == std::vector<long long>{1, 2});
  CHECK(fixture.lines("found") == std::vector<long long>{1, 2});
  CHECK(fixture.search("more").matches[0].line == 1);
  CHECK(fixture.lines("2024-05").empty());
}

TEST_CASE("a search stops at the limit and says that there may be more", "[trace]") {
  SearchFixture fixture;
  fixture.append("x\nx\nx\n");
  const auto found = fixture.search("x", false, {2, std::chrono::seconds{60}});
  CHECK(found.matches.size() == 2);
  CHECK(found.truncated);
  CHECK_FALSE(fixture.search("x", false, {3, std::chrono::seconds{60}}).truncated);
}

TEST_CASE("a search that has no time left tells what it found so far", "[trace]") {
  SearchFixture fixture;
  fixture.append("first\n" + std::string(300 << 10, 'x') + "\nfirst again\n");
  const auto found = fixture.search("first", false, {10, std::chrono::milliseconds{0}});
  CHECK(found.matches.size() == 1);
  CHECK(found.truncated);
}

TEST_CASE("a line of megabytes costs no more than its beginning", "[trace]") {
  SearchFixture fixture;
  fixture.append("begin " + std::string(5 << 20, 'x') + " far away\nnext\n");
  CHECK(fixture.lines("begin") == std::vector<long long>{1});
  CHECK(fixture.search("begin").matches[0].text.size() < 400);
  CHECK(fixture.lines("far away").empty());
  const auto next = fixture.search("next").matches;
  REQUIRE(next.size() == 1);
  CHECK(next[0].line == 2);
  CHECK(next[0].offset == 6 + (5 << 20) + 10);
}

TEST_CASE("a long line is shown around the match, in whole characters", "[trace]") {
  SearchFixture fixture;
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  fixture.append("." + umlauts + "xherey" + umlauts + "\n");
  const auto text = fixture.search("here").matches[0].text;
  CHECK(text.substr(0, 5) == "…ü");
  CHECK(text.substr(text.size() - 5) == "ü…");
}

TEST_CASE("what cannot be searched for is refused", "[trace]") {
  CHECK(refusal("", false) == "q says what to search for");
  CHECK(refusal(std::string(1025, 'x'), false) == "q has 1024 characters at the most");
  CHECK(refusal("(", true) == "q must be a regular expression: missing ): (");
}
