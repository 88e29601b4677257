#include "server/dispatch/job_queue.h"

#include <algorithm>

namespace slipway::server {

void JobQueue::apply(const QueueChange& change) {
  const auto assigned = assigned_.find(change.id);
  if (assigned != assigned_.end() && change.state != QueueState::Assigned) {
    count(assigned->second, -1);
    assigned_.erase(assigned);
  }
  if (const auto taken = taken_.find(change.id);
      taken != taken_.end() && change.state != QueueState::Waiting) {
    count(taken->second.project_id, -1);
    taken_.erase(taken);
  }
  switch (change.state) {
    case QueueState::Waiting:
      // A change of its reason alone must not offer a job that is just being assigned.
      if (!taken_.contains(change.id))
        add(change.id, {change.project_id, change.tags, change.ref_protected});
      break;
    case QueueState::Assigned:
      remove(change.id, change.project_id);
      if (assigned_.emplace(change.id, change.project_id).second) count(change.project_id, +1);
      break;
    case QueueState::Gone: remove(change.id, change.project_id); break;
  }
}

void JobQueue::clear() {
  waiting_.clear();
  waiting_count_ = 0;
  taken_.clear();
  assigned_.clear();
  running_.clear();
}

std::optional<JobId> JobQueue::take_for(const RunnerRow& runner) {
  const std::pair<const JobId, JobDemand>* best = nullptr;
  int fewest = 0;
  for (const auto& [project, jobs] : waiting_) {
    const int running = running_of(project);
    if (best != nullptr && running > fewest) continue;
    const auto job = std::find_if(jobs.begin(), jobs.end(), [&](const auto& candidate) {
      return may_take(runner, candidate.second);
    });
    if (job == jobs.end()) continue;
    if (best != nullptr && running == fewest && best->first < job->first) continue;
    best = &*job;
    fewest = running;
  }
  if (best == nullptr) return std::nullopt;
  const JobId id = best->first;
  const JobDemand demand = best->second;
  remove(id, demand.project_id);
  count(demand.project_id, +1);
  taken_.emplace(id, demand);
  return id;
}

void JobQueue::put_back(JobId id) {
  const auto taken = taken_.find(id);
  if (taken == taken_.end()) return;
  count(taken->second.project_id, -1);
  add(id, std::move(taken->second));
  taken_.erase(taken);
}

void JobQueue::add(JobId id, JobDemand demand) {
  const ProjectId project = demand.project_id;
  if (waiting_[project].insert_or_assign(id, std::move(demand)).second) ++waiting_count_;
}

void JobQueue::remove(JobId id, ProjectId project) {
  const auto jobs = waiting_.find(project);
  if (jobs == waiting_.end()) return;
  waiting_count_ -= jobs->second.erase(id);
  if (jobs->second.empty()) waiting_.erase(jobs);
}

int JobQueue::running_of(ProjectId project) const {
  const auto found = running_.find(project);
  return found == running_.end() ? 0 : found->second;
}

void JobQueue::count(ProjectId project, int by) {
  const int now = running_[project] += by;
  if (now == 0) running_.erase(project);
}

}  // namespace slipway::server
