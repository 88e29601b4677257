// What a pipeline is compared with: an earlier one of a branch that has reports of the same kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/store/ids.h"
#include "server/store/session.h"

namespace slipway::server {

// The newest finished pipeline of the branch before `pipeline` with rows in `table`, which has the
// columns pipeline_id and project_id and is named by the source, never by data.
inline std::optional<PipelineId> newest_with_report(Session& session, const char* table,
                                                    ProjectId project, std::string_view branch,
                                                    PipelineId pipeline) {
  const std::string reports = table;
  const auto found = select_value<long long>(
      session,
      "SELECT COALESCE(MAX(pipelines.id), 0) FROM pipelines"
      " WHERE project_id = ? AND ref = ? AND tag = 0 AND id < ? AND finished_at IS NOT NULL"
      " AND source <> 'merge_request_event'"
      " AND id IN (SELECT pipeline_id FROM " +
          reports + " WHERE " + reports + ".project_id = ?)",
      project, std::string{branch}, pipeline, project);
  if (found == 0) return std::nullopt;
  return PipelineId{found};
}

}  // namespace slipway::server
