// What the tests of pipeline/ share: a repository in memory, and readers that insist on success.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/plan.h"
#include "tests/support/catch.h"

namespace slipway::pipeline::test {

// Files by path, as the commit of a pipeline has them.
class Repository : public IncludeSource {
 public:
  Repository() = default;
  explicit Repository(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  Result<std::string> local_file(const std::string& path) override {
    const auto at = files_.find(path);
    if (at == files_.end()) return fail(ErrorKind::NotFound, "no such file");
    return at->second;
  }
  Result<std::vector<std::string>> local_paths() override {
    std::vector<std::string> paths;
    for (const auto& [path, text] : files_) paths.push_back(path);
    return paths;
  }

 private:
  std::map<std::string, std::string> files_;
};

inline ReadOutcome outcome_of(std::string_view text, std::map<std::string, std::string> files = {},
                              const Variables& variables = {}) {
  Repository repository{std::move(files)};
  return read_configuration(text, "ci.yml", repository, variables);
}

inline Configuration configuration_of(std::string_view text,
                                      std::map<std::string, std::string> files = {},
                                      const Variables& variables = {}) {
  ReadOutcome outcome = outcome_of(text, std::move(files), variables);
  for (const Diagnostic& finding : outcome.findings) UNSCOPED_INFO(render(finding, text));
  REQUIRE(outcome.configuration);
  return *outcome.configuration;
}

// All findings as `slipway lint` shows them.
inline std::string findings_of(std::string_view text,
                               std::map<std::string, std::string> files = {}) {
  std::string shown;
  for (const Diagnostic& finding : outcome_of(text, std::move(files)).findings)
    shown += render(finding, finding.span.file == "ci.yml" ? text : "");
  return shown;
}

inline const Job& job_of(const Configuration& configuration, std::string_view name) {
  for (const Job& job : configuration.jobs)
    if (job.name == name) return job;
  FAIL("there is no job " << name);
  return configuration.jobs.front();
}

inline Trigger push_to(std::string branch) {
  Trigger trigger;
  trigger.branch = std::move(branch);
  trigger.sha = "0123456789abcdef0123456789abcdef01234567";
  trigger.project.id = 7;
  trigger.project.path = "Team/App";
  trigger.server = {"https://ci.example.com", "registry.example.com/ci", "1.2.3"};
  return trigger;
}

inline Trigger tag(std::string name) {
  Trigger trigger = push_to("");
  trigger.tag = std::move(name);
  return trigger;
}

inline std::vector<std::string> names_of(const Plan& plan) {
  std::vector<std::string> names;
  for (const PlannedJob& job : plan.jobs) names.push_back(job.job.name);
  return names;
}

inline const PlannedJob& planned(const Plan& plan, std::string_view name) {
  for (const PlannedJob& job : plan.jobs)
    if (job.job.name == name) return job;
  FAIL("the plan has no job " << name);
  return plan.jobs.front();
}

inline std::string value(const Variables& variables, std::string_view name) {
  const Variable* variable = find_variable(variables, name);
  return variable == nullptr ? "(not set)" : variable->value;
}

}  // namespace slipway::pipeline::test
