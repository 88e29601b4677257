#include "server/coordinator/matching.h"

#include <algorithm>

namespace slipway::server {

namespace {

std::string tags_in_words(const std::vector<std::string>& tags) {
  std::string words;
  for (const std::string& tag : tags) {
    if (!words.empty()) words += ", ";
    words += tag;
  }
  return words;
}

}  // namespace

JobDemand demand_of(const JobRow& job) {
  return {job.project_id, job.tags, job.ref_protected};
}

bool may_take(const RunnerRow& runner, const JobDemand& job) {
  if (runner.paused) return false;
  if (runner.project_id && *runner.project_id != job.project_id) return false;
  if (runner.protected_only && !job.ref_protected) return false;
  if (job.tags.empty()) return runner.run_untagged;
  return std::all_of(job.tags.begin(), job.tags.end(), [&](const std::string& tag) {
    return std::find(runner.tags.begin(), runner.tags.end(), tag) != runner.tags.end();
  });
}

pipeline::Reason pending_reason(const JobDemand& job, const std::vector<RunnerRow>& runners) {
  const bool any = std::any_of(runners.begin(), runners.end(),
                               [&](const RunnerRow& runner) { return may_take(runner, job); });
  return pipeline::make_reason(
      any ? pipeline::ReasonCode::WaitingForRunner : pipeline::ReasonCode::NoMatchingRunner,
      job.tags.empty() ? "none" : tags_in_words(job.tags));
}

}  // namespace slipway::server
