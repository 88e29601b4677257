// What scanners found and whether it is new: from the report that a job sends to rows in the store,
// and from the rows to the findings of a pipeline beside those of a branch.
//
// Thread-safe. Everything blocks: it reads files and the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/blobs/blob_store.h"
#include "server/reports/findings_report.h"
#include "server/store/database.h"

namespace slipway::server {

// What is to be stored of a report that was received.
struct ReceivedFindings {
  FindingsReportRow report;
  std::vector<StoredFinding> findings;
};

enum class FindingState : std::uint8_t { New, Known, Fixed };

// "new", "known", "fixed".
std::string_view to_string(FindingState state);

struct ComparedFinding {
  FoundRow row;
  FindingState state = FindingState::New;

  [[nodiscard]] Severity severity() const { return static_cast<Severity>(row.severity); }
};

// The findings of a pipeline beside those of a branch.
struct FindingsOverview {
  std::vector<FindingsReportRow> reports;
  std::vector<FindingsBase> bases;  // one for each kind of the reports
  // The new ones first, then the known and the fixed ones; in each the worst first. What several
  // jobs found is there once.
  std::vector<ComparedFinding> findings;
};

class FindingsResults {
 public:
  FindingsResults(Database& database, const BlobStore& blobs,
                  const FindingsReportLimits& limits = {})
      : database_(database), blobs_(blobs), limits_(limits) {}

  // Whether an artifact of this type is a report of findings.
  static bool takes(std::string_view file_type);
  // Reads the report of `row`, whose blob is complete. What cannot be read is told in the row.
  // NotFound when the job is gone.
  [[nodiscard]] Result<ReceivedFindings> receive(const ArtifactRow& row) const;
  // In the transaction that stores the artifact's row.
  static void keep(Stores& stores, const ReceivedFindings& findings);

  // With the newest earlier reports of the branch that the pipeline would be merged into, or of the
  // default branch where that has none.
  [[nodiscard]] FindingsOverview overview(const ProjectRow& project,
                                          const PipelineRow& pipeline) const;

 private:
  Database& database_;
  const BlobStore& blobs_;
  FindingsReportLimits limits_;
};

}  // namespace slipway::server
