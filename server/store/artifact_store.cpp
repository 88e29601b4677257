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

std::vector<ArtifactRow> ArtifactStore::expired(UnixMillis now, int limit) const {
  static const std::string sql = "SELECT " + column_names<ArtifactRow>() +
                                 " FROM artifacts WHERE expire_at IS NOT NULL AND expire_at <= ?"
                                 " ORDER BY expire_at LIMIT ?";
  return select<ArtifactRow>(session_, sql, now, limit);
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
  return {insert_row(session_, "artifacts", row)};
}

void ArtifactStore::remove(ArtifactId id) {
  execute(session_, "DELETE FROM artifacts WHERE id = ?", id);
}

}  // namespace slipway::server
