#include "server/store/findings_store.h"

#include <algorithm>
#include <array>

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<FindingsReportRow> {
  template <typename F>
  static void each(FindingsReportRow& row, F&& f) {
    f("job_id", row.job_id);
    f("kind", row.kind);
    f("pipeline_id", row.pipeline_id);
    f("project_id", row.project_id);
    f("job_name", row.job_name);
    f("findings", row.findings);
    f("left_out", row.left_out);
    f("error", row.error);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<FoundRow> {
  template <typename F>
  static void each(FoundRow& row, F&& f) {
    f("job_id", row.job_id);
    f("kind", row.kind);
    f("position", row.position);
    f("fingerprint", row.fingerprint);
    f("severity", row.severity);
    f("name", row.name);
    f("file", row.file);
    f("line", row.line);
    f("subject", row.subject);
    f("identifiers", row.identifiers);
    f("scanner", row.scanner);
  }
};

template <>
struct Columns<FoundTexts> {
  template <typename F>
  static void each(FoundTexts& row, F&& f) {
    f("description", row.description);
    f("solution", row.solution);
  }
};

std::optional<int> gate_severity(std::string_view word) {
  // The worst first: their places are the numbers.
  constexpr std::array<std::string_view, 4> kWords{"critical", "high", "medium", "low"};
  const auto* const at = std::find(kWords.begin(), kWords.end(), word);
  if (at == kWords.end()) return std::nullopt;
  return static_cast<int>(at - kWords.begin());
}

namespace {

// The jobs of a pipeline whose reports count.
constexpr const char* kLastTries =
    "SELECT findings_reports.job_id FROM findings_reports"
    " JOIN jobs ON jobs.id = findings_reports.job_id"
    " WHERE findings_reports.pipeline_id = ? AND jobs.retried = 0";

}  // namespace

std::vector<FindingsReportRow> FindingsStore::of_pipeline(PipelineId pipeline) const {
  static const std::string sql = "SELECT " + column_names<FindingsReportRow>() +
                                 " FROM findings_reports WHERE job_id IN (" + kLastTries +
                                 ") ORDER BY kind, job_id";
  return select<FindingsReportRow>(session_, sql, pipeline);
}

std::vector<FoundRow> FindingsStore::found(PipelineId pipeline, std::string_view kind) const {
  static const std::string begin =
      "SELECT " + column_names<FoundRow>() + " FROM findings WHERE job_id IN (" + kLastTries + ")";
  static const std::string order = " ORDER BY severity, kind, file, line, job_id, position";
  static const std::string all = begin + order;
  static const std::string of_kind = begin + " AND kind = ?" + order;
  if (kind.empty()) return select<FoundRow>(session_, all, pipeline);
  return select<FoundRow>(session_, of_kind, pipeline, std::string{kind});
}

FoundTexts FindingsStore::texts(const FoundRow& row) const {
  return select_one<FoundTexts>(session_,
                                "SELECT description, solution FROM findings"
                                " WHERE job_id = ? AND kind = ? AND position = ?",
                                row.job_id, row.kind, row.position)
      .value_or(FoundTexts{});
}

std::optional<PipelineId> FindingsStore::newest_before(ProjectId project, std::string_view branch,
                                                       PipelineId pipeline,
                                                       std::string_view kind) const {
  const auto found = select_value<long long>(
      session_,
      "SELECT COALESCE(MAX(pipelines.id), 0) FROM pipelines"
      " WHERE project_id = ? AND ref = ? AND tag = 0 AND id < ? AND finished_at IS NOT NULL"
      " AND source <> 'merge_request_event'"
      " AND id IN (SELECT pipeline_id FROM findings_reports"
      " WHERE findings_reports.project_id = ? AND findings_reports.kind = ?)",
      project, std::string{branch}, pipeline, project, std::string{kind});
  if (found == 0) return std::nullopt;
  return PipelineId{found};
}

long long FindingsStore::count_new(PipelineId pipeline, std::string_view kind, int severity,
                                   std::optional<PipelineId> base) const {
  static const std::string sql =
      std::string{"SELECT COUNT(DISTINCT fingerprint) FROM findings WHERE job_id IN ("} +
      kLastTries + ") AND kind = ? AND severity <= ?" +
      " AND fingerprint NOT IN (SELECT fingerprint FROM findings WHERE job_id IN (" + kLastTries +
      ") AND kind = ?)";
  return select_value<long long>(session_, sql, pipeline, std::string{kind}, severity,
                                 base.value_or(PipelineId{0}), std::string{kind});
}

void FindingsStore::put(FindingsReportRow report, const std::vector<StoredFinding>& findings) {
  for (const char* table : {"findings", "findings_reports"})
    execute(session_, std::string{"DELETE FROM "} + table + " WHERE job_id = ? AND kind = ?",
            report.job_id, report.kind);
  const auto there = select_value<long long>(
      session_, "SELECT COALESCE(SUM(findings), 0) FROM findings_reports WHERE pipeline_id = ?",
      report.pipeline_id);
  const auto room = std::max(0LL, kMostFindingsOfPipeline - there);
  const auto all = static_cast<long long>(findings.size());
  report.findings = std::min(all, room);
  report.left_out += all - report.findings;
  execute(session_,
          "INSERT INTO findings_reports (job_id, kind, pipeline_id, project_id, job_name, findings,"
          " left_out, error, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          report.job_id, report.kind, report.pipeline_id, report.project_id, report.job_name,
          report.findings, report.left_out, report.error, report.created_at);
  for (long long i = 0; i < report.findings; ++i) {
    const auto& [row, texts] = findings[static_cast<std::size_t>(i)];
    execute(session_,
            "INSERT INTO findings (job_id, kind, position, fingerprint, severity, name,"
            " description, solution, file, line, subject, identifiers, scanner)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            report.job_id, report.kind, i, row.fingerprint, row.severity, row.name,
            texts.description, texts.solution, row.file, row.line, row.subject, row.identifiers,
            row.scanner);
  }
}

}  // namespace slipway::server
