// Makes guessing slow: after five failures an account waits, twice as long each time, up to a
// quarter of an hour; an address has sixty tries a minute. Thread-safe.
//
// Memory is bounded. When the table is full of entries that still count, keys that are not in it
// are refused: an attacker who fills it must not win free tries by that.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace slipway::server::auth {

class LoginLimiter {
 public:
  explicit LoginLimiter(const Clock& clock, std::size_t entries = 10'000)
      : clock_(clock), limit_(entries) {}

  // How long to wait before another try; zero: go on. A try counts for its address at once.
  std::chrono::milliseconds admit(std::string_view account, std::string_view address);
  void failed(std::string_view account);
  void succeeded(std::string_view account);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    int count = 0;
    SteadyTime until{};  // of an account: no try before; of an address: when the count starts anew
    SteadyTime expires{};  // forgotten after
  };

  Entry* entry(const std::string& key, SteadyTime now);
  void drop_expired(SteadyTime now);

  const Clock& clock_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace slipway::server::auth
