// The trace files of LCOV, as geninfo(1) describes them: SF begins the lines of a source file, DA
// is one of them, end_of_record ends them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/reports/coverage_sections.h"

namespace slipway::server {

// One file, while it comes in. Used by one thread; `sections` must outlive it.
class LcovStream {
 public:
  explicit LcovStream(CoverageSections& sections) : sections_(sections) {}

  // Both return what is wrong first, "line 3: …". What is no trace file is not read on.
  std::optional<std::string> feed(std::string_view bytes);
  std::optional<std::string> finish();

 private:
  void take_line(std::string_view line);
  void take_hits(std::string_view text);
  void complain(const std::string& fault);

  CoverageSections& sections_;
  std::string rest_;  // the line that is not whole yet
  std::optional<std::string> fault_;
  std::size_t number_ = 0;  // of the line that was taken last
  bool known_ = false;      // it is a trace file
  bool foreign_ = false;    // it is none
};

}  // namespace slipway::server
