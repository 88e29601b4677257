// Deployments: one row for each try of a job that deploys to an environment, with what people said
// of it.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct DeploymentRow {
  DeploymentId id;
  std::int64_t iid = 0;  // within the project
  ProjectId project_id;
  EnvironmentId environment_id;
  JobId job_id;
  PipelineId pipeline_id;
  std::string ref;
  bool tag = false;
  std::string sha;
  // GitLab's words: created, blocked (waits for approvals or the end of a freeze), running,
  // success, failed, canceled, skipped.
  std::string status = "created";
  // Against what was there when it was made: "deploy", "redeploy" of the same commit, or
  // "rollback" to a commit that was deployed before.
  std::string kind = "deploy";
  // Where it can be looked at, as far as its variables are known: the rest comes from the job.
  std::string url;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
  std::optional<UnixMillis> finished_at;
};

struct ApprovalRow {
  ApprovalId id;
  DeploymentId deployment_id;
  UserId user_id;
  std::string username;
  std::string status;  // "approved" or "rejected"
  std::string comment;
  UnixMillis created_at = 0;
};

struct DeploymentFilter {
  std::string environment;  // by name; "" means any, here and below
  std::string status;
  bool oldest_first = false;
};

class DeploymentStore {
 public:
  explicit DeploymentStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<DeploymentRow> find(DeploymentId id) const;
  [[nodiscard]] std::optional<DeploymentRow> of_job(JobId job) const;
  [[nodiscard]] Page<DeploymentRow> list(ProjectId project, const DeploymentFilter& filter,
                                         PageRequest page) const;
  // What is there now: the newest that succeeded.
  [[nodiscard]] std::optional<DeploymentRow> current(EnvironmentId environment) const;
  // The newest of all.
  [[nodiscard]] std::optional<DeploymentRow> newest(EnvironmentId environment) const;
  // The one that succeeded last before `row`.
  [[nodiscard]] std::optional<DeploymentRow> before(const DeploymentRow& row) const;
  // Whether that commit was deployed there, and well, at some time.
  [[nodiscard]] bool was_deployed(EnvironmentId environment, std::string_view sha) const;
  // Those that wait for something that time or people give.
  [[nodiscard]] std::vector<DeploymentRow> blocked(ProjectId project) const;
  // Of one deployment, in the order in which they were given.
  [[nodiscard]] std::vector<ApprovalRow> approvals(DeploymentId id) const;

  // Sets id and iid in `row`.
  DeploymentId insert(DeploymentRow& row);
  // Status, URL and times.
  void update(const DeploymentRow& row);
  // A person's newer word replaces the older one.
  void approve(const ApprovalRow& row);

 private:
  Session& session_;
};

}  // namespace slipway::server
