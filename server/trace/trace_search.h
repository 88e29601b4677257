// Looks through a whole log for a text or an expression, without holding the log in memory: what
// the page's search box asks. What is matched is what a person reads: colours, section markers and
// the runner's timestamps are left out, and a line that the runner sent in parts counts once.
// A compiled search may be used by many threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/trace/trace_store.h"

namespace slipway::server {

struct TraceMatch {
  long long line = 0;    // from 1
  long long offset = 0;  // of the line's first byte in the log
  std::string text;      // what stands around the match
};

struct TraceMatches {
  std::vector<TraceMatch> matches;  // one for a line, in the order of the log
  bool truncated = false;           // the limit or the time was reached: there may be more
};

struct TraceSearchBounds {
  std::size_t matches = 1000;
  std::chrono::milliseconds time{2000};
};

class TraceSearch {
 public:
  // A plain text is found whatever its case; an expression is RE2's and says (?i) for that.
  // InvalidInput for an empty or overlong text and for what is no expression.
  static Result<TraceSearch> compile(std::string_view text, bool regex);

  TraceSearch(TraceSearch&&) noexcept;
  TraceSearch& operator=(TraceSearch&&) noexcept;
  ~TraceSearch();

  // What the log has now; Unavailable when the file cannot be read. Only the first
  // `kLongestLine` bytes of a line are looked at.
  [[nodiscard]] Result<TraceMatches> run(const TraceStore& traces, std::int64_t job,
                                         TraceSearchBounds bounds = {}) const;

  static constexpr std::size_t kLongestLine = std::size_t{64} << 10U;
  static constexpr std::size_t kLongestText = 1024;

 private:
  struct State;
  explicit TraceSearch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
