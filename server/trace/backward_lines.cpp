#include "server/trace/backward_lines.h"

#include <algorithm>
#include <utility>

namespace slipway::server {

namespace {
constexpr long long kBlock = 64 << 10;
}

BackwardLines::BackwardLines(const TraceStore& traces, std::int64_t job)
    : traces_(traces), job_(job), begin_(traces.size(job)) {}

bool BackwardLines::fill() {
  if (begin_ == 0) return false;
  const long long from = std::max(0LL, begin_ - kBlock);
  const auto wanted = static_cast<std::size_t>(begin_ - from);
  const auto bytes = traces_.read(job_, from, wanted);
  // Shorter: the log was truncated meanwhile, and what is above is gone.
  if (!bytes || bytes->size() != wanted) return false;
  buffer_.insert(0, *bytes);
  begin_ = from;
  return true;
}

std::optional<std::string> BackwardLines::next() {
  if (done_) return std::nullopt;
  if (std::exchange(first_, false)) {
    if (!fill()) done_ = true;
    if (done_) return std::nullopt;
    if (buffer_.back() == '\n') buffer_.pop_back();
  }
  for (;;) {
    const auto newline = buffer_.rfind('\n');
    if (newline != std::string::npos) {
      std::string line = buffer_.substr(newline + 1);
      buffer_.resize(newline);
      if (line.size() > kLongestLine) line.erase(0, line.size() - kLongestLine);
      return line;
    }
    if (buffer_.size() > kLongestLine) buffer_.erase(0, buffer_.size() - kLongestLine);
    if (!fill()) break;
  }
  done_ = true;
  return std::move(buffer_);
}

}  // namespace slipway::server
