#include "server/schedules/cron.h"

#include <vector>

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kHour = 60 * kMinute;
constexpr UnixMillis kDay = 24 * kHour;
// 2026-01-01T00:00:00Z, a Thursday.
constexpr UnixMillis kNewYear = 1'767'225'600'000;

std::string next(const std::string& cron, UnixMillis after = kNewYear,
                 const std::string& zone = "UTC") {
  const auto parsed = Cron::parse(cron);
  REQUIRE(parsed);
  const auto at = parsed->next(after, zone);
  return at ? to_rfc3339(*at).substr(0, 16) : "never";
}

std::string refusal(const std::string& cron) {
  const auto parsed = Cron::parse(cron);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().kind == ErrorKind::InvalidInput);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("a cron is due at the next minute that fits", "[cron]") {
  CHECK(next("* * * * *") == "2026-01-01T00:01");
  CHECK(next("0 0 * * *") == "2026-01-02T00:00");
  CHECK(next("*/15 * * * *") == "2026-01-01T00:15");
  CHECK(next("30 4 * * *") == "2026-01-01T04:30");
  CHECK(next("0 22 * * 1-5") == "2026-01-01T22:00");
  CHECK(next("0 9 * * mon") == "2026-01-05T09:00");
  CHECK(next("0 9 * * 0") == "2026-01-04T09:00");
  CHECK(next("0 9 * * 7") == "2026-01-04T09:00");
  CHECK(next("0 0 1 feb,MAR *") == "2026-02-01T00:00");
  CHECK(next("5 1-3/2 * * *", kNewYear + kHour) == "2026-01-01T01:05");
  CHECK(next("5 1-3/2 * * *", kNewYear + 2 * kHour) == "2026-01-01T03:05");
  CHECK(next("0 0 29 2 *") == "2028-02-29T00:00");
  CHECK(next("@daily") == "2026-01-02T00:00");
  CHECK(next(" @Monthly ") == "2026-02-01T00:00");
}

TEST_CASE("a moment that fits is past", "[cron]") {
  CHECK(next("0 0 * * *", kNewYear - 1) == "2026-01-01T00:00");
  CHECK(next("0 0 * * *", kNewYear) == "2026-01-02T00:00");
}

TEST_CASE("of two restricted days either counts", "[cron]") {
  // The 13th, or a Friday.
  CHECK(next("0 0 13 * fri") == "2026-01-02T00:00");
  CHECK(next("0 0 13 * fri", kNewYear + 8 * kDay) == "2026-01-13T00:00");
}

TEST_CASE("a day that never comes is never due", "[cron]") {
  CHECK(next("0 0 30 2 *") == "never");
}

TEST_CASE("the clocks of a time zone decide", "[cron]") {
  CHECK(next("0 4 * * *", kNewYear, "Europe/Berlin") == "2026-01-01T03:00");
  CHECK(next("0 4 * * *", kNewYear + 180 * kDay, "Europe/Berlin") == "2026-06-30T02:00");
  CHECK(next("0 4 * * *", kNewYear, "Asia/Shanghai") == "2026-01-01T20:00");
}

TEST_CASE("a time that the clock leaps over comes when it has leapt, once", "[cron]") {
  // In Berlin the clock goes from 02:00 to 03:00 on 2026-03-29, at 01:00 UTC.
  const UnixMillis before = 1'774'742'400'000;  // 2026-03-29T00:00Z
  CHECK(next("30 2 * * *", before, "Europe/Berlin") == "2026-03-29T01:00");
  CHECK(next("30 2 * * *", before + kHour, "Europe/Berlin") == "2026-03-30T00:30");
}

TEST_CASE("of a doubled hour the first one counts", "[cron]") {
  // In Berlin the clock goes from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
  const UnixMillis before = 1'792'879'200'000;  // 2026-10-24T22:00Z
  CHECK(next("30 2 * * *", before, "Europe/Berlin") == "2026-10-25T00:30");
  CHECK(next("30 2 * * *", before + 150 * kMinute, "Europe/Berlin") == "2026-10-26T01:30");
}

TEST_CASE("what is no cron is refused by name", "[cron]") {
  CHECK(refusal("* * * *") ==
        "the cron '* * * *' must have five fields: minute, hour, day of the month, month, day of "
        "the week");
  CHECK(refusal("60 * * * *") ==
        "the minute of the cron is '60', but must be *, numbers from 0 to 59, ranges and steps of "
        "them");
  CHECK(refusal("* 24 * * *").find("the hour of the cron is '24'") == 0);
  CHECK(refusal("* * 0 * *").find("the day of the month of the cron is '0'") == 0);
  CHECK(refusal("* * * 13 *").find("the month of the cron is '13'") == 0);
  CHECK(refusal("* * * * 8").find("the day of the week of the cron is '8'") == 0);
  for (const char* wrong :
       {"*/0 * * * *", "5-1 * * * *", "1,,2 * * * *", "1, * * * *", "-1 * * * *", "1-2-3 * * * *",
        "x * * * *", "1/2/3 * * * *", "*/ * * * *", "99999999999 * * * *", "@sometimes", ""})
    CHECK_FALSE(refusal(wrong).empty());
}

TEST_CASE("a time zone is known or refused", "[cron]") {
  CHECK(check_time_zone("UTC"));
  CHECK(check_time_zone("America/New_York"));
  for (const char* wrong : {"", "Nowhere/City", "../../etc/passwd"}) {
    const auto checked = check_time_zone(wrong);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().message == "'" + std::string{wrong} + "' is no time zone");
  }
}
