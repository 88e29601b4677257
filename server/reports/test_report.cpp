#include "server/reports/test_report.h"

namespace slipway::server {

std::string_view to_string(TestStatus status) {
  switch (status) {
    case TestStatus::Success: return "success";
    case TestStatus::Failed: return "failed";
    case TestStatus::Error: return "error";
    case TestStatus::Skipped: return "skipped";
  }
  return "error";
}

}  // namespace slipway::server
