// Where the readers of all coverage formats put what they read: sections, each the lines of one
// file, become files with each line once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/reports/coverage_report.h"

namespace slipway::server {

// Used by one thread.
class CoverageSections {
 public:
  CoverageSections(std::string project, const CoverageReportLimits& limits)
      : project_(std::move(project)), limits_(limits) {}

  // Begins a section; what is open is closed.
  void open(std::string path);
  // Without a section, or beyond the limit, it is passed over. Of a line that comes again in one
  // section the most hits count, in another section of the file they are added.
  void line(std::uint32_t number, std::uint32_t hits);
  void close();
  [[nodiscard]] bool is_open() const { return open_; }

  // The first complaint is what the report says.
  void complain(const std::string& fault);
  // A limit is reached: no more is wanted.
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] const CoverageReportLimits& limits() const { return limits_; }
  // "/builds/group/name/src" → "src" for the project group/name; false when it is not in there.
  [[nodiscard]] bool below_project(std::string_view path, std::string& rest) const;
  [[nodiscard]] CoverageReport take();

 private:
  void give_up(const std::string& why);

  std::string project_;
  CoverageReportLimits limits_;
  std::map<std::string, CoveredLines> files_;
  std::string path_;
  CoveredLines lines_;
  std::size_t count_ = 0;  // of all lines
  std::string error_;
  bool open_ = false;
  bool full_ = false;
};

// Numbers as reports have them: counts beyond 32 bits are cut to what fits, and what a tool counted
// below zero, after an overflow of its own, is none. False for what is no number.
bool read_hits(std::string_view text, std::uint32_t& hits);
// False unless it is a line that a file can have.
bool read_line_number(std::string_view text, std::uint32_t& number);

}  // namespace slipway::server
