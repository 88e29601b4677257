#include "server/store/compared_branch.h"

#include <nlohmann/json.hpp>

namespace slipway::server {

std::string compared_branch(const ProjectRow& project, const PipelineRow& pipeline) {
  if (pipeline.merge_request.empty()) return project.default_branch;
  return nlohmann::json::parse(pipeline.merge_request)
      .value("target_branch", project.default_branch);
}

FindingsBase findings_base(const FindingsStore& findings, const ProjectRow& project,
                           const PipelineRow& pipeline, const std::string& kind) {
  const std::string branch = compared_branch(project, pipeline);
  if (const auto there = findings.newest_before(project.id, branch, pipeline.id, kind))
    return {kind, there, branch};
  return {kind, findings.newest_before(project.id, project.default_branch, pipeline.id, kind),
          project.default_branch};
}

}  // namespace slipway::server
