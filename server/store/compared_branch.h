// With what a pipeline's reports are compared.
#pragma once

#include <string>

#include "server/store/findings_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/project_store.h"

namespace slipway::server {

// The branch that a pipeline's reports are compared with: the default one, but a merge request is
// measured by what it would be merged into.
std::string compared_branch(const ProjectRow& project, const PipelineRow& pipeline);

// The newest earlier reports of one kind, since some scanners run only at night: of that branch, or
// of the default one where that has none.
FindingsBase findings_base(const FindingsStore& findings, const ProjectRow& project,
                           const PipelineRow& pipeline, const std::string& kind);

}  // namespace slipway::server
