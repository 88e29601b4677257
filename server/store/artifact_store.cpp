#include "server/store/artifact_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ArtifactRow> {
  template <typename F>
  static void each(ArtifactRow& row, F&& f) {
    f("id", row.id);
    f("job_id", row.job_id);
    f("project_id", row.project_id);
    f("file_type", row.file_type);
    f("file_format", row.file_format);
    f("file_name", row.file_name);
    f("blob", row.blob);
    f("size", row.size);
    f("sha256", row.sha256);
    f("created_at", row.created_at);
    f("expire_at", row.expire_at);
  }
};

template <>
struct Columns<RemovedArtifacts> {
  template <typename F>
  static void each(RemovedArtifacts& row, F&& f) {
    f("job_id", row.job_id);
    f("reason", row.reason);
    f("removed_by", row.removed_by);
    f("archive", row.archive);
    f("removed_at", row.removed_at);
  }
};

template <>
struct Columns<DeadBlob> {
  template <typename F>
  static void each(DeadBlob& row, F&& f) {
    f("id", row.id);
    f("blob", row.blob);
  }
};

std::optional<ArtifactRow> ArtifactStore::find(JobId job, std::string_view file_type) const {
  // A repeated upload of the same kind: the last one counts.
  static const std::string sql = "SELECT " + column_names<ArtifactRow>() +
                                 " FROM artifacts WHERE job_id = ? AND file_type = ?"
                                 " ORDER BY id DESC LIMIT 1";
  return select_one<ArtifactRow>(session_, sql, job, file_type);
}

std::vector<ArtifactRow> ArtifactStore::of_job(JobId job) const {
  static const std::string sql =
      "SELECT " + column_names<ArtifactRow>() + " FROM artifacts WHERE job_id = ? ORDER BY id";
  return select<ArtifactRow>(session_, sql, job);
}

std::vector<ArtifactRow> ArtifactStore::of_pipeline(PipelineId pipeline) const {
  static const std::string sql =
      "SELECT " + column_names<ArtifactRow>() +
      " FROM artifacts WHERE job_id IN (SELECT id FROM jobs WHERE pipeline_id = ?) ORDER BY id";
  return select<ArtifactRow>(session_, sql, pipeline);
}

std::optional<ArtifactRow> ArtifactStore::find(ArtifactId id) const {
  static const std::string sql =
      "SELECT " + column_names<ArtifactRow>() + " FROM artifacts WHERE id = ?";
  return select_one<ArtifactRow>(session_, sql, id);
}

std::vector<ArtifactRow> ArtifactStore::expired(UnixMillis now, const ExpiryPlace& after,
                                                int limit) const {
  static const std::string sql = "SELECT " + column_names<ArtifactRow>() +
                                 " FROM artifacts WHERE expire_at IS NOT NULL AND expire_at <= ?"
                                 " AND (expire_at, id) > (?, ?) ORDER BY expire_at, id LIMIT ?";
  return select<ArtifactRow>(session_, sql, now, after.expire_at, after.id, limit);
}

std::vector<ArtifactRow> ArtifactStore::of_project(ProjectId project, ArtifactId after,
                                                   int limit) const {
  static const std::string sql =
      "SELECT " + column_names<ArtifactRow>() +
      " FROM artifacts WHERE project_id = ? AND id > ? AND (SELECT p.finished_at FROM jobs AS j"
      " JOIN pipelines AS p ON p.id = j.pipeline_id WHERE j.id = artifacts.job_id) IS NOT NULL"
      " ORDER BY id LIMIT ?";
  return select<ArtifactRow>(session_, sql, project, after, limit);
}

bool ArtifactStore::is_kept(const ArtifactRow& row) const {
  // From the job's pipeline up to the one that no pipeline of the project has made.
  static const std::string sql = R"sql(
WITH RECURSIVE line (id, depth) AS (
  SELECT pipeline_id, 0 FROM jobs WHERE id = ?1
  UNION ALL
  SELECT b.upstream_id, line.depth + 1 FROM line
    JOIN bridges AS b ON b.pipeline_id = line.id AND b.kind = 'child' WHERE line.depth < 100)
SELECT EXISTS (
  SELECT 1 FROM pipelines AS p JOIN projects ON projects.id = p.project_id
   WHERE p.id = (SELECT id FROM line ORDER BY depth DESC LIMIT 1)
     AND projects.keep_latest_artifact = 1 AND p.status = 'success'
     AND substr(p.ref, 1, 13) <> 'refs/slipway/'
     AND NOT EXISTS (
       SELECT 1 FROM pipelines AS newer
        WHERE newer.project_id = p.project_id AND newer.ref = p.ref AND newer.tag = p.tag
          AND newer.id > p.id AND newer.status = 'success'
          AND newer.source <> 'parent_pipeline'
          -- A branch and the merge requests from it each have a last success of their own.
          AND (newer.source = 'merge_request_event') = (p.source = 'merge_request_event'))))sql";
  return select_value<bool>(session_, sql, row.job_id);
}

std::optional<RemovedArtifacts> ArtifactStore::removed_of(JobId job) const {
  static const std::string sql =
      "SELECT " + column_names<RemovedArtifacts>() + " FROM removed_artifacts WHERE job_id = ?";
  return select_one<RemovedArtifacts>(session_, sql, job);
}

std::vector<RemovedArtifacts> ArtifactStore::removed_of_pipeline(PipelineId pipeline) const {
  static const std::string sql = "SELECT " + column_names<RemovedArtifacts>() +
                                 " FROM removed_artifacts WHERE job_id IN"
                                 " (SELECT id FROM jobs WHERE pipeline_id = ?) ORDER BY job_id";
  return select<RemovedArtifacts>(session_, sql, pipeline);
}

std::vector<DeadBlob> ArtifactStore::dead_blobs(std::int64_t after, int limit) const {
  return select<DeadBlob>(
      session_, "SELECT id, blob FROM dead_blobs WHERE id > ? ORDER BY id LIMIT ?", after, limit);
}

void ArtifactStore::forget_dead_blob(std::int64_t id) {
  execute(session_, "DELETE FROM dead_blobs WHERE id = ?", id);
}

bool ArtifactStore::has_blob(std::string_view blob) const {
  return select_value<bool>(session_, "SELECT EXISTS (SELECT 1 FROM artifacts WHERE blob = ?)",
                            blob);
}

std::vector<std::pair<JobId, std::string>> ArtifactStore::dotenv_of_pipeline(
    PipelineId pipeline) const {
  return select<std::pair<JobId, std::string>>(
      session_,
      "SELECT job_id, variables FROM job_dotenv"
      " WHERE job_id IN (SELECT id FROM jobs WHERE pipeline_id = ?) ORDER BY job_id",
      pipeline);
}

void ArtifactStore::put_dotenv(JobId job, std::string_view variables) {
  execute(session_,
          "INSERT INTO job_dotenv (job_id, variables) VALUES (?, ?)"
          " ON CONFLICT (job_id) DO UPDATE SET variables = excluded.variables",
          job, std::string{variables});
}

ArtifactId ArtifactStore::insert(const ArtifactRow& row) {
  // A job that uploads again has artifacts again.
  execute(session_, "DELETE FROM removed_artifacts WHERE job_id = ?", row.job_id);
  return {insert_row(session_, "artifacts", row)};
}

void ArtifactStore::expire(ArtifactId id, std::optional<UnixMillis> at) {
  execute(session_, "UPDATE artifacts SET expire_at = ? WHERE id = ?", at, id);
}

void ArtifactStore::note_removed(const ArtifactRow& row, std::string_view reason,
                                 std::string_view by, UnixMillis now) {
  execute(session_,
          "INSERT INTO removed_artifacts (job_id, reason, removed_by, archive, removed_at)"
          " VALUES (?, ?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET reason = excluded.reason,"
          " removed_by = excluded.removed_by,"
          " archive = CASE WHEN excluded.archive = 1 THEN 1 ELSE removed_artifacts.archive END,"
          " removed_at = excluded.removed_at",
          row.job_id, reason, by, row.file_type == "archive", now);
}

void ArtifactStore::remove(ArtifactId id) {
  execute(session_, "DELETE FROM artifacts WHERE id = ?", id);
}

}  // namespace slipway::server
