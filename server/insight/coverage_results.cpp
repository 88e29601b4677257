#include "server/insight/coverage_results.h"

#include <cmath>
#include <unordered_map>

#include "server/insight/report_bytes.h"
#include "server/reports/coverage_reader.h"

namespace slipway::server {

namespace {

LineCount count_of(const CoveredLines& lines) {
  return {static_cast<long long>(covered_of(lines)), static_cast<long long>(lines.size())};
}

LineCount sum_of(const std::vector<CoveredFile>& files) {
  LineCount sum;
  for (const CoveredFile& file : files) {
    sum.covered += file.lines.covered;
    sum.total += file.lines.total;
  }
  return sum;
}

CoverageFileRow row_of(JobId job, const CoverageFile& file) {
  const LineCount count = count_of(file.lines);
  return {job, file.path, count.covered, count.total, pack_lines(file.lines)};
}

}  // namespace

// Rounded down, so that 100 is said of what is covered whole and of nothing else.
double LineCount::percent() const {
  if (total == 0) return 100;
  return std::floor(static_cast<double>(covered) * 10'000 / static_cast<double>(total)) / 100;
}

double CoveredFile::change() const {
  return before ? lines.percent() - before->percent() : 0;
}

bool CoverageResults::takes(std::string_view file_type) {
  return file_type == "cobertura" || file_type == "jacoco" || file_type == "lcov";
}

Result<ReceivedCoverage> CoverageResults::receive(const ArtifactRow& row) const {
  ReceivedCoverage received;
  CoverageReportRow& about = received.report;
  std::string project_path;
  {
    auto read = database_.read();
    const auto job = read->jobs.find(row.job_id);
    const auto project = job ? read->projects.find(job->project_id) : std::nullopt;
    if (!project) return fail(ErrorKind::NotFound, "the job is gone");
    project_path = project->path;
    about.job_id = job->id;
    about.pipeline_id = job->pipeline_id;
    about.project_id = job->project_id;
    about.job_name = job->name;
    about.created_at = row.created_at;
  }
  CoverageReader reader{project_path, limits_};
  const auto done = read_report_bytes(
      blobs_, row, [&](std::string_view bytes) { return reader.feed(bytes); },
      [&] { reader.end_of_file(); });
  const CoverageReport report = reader.take();
  about.error = done ? report.error : done.error().message;
  about.files = static_cast<long long>(report.files.size());
  for (const CoverageFile& file : report.files)
    received.files.push_back(row_of(about.job_id, file));
  return received;
}

void CoverageResults::keep(Stores& stores, const ReceivedCoverage& coverage) {
  stores.coverage.put(coverage.report, coverage.files);
}

std::vector<CoveredFile> CoverageResults::files_of(PipelineId pipeline) const {
  auto read = database_.read();
  std::unordered_map<std::string, CoveredLines> shared;
  for (const CoverageLinesRow& row : read->coverage.shared_files(pipeline)) {
    CoveredLines& lines = shared[row.path];
    lines = sum_of_lines(lines, unpack_lines(row.lines));
  }
  std::vector<CoveredFile> files;
  for (CoverageCountRow& row : read->coverage.files(pipeline)) {
    const auto several = shared.find(row.path);
    const LineCount count =
        several == shared.end() ? LineCount{row.covered, row.total} : count_of(several->second);
    files.push_back({std::move(row.path), count, std::nullopt});
  }
  return files;
}

CoverageOverview CoverageResults::overview(const PipelineRow& pipeline,
                                           const std::string& branch) const {
  CoverageOverview overview;
  overview.reports = database_.read()->coverage.of_pipeline(pipeline.id);
  overview.files = files_of(pipeline.id);
  overview.sum = sum_of(overview.files);
  overview.base =
      database_.read()->coverage.newest_before(pipeline.project_id, branch, pipeline.id);
  if (!overview.base) return overview;
  const auto there = files_of(*overview.base);
  overview.base_sum = sum_of(there);
  std::unordered_map<std::string_view, LineCount> before;
  for (const CoveredFile& file : there) before.emplace(file.path, file.lines);
  for (CoveredFile& file : overview.files)
    if (const auto known = before.find(file.path); known != before.end())
      file.before = known->second;
  return overview;
}

Result<CoveredLines> CoverageResults::lines(PipelineId pipeline, std::string_view path) const {
  const auto rows = database_.read()->coverage.file(pipeline, path);
  if (rows.empty())
    return fail(ErrorKind::NotFound, "no coverage report of this pipeline has the file")
        .with_hint("give a path as coverage_files lists it");
  CoveredLines lines;
  for (const CoverageLinesRow& row : rows) lines = sum_of_lines(lines, unpack_lines(row.lines));
  return lines;
}

}  // namespace slipway::server
