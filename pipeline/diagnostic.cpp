#include "pipeline/diagnostic.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <tuple>

namespace slipway::pipeline {
namespace {

std::string_view line_of(std::string_view source, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  return source.substr(0, source.find('\n'));
}

// Letters inserted, left out, replaced, or swapped with the next. `limit` or more when it is at
// least that: the rows end where no cell can get below it.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  std::array<std::vector<std::size_t>, 3> rows;
  for (auto& row : rows) row.resize(b.size() + 1);
  std::iota(rows[0].begin(), rows[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t>& row = rows[i % 3];
    const std::vector<std::size_t>& above = rows[(i + 2) % 3];
    const std::vector<std::size_t>& before = rows[(i + 1) % 3];
    row[0] = i;
    std::size_t lowest = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t least =
          std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least = std::min(least, before[j - 2] + 1);
      row[j] = least;
      lowest = std::min(lowest, least);
    }
    // A swap reaches back two rows, so one row above the limit does not end it.
    if (lowest > limit) return limit;
  }
  return rows[a.size() % 3][b.size()];
}

struct Letter {
  std::string bytes;
  int width = 1;  // columns on a terminal
};

// Emoji and East Asian letters, roughly as terminals draw them.
bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

// Characters that would move the caret, or reorder or hide what follows.
bool disturbs(char32_t c) {
  return c < ' ' || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

// The next character of `line`; a byte that is no UTF-8 is shown as `?`.
Letter next_letter(std::string_view& line) {
  const auto first = static_cast<unsigned char>(line.front());
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  char32_t c = length == 1 ? first : first & (0x7FU >> length);
  bool valid = length > 0 && length <= line.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    const auto next = static_cast<unsigned char>(line[i]);
    valid = (next & 0xC0U) == 0x80;
    c = (c << 6U) | (next & 0x3FU);
  }
  Letter letter{valid ? std::string{line.substr(0, length)} : "?", 1};
  line.remove_prefix(valid ? length : 1);
  if (!valid) return letter;
  if (disturbs(c)) letter.bytes = " ";
  if (is_wide(c)) letter.width = 2;
  return letter;
}

struct Excerpt {
  std::string text;
  int caret = 0;  // columns before the caret
};

// The line, or of a long one the part around `column` (from 1).
Excerpt excerpt(std::string_view line, int column) {
  constexpr int kBefore = 100;
  constexpr int kLongest = 160;
  Excerpt excerpt;
  const int first = column > kLongest ? column - kBefore : 1;
  if (first > 1) excerpt.text = "…";
  int width = first > 1 ? 1 : 0;
  int at = 1;
  for (; !line.empty() && at < first + kLongest; ++at) {
    const Letter letter = next_letter(line);
    if (at == column) excerpt.caret = width;
    if (at < first) continue;
    excerpt.text += letter.bytes;
    width += letter.width;
  }
  if (at <= column) excerpt.caret = width;
  if (!line.empty()) excerpt.text += "…";
  return excerpt;
}

// Names out of a file may hold anything, and be as long as the file.
std::string printable(std::string_view text) {
  constexpr int kLongest = 600;
  std::string shown;
  for (int i = 0; !text.empty() && i < kLongest; ++i) shown += next_letter(text).bytes;
  return text.empty() ? shown : shown + "…";
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
  }
  return "error";
}

bool has_errors(const Diagnostics& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Diagnostic& finding) { return finding.severity == Severity::Error; });
}

// There may be as many findings as a file has keys, so their places are sorted, not they.
void sort_by_place(Diagnostics& findings) {
  std::map<std::string_view, std::size_t> files;
  std::vector<std::tuple<std::size_t, int, int, std::size_t>> places;
  places.reserve(findings.size());
  for (const Diagnostic& finding : findings) {
    const SourceSpan& at = finding.span;
    const std::size_t file = files.try_emplace(at.file, files.size()).first->second;
    places.emplace_back(file, at.line, at.column, places.size());
  }
  if (std::is_sorted(places.begin(), places.end())) return;
  std::sort(places.begin(), places.end());
  Diagnostics sorted;
  sorted.reserve(findings.size());
  for (const auto& place : places) sorted.push_back(std::move(findings[std::get<3>(place)]));
  findings = std::move(sorted);
}

void limit_findings(Diagnostics& findings) {
  if (findings.size() <= kMostFindings) return;
  if (has_errors(findings))
    std::erase_if(findings,
                  [](const Diagnostic& finding) { return finding.severity == Severity::Warning; });
  if (findings.size() <= kMostFindings) return;
  const std::size_t more = findings.size() - kMostFindings;
  findings.resize(kMostFindings);
  Diagnostic last{findings.back().severity,
                  "more_findings",
                  fmt::format("{} more problems like these are not shown", more),
                  {findings.back().span.file, 0, 0},
                  {}};
  findings.push_back(std::move(last));
}

std::string render(const Diagnostic& finding, std::string_view source, const Paint& paint) {
  const SourceSpan& at = finding.span;
  const bool is_error = finding.severity == Severity::Error;
  std::string text = paint.strong;
  text += at.line > 0 ? fmt::format("{}:{}:{}: ", printable(at.file), at.line, at.column)
                      : printable(at.file) + ": ";
  text += fmt::format("{}{}{}{}: {}{}{}\n", paint.plain, is_error ? paint.error : paint.warning,
                      to_string(finding.severity), paint.plain, paint.strong,
                      printable(finding.message), paint.plain);
  const std::string_view line = at.line > 0 ? line_of(source, at.line) : std::string_view{};
  if (!line.empty()) {
    const Excerpt shown = excerpt(line, at.column);
    text += fmt::format("{:>5} | {}\n", at.line, shown.text);
    text +=
        fmt::format("      | {}{}^{}\n", std::string(static_cast<std::size_t>(shown.caret), ' '),
                    paint.caret, paint.plain);
  }
  if (!finding.hint.empty())
    text += fmt::format("{}hint:{} {}\n", paint.hint, paint.plain, printable(finding.hint));
  return text;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 255;
  constexpr std::size_t kMostCandidates = 5000;  // a pipeline has no more jobs
  if (word.size() > kLongestWord || candidates.size() > kMostCandidates) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // Lengths that differ by as much cannot be nearer, and long words are dear to compare.
    if (std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size()) >= least)
      continue;
    const std::size_t distance = edit_distance(word, candidate, least);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace slipway::pipeline
