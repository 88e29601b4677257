// Which lines the tests of jobs ran: from the report that a job sends to rows in the store, and
// from the rows to the files of a pipeline, whose jobs' reports are added up.
//
// Thread-safe. Everything blocks: it reads files and the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/blobs/blob_store.h"
#include "server/reports/coverage_report.h"
#include "server/store/database.h"

namespace slipway::server {

// What is to be stored of a report that was received.
struct ReceivedCoverage {
  CoverageReportRow report;
  std::vector<CoverageFileRow> files;
};

struct LineCount {
  long long covered = 0;
  long long total = 0;

  // 0 to 100, with two places; 100 of nothing.
  [[nodiscard]] double percent() const;
};

struct CoveredFile {
  std::string path;
  LineCount lines;
  std::optional<LineCount> before;  // in the pipeline that it is compared with, when it has it

  // In points, against before; 0 without.
  [[nodiscard]] double change() const;
};

// The files of a pipeline beside those of a branch.
struct CoverageOverview {
  std::vector<CoverageReportRow> reports;
  std::vector<CoveredFile> files;  // by path
  LineCount sum;
  std::optional<PipelineId> base;  // nullopt: the branch has no earlier reports
  LineCount base_sum;
};

class CoverageResults {
 public:
  CoverageResults(Database& database, const BlobStore& blobs,
                  const CoverageReportLimits& limits = {})
      : database_(database), blobs_(blobs), limits_(limits) {}

  // Whether an artifact of this type is a coverage report.
  static bool takes(std::string_view file_type);
  // Reads the report of `row`, whose blob is complete. What cannot be read is told in the row.
  // NotFound when the job is gone.
  [[nodiscard]] Result<ReceivedCoverage> receive(const ArtifactRow& row) const;
  // In the transaction that stores the artifact's row.
  static void keep(Stores& stores, const ReceivedCoverage& coverage);

  // With the newest earlier pipeline of `branch` that has reports.
  [[nodiscard]] CoverageOverview overview(const PipelineRow& pipeline,
                                          const std::string& branch) const;
  // NotFound when no report of the pipeline has the file.
  [[nodiscard]] Result<CoveredLines> lines(PipelineId pipeline, std::string_view path) const;

 private:
  [[nodiscard]] std::vector<CoveredFile> files_of(PipelineId pipeline) const;

  Database& database_;
  const BlobStore& blobs_;
  CoverageReportLimits limits_;
};

}  // namespace slipway::server
