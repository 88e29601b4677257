#include "pipeline/unsupported.h"

#include <algorithm>
#include <set>
#include <string>

namespace slipway::pipeline {
namespace {

template <typename Named>
std::string names_of(const std::vector<Named>& list) {
  std::string names;
  for (const Named& one : list) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

}  // namespace

void warn_of_what_does_not_run(const Job& job, Diagnostics& findings) {
  const auto warn = [&](bool has, const std::string& what, const char* hint) {
    if (has)
      findings.push_back({Severity::Warning, "unsupported_on_slipway",
                          "job '" + job.name + "' " + what, job.at, hint});
  };
  warn(!job.steps_json.empty(), "runs steps, which this server does not do yet: it will fail",
       "say the same with `script`");
  warn(!job.secrets.empty(),
       "asks for secrets, which this server does not fetch yet: " + names_of(job.secrets) +
           " will not be set",
       "keep them as variables of the project");
  warn(job.release.has_value(),
       "describes a release, which this server does not make yet: only its script runs", "");
  warn(std::any_of(job.foreign_needs.begin(), job.foreign_needs.end(),
                   [](const ForeignNeed& need) { return !need.project.empty(); }),
       "needs artifacts of another project, which this server does not fetch yet", "");
  warn(!job.inputs.empty(), "has inputs, which this server does not ask for yet", "");
}

void warn_of_what_does_not_run(const Configuration& configuration, Diagnostics& findings) {
  std::set<std::string> seen;
  for (const Job& job : configuration.jobs)
    if (seen.insert(job.base_name).second) {
      Job named = job;
      named.name = job.base_name;
      warn_of_what_does_not_run(named, findings);
    }
}

}  // namespace slipway::pipeline
