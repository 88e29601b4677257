// The results of tests as a job reports them, whatever format they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::server {

enum class TestStatus : std::uint8_t { Success, Failed, Error, Skipped };

// GitLab's words: "success", "failed", "error", "skipped".
std::string_view to_string(TestStatus status);

struct TestCase {
  std::string name;
  std::string classname;
  std::string file;  // "" when the report does not say, below too
  TestStatus status = TestStatus::Success;
  double seconds = 0;
  bool flaky = false;  // reported more than once, with results that differ
  // What the failure, the error or the skipping says; of a flaky one what its failure said.
  std::string output;
  std::string attachment;  // "[[ATTACHMENT|path]]" in what it printed
  std::string key;         // names the test in its job, over all pipelines: 16 hex digits
};

struct TestReport {
  std::vector<TestCase> cases;  // in the report's order, each test once
  std::string error;            // why a part could not be read; "" when all was
};

// Beyond any of these the rest of the report is left out, and `error` says so.
struct TestReportLimits {
  std::size_t bytes = std::size_t{256} << 20U;          // of XML, unpacked
  std::size_t cases = 500'000;                          // GitLab's limit
  std::size_t outputs = std::size_t{32} << 20U;         // bytes of output, of all cases
  std::size_t output_of_case = std::size_t{32} << 10U;  // a longer one is cut, and says so
  std::size_t name = 1'024;                             // bytes of a name; a longer one is cut
  int depth = 64;                                       // of elements
};

}  // namespace slipway::server
