// Reads what scanners report while it comes in: GitLab's security reports, Code Climate and SARIF.
//
// Which of them it is shows in the content. Reports come from jobs and are not trusted: their size,
// their depth and whatever is kept of them are limited, and nothing in them is more than text.
#pragma once

#include <string>
#include <string_view>

#include "server/reports/finding_sink.h"

namespace slipway::server {

// Never fails: what cannot be read is told in the report. Used by one thread at a time. Holds one
// file's text at a time, of at most `limits.bytes`.
class FindingsReader {
 public:
  // `kind` is the type of the report, "sast"; `project` the path of the project, "group/name".
  FindingsReader(std::string kind, std::string project, const FindingsReportLimits& limits = {})
      : sink_(std::move(kind), std::move(project), limits) {}

  // False once no more is wanted, since a limit is reached.
  bool feed(std::string_view bytes);
  // Behind each file: the next byte begins another one.
  void end_of_file();
  // Ends the reading. The findings are moved out.
  FindingsReport take();

 private:
  void read_file(std::string_view text, bool cut);

  FindingSink sink_;
  std::string text_;
  std::size_t bytes_ = 0;  // of all files
  int file_ = 1;
  bool full_ = false;
};

}  // namespace slipway::server
