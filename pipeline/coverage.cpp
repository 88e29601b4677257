#include "pipeline/coverage.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

namespace slipway::pipeline {
namespace {

constexpr std::size_t kLongestExpression = 1024;
constexpr std::size_t kLongestLine = 8192;
constexpr std::int64_t kMemory = std::int64_t{1} << 20U;

// GitLab's runner may put "2025-01-31T12:34:56.123456Z 01O " in front of each line.
std::string_view without_timestamp(std::string_view line) {
  static const re2::RE2 shape{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +])"};
  constexpr std::size_t kLength = 32;
  if (line.size() >= kLength && re2::RE2::FullMatch(re2::StringPiece{line.data(), kLength}, shape))
    line.remove_prefix(kLength);
  return line;
}

std::optional<double> first_number(std::string_view text) {
  const auto begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return std::nullopt;
  std::size_t end = begin;
  const auto digits = [&] {
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  };
  digits();
  if (end + 1 < text.size() && text[end] == '.' && text[end + 1] >= '0' && text[end + 1] <= '9') {
    ++end;
    digits();
  }
  double number = 0;
  std::from_chars(text.data() + begin, text.data() + end, number, std::chars_format::fixed);
  return number;
}

}  // namespace

struct CoverageExpression::State {
  explicit State(const std::string& expression, const re2::RE2::Options& options)
      : regex(expression, options) {}
  re2::RE2 regex;
};

CoverageExpression::CoverageExpression(State* state) : state_(state) {}
CoverageExpression::CoverageExpression(CoverageExpression&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}
CoverageExpression& CoverageExpression::operator=(CoverageExpression&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
CoverageExpression::~CoverageExpression() {
  delete state_;
}

Result<CoverageExpression> CoverageExpression::compile(std::string_view expression) {
  if (expression.size() > kLongestExpression)
    return fail(ErrorKind::InvalidInput, "a coverage expression has 1024 characters at the most");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  auto state = std::make_unique<State>(std::string{expression}, options);
  if (!state->regex.ok())
    return fail(ErrorKind::InvalidInput,
                "coverage config must be a regular expression: " + state->regex.error());
  return CoverageExpression{state.release()};
}

std::optional<double> CoverageExpression::match_line(std::string_view line) const {
  line = without_timestamp(line).substr(0, kLongestLine);
  const int groups = std::min(state_->regex.NumberOfCapturingGroups(), 8);
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups) + 1);
  const re2::StringPiece text{line.data(), line.size()};
  std::optional<std::string> last;
  for (std::size_t from = 0; from <= line.size();) {
    if (!state_->regex.Match(text, from, line.size(), re2::RE2::UNANCHORED, found.data(),
                             groups + 1))
      break;
    // With groups Ruby's scan gives the groups; the last one counts.
    const re2::StringPiece& counts = found.back();
    last = counts.data() == nullptr ? std::string{} : std::string(counts.data(), counts.size());
    const auto begin = static_cast<std::size_t>(found[0].data() - line.data());
    from = begin + std::max<std::size_t>(found[0].size(), 1);
  }
  return last ? first_number(*last) : std::nullopt;
}

std::optional<double> CoverageExpression::match(std::string_view log) const {
  while (!log.empty()) {
    if (log.back() == '\n') log.remove_suffix(1);
    const auto newline = log.rfind('\n');
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (const auto value = match_line(log.substr(begin))) return value;
    log = log.substr(0, begin);
  }
  return std::nullopt;
}

}  // namespace slipway::pipeline
