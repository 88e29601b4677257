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

std::string to_http_date(UnixMillis time) {
  const std::time_t seconds = time / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  // No locale is ever set, so these are the English names.
  const auto length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text, length};
}

std::optional<UnixMillis> parse_http_date(const std::string& text) {
  std::tm utc{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<UnixMillis>(::timegm(&utc)) * 1000;
}

}  // namespace slipway
