#include "base/clock.h"

#include "tests/support/catch.h"

using namespace slipway;
using namespace std::chrono_literals;

TEST_CASE("times are written as RFC 3339 in UTC with milliseconds", "[clock]") {
  CHECK(to_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(1'795'509'000'123) == "2026-11-24T08:30:00.123Z");
  CHECK(to_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(2'177'452'800'000) == "2039-01-01T00:00:00.000Z");
}

TEST_CASE("a fake clock moves only when it is ticked, both times together", "[clock]") {
  FakeClock clock{1000};
  const auto before = clock.steady();

  clock.tick(90s);

  CHECK(clock.now() == 91'000);
  CHECK(clock.steady() - before == 90s);
}
TEST_CASE("a date of HTTP is written and read", "[clock]") {
  CHECK(slipway::to_http_date(1'795'509'000'123) == "Tue, 24 Nov 2026 08:30:00 GMT");
  CHECK(slipway::parse_http_date("Tue, 24 Nov 2026 08:30:00 GMT") == 1'795'509'000'000);
  CHECK_FALSE(slipway::parse_http_date(""));
  CHECK_FALSE(slipway::parse_http_date("Tue, 24 Nov 2026 08:30:00 GMT and more"));
  CHECK_FALSE(slipway::parse_http_date("2026-11-24T08:30:00Z"));
}
