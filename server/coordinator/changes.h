// What a commit of the coordinator changed, for those who look on: dispatch, pages, metrics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/ids.h"

namespace slipway::server {

// Statuses are GitLab's words. `before` is "" for something new.
struct PipelineChange {
  PipelineId id;
  ProjectId project_id;
  std::string before;
  std::string after;
};

struct JobChange {
  JobId id;
  PipelineId pipeline_id;
  ProjectId project_id;
  std::string before;
  std::string after;
  std::string failure_reason;  // "" unless it failed
};

enum class QueueState : std::uint8_t {
  Waiting,   // pending and nobody's: dispatch may hand it out
  Assigned,  // a runner has it, acknowledged or not
  Gone,      // neither: ended, canceled, skipped
};

// Where a job stands with regard to dispatch. Comes in commit order; a repeat changes nothing.
struct QueueChange {
  JobId id;
  ProjectId project_id;
  QueueState state = QueueState::Gone;
  std::vector<std::string> tags;
  bool ref_protected = false;
};

struct Changes {
  bool reloaded = false;  // forget what you knew: everything alive follows
  std::vector<PipelineChange> pipelines;
  std::vector<JobChange> jobs;
  std::vector<QueueChange> queue;
  std::vector<JobId> bridges;       // trigger jobs whose downstream pipeline is to be made
  std::vector<RunnerId> runners;    // made, changed or removed
  std::vector<ProjectId> projects;  // made, changed or removed
  bool effects = false;             // the outbox got rows
  bool schedules = false;           // made, changed, or to be run now
  bool access = false;              // who may do or see what

  [[nodiscard]] bool empty() const {
    return !reloaded && pipelines.empty() && jobs.empty() && queue.empty() && bridges.empty() &&
           runners.empty() && projects.empty() && !effects && !schedules && !access;
  }
};

class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  // After the commit and before its callers are answered, on the coordinator's thread, in order.
  // Must be quick; may put new requests into the coordinator's queue.
  virtual void committed(const Changes& changes) noexcept = 0;
};

}  // namespace slipway::server
