#include "pipeline/diagnostic.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <numeric>

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

// Letters inserted, left out, replaced, or swapped with the next.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> above(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row{i};
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t least =
          std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least = std::min(least, before[j - 2] + 1);
      row.push_back(least);
    }
    before = std::move(above);
    above = std::move(row);
  }
  return above[b.size()];
}

// Where a control character would move the caret, or a bidirectional one the text, it is shown as
// a space; a tab too, so that the caret stands under its column.
std::string printable(std::string_view line) {
  std::string shown;
  for (const char c : line) shown += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
  constexpr std::size_t kLongest = 160;
  if (shown.size() > kLongest) shown = shown.substr(0, kLongest) + "…";
  return shown;
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

std::string render(const Diagnostic& finding, std::string_view source) {
  const SourceSpan& at = finding.span;
  std::string text =
      at.line > 0 ? fmt::format("{}:{}:{}: ", at.file, at.line, at.column) : at.file + ": ";
  text += fmt::format("{}: {}\n", to_string(finding.severity), finding.message);
  const std::string_view line = at.line > 0 ? line_of(source, at.line) : std::string_view{};
  if (!line.empty()) {
    const auto indent = static_cast<std::size_t>(std::max(at.column - 1, 0));
    text += fmt::format("{:>5} | {}\n", at.line, printable(line));
    if (indent <= 160) text += fmt::format("      | {}^\n", std::string(indent, ' '));
  }
  if (!finding.hint.empty()) text += fmt::format("hint: {}\n", finding.hint);
  return text;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 255;
  if (word.size() > kLongestWord) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // Lengths that differ by as much cannot be nearer, and long words are dear to compare.
    if (std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size()) >= least)
      continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace slipway::pipeline
