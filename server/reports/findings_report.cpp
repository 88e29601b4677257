#include "server/reports/findings_report.h"

#include <algorithm>
#include <array>

namespace slipway::server {

namespace {

constexpr std::array<std::string_view, 6> kWords{"critical", "high", "medium",
                                                 "low",      "info", "unknown"};

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kWords.at(static_cast<std::size_t>(severity));
}

std::optional<Severity> severity_named(std::string_view word) {
  const auto at = std::find_if(kWords.begin(), kWords.end(), [&](std::string_view known) {
    return std::equal(known.begin(), known.end(), word.begin(), word.end(),
                      [](char left, char right) { return left == small(right); });
  });
  if (at == kWords.end()) return std::nullopt;
  return static_cast<Severity>(at - kWords.begin());
}

}  // namespace slipway::server
