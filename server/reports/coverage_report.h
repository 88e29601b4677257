// Which lines the tests of a job ran, whatever format the report came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::server {

struct LineHits {
  std::uint32_t number = 0;  // from 1
  std::uint32_t hits = 0;    // how often it ran; of JaCoCo, which does not count, 0 or 1

  bool operator==(const LineHits&) const = default;
};

using CoveredLines = std::vector<LineHits>;  // by number, each line once

struct CoverageFile {
  std::string path;  // from the root of the project, where the report lets it be known
  CoveredLines lines;
};

struct CoverageReport {
  std::vector<CoverageFile> files;  // by path, each once, none without lines
  std::string error;                // why a part could not be read; "" when all was
};

// Beyond any of these the rest of the report is left out, and `error` says so.
struct CoverageReportLimits {
  std::size_t bytes = std::size_t{256} << 20U;  // unpacked
  std::size_t files = 20'000;
  std::size_t lines = 5'000'000;  // as they stand in the report, of all files
  std::size_t path = 1'024;       // bytes; a file with a longer one is left out
  int depth = 64;                 // of elements
};

std::size_t covered_of(const CoveredLines& lines);
// Sorts, and brings each line down to one entry: with the most of its hits.
void settle_lines(CoveredLines& lines);
// Hits of both, added, as GitLab does with reports of several jobs.
CoveredLines sum_of_lines(const CoveredLines& left, const CoveredLines& right);

// "3:1 1x6:0 4:25": lines 3, 4 to 9 and 13. Each run has its distance from the line before, how
// many lines follow each other in it when they are several, and their hits.
std::string pack_lines(const CoveredLines& lines);
// Of what pack_lines() wrote; ends at what is nothing of the kind.
CoveredLines unpack_lines(std::string_view text);

}  // namespace slipway::server
