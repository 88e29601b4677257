// Reads JUnit's XML, as test tools of all languages write it, while it comes in.
//
// There is no one schema: what is read is what GitLab reads (docs.gitlab.com, "Unit test reports")
// and what Surefire says of tests that it repeated. Reports come from jobs and are not trusted:
// entities are never expanded, and what grows is limited.
#pragma once

#include <memory>
#include <string_view>

#include "server/reports/test_report.h"

namespace slipway::server {

// Never fails: what cannot be read is told in the report. Used by one thread at a time.
class JunitReader {
 public:
  explicit JunitReader(const TestReportLimits& limits = {});
  ~JunitReader();
  JunitReader(const JunitReader&) = delete;
  JunitReader& operator=(const JunitReader&) = delete;

  // False once no more is wanted, since a limit is reached.
  bool feed(std::string_view xml);
  // Behind each file: the next byte begins another document.
  void end_of_file();
  // Ends the reading. The stored cases are moved out.
  TestReport take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
