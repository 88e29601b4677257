#include "server/reports/coverage_report.h"

#include <limits>

#include "tests/support/catch.h"

using namespace slipway::server;

TEST_CASE("lines come back as they were packed", "[coverage]") {
  const CoveredLines lines{{3, 1}, {4, 0}, {5, 0}, {9, 0}, {10, 25}, {11, 25}};
  CHECK(pack_lines(lines) == "3:1 1x2:0 4:0 1x2:25");
  CHECK(unpack_lines(pack_lines(lines)) == lines);
  CHECK(pack_lines({}).empty());
  CHECK(unpack_lines("").empty());
}

TEST_CASE("what pack_lines() did not write ends the lines", "[coverage]") {
  CHECK(unpack_lines("3:1 x") == CoveredLines{{3, 1}});
  CHECK(unpack_lines("3:1 0:5") == CoveredLines{{3, 1}});
  CHECK(unpack_lines("3:1 2x0:5") == CoveredLines{{3, 1}});
  CHECK(unpack_lines("1x4000000000:0").empty());
  CHECK(unpack_lines("4294967295:1 1:1") == CoveredLines{{4294967295, 1}});
}

TEST_CASE("hits of several reports are added, and do not overflow", "[coverage]") {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  CHECK(sum_of_lines({{1, 2}, {2, 0}, {7, kMost}}, {{2, 3}, {3, 0}, {7, 1}}) ==
        CoveredLines{{1, 2}, {2, 3}, {3, 0}, {7, kMost}});
  CHECK(covered_of({{1, 2}, {2, 0}, {3, 9}}) == 2);
}

TEST_CASE("of a line that stands several times the most hits count", "[coverage]") {
  CoveredLines lines{{4, 0}, {2, 1}, {4, 3}, {4, 2}};
  settle_lines(lines);
  CHECK(lines == CoveredLines{{2, 1}, {4, 3}});
}
