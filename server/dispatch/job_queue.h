// Which waiting job goes to which waiting runner: the decision alone, without threads or effects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "server/coordinator/changes.h"
#include "server/coordinator/matching.h"

namespace slipway::server {

class JobQueue {
 public:
  // Follows what the coordinator says of a job. Repeats change nothing.
  void apply(const QueueChange& change);
  void clear();

  // Takes out the job that `runner` should get: of the project with the fewest running jobs, and
  // there the one that waits longest. nullopt when there is none for it.
  std::optional<JobId> take_for(const RunnerRow& runner);
  // A job that was taken and not assigned after all waits again, at its old place.
  void put_back(JobId id);

  [[nodiscard]] std::size_t waiting() const { return waiting_count_; }

 private:
  [[nodiscard]] int running_of(ProjectId project) const;
  void count(ProjectId project, int by);

  void add(JobId id, JobDemand demand);
  void remove(JobId id, ProjectId project);

  // By number, which is the order in which they were made.
  std::map<ProjectId, std::map<JobId, JobDemand>> waiting_;
  std::size_t waiting_count_ = 0;
  // Taken here and not heard of since.
  std::unordered_map<JobId, JobDemand> taken_;
  std::unordered_map<JobId, ProjectId> assigned_;
  std::unordered_map<ProjectId, int> running_;
};

}  // namespace slipway::server
