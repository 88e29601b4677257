// Rows as the API shows them: every resource is written here and nowhere else, exactly as
// schemas/openapi.yaml says. Reads what belongs to a resource through the same session.
//
// Used by one thread, for as long as the reader is borrowed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/store/database.h"

namespace slipway::server::http {

class Views {
 public:
  Views(Stores& stores, std::string_view external_url, UnixMillis now)
      : stores_(stores), url_(external_url), now_(now) {}

  [[nodiscard]] nlohmann::json project(const ProjectRow& row) const;
  [[nodiscard]] nlohmann::json pipeline(const PipelineRow& row) const;
  // With left_out and diagnostics.
  [[nodiscard]] nlohmann::json pipeline_detail(const PipelineRow& row) const;
  [[nodiscard]] nlohmann::json job(const JobRow& row) const;
  [[nodiscard]] nlohmann::json runner(const RunnerRow& row) const;
  // The processes that poll with its token, the one heard from last first.
  [[nodiscard]] nlohmann::json runner_managers(RunnerId id) const;

 private:
  [[nodiscard]] std::string project_url(ProjectId id) const;
  [[nodiscard]] nlohmann::json user(std::optional<UserId> id) const;
  [[nodiscard]] nlohmann::json stages(const PipelineRow& row) const;
  // artifacts, artifacts_expire_at, artifacts_removed.
  void add_artifacts(nlohmann::json& view, JobId id) const;
  [[nodiscard]] nlohmann::json linked_pipeline(const PipelineRow& row) const;
  [[nodiscard]] nlohmann::json downstream(JobId bridge) const;
  [[nodiscard]] nlohmann::json upstream(PipelineId id) const;
  [[nodiscard]] nlohmann::json job_runner(const JobRow& row) const;

  Stores& stores_;
  std::string_view url_;
  UnixMillis now_;
};

nlohmann::json user_view(const UserRow& row);
nlohmann::json token_view(const TokenRow& row);
nlohmann::json finding_view(const FindingRow& row);
nlohmann::json left_out_view(const std::vector<LeftOutRow>& rows);
nlohmann::json delivery_view(const DeliveryRow& row);
nlohmann::json coverage_view(const CoveragePoint& point);
nlohmann::json trend_view(const TrendPoint& point);

// A runner that was heard from within this time is online.
bool is_online(const RunnerRow& row, UnixMillis now);
// "online", "offline", "stale" or "never_contacted".
std::string_view contact_status(std::optional<UnixMillis> contacted_at, UnixMillis now);

}  // namespace slipway::server::http
