// A finding about a pipeline file: what is wrong or doubtful, where, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::pipeline {

enum class Severity : std::uint8_t { Error, Warning };

struct Diagnostic {
  Severity severity = Severity::Error;
  std::string code;     // stable, for machines: "unknown_keyword"
  std::string message;  // GitLab's text where GitLab has one
  SourceSpan span;
  std::string hint;  // "" when there is nothing useful to say

  bool operator==(const Diagnostic&) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

// More at once help nobody, and a file could hold as many as it has lines. Hints, which are dear,
// are sought for as many.
constexpr std::size_t kMostFindings = 100;

// By place, file by file; the files in the order in which they were first found fault with.
void sort_by_place(Diagnostics& findings);

// Keeps the first, errors before warnings, and says how many more there are.
void limit_findings(Diagnostics& findings);

std::string_view to_string(Severity severity);
bool has_errors(const Diagnostics& findings);

// What stands around the parts of a finding where a terminal shows colours; nothing by default.
struct Paint {
  std::string strong;
  std::string error;
  std::string warning;
  std::string caret;
  std::string hint;
  std::string plain;
};

// As a compiler shows it; `source` is the text of the file that the span names ("" if unknown):
//   .gitlab-ci.yml:2:3: error: jobs:test config contains unknown keys: scirpt
//       2 |   scirpt: [make]
//         |   ^
//   hint: did you mean 'script'?
// Characters that would disturb a terminal are shown as spaces; of a long line the part around the
// caret is shown.
std::string render(const Diagnostic& finding, std::string_view source, const Paint& paint = {});

// The candidate nearest to `word` by edit distance, or "" when none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace slipway::pipeline
