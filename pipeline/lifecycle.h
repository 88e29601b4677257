// The life of a pipeline, as pure functions from state and event to the next state.
//
//   created ──▶ pending ──assigned/started──▶ running ──▶ success | failed
//      │ ├────▶ manual ──play──▶ pending        │ cancel
//      │ ├────▶ scheduled ──delay elapsed──▶ pending
//      │ └────▶ skipped                         ▼
//      └──cancel──▶ canceled ◀─────────────  canceling
//
// A job of a resource group is waiting_for_resource before it is pending, until the caller grants
// it the group (pipeline/resource_group.h): a group spans the pipelines of a project, and this file
// knows one. Nothing leads to preparing; the word is there since clients filter by it.
//
// A trigger job (bridge) is with no runner: pending, it waits for the pipeline that it triggers to
// be made; then it has succeeded or, with a strategy, follows that pipeline to its end, and again
// when a job is retried there.
//
// A retry makes a new job of the same name and flags the old one as retried; the new one has to
// find its turn as any other. Skipped jobs that followed it go back to created. While a job is
// canceling, its reason is already the one that it will end with. Nothing here reads a clock or a
// store: the coordinator applies the transitions and writes them. Sources: GitLab's
// Ci::ProcessPipelineService, Ci::RetryJobService and Gitlab::Ci::Status::Composite.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/job.h"
#include "pipeline/reason.h"

namespace slipway::pipeline {

enum class Status : std::uint8_t {
  Created,
  WaitingForResource,
  Preparing,
  Pending,
  Running,
  Success,
  Failed,
  Canceling,
  Canceled,
  Skipped,
  Manual,
  Scheduled,
};
std::string_view to_string(Status status);  // GitLab's words
Result<Status> parse_status(std::string_view text);
std::span<const Status> all_statuses();

bool is_final(Status status);       // success, failed, canceled, skipped
bool is_active(Status status);      // waiting for resource, preparing, pending, running, canceling
bool is_cancelable(Status status);  // active but not canceling, created, manual, scheduled

// What becomes of a trigger job once its downstream pipeline exists.
enum class BridgeStrategy : std::uint8_t {
  None,    // it has done its work
  Depend,  // succeeds or fails as that pipeline does
  Mirror,  // has that pipeline's status, also while that is skipped or waits for a hand
};

struct JobNode {
  std::int64_t id = 0;
  std::string name;
  int stage_index = 0;
  std::vector<std::string> needs;  // names of jobs of this pipeline
  bool dag = false;
  When when = When::OnSuccess;
  AllowFailure allow_failure;
  Retry retry;
  bool interruptible = false;
  std::optional<std::chrono::seconds> start_in;
  std::string resource_group;            // "" without
  bool deploys = false;                  // to an environment: not tried again behind anyone's back
  std::optional<BridgeStrategy> bridge;  // set: a trigger job
  bool triggered = false;                // its downstream pipeline was made
  // Somebody asked for this try, so it waits for no second hand and for no delay.
  bool at_once = false;

  Status status = Status::Created;
  Reason reason;
  bool retried = false;          // a newer try of this name exists
  int attempt = 1;               // which try of its name
  bool failure_allowed = false;  // failed with an exit code that allow_failure lists
};

// workflow:auto_cancel:on_new_commit, of the pipeline that is replaced.
enum class OnNewCommit : std::uint8_t {
  Conservative,   // everything, unless a job has started that is not interruptible
  Interruptible,  // the interruptible jobs
  None,
};
std::string_view to_string(OnNewCommit choice);
Result<OnNewCommit> parse_on_new_commit(std::string_view text);

struct PipelineState {
  std::vector<JobNode> jobs;  // all tries; in stage order within the first tries
  Status status = Status::Created;
  bool cancel_on_failure = false;  // workflow:auto_cancel:on_job_failure: all
  OnNewCommit on_new_commit = OnNewCommit::Conservative;
};

enum class EventKind : std::uint8_t {
  Begin,       // of the pipeline: the first processing
  Start,       // pending → running: a runner acknowledged
  Succeed,     // canceling → canceled
  Fail,        // with failure_reason and exit_code; canceling → canceled; may retry by itself.
               // What waits for a runner or for its resource group can fail, too
  LoseRunner,  // running or canceling, silent past its lease
  Requeue,     // a hand-out was not acknowledged: stays or goes back to pending
  CancelJob,   // pending and earlier → canceled, running → canceling
  CancelPipeline,
  ForceCancel,    // canceling → canceled: the runner did not obey in time
  Supersede,      // a newer commit of its ref came: cancels what on_new_commit says
  Play,           // manual or scheduled → pending
  RetryJob,       // of an ended job: a new try
  RetryPipeline,  // new tries for all failed and canceled jobs
  ElapseDelay,    // scheduled → pending
  GrantResource,  // waiting for resource → pending
  // Of a trigger job.
  Triggered,          // pending → success or running: its downstream pipeline was made
  DownstreamIs,       // that pipeline has the status `downstream` now
  DownstreamResumes,  // ended → running: that pipeline had ended and goes on
};
std::string_view to_string(EventKind kind);
std::span<const EventKind> all_event_kinds();

struct Event {
  EventKind kind = EventKind::Begin;
  std::int64_t job = 0;        // unless it concerns the pipeline
  std::string failure_reason;  // Fail: GitLab's words
  std::optional<int> exit_code;
  Reason reason;  // CancelJob, CancelPipeline, Supersede: why; None means by a user. Fail: its text
                  // says more
  Status downstream = Status::Created;  // DownstreamIs
};

struct Transition {
  std::int64_t job = 0;  // of a new try: a negative number, -1, -2, … in order of creation
  Status from = Status::Created;
  Status to = Status::Created;
  Reason reason;
  std::int64_t retry_of = 0;  // set: this is a new try of that job
};

// Validates the event, applies it, and processes the pipeline until nothing more follows. `state`
// is changed only on success. New tries appear in `state.jobs` with the negative id of their
// transition; the caller gives them real ones with renumber(). A reason that alone changed (pending
// job, created job) is also reported, with from == to.
// Conflict when the event makes no sense in the job's status: a late report of a runner that lost
// its job is normal traffic, not a bug. NotFound when there is no such job.
Result<std::vector<Transition>> apply(PipelineState& state, const Event& event);

// Whether the pipeline that `bridge` has triggered is canceled too, after `cause` was applied to
// the bridge's own pipeline and did, or did not, cancel the bridge. A newer commit cancels each
// pipeline by its own rules. Source: GitLab's Ci::CancelPipelineService.
bool cancels_downstream(EventKind cause, const JobNode& bridge, bool canceled, bool child);

void renumber(PipelineState& state, std::int64_t provisional, std::int64_t id);

// GitLab's composite of the statuses of `jobs` (retried ones are passed over).
enum class Question : std::uint8_t { Stage, Dag };
struct CompositeStatus {
  Status status = Status::Success;
  bool warnings = false;
};
CompositeStatus composite_status(std::span<const JobNode* const> jobs, Question question);

// Of the whole pipeline, computed from its jobs alone.
CompositeStatus pipeline_status(const PipelineState& state);
// Of one stage; Created when it has no jobs.
CompositeStatus stage_status(const PipelineState& state, int stage_index);
// Why the pipeline is in its status. A pipeline that was canceled gives the reason of its first
// canceled job.
Reason pipeline_reason(const PipelineState& state);

}  // namespace slipway::pipeline
