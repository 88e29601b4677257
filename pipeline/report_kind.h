// The kinds of report under `artifacts:reports`: the name and the format under which each is
// uploaded.
//
// A constant table with GitLab's values, because its clients look for these names; "lcov" is ours.
#pragma once

#include <string_view>

namespace slipway::pipeline {

struct ReportKind {
  std::string_view type;       // "junit"; of a coverage report its format, "cobertura"
  std::string_view file_name;  // "junit.xml"
  std::string_view format;     // "gzip", "raw" or "zip"
};

// A type that is not in the table is uploaded as it is, under its own name.
ReportKind report_kind(std::string_view type);

}  // namespace slipway::pipeline
