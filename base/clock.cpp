#include "base/clock.h"

#include <spdlog/fmt/fmt.h>

#include <ctime>

namespace slipway {

UnixMillis SystemClock::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

SteadyTime SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

std::string to_rfc3339(UnixMillis time) {
  // Floor, so that times before 1970 keep their milliseconds positive.
  const std::time_t seconds = (time >= 0 ? time : time - 999) / 1000;
  const auto millis = time - static_cast<UnixMillis>(seconds) * 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

}  // namespace slipway
