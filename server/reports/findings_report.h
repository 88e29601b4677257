// What scanners found, whatever format their report came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::server {

// The worst first.
enum class Severity : std::uint8_t { Critical, High, Medium, Low, Info, Unknown };

// "critical", "high", "medium", "low", "info", "unknown".
std::string_view to_string(Severity severity);
// The same words, whatever their case; nullopt for others.
std::optional<Severity> severity_named(std::string_view word);

struct Finding {
  Severity severity = Severity::Unknown;
  std::string name;
  std::string description;  // "" when the report has none, below too
  std::string solution;
  std::string file;     // from the root of the project, where the report lets it be known
  long long line = 0;   // 0 when the report does not say
  std::string subject;  // what is affected beside a file: a package, an image, a request
  std::vector<std::string> identifiers;  // "CVE-2024-1", "CWE-79"; the primary one first
  std::string scanner;
  // The same for the same finding in a later pipeline, also when its line has moved: 32 hex digits.
  std::string fingerprint;
};

struct FindingsReport {
  std::vector<Finding> findings;  // the worst first, each once
  long long left_out = 0;         // beyond the limit: the least severe
  std::string error;              // why a part could not be read; "" when all was
};

// Beyond any of these the rest is left out, and the report says so.
struct FindingsReportLimits {
  std::size_t bytes = std::size_t{64} << 20U;  // unpacked
  std::size_t findings = 10'000;
  std::size_t looked_at = 100'000;             // of which those are the worst
  std::size_t name = 512;                      // bytes; what is longer is cut, below too
  std::size_t text = std::size_t{8} << 10U;    // of a description, of a solution
  std::size_t texts = std::size_t{32} << 20U;  // of all that is kept
  std::size_t path = 1'024;                    // of a file's path, of a subject
  std::size_t identifiers = 20;                // of one finding
  std::size_t rules = 20'000;                  // of a SARIF file
  int depth = 64;                              // of arrays and objects
  std::size_t values = 200'000;                // in one finding, of all kinds
};

}  // namespace slipway::server
