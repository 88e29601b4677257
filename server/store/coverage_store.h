// Which lines the tests of jobs ran: a row for each report, and one for each file in it.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class Session;

// The report of one try of a job.
struct CoverageReportRow {
  JobId job_id;
  PipelineId pipeline_id;
  ProjectId project_id;
  std::string job_name;
  long long files = 0;
  std::string error;  // why a part of the report could not be read; "" when all was
  UnixMillis created_at = 0;
};

struct CoverageFileRow {
  JobId job_id;
  std::string path;
  long long covered = 0;  // lines, below too
  long long total = 0;
  std::string lines;  // as pack_lines() writes them
};

// One file in all reports of a pipeline: the figures are those of one of them.
struct CoverageCountRow {
  std::string path;
  long long covered = 0;
  long long total = 0;
  long long reports = 0;  // how many have it
};

// The lines of one file in one report.
struct CoverageLinesRow {
  std::string path;
  std::string lines;
};

class CoverageStore {
 public:
  explicit CoverageStore(Session& session) : session_(session) {}

  // All of these look at the last try of each job only.
  [[nodiscard]] std::vector<CoverageReportRow> of_pipeline(PipelineId pipeline) const;
  [[nodiscard]] std::vector<CoverageCountRow> files(PipelineId pipeline) const;  // by path
  // Of the files that more than one report has, by path.
  [[nodiscard]] std::vector<CoverageLinesRow> shared_files(PipelineId pipeline) const;
  [[nodiscard]] std::vector<CoverageLinesRow> file(PipelineId pipeline,
                                                   std::string_view path) const;
  // The newest finished pipeline of the branch before `pipeline` that has reports.
  [[nodiscard]] std::optional<PipelineId> newest_before(ProjectId project, std::string_view branch,
                                                        PipelineId pipeline) const;

  // A later report of the job replaces an earlier one.
  void put(const CoverageReportRow& report, const std::vector<CoverageFileRow>& files);

 private:
  Session& session_;
};

}  // namespace slipway::server
