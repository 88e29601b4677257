#include "pipeline/coverage.h"

#include "tests/support/catch.h"

using namespace slipway::pipeline;

namespace {

std::optional<double> coverage(std::string_view expression, std::string_view log) {
  const auto compiled = CoverageExpression::compile(expression);
  REQUIRE(compiled);
  return compiled->match(log);
}

}  // namespace

TEST_CASE("the last line that matches counts, in it the last match", "[coverage]") {
  CHECK(coverage(R"(Coverage: \d+)", "Coverage: 1\nCoverage: 2\nend\n") == 2);
  CHECK(coverage(R"(\d+%)", "lines 10% branches 20%\n") == 20);
  CHECK(coverage(R"(Coverage: \d+)", "Coverage: 3") == 3);
  CHECK(coverage(R"(Coverage: \d+)", "\n\nCoverage: 4\n\n\n") == 4);
}

TEST_CASE("of a match the first number counts, with its fraction", "[coverage]") {
  CHECK(coverage(R"(total.*)", "total 12.5 of 100\n") == 12.5);
  CHECK(coverage(R"(total.*)", "total 12. of\n") == 12);
  CHECK(coverage(R"(total.*)", "total .5\n") == 5);
  CHECK(coverage(R"(total.*)", "total 1.2.3\n") == 1.2);
}

TEST_CASE("with groups the last group counts", "[coverage]") {
  CHECK(coverage(R"(TOTAL\s+(\d+)\s+(\d+)%)", "TOTAL 120 87%\n") == 87);
  CHECK(coverage(R"((?:TOTAL) \d+ (\d+)%)", "TOTAL 120 87%\n") == 87);
  CHECK(coverage(R"(a(\d+)|b(\d+))", "a1\n") == std::nullopt);
}

TEST_CASE("a match without a number sends the search further up", "[coverage]") {
  CHECK(coverage(R"(Coverage:.*)", "Coverage: 50%\nCoverage: unknown\n") == 50);
  CHECK(coverage(R"(Coverage:.*)", "Coverage: unknown\n") == std::nullopt);
}

TEST_CASE("no match, no log and an empty match have no coverage", "[coverage]") {
  CHECK(coverage(R"(x)", "") == std::nullopt);
  CHECK(coverage(R"(Coverage: \d+)", "nothing\n") == std::nullopt);
  CHECK(coverage(R"(\d*)", "abc\n") == std::nullopt);
  CHECK(coverage("", "12\n") == std::nullopt);
}

TEST_CASE("a runner's timestamps are no part of a line", "[coverage]") {
  CHECK(coverage(R"(^Coverage: \d+)", "2025-01-31T12:34:56.123456Z 01O Coverage: 7\n") == 7);
  CHECK(coverage(R"(\d+)", "2025-01-31T12:34:56.123456Z 01O+9\n") == 9);
  CHECK(coverage(R"(^Coverage: \d+)", "2025-01-31 Coverage: 7\n") == std::nullopt);
}

TEST_CASE("colours and carriage returns stay in the line", "[coverage]") {
  CHECK(coverage(R"(Coverage: \d+\.\d+)", "\x1b[32mCoverage: 81.25%\x1b[0m\r\n") == 81.25);
  CHECK(coverage(R"(Coverage: \d+)", "\x1b[32mCoverage:\x1b[0m 81\n") == std::nullopt);
}

TEST_CASE("only the beginning of a very long line is looked at", "[coverage]") {
  const std::string filler(9000, '.');
  CHECK(coverage(R"(Coverage: \d+)", "Coverage: 1" + filler + "\n") == 1);
  CHECK(coverage(R"(Coverage: \d+)", filler + "Coverage: 1\n") == std::nullopt);
}

TEST_CASE("a huge number is a number, not an error", "[coverage]") {
  CHECK(coverage(R"(\d+)", std::string(400, '9') + "\n").has_value());
}

TEST_CASE("an expression that RE2 cannot read is refused", "[coverage]") {
  const auto* text = GENERATE("(", "[", "(?=x)", "(x)\\1", "a{1000000}", "*");
  CAPTURE(text);
  const auto compiled = CoverageExpression::compile(text);
  REQUIRE_FALSE(compiled);
  CHECK(compiled.error().kind == slipway::ErrorKind::InvalidInput);
  CHECK(compiled.error().message.find("coverage config must be a regular expression") == 0);
}

TEST_CASE("an expression has 1024 characters at the most", "[coverage]") {
  CHECK(CoverageExpression::compile(std::string(1024, 'a')));
  const auto compiled = CoverageExpression::compile(std::string(1025, 'a'));
  REQUIRE_FALSE(compiled);
  CHECK(compiled.error().message == "a coverage expression has 1024 characters at the most");
}

TEST_CASE("an expression can be moved", "[coverage]") {
  auto first = CoverageExpression::compile("\\d+");
  auto second = CoverageExpression::compile("none");
  REQUIRE(first);
  REQUIRE(second);
  *second = std::move(*first);
  CHECK(second->match("5\n") == 5);
}
