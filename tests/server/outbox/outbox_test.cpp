#include "server/outbox/outbox.h"

#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;
using namespace std::chrono_literals;

namespace {

struct RecordingTarget final : OutboxTarget {
  Result<void> deliver(const EffectRow& effect) override {
    got.push_back(effect.payload);
    if (failing) return fail(*failing, "refused");
    return {};
  }
  std::optional<ErrorKind> failing;
  std::vector<std::string> got;
};

struct OutboxFixture : StoreFixture, OutboxWriter {
  FakeClock clock{1000};
  RecordingTarget target;
  Outbox outbox{*database, *this, clock, {{"status", &target}}, {.attempts = 3}};

  Result<void> delivered(EffectId id) override {
    stores().outbox.delivered(id);
    return {};
  }
  Result<void> postpone(EffectId id, UnixMillis due_at, const std::string& error) override {
    stores().outbox.postpone(id, due_at, error);
    return {};
  }
  Result<void> abandon(EffectId id, const std::string& error) override {
    stores().outbox.abandon(id, clock.now(), error);
    return {};
  }
  void owe(const std::string& payload, const std::string& kind = "status") {
    stores().outbox.insert({{}, kind, "project/1", payload, 0, clock.now(), clock.now(), ""});
  }
};

}  // namespace

TEST_CASE("effects of one channel are delivered in order and once", "[outbox]") {
  OutboxFixture fixture;
  fixture.owe("first");
  fixture.owe("second");

  while (fixture.outbox.run_due() > 0) {
  }

  CHECK(fixture.target.got == std::vector<std::string>{"first", "second"});
  CHECK(fixture.stores().outbox.count_waiting() == 0);
}

TEST_CASE("a failed delivery is tried again after growing pauses, then given up", "[outbox]") {
  OutboxFixture fixture;
  fixture.target.failing = ErrorKind::Unavailable;
  fixture.owe("status");

  CHECK(fixture.outbox.run_due() == 1);
  CHECK(fixture.outbox.run_due() == 0);
  fixture.clock.tick(1s);
  CHECK(fixture.outbox.run_due() == 1);
  fixture.clock.tick(1s);
  CHECK(fixture.outbox.run_due() == 0);
  fixture.clock.tick(1s);
  CHECK(fixture.outbox.run_due() == 1);

  CHECK(fixture.target.got.size() == 3);
  CHECK(fixture.stores().outbox.count_waiting() == 0);
}

TEST_CASE("what is hopeless is given up at once, and the next goes on", "[outbox]") {
  OutboxFixture fixture;
  fixture.owe("odd", "unknown_kind");
  fixture.owe("refused");
  fixture.target.failing = ErrorKind::Denied;

  CHECK(fixture.outbox.run_due() == 1);
  CHECK(fixture.outbox.run_due() == 1);

  CHECK(fixture.target.got == std::vector<std::string>{"refused"});
  CHECK(fixture.stores().outbox.count_waiting() == 0);
}
