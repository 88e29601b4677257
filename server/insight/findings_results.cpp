#include "server/insight/findings_results.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_set>

#include "server/insight/report_bytes.h"
#include "server/reports/findings_reader.h"
#include "server/store/compared_branch.h"

namespace slipway::server {

namespace {

constexpr std::array<std::string_view, 10> kKinds{"api_fuzzing",
                                                  "cluster_image_scanning",
                                                  "codequality",
                                                  "container_scanning",
                                                  "coverage_fuzzing",
                                                  "dast",
                                                  "dependency_scanning",
                                                  "sarif",
                                                  "sast",
                                                  "secret_detection"};

using Fingerprints = std::unordered_set<std::string>;

StoredFinding stored(Finding finding) {
  StoredFinding row;
  row.row.fingerprint = std::move(finding.fingerprint);
  row.row.severity = static_cast<int>(finding.severity);
  row.row.name = std::move(finding.name);
  row.row.file = std::move(finding.file);
  row.row.line = finding.line;
  row.row.subject = std::move(finding.subject);
  row.row.identifiers = std::move(finding.identifiers);
  row.row.scanner = std::move(finding.scanner);
  row.texts = {std::move(finding.description), std::move(finding.solution)};
  return row;
}

Fingerprints fingerprints_of(const std::vector<FoundRow>& rows) {
  Fingerprints all;
  for (const FoundRow& row : rows) all.insert(row.fingerprint);
  return all;
}

// A part of a report that is not there says nothing of what is fixed.
bool is_whole(const std::vector<FindingsReportRow>& reports, std::string_view kind) {
  return std::all_of(reports.begin(), reports.end(), [&](const FindingsReportRow& report) {
    return report.kind != kind || (report.error.empty() && report.left_out == 0);
  });
}

void compare(Stores& stores, PipelineId pipeline, const FindingsBase& base,
             FindingsOverview& overview) {
  const auto before =
      base.pipeline ? stores.findings.found(*base.pipeline, base.kind) : std::vector<FoundRow>{};
  const auto known = fingerprints_of(before);
  Fingerprints seen;
  for (FoundRow& row : stores.findings.found(pipeline, base.kind)) {
    if (!seen.insert(row.fingerprint).second) continue;
    const auto state = known.count(row.fingerprint) > 0 ? FindingState::Known : FindingState::New;
    overview.findings.push_back({std::move(row), state});
  }
  if (!is_whole(overview.reports, base.kind)) return;
  for (const FoundRow& row : before)
    if (seen.insert(row.fingerprint).second)
      overview.findings.push_back({row, FindingState::Fixed});
}

}  // namespace

std::string_view to_string(FindingState state) {
  switch (state) {
    case FindingState::New: return "new";
    case FindingState::Known: return "known";
    case FindingState::Fixed: return "fixed";
  }
  return "new";
}

bool FindingsResults::takes(std::string_view file_type) {
  return std::find(kKinds.begin(), kKinds.end(), file_type) != kKinds.end();
}

Result<ReceivedFindings> FindingsResults::receive(const ArtifactRow& row) const {
  ReceivedFindings received;
  FindingsReportRow& about = received.report;
  std::string project_path;
  {
    auto read = database_.read();
    const auto job = read->jobs.find(row.job_id);
    const auto project = job ? read->projects.find(job->project_id) : std::nullopt;
    if (!project) return fail(ErrorKind::NotFound, "the job is gone");
    project_path = project->path;
    about.job_id = job->id;
    about.kind = row.file_type;
    about.pipeline_id = job->pipeline_id;
    about.project_id = job->project_id;
    about.job_name = job->name;
    about.created_at = row.created_at;
  }
  FindingsReader reader{row.file_type, project_path, limits_};
  const auto done = read_report_bytes(
      blobs_, row, [&](std::string_view bytes) { return reader.feed(bytes); },
      [&] { reader.end_of_file(); });
  FindingsReport report = reader.take();
  about.error = done ? report.error : done.error().message;
  about.left_out = report.left_out;
  for (Finding& finding : report.findings) received.findings.push_back(stored(std::move(finding)));
  return received;
}

void FindingsResults::keep(Stores& stores, const ReceivedFindings& findings) {
  stores.findings.put(findings.report, findings.findings);
}

FindingsOverview FindingsResults::overview(const ProjectRow& project,
                                           const PipelineRow& pipeline) const {
  auto read = database_.read();
  FindingsOverview overview;
  overview.reports = read->findings.of_pipeline(pipeline.id);
  std::set<std::string> kinds;
  for (const FindingsReportRow& report : overview.reports) kinds.insert(report.kind);
  for (const std::string& kind : kinds) {
    overview.bases.push_back(findings_base(read->findings, project, pipeline, kind));
    compare(*read, pipeline.id, overview.bases.back(), overview);
  }
  auto& findings = overview.findings;
  std::stable_sort(findings.begin(), findings.end(),
                   [](const ComparedFinding& left, const ComparedFinding& right) {
                     return left.state != right.state ? left.state < right.state
                                                      : left.row.severity < right.row.severity;
                   });
  return overview;
}

}  // namespace slipway::server
