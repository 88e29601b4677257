#include "server/trace/trace_search.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

namespace slipway::server {

namespace {

constexpr std::size_t kBlock = std::size_t{256} << 10U;
constexpr std::int64_t kExpressionMemory = std::int64_t{1} << 20U;
constexpr std::size_t kContext = 160;  // bytes kept on each side of a match

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of `ESC [ parameters letter` at the beginning, or 0.
std::size_t control_sequence(std::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  std::size_t at = 2;
  while (at < text.size() && (is_digit(text[at]) || text[at] == ';' || text[at] == ':')) ++at;
  return at < text.size() ? at + 1 : 0;
}

// Length of `section_start:time:name[options]\r` at the beginning, or 0.
std::size_t section_marker(std::string_view text) {
  std::size_t at = 0;
  for (const std::string_view word : {"section_start:", "section_end:"})
    if (text.substr(0, word.size()) == word) at = word.size();
  if (at == 0) return 0;
  const auto end = text.find('\r', at);
  return end == std::string_view::npos || !is_digit(text[at]) ? 0 : end + 1;
}

// "2024-05-22T12:43:46.962646Z 00O ": moment, stream, and '+' where the line before goes on.
constexpr std::size_t kStamp = 32;
bool is_stamped(std::string_view line) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ xx";
  if (line.size() < kStamp) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char c = line[i];
    if (kShape[i] == 'd' && !is_digit(c)) return false;
    if (kShape[i] == 'x' && !is_digit(c) && (c < 'a' || c > 'f')) return false;
    if (kShape[i] != 'd' && kShape[i] != 'x' && kShape[i] != c) return false;
  }
  return (line[30] == 'O' || line[30] == 'E') && (line[31] == ' ' || line[31] == '+');
}

std::string readable(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    std::size_t skip = 0;
    if (line[at] == '\x1b') skip = control_sequence(line.substr(at));
    if (line[at] == 's') skip = section_marker(line.substr(at));
    if (skip == 0) text += line[at++];
    at += skip;
  }
  while (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

bool is_inside_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

std::string around(std::string_view text, std::size_t begin, std::size_t length) {
  std::size_t from = begin > kContext ? begin - kContext : 0;
  std::size_t to = std::min(text.size(), begin + std::min(length, kContext) + kContext);
  while (from < begin && is_inside_character(text[from])) ++from;
  while (to > begin && to < text.size() && is_inside_character(text[to])) --to;
  return (from > 0 ? "…" : "") + std::string{text.substr(from, to - from)} +
         (to < text.size() ? "…" : "");
}

}  // namespace

struct TraceSearch::State {
  State(std::string_view text, const re2::RE2::Options& options)
      : expression(re2::StringPiece{text.data(), text.size()}, options) {}

  re2::RE2 expression;
};

namespace {

// The lines of one log as they come out of the file, in blocks that do not end with a line.
class Lines {
 public:
  Lines(const re2::RE2& expression, std::size_t most) : expression_(expression), most_(most) {}

  // False when there are as many matches as were asked for.
  bool take(std::string_view block) {
    while (!block.empty()) {
      const auto newline = block.find('\n');
      const auto part = block.substr(0, newline);
      if (line_.size() < TraceSearch::kLongestLine)
        line_ += part.substr(0, TraceSearch::kLongestLine - line_.size());
      length_ += static_cast<long long>(part.size());
      if (newline == std::string_view::npos) return true;
      block.remove_prefix(newline + 1);
      ++length_;
      if (!end_line()) return false;
    }
    return true;
  }

  bool end_line() {
    std::string_view line = line_;
    if (is_stamped(line)) {
      const bool goes_on = line[kStamp - 1] == '+' && number_ > 0;
      if (!goes_on) ++number_;
      line.remove_prefix(kStamp);
    } else {
      ++number_;
    }
    const bool room = look_at(line);
    begin_ += length_;
    length_ = 0;
    line_.clear();
    return room;
  }

  [[nodiscard]] bool has_rest() const { return length_ > 0; }
  std::vector<TraceMatch> found() && { return std::move(found_); }

 private:
  bool look_at(std::string_view line) {
    const std::string text = readable(line);
    re2::StringPiece match;
    if (!expression_.Match(text, 0, text.size(), re2::RE2::UNANCHORED, &match, 1)) return true;
    if (!found_.empty() && found_.back().line == number_) return true;
    if (found_.size() == most_) return false;
    found_.push_back(
        {number_, begin_,
         around(text, static_cast<std::size_t>(match.data() - text.data()), match.size())});
    return true;
  }

  const re2::RE2& expression_;
  std::size_t most_;
  std::string line_;  // the beginning of the line that is being read
  long long begin_ = 0;
  long long length_ = 0;
  long long number_ = 0;
  std::vector<TraceMatch> found_;
};

}  // namespace

TraceSearch::TraceSearch(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceSearch::TraceSearch(TraceSearch&&) noexcept = default;
TraceSearch& TraceSearch::operator=(TraceSearch&&) noexcept = default;
TraceSearch::~TraceSearch() = default;

Result<TraceSearch> TraceSearch::compile(std::string_view text, bool regex) {
  if (text.empty()) return fail(ErrorKind::InvalidInput, "q says what to search for");
  if (text.size() > kLongestText)
    return fail(ErrorKind::InvalidInput, "q has 1024 characters at the most");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionMemory);
  options.set_literal(!regex);
  options.set_case_sensitive(regex);
  auto state = std::make_unique<State>(text, options);
  if (!state->expression.ok())
    return fail(ErrorKind::InvalidInput,
                "q must be a regular expression: " + state->expression.error());
  return TraceSearch{std::move(state)};
}

Result<TraceMatches> TraceSearch::run(const TraceStore& traces, std::int64_t job,
                                      TraceSearchBounds bounds) const {
  const auto end = std::chrono::steady_clock::now() + bounds.time;
  // What a running job adds meanwhile is not followed.
  const long long size = traces.size(job);
  Lines lines{state_->expression, bounds.matches};
  for (long long offset = 0; offset < size;) {
    const auto wanted = std::min<long long>(kBlock, size - offset);
    const auto block = traces.read(job, offset, static_cast<std::size_t>(wanted));
    if (!block) return block.error();
    if (block->empty()) break;
    offset += static_cast<long long>(block->size());
    const bool room = lines.take(*block);
    if (!room || (offset < size && std::chrono::steady_clock::now() >= end))
      return TraceMatches{std::move(lines).found(), true};
  }
  const bool room = !lines.has_rest() || lines.end_line();
  return TraceMatches{std::move(lines).found(), !room};
}

}  // namespace slipway::server
