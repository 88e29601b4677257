// What the coordinator does inside a transaction: each request is a member function here, over the
// rows on disk and the same pipelines in memory.
//
// Used on the coordinator's thread only. A member that returns an error may have changed both: the
// round then undoes the rows and calls forget_changes(), which reads the touched pipelines again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/coordinator/alive.h"
#include "server/coordinator/coordinator.h"
#include "server/coordinator/matching.h"

namespace slipway::server {

// The runners as of the last commit, for any thread; replaced as a whole.
struct RunnerTable {
  std::vector<RunnerRow> rows;
  std::unordered_map<std::string, std::size_t> by_token_hash;
  std::unordered_map<RunnerId, std::size_t> by_id;

  explicit RunnerTable(std::vector<RunnerRow> all);
  [[nodiscard]] const RunnerRow* find(RunnerId id) const;
};

JobCredential credential_of(const JobRow& row);
QueueChange queue_change(const JobRow& row);

class Coordinator::Work {
 public:
  Work(Database& database, const Clock& clock, const CoordinatorOptions& options,
       JobTokens& tokens);

  // Reads everything that is alive; what was in memory is forgotten.
  void load();
  // Everything alive, as an observer has to hear it first.
  [[nodiscard]] Changes everything();

  // One request: begins, and then either keeps what it changed or forgets it.
  void begin_request();
  void keep_changes();
  void forget_changes();
  // Instead of a commit: nothing of the whole round is kept. The rows are undone already.
  void forget_round();
  // After the commit: tokens are published, ended pipelines leave memory, the changes are handed
  // over.
  Changes finish_round();

  Stores& stores() { return database_.writer(); }
  [[nodiscard]] UnixMillis now() const { return clock_.now(); }
  Changes& changes() { return changes_; }
  [[nodiscard]] std::shared_ptr<const RunnerTable> runners() const { return runners_; }

  // Pipelines (work_pipelines.cpp).
  Result<PipelineId> create_pipeline(NewPipeline& pipeline);
  Result<void> pipeline_event(PipelineId id, pipeline::EventKind kind, pipeline::Reason why = {});
  Result<void> cancel_job(JobId id, const pipeline::Reason& why, bool force);
  Result<void> job_event(JobId id, pipeline::EventKind kind, pipeline::Reason why = {});
  Result<JobId> retry_job(JobId id);
  Result<void> play_job(JobId id);
  // Who the jobs that the current request starts are by.
  void act_for(std::optional<UserId> user) { acting_ = user; }
  Result<void> delete_project(ProjectId id);

  // Deployments (work_deployments.cpp).
  Result<void> approve_deployment(const ApprovalRow& approval, const std::string& sha);
  // Looks again at what of the project waits for approvals or for the end of a freeze.
  Result<void> reconsider_deployments(ProjectId project);
  Result<std::optional<JobId>> stop_environment(EnvironmentId id);

  // Trigger jobs (work_bridges.cpp).
  Result<void> fail_bridge(JobId job, const std::string& failure_reason, const std::string& text);
  Result<void> follow_pipeline(JobId job, PipelineId pipeline);
  Result<void> set_process_mode(ProjectId project, const std::string& group,
                                pipeline::ProcessMode mode);

  // Runners at work (work_jobs.cpp).
  Result<Assignment> assign(JobId job, const Taker& taker);
  Result<void> give_back(JobId job, int dispatch);
  Result<std::string> acknowledge(const JobCredential& who);
  Result<std::string> finish_job(const JobCredential& who, const FinishedJob& result);
  Result<void> check_deadlines();

  // Runners (work_runners.cpp).
  Result<RunnerId> create_runner(RunnerRow row);
  Result<void> update_runner(RunnerId id, const std::function<void(RunnerRow&)>& change);
  Result<void> delete_runner(RunnerId id);
  Result<void> runner_contacted(const RunnerManagerRow& manager);
  Result<void> runner_seen(RunnerId id, const std::string& system_id, UnixMillis at);
  Result<StoredDelivery> store_delivery(const DeliveryRow& row);

 private:
  Result<PipelineId> create_failed_pipeline(NewPipeline& pipeline);
  void insert_jobs(AlivePipeline& alive, const pipeline::Plan& plan);
  // What it was made for ends with it: the delivery, the schedule's time.
  void settle_cause(const NewPipeline& pipeline);
  // Cancels what the commit of `newer` makes pointless, as far as the older pipelines allow it.
  Result<void> supersede_older(const PipelineRow& newer);

  // The trigger job, which must wait for its downstream pipeline. Conflict otherwise.
  Result<AlivePipeline*> waiting_bridge(JobId job);
  void link(const AlivePipeline& upstream, JobId bridge, const PipelineRow& downstream,
            const char* kind);
  // The new pipeline is there: its trigger job has succeeded or follows it.
  Result<void> tell_triggered(const NewPipeline& pipeline);
  // Those who hang on the pipeline hear of its status.
  Result<void> tell_followers(AlivePipeline& alive, const std::string& before);
  Result<void> tell_follower(JobId bridge, const PipelineRow& row, const std::string& before);
  // As far as cancels_downstream() has it.
  Result<void> cancel_downstream(AlivePipeline& alive, pipeline::EventKind cause,
                                 const std::set<JobId>& canceled);

  // The environment of the job, made when it is new, and what the job does to it.
  void add_deployment(const AlivePipeline& alive, const JobRow& job, const std::string& tier);
  // The job has changed its status.
  Result<void> tell_deployment(const JobRow& job);
  Result<void> deployed(const JobRow& job, const DeploymentRow& deployment);
  // Why a job may not touch its environment, whatever it does there: the variables of a protected
  // one are as good as a deployment. "" when it may.
  std::string why_not_there(const JobRow& job);
  // Ends those of the jobs that are ready for a runner and may not touch their environment.
  Result<void> refuse_environments(AlivePipeline& alive, const std::set<JobId>& ready);
  // Whether a deployment that could start now may.
  struct DeploymentGate {
    std::optional<pipeline::Reason> waits_for;
    std::string refused_as;  // a failure reason of GitLab's; "" when it is not
    std::string refused_because;
  };
  DeploymentGate gate_of(const JobRow& job, const DeploymentRow& deployment);
  // What keeps the deployment of a job that waits for its group; its row says so afterwards.
  DeploymentGate check_gate(AlivePipeline& alive, JobRow& job);

  void drop_pipeline(PipelineId id);
  // Puts the job into the sets below, by its status.
  void file_job(const JobRow& row);
  void file_claim(const JobRow& row, bool claims);

  // The pipeline in memory, read from disk when it had ended.
  Result<AlivePipeline*> find_pipeline(PipelineId id);
  Result<AlivePipeline*> find_pipeline_of(JobId id);
  // The job's row, when `who` still holds it. Denied otherwise.
  Result<JobRow*> held_job(const JobCredential& who);

  // Applies the event to memory and disk; the only place where a status changes.
  Result<void> apply(AlivePipeline& alive, const pipeline::Event& event);
  // Gives the group to the job that is next, if it is free.
  Result<void> grant_resource(ProjectId project, const std::string& group);
  JobId insert_new_try(AlivePipeline& alive, const pipeline::Transition& transition);
  void enter(JobRow& row, const pipeline::Transition& transition, AlivePipeline& alive);
  void set_reason(AlivePipeline& alive, JobRow& row, pipeline::Reason reason);
  // Pending and nobody's from now on; the token that it had is void.
  void wait_again(AlivePipeline& alive, JobRow& row);
  void explain_waiting(AlivePipeline& alive, JobRow& row);
  // Writes the row and notes what others must hear of it.
  void write_job(JobRow& row, const std::string& status_before);
  void write_pipeline(AlivePipeline& alive);
  void owe_status(const AlivePipeline& alive);
  // Decides the gate of a pipeline in which nothing runs any more, and owes the git host its word.
  void judge_findings(PipelineRow& row);
  // Whether there is a git host that knows the commit of this pipeline.
  [[nodiscard]] bool is_told(const PipelineRow& row);
  void owe_effect(std::string kind, std::string channel, const nlohmann::json& payload);
  void runners_changed(RunnerId id);

  Result<void> requeue(AlivePipeline& alive, JobId job);
  Result<void> check_held(JobId id, SteadyTime now);
  // Nobody took the hand-out up in time: once more, or the end.
  Result<void> not_acknowledged(AlivePipeline& alive, JobId id);
  void publish_token(JobId id);

  Database& database_;
  const Clock& clock_;
  const CoordinatorOptions& options_;
  JobTokens& tokens_;

  std::unordered_map<PipelineId, AlivePipeline> alive_;
  std::unordered_map<JobId, PipelineId> pipeline_of_;
  std::unordered_set<JobId> waiting_;    // pending and nobody's
  std::unordered_set<JobId> held_;       // with a runner
  std::unordered_set<JobId> scheduled_;  // delayed
  std::unordered_map<JobId, SteadyTime> canceling_since_;
  // Of each resource group the jobs that have it, wait for it, or will.
  std::map<std::pair<ProjectId, std::string>, std::set<JobId>> claims_;
  std::shared_ptr<const RunnerTable> runners_;

  std::optional<UserId> acting_;  // of the current request

  // Of the round, and where the current request began in it.
  Changes changes_;
  std::unordered_set<JobId> touched_jobs_;
  std::unordered_set<PipelineId> touched_;  // of the current request
  std::unordered_set<PipelineId> touched_in_round_;
  struct Mark {
    std::size_t pipelines = 0;
    std::size_t jobs = 0;
    std::size_t queue = 0;
    std::size_t bridges = 0;
    std::size_t runners = 0;
    std::size_t projects = 0;
  } mark_;
};

}  // namespace slipway::server
