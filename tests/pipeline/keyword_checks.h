// What the tests of keywords share: one job with some keywords, and what is said about it.
#pragma once

#include <string>
#include <vector>

#include "tests/pipeline/support.h"

namespace slipway::pipeline::test {

using Lines = std::vector<std::string>;

// `keywords` is YAML, indented as it stands in a job.
inline std::string file_with(const std::string& keywords) {
  return "job:\n  script: x\n  " + keywords + "\n";
}

inline Job job_with(const std::string& keywords) {
  return configuration_of(file_with(keywords)).jobs.front();
}

inline Lines messages_of(const std::string& text, Severity severity) {
  Lines messages;
  for (const Diagnostic& finding : outcome_of(text).findings)
    if (finding.severity == severity) messages.push_back(finding.message);
  return messages;
}

inline Lines errors_of(const std::string& text) {
  return messages_of(text, Severity::Error);
}
inline Lines warnings_of(const std::string& text) {
  return messages_of(text, Severity::Warning);
}

// Keywords and the one thing that is wrong with them.
struct Refused {
  const char* keywords;
  const char* message;
};

}  // namespace slipway::pipeline::test
