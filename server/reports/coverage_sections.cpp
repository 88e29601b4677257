#include "server/reports/coverage_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/reports/report_path.h"

namespace slipway::server {

namespace {

constexpr std::uint32_t kMostHits = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMostLine = 100'000'000;

// What can stand in a row and in an answer.
bool is_plain_text(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
  } catch (const nlohmann::json::exception&) {
    return false;  // it is not UTF-8
  }
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

}  // namespace

bool read_hits(std::string_view text, std::uint32_t& hits) {
  // Some tools write "3.0", and very many runs as "1e+10".
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc::invalid_argument || read.ptr != end || std::isnan(value)) return false;
  const bool large = read.ec == std::errc::result_out_of_range || value >= kMostHits;
  hits = large ? kMostHits : static_cast<std::uint32_t>(std::max(value, 0.0));
  return true;
}

bool read_line_number(std::string_view text, std::uint32_t& number) {
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end && number > 0 && number <= kMostLine;
}

void CoverageSections::open(std::string path) {
  close();
  path = path_in_project(project_, std::move(path));
  if (path.empty() || path == "/") {
    complain("a file without a path is left out");
    return;
  }
  if (path.size() > limits_.path) {
    complain(fmt::format("a file whose path is longer than {} bytes is left out", limits_.path));
    return;
  }
  if (!is_plain_text(path)) {
    complain("a file whose path is not UTF-8 or has control characters is left out");
    return;
  }
  path_ = std::move(path);
  open_ = true;
}

void CoverageSections::line(std::uint32_t number, std::uint32_t hits) {
  if (!open_ || full_) return;
  if (++count_ > limits_.lines) {
    give_up(fmt::format("it has more than {} lines; those behind are left out", limits_.lines));
    return;
  }
  lines_.push_back({number, hits});
}

void CoverageSections::close() {
  if (!open_) return;
  open_ = false;
  CoveredLines lines = std::exchange(lines_, {});
  if (lines.empty()) return;
  const auto known = files_.find(path_);
  if (known == files_.end() && files_.size() >= limits_.files) {
    give_up(fmt::format("it has more than {} files; those behind are left out", limits_.files));
    return;
  }
  settle_lines(lines);
  if (known == files_.end())
    files_.emplace(path_, std::move(lines));
  else
    known->second = sum_of_lines(known->second, lines);
}

void CoverageSections::complain(const std::string& fault) {
  if (error_.empty()) error_ = fault;
}

void CoverageSections::give_up(const std::string& why) {
  full_ = true;
  complain(why);
}

bool CoverageSections::below_project(std::string_view path, std::string& rest) const {
  return server::below_project(project_, path, rest);
}

CoverageReport CoverageSections::take() {
  close();
  CoverageReport report;
  report.error = std::move(error_);
  for (auto& [path, lines] : files_) report.files.push_back({path, std::move(lines)});
  files_.clear();
  return report;
}

}  // namespace slipway::server
