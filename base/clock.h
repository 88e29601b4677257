// The time of day and the passing of time, as an argument: nobody below `cli/` asks the system.
//
// Wall-clock time (UnixMillis) is for display, tokens and schedules; every duration is measured
// on the steady clock, so that a stepped clock ends no lease. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace slipway {

// Milliseconds since 1970-01-01T00:00:00Z. A plain number, since it travels through SQL and JSON.
using UnixMillis = std::int64_t;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixMillis now() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixMillis now() const override;
  [[nodiscard]] SteadyTime steady() const override;
};

// For tests: stands still until it is ticked; both clocks move together.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(UnixMillis start = 1'700'000'000'000) : now_(start) {}
  [[nodiscard]] UnixMillis now() const override { return now_.load(); }
  [[nodiscard]] SteadyTime steady() const override {
    return SteadyTime{std::chrono::milliseconds{now_.load()}};
  }
  void tick(std::chrono::milliseconds by) { now_ += by.count(); }

 private:
  std::atomic<UnixMillis> now_;
};

// RFC 3339 in UTC with milliseconds: "2026-11-24T08:30:00.000Z".
std::string to_rfc3339(UnixMillis time);

// As HTTP's Date header has it (RFC 9110, 5.6.7): "Tue, 24 Nov 2026 08:30:00 GMT". Whole seconds.
std::string to_http_date(UnixMillis time);
std::optional<UnixMillis> parse_http_date(const std::string& text);

}  // namespace slipway
