#include "server/auth/login_limiter.h"

#include "tests/support/catch.h"

namespace slipway::server::auth {
namespace {

using namespace std::chrono_literals;

TEST_CASE("five failures are free, then each doubles the wait up to a quarter of an hour",
          "[auth]") {
  FakeClock clock;
  LoginLimiter limiter{clock};
  for (int i = 0; i < 5; ++i) limiter.failed("ann");
  CHECK(limiter.admit("ann", "a") == 0ms);
  limiter.failed("ann");
  CHECK(limiter.admit("ann", "a") == 1s);
  limiter.failed("Ann");
  CHECK(limiter.admit("ANN", "a") == 2s);
  clock.tick(2s);
  CHECK(limiter.admit("ann", "a") == 0ms);
  for (int i = 0; i < 30; ++i) limiter.failed("ann");
  CHECK(limiter.admit("ann", "a") == 15min);
  CHECK(limiter.admit("ben", "a") == 0ms);
}

TEST_CASE("a success forgets the failures", "[auth]") {
  FakeClock clock;
  LoginLimiter limiter{clock};
  for (int i = 0; i < 9; ++i) limiter.failed("ann");
  limiter.succeeded("ann");
  CHECK(limiter.admit("ann", "a") == 0ms);
}

TEST_CASE("an address has sixty tries a minute, a /64 counts as one", "[auth]") {
  FakeClock clock;
  LoginLimiter limiter{clock};
  for (int i = 0; i < 60; ++i)
    CHECK(limiter.admit("u" + std::to_string(i), "2001:db8:1:2::" + std::to_string(i)) == 0ms);
  CHECK(limiter.admit("x", "2001:db8:1:2::ffff") == 1min);
  CHECK(limiter.admit("x", "2001:db8:1:3::1") == 0ms);
  clock.tick(1min);
  CHECK(limiter.admit("x", "2001:db8:1:2::ffff") == 0ms);
}

TEST_CASE("a full table refuses new keys and keeps what it knows", "[auth]") {
  FakeClock clock;
  LoginLimiter limiter{clock, 10};
  for (int i = 0; i < 8; ++i) limiter.failed("ann");
  for (int i = 0; i < 100; ++i) limiter.failed("other" + std::to_string(i));
  CHECK(limiter.size() == 10);
  CHECK(limiter.admit("new", "address") == 1min);
  clock.tick(2h);
  CHECK(limiter.admit("new", "address") == 0ms);
  CHECK(limiter.size() <= 10);
}

}  // namespace
}  // namespace slipway::server::auth
