// Which pipeline a trigger job (bridge) has triggered, or follows.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/store/ids.h"

namespace slipway::server {

class Session;

struct BridgeRow {
  JobId job_id;            // each try has its own
  PipelineId upstream_id;  // the pipeline of the job
  PipelineId pipeline_id;  // what it triggered or follows
  std::string kind;  // "child", "project" (another project's), or "upstream" (followed, not made)
};

class BridgeStore {
 public:
  explicit BridgeStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<BridgeRow> find(JobId job) const;
  // Of all trigger jobs of a pipeline, in the order in which they triggered.
  [[nodiscard]] std::vector<BridgeRow> of_upstream(PipelineId upstream) const;
  // The jobs whose status hangs on `pipeline`.
  [[nodiscard]] std::vector<BridgeRow> followers(PipelineId pipeline) const;
  // What made the pipeline; nullopt when that was no job.
  [[nodiscard]] std::optional<BridgeRow> source_of(PipelineId pipeline) const;
  // What made the pipeline, what made that, and so on: the nearest first, at most `limit`.
  [[nodiscard]] std::vector<BridgeRow> ancestors(PipelineId pipeline, int limit) const;
  // How many pipelines hang together with this one, itself counted; counts to `limit` at most.
  [[nodiscard]] long long hierarchy_size(PipelineId root, long long limit) const;

  void insert(const BridgeRow& row);

 private:
  Session& session_;
};

}  // namespace slipway::server
