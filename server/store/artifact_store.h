// What jobs left behind: one row for each uploaded file. The bytes are in server/blobs.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class Session;

struct ArtifactRow {
  ArtifactId id;
  JobId job_id;
  ProjectId project_id;
  std::string file_type = "archive";  // or a report type: "junit", "dotenv", …
  std::string file_format = "zip";    // "zip", "gzip", "raw"
  std::string file_name;
  std::string blob;  // the name under which server/blobs has it
  long long size = 0;
  std::string sha256;
  UnixMillis created_at = 0;
  std::optional<UnixMillis> expire_at;
};

// Where a walk through the expired rows stands.
struct ExpiryPlace {
  UnixMillis expire_at = -1;
  ArtifactId id;
};

// That a job left artifacts which are not there any more.
struct RemovedArtifacts {
  JobId job_id;
  std::string reason;      // "expired" or "deleted"
  std::string removed_by;  // who deleted them, "" when they expired
  bool archive = false;    // what later jobs would take was among them
  UnixMillis removed_at = 0;
};

struct DeadBlob {
  std::int64_t id = 0;
  std::string blob;
};

class ArtifactStore {
 public:
  explicit ArtifactStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ArtifactRow> find(JobId job, std::string_view file_type) const;
  [[nodiscard]] std::vector<ArtifactRow> of_job(JobId job) const;
  [[nodiscard]] std::vector<ArtifactRow> of_pipeline(PipelineId pipeline) const;
  [[nodiscard]] std::optional<ArtifactRow> find(ArtifactId id) const;
  // Whose time is up, those that are kept included, in the order of (expire_at, id).
  [[nodiscard]] std::vector<ArtifactRow> expired(UnixMillis now, const ExpiryPlace& after,
                                                 int limit) const;
  // Of pipelines that have ended, with a larger id.
  [[nodiscard]] std::vector<ArtifactRow> of_project(ProjectId project, ArtifactId after,
                                                    int limit) const;
  // Whether its pipeline is the last one that succeeded on its ref, or a child of that, and the
  // project keeps what such a pipeline left, however long ago.
  [[nodiscard]] bool is_kept(const ArtifactRow& row) const;
  // Its time is up and nothing keeps it: as good as removed.
  [[nodiscard]] bool is_over(const ArtifactRow& row, UnixMillis now) const {
    return row.expire_at && *row.expire_at <= now && !is_kept(row);
  }
  [[nodiscard]] std::optional<RemovedArtifacts> removed_of(JobId job) const;
  [[nodiscard]] std::vector<RemovedArtifacts> removed_of_pipeline(PipelineId pipeline) const;

  // Blobs that no row names any more, with a larger id: each is to be removed and then forgotten.
  [[nodiscard]] std::vector<DeadBlob> dead_blobs(std::int64_t after, int limit) const;
  void forget_dead_blob(std::int64_t id);
  [[nodiscard]] bool has_blob(std::string_view blob) const;

  // What the jobs of a pipeline hand on by dotenv reports, as the JSON that was put, by job.
  [[nodiscard]] std::vector<std::pair<JobId, std::string>> dotenv_of_pipeline(
      PipelineId pipeline) const;
  // JSON: [{"name","value"}]. A later report of the job replaces an earlier one.
  void put_dotenv(JobId job, std::string_view variables);
  ArtifactId insert(const ArtifactRow& row);
  void expire(ArtifactId id, std::optional<UnixMillis> at);
  // The row alone; its blob is dead from now on. All that removes a row has that consequence.
  void remove(ArtifactId id);
  // Adds it to what is on record of its job.
  void note_removed(const ArtifactRow& row, std::string_view reason, std::string_view by,
                    UnixMillis now);

 private:
  Session& session_;
};

}  // namespace slipway::server
