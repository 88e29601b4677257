#include "pipeline/unsupported.h"

#include <algorithm>
#include <string>

namespace slipway::pipeline {
namespace {

bool needs_another_project(const Job& job) {
  return std::any_of(job.foreign_needs.begin(), job.foreign_needs.end(),
                     [](const ForeignNeed& need) { return !need.project.empty(); });
}

// Most jobs ask for nothing of the kind.
bool runs_wholly(const Job& job) {
  return job.steps_json.empty() && job.id_tokens.empty() && job.secrets.empty() && !job.release &&
         job.inputs.empty() && !needs_another_project(job);
}

template <typename Named>
std::string names_of(const std::vector<Named>& list) {
  std::string names;
  for (const Named& one : list) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

void warn(const Job& job, const std::string& name, Diagnostics& findings) {
  if (runs_wholly(job)) return;
  const auto warn = [&](bool has, const std::string& what, const char* hint) {
    if (has)
      findings.push_back({Severity::Warning, "unsupported_on_slipway", "job '" + name + "' " + what,
                          job.at, hint});
  };
  warn(!job.steps_json.empty(), "runs steps, which this server does not do yet: it will fail",
       "say the same with `script`");
  warn(!job.id_tokens.empty(),
       "asks for id_tokens, which this server does not issue yet: " + names_of(job.id_tokens) +
           " will not be set",
       "");
  warn(!job.secrets.empty(),
       "asks for secrets, which this server does not fetch yet: " + names_of(job.secrets) +
           " will not be set",
       "keep them as variables of the project");
  warn(job.release.has_value(),
       "describes a release, which this server does not make yet: only its script runs", "");
  warn(needs_another_project(job),
       "needs artifacts of another project, which this server does not fetch yet", "");
  warn(!job.inputs.empty(), "has inputs, which this server does not ask for yet", "");
}

}  // namespace

void warn_of_what_does_not_run(const Job& job, Diagnostics& findings) {
  warn(job, job.name, findings);
}

// The instances of a parallel job stand one after the other, and are one job to whoever wrote it.
void warn_of_what_does_not_run(const Configuration& configuration, Diagnostics& findings) {
  const Job* before = nullptr;
  for (const Job& job : configuration.jobs) {
    if (before == nullptr || before->base_name != job.base_name) warn(job, job.base_name, findings);
    before = &job;
  }
}

}  // namespace slipway::pipeline
