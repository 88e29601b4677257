// What jobs left behind: one row for each uploaded file. The bytes are in server/blobs.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

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

class ArtifactStore {
 public:
  explicit ArtifactStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ArtifactRow> find(JobId job, std::string_view file_type) const;
  [[nodiscard]] std::vector<ArtifactRow> of_job(JobId job) const;
  [[nodiscard]] std::vector<ArtifactRow> of_pipeline(PipelineId pipeline) const;
  [[nodiscard]] std::vector<ArtifactRow> expired(UnixMillis now, int limit) const;

  // What the jobs of a pipeline hand on by dotenv reports, as the JSON that was put, by job.
  [[nodiscard]] std::vector<std::pair<JobId, std::string>> dotenv_of_pipeline(
      PipelineId pipeline) const;
  // JSON: [{"name","value"}]. A later report of the job replaces an earlier one.
  void put_dotenv(JobId job, std::string_view variables);
  ArtifactId insert(const ArtifactRow& row);
  void remove(ArtifactId id);

 private:
  Session& session_;
};

}  // namespace slipway::server
