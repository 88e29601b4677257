#include "server/store/coverage_store.h"

#include "server/store/newest_report.h"
#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<CoverageReportRow> {
  template <typename F>
  static void each(CoverageReportRow& row, F&& f) {
    f("job_id", row.job_id);
    f("pipeline_id", row.pipeline_id);
    f("project_id", row.project_id);
    f("job_name", row.job_name);
    f("files", row.files);
    f("error", row.error);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<CoverageCountRow> {
  template <typename F>
  static void each(CoverageCountRow& row, F&& f) {
    f("path", row.path);
    f("covered", row.covered);
    f("total", row.total);
    f("reports", row.reports);
  }
};

template <>
struct Columns<CoverageLinesRow> {
  template <typename F>
  static void each(CoverageLinesRow& row, F&& f) {
    f("path", row.path);
    f("lines", row.lines);
  }
};

namespace {

// The reports of the last try of each job of a pipeline.
constexpr const char* kLastTries =
    "SELECT coverage_reports.job_id FROM coverage_reports"
    " JOIN jobs ON jobs.id = coverage_reports.job_id"
    " WHERE coverage_reports.pipeline_id = ? AND jobs.retried = 0";

}  // namespace

std::vector<CoverageReportRow> CoverageStore::of_pipeline(PipelineId pipeline) const {
  static const std::string sql = "SELECT " + column_names<CoverageReportRow>() +
                                 " FROM coverage_reports WHERE job_id IN (" + kLastTries +
                                 ") ORDER BY job_id";
  return select<CoverageReportRow>(session_, sql, pipeline);
}

std::vector<CoverageCountRow> CoverageStore::files(PipelineId pipeline) const {
  static const std::string sql =
      std::string{"SELECT path, MAX(covered), MAX(total), COUNT(*) FROM coverage_files"} +
      " WHERE job_id IN (" + kLastTries + ") GROUP BY path ORDER BY path";
  return select<CoverageCountRow>(session_, sql, pipeline);
}

std::vector<CoverageLinesRow> CoverageStore::shared_files(PipelineId pipeline) const {
  static const std::string sql =
      std::string{"SELECT path, lines FROM coverage_files WHERE job_id IN ("} + kLastTries +
      ") AND path IN (SELECT path FROM coverage_files WHERE job_id IN (" + kLastTries +
      ") GROUP BY path HAVING COUNT(*) > 1) ORDER BY path, job_id";
  return select<CoverageLinesRow>(session_, sql, pipeline, pipeline);
}

std::vector<CoverageLinesRow> CoverageStore::file(PipelineId pipeline,
                                                  std::string_view path) const {
  static const std::string sql =
      std::string{"SELECT path, lines FROM coverage_files WHERE job_id IN ("} + kLastTries +
      ") AND path = ? ORDER BY job_id";
  return select<CoverageLinesRow>(session_, sql, pipeline, std::string{path});
}

std::optional<PipelineId> CoverageStore::newest_before(ProjectId project, std::string_view branch,
                                                       PipelineId pipeline) const {
  return newest_with_report(session_, "coverage_reports", project, branch, pipeline);
}

void CoverageStore::put(const CoverageReportRow& report,
                        const std::vector<CoverageFileRow>& files) {
  // Its files go with it.
  execute(session_, "DELETE FROM coverage_reports WHERE job_id = ?", report.job_id);
  execute(session_,
          "INSERT INTO coverage_reports (job_id, pipeline_id, project_id, job_name, files, error,"
          " created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
          report.job_id, report.pipeline_id, report.project_id, report.job_name, report.files,
          report.error, report.created_at);
  for (const CoverageFileRow& row : files)
    execute(session_,
            "INSERT INTO coverage_files (job_id, path, covered, total, lines)"
            " VALUES (?, ?, ?, ?, ?)",
            report.job_id, row.path, row.covered, row.total, row.lines);
}

}  // namespace slipway::server
