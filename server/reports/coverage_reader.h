// Reads coverage reports while they come in: Cobertura's and JaCoCo's XML, and LCOV's trace files.
//
// Which of them it is shows in the content, since tools of all languages write each of them. What
// is read are lines; branches and functions are passed over. Reports come from jobs and are not
// trusted: entities are never expanded, and what grows is limited.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/reports/coverage_report.h"

namespace slipway::server {

// Never fails: what cannot be read is told in the report. Used by one thread at a time.
//
// Paths become those of the project as GitLab does it: of an absolute path the part behind
// "/<project path>/" counts, and a class of Cobertura stands below the <source> that has one. What
// shows no such root is kept as the report has it.
class CoverageReader {
 public:
  // `project` is its path, "group/name".
  explicit CoverageReader(std::string project, const CoverageReportLimits& limits = {});
  ~CoverageReader();
  CoverageReader(const CoverageReader&) = delete;
  CoverageReader& operator=(const CoverageReader&) = delete;

  // False once no more is wanted, since a limit is reached.
  bool feed(std::string_view bytes);
  // Behind each file: the next byte begins another one, maybe of another format.
  void end_of_file();
  // Ends the reading. The stored files are moved out.
  CoverageReport take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
