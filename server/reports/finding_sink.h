// Where the readers of all formats put what scanners found: texts are cleaned and cut, each finding
// is kept once and gets its fingerprint, and of too many the worst stay.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "server/reports/findings_report.h"

namespace slipway::server {

// What a fingerprint is made of. Lines are no part of it.
struct FindingIdentity {
  std::string own;      // the report's fingerprint, when it is a stable one: then it alone counts
  std::string subject;  // of `Finding::subject` what does not change from version to version
  std::string detail;   // tells findings apart whose file, identifier and name are the same
};

// Used by one thread.
class FindingSink {
 public:
  // `kind` is the type of the report, "sast".
  FindingSink(std::string kind, std::string project, const FindingsReportLimits& limits)
      : kind_(std::move(kind)), project_(std::move(project)), limits_(limits) {}

  // False once no more is wanted, since a limit is reached.
  bool add(Finding finding, const FindingIdentity& identity);
  // Of the findings that name none themselves.
  void set_scanner(const std::string& name);
  // The first complaint is what the report says.
  void complain(const std::string& fault);
  [[nodiscard]] const FindingsReportLimits& limits() const { return limits_; }
  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] FindingsReport take();

 private:
  [[nodiscard]] std::string fingerprint_of(const Finding& finding, const FindingIdentity& identity);
  void keep_the_worst();

  std::string kind_;
  std::string project_;
  FindingsReportLimits limits_;
  FindingsReport report_;
  std::unordered_set<std::string> known_;               // fingerprints
  std::unordered_map<std::string, std::size_t> alike_;  // how many have one identity
  std::size_t looked_at_ = 0;
  std::size_t texts_ = 0;
};

// Without control characters but line breaks and tabs, and those that turn the direction of
// writing; cut to `most` bytes at the end of a character.
std::string clean_text(std::string_view text, std::size_t most);
// On one line.
std::string clean_line(std::string_view text, std::size_t most);

}  // namespace slipway::server
