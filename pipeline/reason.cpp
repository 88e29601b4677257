#include "pipeline/reason.h"

#include <array>

namespace slipway::pipeline {
namespace {

struct Row {
  ReasonCode code;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kRows{
    Row{ReasonCode::None, "none", ""},
    Row{ReasonCode::WaitingForStage, "waiting_for_stage", "Waits for the earlier stages to end."},
    Row{ReasonCode::WaitingForNeeds, "waiting_for_needs", "Waits for the jobs that it needs: {}."},
    Row{ReasonCode::WaitingForRunner, "waiting_for_runner", "Waits for a runner to become free."},
    Row{ReasonCode::NoMatchingRunner, "no_matching_runner", "No runner can take this job: {}."},
    Row{ReasonCode::WaitingForResource, "waiting_for_resource",
        "Waits for the resource group {} to become free."},
    Row{ReasonCode::WaitingForApproval, "waiting_for_approval",
        "The deployment waits for {} before it may start."},
    Row{ReasonCode::DeployFreeze, "deploy_freeze",
        "Deployments of this project are frozen until {}; then it starts by itself."},
    Row{ReasonCode::WaitingForAcknowledgement, "waiting_for_acknowledgement",
        "A runner was given this job and has not confirmed it yet."},
    Row{ReasonCode::Manual, "manual", "Waits for somebody to start it."},
    Row{ReasonCode::Delayed, "delayed", "Starts by itself after a delay of {}."},
    Row{ReasonCode::WaitingForDownstream, "waiting_for_downstream",
        "The pipeline that it triggers is being made."},
    Row{ReasonCode::Running, "running", "Is running."},
    Row{ReasonCode::FollowsDownstream, "follows_downstream",
        "Follows the pipeline that it triggered."},
    Row{ReasonCode::WaitsWithDownstream, "waits_with_downstream",
        "The pipeline that it triggered waits for somebody to start a job."},
    Row{ReasonCode::Canceling, "canceling", "Was canceled; its runner is cleaning up."},
    Row{ReasonCode::Succeeded, "succeeded", "Ended well."},
    Row{ReasonCode::SucceededWithWarnings, "succeeded_with_warnings",
        "Ended well, though jobs that may fail did: {}."},
    Row{ReasonCode::ScriptFailure, "script_failure", "Its script failed{}."},
    Row{ReasonCode::RunnerSystemFailure, "runner_system_failure",
        "The runner could not run it; the end of the log says why."},
    Row{ReasonCode::JobExecutionTimeout, "job_execution_timeout",
        "It ran longer than its time-out and was stopped."},
    Row{ReasonCode::ImagePullFailure, "image_pull_failure",
        "Its image could not be pulled; the end of the log says why."},
    Row{ReasonCode::RunnerConfigurationError, "runner_configuration_error",
        "The runner is not set up for this job; the end of the log says why."},
    Row{ReasonCode::RunnerInterrupted, "runner_interrupted",
        "The runner was stopped while the job ran."},
    Row{ReasonCode::UnknownFailure, "unknown_failure",
        "It failed for a reason that the runner did not name."},
    Row{ReasonCode::TraceSizeExceeded, "trace_size_exceeded",
        "Its log grew beyond the limit of the server."},
    Row{ReasonCode::MissingDependencyFailure, "missing_dependency_failure",
        "The artifacts that it depends on are not there."},
    Row{ReasonCode::UnsupportedOnSlipway, "unsupported_on_slipway",
        "It runs steps, which this server does not do yet."},
    Row{ReasonCode::RunnerLost, "runner_lost",
        "Its runner was not heard from any more and counts as lost."},
    Row{ReasonCode::DownstreamPipelineCreationFailed, "downstream_pipeline_creation_failed",
        "The pipeline that it triggers could not be created."},
    Row{ReasonCode::DownstreamProjectNotFound, "downstream_bridge_project_not_found",
        "The project that it triggers is not there."},
    Row{ReasonCode::UpstreamProjectNotFound, "upstream_bridge_project_not_found",
        "The project whose pipeline it follows is not there."},
    Row{ReasonCode::InsufficientBridgePermissions, "insufficient_bridge_permissions",
        "It may not start pipelines of the project that it triggers."},
    Row{ReasonCode::ReachedMaxDescendantDepth, "reached_max_descendant_pipelines_depth",
        "Child pipelines may be nested two deep, and this one would be deeper."},
    Row{ReasonCode::ReachedMaxHierarchySize, "reached_max_pipeline_hierarchy_size",
        "There are too many pipelines above, below and beside this one."},
    Row{ReasonCode::PipelineLoopDetected, "pipeline_loop_detected",
        "Pipelines trigger each other in a circle."},
    Row{ReasonCode::DownstreamFailed, "downstream_failed",
        "The pipeline that it triggered did not end well."},
    Row{ReasonCode::OutdatedDeployment, "failed_outdated_deployment_job",
        "It would put an older commit over a newer deployment. Retry it to roll back on purpose."},
    Row{ReasonCode::DeploymentRejected, "deployment_rejected", "The deployment was rejected."},
    Row{ReasonCode::ProtectedEnvironmentFailure, "protected_environment_failure",
        "It may not deploy to this protected environment."},
    Row{ReasonCode::AckTimeout, "ack_timeout",
        "A runner was given this job and did not confirm it in time; it waits for a runner again."},
    Row{ReasonCode::JobFailed, "job_failed", "A job failed: {}."},
    Row{ReasonCode::CanceledByUser, "canceled_by_user", "Was canceled by {}."},
    Row{ReasonCode::CanceledByNewPipeline, "canceled_by_new_pipeline",
        "Was canceled because a newer commit came: {}."},
    Row{ReasonCode::CanceledByJobFailure, "canceled_by_job_failure",
        "Was canceled because a job failed: {}."},
    Row{ReasonCode::CanceledWithUpstream, "canceled_with_upstream",
        "Was canceled with the pipeline that triggered it: {}."},
    Row{ReasonCode::DownstreamCanceled, "downstream_canceled",
        "The pipeline that it triggered was canceled."},
    Row{ReasonCode::DownstreamSkipped, "downstream_skipped",
        "The pipeline that it triggered was skipped."},
    Row{ReasonCode::PreviousStageFailed, "previous_stage_failed",
        "Was not run because an earlier stage failed: {}."},
    Row{ReasonCode::PreviousStageCanceled, "previous_stage_canceled",
        "Was not run because an earlier stage was canceled: {}."},
    Row{ReasonCode::PreviousStageSkipped, "previous_stage_skipped",
        "Was not run because the earlier stages were skipped."},
    Row{ReasonCode::NothingFailed, "nothing_failed",
        "Was not run because it runs only after a failure, and nothing failed."},
    Row{ReasonCode::NeedFailed, "need_failed",
        "Was not run because a job that it needs did not succeed: {}."},
    Row{ReasonCode::RuleNever, "rule_never", "A rule says never: {}."},
    Row{ReasonCode::NoRuleMatched, "no_rule_matched", "None of its rules holds: {}."},
    Row{ReasonCode::OnlyRefs, "only", "Its `only` does not hold: {}."},
    Row{ReasonCode::ExceptRefs, "except", "Its `except` holds: {}."},
    Row{ReasonCode::WorkflowFiltered, "workflow_filtered",
        "Pipeline filtered out by workflow rules: {}."},
    Row{ReasonCode::NoJobs, "no_jobs",
        "The rules of the jobs prevented any job from being added to the pipeline."},
    Row{ReasonCode::ConfigurationInvalid, "configuration_invalid",
        "The pipeline file is not valid: {}."},
    Row{ReasonCode::ConfigurationMissing, "configuration_missing",
        "The commit has no pipeline file {}."},
    Row{ReasonCode::SkipCi, "skip_ci", "The commit message asks to skip the pipeline."},
    Row{ReasonCode::FetchFailed, "fetch_failed", "The commit could not be fetched: {}."},
};

constexpr bool in_order_of_codes() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  return kRows.size() == static_cast<std::size_t>(ReasonCode::FetchFailed) + 1;
}
static_assert(in_order_of_codes(), "each code has its row, at its place");

constexpr auto make_codes() {
  std::array<ReasonCode, kRows.size()> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = kRows[i].code;
  return codes;
}
constexpr auto kCodes = make_codes();

const Row& row_of(ReasonCode code) {
  return kRows.at(static_cast<std::size_t>(code));
}

}  // namespace

Reason make_reason(ReasonCode code, std::string_view detail) {
  std::string text{row_of(code).text};
  if (const auto slot = text.find("{}"); slot != std::string::npos) text.replace(slot, 2, detail);
  return {code, std::move(text)};
}

std::string_view to_string(ReasonCode code) {
  return row_of(code).name;
}

Result<ReasonCode> parse_reason_code(std::string_view text) {
  for (const Row& row : kRows)
    if (row.name == text) return row.code;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no reason code");
}

ReasonCode reason_of_failure(std::string_view failure_reason) {
  // A word of its own for `retry:when` alone: what the runner got from elsewhere failed it.
  if (failure_reason == "runner_external_dependency_failure")
    return ReasonCode::RunnerSystemFailure;
  for (const ReasonCode code : {ReasonCode::ScriptFailure,
                                ReasonCode::RunnerSystemFailure,
                                ReasonCode::JobExecutionTimeout,
                                ReasonCode::ImagePullFailure,
                                ReasonCode::RunnerConfigurationError,
                                ReasonCode::RunnerInterrupted,
                                ReasonCode::TraceSizeExceeded,
                                ReasonCode::MissingDependencyFailure,
                                ReasonCode::UnsupportedOnSlipway,
                                ReasonCode::RunnerLost,
                                ReasonCode::DownstreamPipelineCreationFailed,
                                ReasonCode::DownstreamProjectNotFound,
                                ReasonCode::UpstreamProjectNotFound,
                                ReasonCode::InsufficientBridgePermissions,
                                ReasonCode::ReachedMaxDescendantDepth,
                                ReasonCode::ReachedMaxHierarchySize,
                                ReasonCode::PipelineLoopDetected,
                                ReasonCode::DownstreamFailed,
                                ReasonCode::OutdatedDeployment,
                                ReasonCode::DeploymentRejected,
                                ReasonCode::ProtectedEnvironmentFailure})
    if (to_string(code) == failure_reason) return code;
  return ReasonCode::UnknownFailure;
}

std::span<const ReasonCode> all_reason_codes() {
  return kCodes;
}

}  // namespace slipway::pipeline
