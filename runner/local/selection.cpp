#include "runner/local/selection.h"

#include <algorithm>
#include <set>

namespace slipway::runner {
namespace {

using pipeline::Plan;
using pipeline::PlannedJob;

bool is_called(const PlannedJob& job, const std::string& name) {
  return job.job.name == name || job.job.base_name == name;
}

Error no_such_job(const Plan& plan, const std::string& name) {
  auto error = fail(ErrorKind::InvalidInput, "there is no job '" + name + "' in this pipeline");
  for (const pipeline::LeftOutJob& job : plan.left_out)
    if (job.name == name) return std::move(error).with_hint("it was left out: " + job.reason.text);
  std::string names;
  for (const PlannedJob& job : plan.jobs) names += (names.empty() ? "" : ", ") + job.job.name;
  return std::move(error).with_hint(names.empty() ? "the pipeline has no jobs"
                                                  : "its jobs are " + names);
}

class Chooser {
 public:
  explicit Chooser(const Plan& plan) : plan_(plan) {}

  Result<void> take(const std::string& name, bool with_needs) {
    bool found = false;
    for (const PlannedJob& job : plan_.jobs) {
      if (!is_called(job, name)) continue;
      found = true;
      asked_for_.insert(job.job.name);
      add(job, with_needs);
    }
    if (!found) return no_such_job(plan_, name);
    return {};
  }

  Result<void> take_from(const std::string& stage) {
    const auto at = std::find_if(plan_.jobs.begin(), plan_.jobs.end(),
                                 [&](const PlannedJob& job) { return job.job.stage == stage; });
    if (at == plan_.jobs.end()) {
      std::string names;
      for (const std::string& name : plan_.stages) names += (names.empty() ? "" : ", ") + name;
      return fail(ErrorKind::InvalidInput, "no job of this pipeline is in a stage '" + stage + "'")
          .with_hint("its stages are " + names);
    }
    for (const PlannedJob& job : plan_.jobs)
      if (job.job.stage_index >= at->job.stage_index) add(job, false);
    return {};
  }

  [[nodiscard]] std::vector<ChosenJob> chosen() const {
    std::vector<ChosenJob> jobs;
    for (const PlannedJob& job : plan_.jobs)
      if (chosen_.contains(job.job.name)) jobs.push_back({job, asked_for_.contains(job.job.name)});
    return jobs;
  }

 private:
  void add(const PlannedJob& job, bool with_needs) {
    if (!chosen_.insert(job.job.name).second || !with_needs) return;
    for (const PlannedJob& other : plan_.jobs) {
      if (!job.dag && other.job.stage_index < job.job.stage_index) add(other, true);
      const bool is_needed =
          std::any_of(job.needs.begin(), job.needs.end(),
                      [&](const pipeline::Need& need) { return need.job == other.job.name; });
      if (!is_needed) continue;
      // Whoever asks for a job asks for what it cannot do without.
      asked_for_.insert(other.job.name);
      add(other, true);
    }
  }

  const Plan& plan_;
  std::set<std::string> chosen_;
  std::set<std::string> asked_for_;
};

}  // namespace

Result<std::vector<ChosenJob>> choose_jobs(const Plan& plan, const JobChoice& choice) {
  Chooser chooser{plan};
  if (choice.with_needs.empty() && choice.alone.empty() && choice.from_stage.empty()) {
    std::vector<ChosenJob> all;
    for (const PlannedJob& job : plan.jobs) all.push_back({job, false});
    return all;
  }
  for (const std::string& name : choice.with_needs)
    if (auto taken = chooser.take(name, true); !taken) return std::move(taken).error();
  for (const std::string& name : choice.alone)
    if (auto taken = chooser.take(name, false); !taken) return std::move(taken).error();
  if (!choice.from_stage.empty())
    if (auto taken = chooser.take_from(choice.from_stage); !taken) return std::move(taken).error();
  return chooser.chosen();
}

}  // namespace slipway::runner
