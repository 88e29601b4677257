// Why a job or a pipeline is in its state. Codes and sentences stand in one table, for the page,
// the API and the command line alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::pipeline {

enum class ReasonCode : std::uint8_t {
  None,  // nothing needs explaining
  // Not started.
  WaitingForStage,
  WaitingForNeeds,
  WaitingForRunner,
  NoMatchingRunner,
  WaitingForResource,
  WaitingForApproval,  // of a deployment
  DeployFreeze,
  WaitingForAcknowledgement,
  Manual,
  Delayed,
  WaitingForDownstream,  // a trigger job: its pipeline is being made
  // Running and ended well.
  Running,
  FollowsDownstream,    // a trigger job with a strategy
  WaitsWithDownstream,  // as its pipeline does, for a hand
  Canceling,            // of jobs that were canceled before reasons named who did it
  Succeeded,
  SucceededWithWarnings,
  // Failed. The first group are GitLab's failure reasons.
  ScriptFailure,
  RunnerSystemFailure,
  JobExecutionTimeout,
  ImagePullFailure,
  RunnerConfigurationError,
  RunnerInterrupted,
  UnknownFailure,
  TraceSizeExceeded,
  MissingDependencyFailure,
  UnsupportedOnSlipway,
  RunnerLost,
  // Of trigger jobs; the last one has no word of GitLab's.
  DownstreamPipelineCreationFailed,
  DownstreamProjectNotFound,
  UpstreamProjectNotFound,
  InsufficientBridgePermissions,
  ReachedMaxDescendantDepth,
  ReachedMaxHierarchySize,
  PipelineLoopDetected,
  DownstreamFailed,
  // Of deployments.
  OutdatedDeployment,
  DeploymentRejected,
  ProtectedEnvironmentFailure,
  AckTimeout,
  JobFailed,  // of a pipeline
  // Ended without running, or taken away.
  CanceledByUser,
  CanceledByNewPipeline,
  CanceledByJobFailure,  // workflow:auto_cancel:on_job_failure
  CanceledWithUpstream,  // of a pipeline that a job of a canceled one triggered
  DownstreamCanceled,
  DownstreamSkipped,
  PreviousStageFailed,
  PreviousStageCanceled,
  PreviousStageSkipped,
  NothingFailed,  // an on_failure job that was not needed
  NeedFailed,
  // Not created.
  RuleNever,
  NoRuleMatched,
  OnlyRefs,
  ExceptRefs,
  WorkflowFiltered,
  NoJobs,
  ConfigurationInvalid,
  ConfigurationMissing,
  SkipCi,
  FetchFailed,
};

struct Reason {
  ReasonCode code = ReasonCode::None;
  std::string text;  // a full sentence

  bool operator==(const Reason&) const = default;
};

// The row of `code`, its placeholder "{}" filled with `detail`.
Reason make_reason(ReasonCode code, std::string_view detail = {});

std::string_view to_string(ReasonCode code);  // "waiting_for_stage"
Result<ReasonCode> parse_reason_code(std::string_view text);

// GitLab's failure_reason words, as runners send them; unknown words are UnknownFailure.
ReasonCode reason_of_failure(std::string_view failure_reason);

std::span<const ReasonCode> all_reason_codes();

}  // namespace slipway::pipeline
