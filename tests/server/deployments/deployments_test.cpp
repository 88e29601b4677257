// What the clock does to environments, and whether a freeze is on.
#include "server/deployments/deployment_clock.h"
#include "server/deployments/freezes.h"
#include "tests/server/coordinator/coordinator_fixture.h"

using namespace slipway;
using namespace slipway::server;
using namespace slipway::server::test;

namespace {

constexpr UnixMillis kHour = 3'600'000;
// 2026-01-01T00:00:00Z, a Thursday.
constexpr UnixMillis kNewYear = 1'767'225'600'000;

std::string until(const std::string& start, const std::string& end, UnixMillis now,
                  const std::string& zone = "UTC") {
  FreezePeriodRow row;
  row.freeze_start = start;
  row.freeze_end = end;
  row.cron_timezone = zone;
  set_window(row, now);
  // Until it is over, what was found says the same at any time.
  if (row.frozen_until) CHECK(is_on(row, *row.frozen_until - 1));
  if (row.frozen_until) CHECK_FALSE(is_on(row, *row.frozen_until));
  return is_on(row, now) ? to_rfc3339(*row.frozen_until).substr(0, 16) : "not frozen";
}

struct Fixture : CoordinatorFixture {
  std::unique_ptr<DeploymentClock> watch;

  Fixture() {
    coordinator->start();
    watch = std::make_unique<DeploymentClock>(*coordinator, *database, clock);
  }
  ~Fixture() { coordinator->stop(); }
  template <typename F>
  void write(F&& act) {
    REQUIRE(coordinator->write<void>([&](WriteTransaction& open) -> Result<void> {
      act(open.stores);
      return {};
    }));
  }
  EnvironmentId environment(const std::string& name, std::optional<UnixMillis> auto_stop_at) {
    EnvironmentRow row;
    row.project_id = project_id;
    row.name = row.slug = name;
    row.auto_stop_at = auto_stop_at;
    write([&](Stores& stores) { stores.environments.insert(row); });
    return row.id;
  }
  std::string state(EnvironmentId id) { return database->read()->environments.find(id)->state; }
};

}  // namespace

TEST_CASE("a freeze is on from its start to its end", "[deployments]") {
  // From Friday evening to Monday morning.
  const std::string start = "0 18 * * 5";
  const std::string end = "0 7 * * 1";
  CHECK(until(start, end, kNewYear) == "not frozen");
  CHECK(until(start, end, kNewYear + 42 * kHour - 1) == "not frozen");
  CHECK(until(start, end, kNewYear + 42 * kHour) == "2026-01-05T07:00");
  CHECK(until(start, end, kNewYear + 60 * kHour) == "2026-01-05T07:00");
  CHECK(until(start, end, kNewYear + 103 * kHour - 1) == "2026-01-05T07:00");
  CHECK(until(start, end, kNewYear + 103 * kHour) == "not frozen");
  // By the clocks of its zone.
  CHECK(until(start, end, kNewYear + 41 * kHour, "Europe/Berlin") == "2026-01-05T06:00");
  // What never begins, or never ends, is no period.
  CHECK(until("0 0 30 2 *", end, kNewYear) == "not frozen");
  CHECK(until(start, "0 0 30 2 *", kNewYear + 60 * kHour) == "not frozen");
  CHECK(until("what", end, kNewYear) == "not frozen");
  CHECK(until(start, end, kNewYear + 60 * kHour, "Moon/Crater") == "not frozen");
}

TEST_CASE_METHOD(Fixture, "an environment stops when its time is up", "[deployments]") {
  const auto soon = environment("review/soon", clock.now() + 1000);
  const auto late = environment("review/late", clock.now() + 10 * kHour);
  const auto never = environment("production", std::nullopt);
  watch->run_due();
  CHECK(state(soon) == "available");
  clock.tick(std::chrono::seconds{1});
  watch->run_due();
  CHECK(state(soon) == "stopped");
  CHECK(state(late) == "available");
  CHECK(state(never) == "available");
  CHECK_FALSE(database->read()->environments.find(soon)->auto_stop_at);
}

TEST_CASE_METHOD(Fixture, "freezes begin and end by the clock", "[deployments]") {
  FreezePeriodRow row;
  row.project_id = project_id;
  // The hour in which it is, which ends with the next.
  const auto hour = [&](int from_now) {
    return "0 " + std::to_string((clock.now() / kHour + 24 + from_now) % 24) + " * * *";
  };
  row.freeze_start = hour(1);
  row.freeze_end = hour(2);
  row.cron_timezone = "UTC";
  write([&](Stores& stores) { stores.deployment_rules.insert(row); });
  const auto frozen = [&] {
    return database->read()->deployment_rules.frozen_until(project_id, clock.now());
  };
  watch->run_due();
  CHECK_FALSE(frozen());
  // It begins at its time, whenever somebody looks.
  clock.tick(std::chrono::hours{1});
  REQUIRE(frozen());
  CHECK(*frozen() > clock.now());
  clock.tick(std::chrono::hours{1});
  watch->run_due();
  CHECK_FALSE(frozen());
}
