// Jobs: one row for each try of a job in a pipeline, with its state, its lease and its result.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct JobRow {
  JobId id;
  PipelineId pipeline_id;
  ProjectId project_id;
  PlanId plan_id;  // the planned job; shared by the retries of one job
  std::string name;
  std::string stage;
  int stage_index = 0;
  std::string status = "created";  // GitLab's words
  std::string reason_code;         // of pipeline/reason
  std::string reason_text;
  int attempt = 1;     // which try of this name in its pipeline
  int dispatches = 0;  // how often this row was handed to a runner: the fencing number
  bool retried = false;
  bool allow_failure = false;
  std::string when = "on_success";
  std::vector<std::string> tags;
  std::optional<std::vector<std::string>> needs;  // nullopt: the job follows its stage
  std::string environment;                        // its name; "" without
  std::string environment_action;  // GitLab's words: "start", "stop", …; "" without
  std::string rule_file;           // where the rule stands that let it in, if any
  int rule_line = 0;
  bool ref_protected = false;
  // Who started its pipeline, or the job itself by hand; nobody for a webhook.
  std::optional<UserId> user_id;
  bool interruptible = false;
  std::string coverage_regex;  // "" without
  std::string resource_group;  // "" without
  bool at_once = false;        // a try that waits for no hand and no delay
  bool is_bridge = false;      // a trigger job: for no runner

  // Set while a runner has it, and kept for the record afterwards.
  std::optional<RunnerId> runner_id;
  std::string runner_system_id;  // which of the runner's managers; "" unless known
  std::string token_hash;        // "" unless a runner has it or had it last
  std::optional<UnixMillis> assigned_at;

  UnixMillis created_at = 0;
  std::optional<UnixMillis> queued_at;
  std::optional<UnixMillis> scheduled_at;  // when a delayed job starts
  std::optional<UnixMillis> started_at;
  std::optional<UnixMillis> finished_at;
  std::optional<UnixMillis> erased_at;
  long long trace_size = 0;
  std::string trace_checksum;  // "crc32:…" as the runner sent it
  std::optional<double> coverage;
  std::string failure_reason;  // GitLab's words; "" unless failed
  std::optional<int> exit_code;
};

// What the jobs of a stage are in, each combination once: enough for the status of the stage.
struct StageState {
  std::string stage;
  int stage_index = 0;
  std::string status;  // GitLab's words
  bool allow_failure = false;
};

struct JobFilter {
  std::string status;  // "" means any, here and below
  std::optional<PipelineId> pipeline;
  bool include_retried = true;
  bool include_bridges = true;
};

class JobStore {
 public:
  explicit JobStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<JobRow> find(JobId id) const;
  // Of a project: newest first.
  [[nodiscard]] Page<JobRow> list(ProjectId project, const JobFilter& filter,
                                  PageRequest page) const;
  // Of a runner, in all projects: newest first. `filter.pipeline` is not looked at.
  [[nodiscard]] Page<JobRow> of_runner(RunnerId runner, const JobFilter& filter,
                                       PageRequest page) const;
  // In stage order, then in the order in which they were made; retried ones with the others.
  [[nodiscard]] std::vector<JobRow> of_pipeline(PipelineId id) const;
  // In stage order, without retried jobs.
  [[nodiscard]] std::vector<StageState> stage_states(PipelineId id) const;
  // The planned job as JSON, as it was given to insert_plan(); "" when there is none.
  [[nodiscard]] std::string plan(PlanId id) const;
  // Jobs whose runner may still call although they have ended since `since`.
  [[nodiscard]] std::vector<JobRow> finished_since(UnixMillis since) const;
  [[nodiscard]] std::vector<std::pair<std::string, long long>> count_by_status() const;
  [[nodiscard]] long long count_running(RunnerId id) const;
  // As it was given to put_transfers(); "" when nothing was.
  [[nodiscard]] std::string transfers(JobId id) const;

  PlanId insert_plan(std::string_view json);
  // Sets the id in `row`.
  JobId insert(JobRow& row);
  // Everything that changes while it lives; name, stage, plan and the like stay.
  void update_state(const JobRow& row);
  // JSON: the caches and artifacts that the job brought in and stored.
  void put_transfers(JobId id, std::string_view json);
  void erase_log(JobId id, UnixMillis at);

 private:
  Session& session_;
};

}  // namespace slipway::server
