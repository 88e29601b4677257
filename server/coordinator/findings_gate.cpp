#include "server/coordinator/findings_gate.h"

#include <spdlog/fmt/fmt.h>

#include <set>

#include "server/store/compared_branch.h"

namespace slipway::server {

namespace {

std::string count_text(long long count, const std::string& severity) {
  const std::string worse = severity == "critical" ? "" : " or worse";
  return fmt::format("{} new finding{} of severity {}{}", count == 0 ? "No" : std::to_string(count),
                     count == 1 ? "" : "s", severity, worse);
}

}  // namespace

GateVerdict findings_gate(const FindingsStore& findings, const ProjectRow& project,
                          const PipelineRow& pipeline) {
  const auto least = gate_severity(project.findings_gate);
  if (!least) return {};
  const auto reports = findings.of_pipeline(pipeline.id);
  if (reports.empty()) return {};
  std::set<std::string> kinds;
  for (const FindingsReportRow& report : reports) {
    if (!report.error.empty())
      return {"failed", fmt::format("The {} report of {} could not be read whole", report.kind,
                                    report.job_name)};
    kinds.insert(report.kind);
  }
  long long count = 0;
  std::set<std::string> branches;
  for (const std::string& kind : kinds) {
    const auto base = findings_base(findings, project, pipeline, kind);
    count += findings.count_new(pipeline.id, kind, *least, base.pipeline);
    if (base.pipeline) branches.insert(base.branch);
  }
  std::string text = count_text(count, project.findings_gate);
  text += branches.empty() ? "; there are no earlier reports to compare with"
                           : fmt::format(" against {}", fmt::join(branches, " and "));
  return {count == 0 ? "passed" : "failed", text};
}

}  // namespace slipway::server
