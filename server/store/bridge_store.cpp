#include "server/store/bridge_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<BridgeRow> {
  template <typename F>
  static void each(BridgeRow& row, F&& f) {
    f("job_id", row.job_id);
    f("upstream_id", row.upstream_id);
    f("pipeline_id", row.pipeline_id);
    f("kind", row.kind);
  }
};

namespace {

const std::string& select_bridges() {
  static const std::string sql = "SELECT " + column_names<BridgeRow>() + " FROM bridges";
  return sql;
}

}  // namespace

std::optional<BridgeRow> BridgeStore::find(JobId job) const {
  static const std::string sql = select_bridges() + " WHERE job_id = ?";
  return select_one<BridgeRow>(session_, sql, job);
}

std::vector<BridgeRow> BridgeStore::of_upstream(PipelineId upstream) const {
  static const std::string sql = select_bridges() + " WHERE upstream_id = ? ORDER BY pipeline_id";
  return select<BridgeRow>(session_, sql, upstream);
}

std::vector<BridgeRow> BridgeStore::followers(PipelineId pipeline) const {
  static const std::string sql = select_bridges() + " WHERE pipeline_id = ? ORDER BY job_id";
  return select<BridgeRow>(session_, sql, pipeline);
}

std::optional<BridgeRow> BridgeStore::source_of(PipelineId pipeline) const {
  static const std::string sql = select_bridges() + " WHERE pipeline_id = ? AND kind <> 'upstream'";
  return select_one<BridgeRow>(session_, sql, pipeline);
}

std::vector<BridgeRow> BridgeStore::ancestors(PipelineId pipeline, int limit) const {
  std::vector<BridgeRow> found;
  for (auto row = source_of(pipeline); row && static_cast<int>(found.size()) < limit;
       row = source_of(found.back().upstream_id))
    found.push_back(*row);
  return found;
}

long long BridgeStore::hierarchy_size(PipelineId root, long long limit) const {
  return select_value<long long>(session_, R"sql(
WITH RECURSIVE family (id) AS (
  SELECT ?1
  UNION
  SELECT bridges.pipeline_id FROM bridges JOIN family ON bridges.upstream_id = family.id
   WHERE bridges.kind <> 'upstream')
SELECT COUNT(*) FROM (SELECT id FROM family LIMIT ?2) AS counted)sql",
                                 root, limit);
}

void BridgeStore::insert(const BridgeRow& row) {
  execute(session_,
          "INSERT INTO bridges (job_id, upstream_id, pipeline_id, kind) VALUES (?, ?, ?, ?)",
          row.job_id, row.upstream_id, row.pipeline_id, row.kind);
}

}  // namespace slipway::server
