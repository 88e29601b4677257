// The lines of a log from its end, without holding the log in memory: what the search for a
// coverage figure walks. Used by one thread; the log may grow meanwhile, later lines are not seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/trace/trace_store.h"

namespace slipway::server {

class BackwardLines {
 public:
  BackwardLines(const TraceStore& traces, std::int64_t job);

  // The next line upwards, without its newline; nullopt at the top or when the file cannot be read.
  // A line is cut after `kLongestLine` bytes (its last ones are kept).
  std::optional<std::string> next();

  static constexpr std::size_t kLongestLine = std::size_t{64} << 10U;

 private:
  bool fill();

  const TraceStore& traces_;
  std::int64_t job_;
  long long begin_ = 0;  // offset of the first byte in buffer_
  std::string buffer_;   // what was read and not yet given out
  bool first_ = true;
  bool done_ = false;
};

}  // namespace slipway::server
