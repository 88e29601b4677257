#include "server/reports/coverage_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace slipway::server {

namespace {

constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();

std::uint32_t sum(std::uint32_t left, std::uint32_t right) {
  return right > kMost - left ? kMost : left + right;
}

// A number at the beginning of `text`, which is taken off; false when there is none.
bool take_number(std::string_view& text, std::uint32_t& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

bool take_sign(std::string_view& text, char sign) {
  if (!text.starts_with(sign)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_run(std::string_view& text, std::uint32_t& gap, std::uint32_t& length,
              std::uint32_t& hits) {
  length = 1;
  return take_number(text, gap) && (!take_sign(text, 'x') || take_number(text, length)) &&
         take_sign(text, ':') && take_number(text, hits) && gap > 0 && length > 0;
}

}  // namespace

std::size_t covered_of(const CoveredLines& lines) {
  return static_cast<std::size_t>(std::count_if(
      lines.begin(), lines.end(), [](const LineHits& line) { return line.hits > 0; }));
}

void settle_lines(CoveredLines& lines) {
  std::sort(lines.begin(), lines.end(), [](const LineHits& left, const LineHits& right) {
    return left.number != right.number ? left.number < right.number : left.hits > right.hits;
  });
  lines.erase(std::unique(lines.begin(), lines.end(),
                          [](const LineHits& left, const LineHits& right) {
                            return left.number == right.number;
                          }),
              lines.end());
}

CoveredLines sum_of_lines(const CoveredLines& left, const CoveredLines& right) {
  CoveredLines merged;
  merged.reserve(left.size() + right.size());
  std::merge(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(merged),
             [](const LineHits& one, const LineHits& other) { return one.number < other.number; });
  CoveredLines sums;
  sums.reserve(merged.size());
  for (const LineHits& line : merged) {
    if (!sums.empty() && sums.back().number == line.number)
      sums.back().hits = sum(sums.back().hits, line.hits);
    else
      sums.push_back(line);
  }
  return sums;
}

std::string pack_lines(const CoveredLines& lines) {
  std::string text;
  std::uint32_t before = 0;
  for (auto at = lines.begin(); at != lines.end();) {
    auto end = at + 1;
    while (end != lines.end() && end->hits == at->hits && end->number == (end - 1)->number + 1)
      ++end;
    const auto length = end - at;
    auto out = std::back_inserter(text);
    if (!text.empty()) text += ' ';
    fmt::format_to(out, "{}", at->number - before);
    if (length > 1) fmt::format_to(out, "x{}", length);
    fmt::format_to(out, ":{}", at->hits);
    before = (end - 1)->number;
    at = end;
  }
  return text;
}

CoveredLines unpack_lines(std::string_view text) {
  constexpr std::size_t kMostLines = CoverageReportLimits{}.lines;
  CoveredLines lines;
  std::uint32_t number = 0;
  std::uint32_t gap = 0;
  std::uint32_t length = 0;
  std::uint32_t hits = 0;
  while (take_run(text, gap, length, hits)) {
    if (length > kMostLines - lines.size() || gap > kMost - number ||
        length - 1 > kMost - number - gap)
      break;
    number += gap;
    for (std::uint32_t i = 0; i < length; ++i) lines.push_back({number + i, hits});
    number += length - 1;
    take_sign(text, ' ');
  }
  return lines;
}

}  // namespace slipway::server
