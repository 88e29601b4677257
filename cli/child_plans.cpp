#include "cli/child_plans.h"

#include <algorithm>

#include "pipeline/downstream.h"
#include "pipeline/variables.h"

namespace slipway::cli {
namespace {

using namespace pipeline;

constexpr int kDeepest = 2;
constexpr int kMostJobs = 20'000;  // of all child pipelines; each counts as one itself

std::string first_error(const Diagnostics& findings) {
  const auto error = std::find_if(findings.begin(), findings.end(), [](const Diagnostic& finding) {
    return finding.severity == Severity::Error;
  });
  if (error == findings.end()) return {};
  return error->span.file + ":" + std::to_string(error->span.line) + ": " + error->message;
}

std::vector<ChildPlan> plans_below(const Plan& plan, const Trigger& trigger, LocalProject& project,
                                   int depth, int& left);

ChildPlan child_of(const PlannedJob& job, const Trigger& trigger, LocalProject& project, int depth,
                   int& left) {
  ChildPlan child;
  child.job = job.job.name;
  JobFacts facts;
  facts.trigger = trigger;
  facts.pipeline_id = facts.pipeline_iid = 1;
  const auto request = downstream_request(job, facts);
  if (!request) {
    child.refusal = request.error().message;
    return child;
  }
  if (!request->artifacts.empty()) {
    child.refusal = "its file is made by job '" + request->artifacts.front().job + "'";
    return child;
  }
  if (depth > kDeepest) {
    child.refusal = make_reason(ReasonCode::ReachedMaxDescendantDepth).text;
    return child;
  }
  if (--left < 0) {
    child.refusal = "the child pipelines before it have more than " + std::to_string(kMostJobs) +
                    " jobs together; plan its file by itself";
    return child;
  }
  Trigger of_child = trigger;
  of_child.source = Source::ParentPipeline;
  of_child.pipeline_variables = request->variables;
  Variables for_includes = predefined_variables(of_child);
  set_variables(for_includes, of_child.pipeline_variables);
  auto read = read_configuration(
      request->configuration, child.job, project.includes(),
      {std::move(for_includes), {}, of_child.changed_paths, of_child.repository, project.limits()});
  if (!read.configuration) {
    child.refusal = first_error(read.findings);
    return child;
  }
  child.configuration = std::move(*read.configuration);
  if (!of_child.paths && asks_for_paths(child.configuration))
    if (auto paths = project.includes().local_paths()) of_child.paths = std::move(*paths);
  child.plan = make_plan(child.configuration, of_child, project.limits());
  left -= static_cast<int>(child.plan.jobs.size());
  child.refusal = first_error(child.plan.findings);
  child.children = plans_below(child.plan, of_child, project, depth + 1, left);
  return child;
}

std::vector<ChildPlan> plans_below(const Plan& plan, const Trigger& trigger, LocalProject& project,
                                   int depth, int& left) {
  std::vector<ChildPlan> children;
  for (const PlannedJob& job : plan.jobs)
    if (job.job.bridge && !job.job.bridge->files.empty())
      children.push_back(child_of(job, trigger, project, depth, left));
  return children;
}

}  // namespace

std::vector<ChildPlan> child_plans(const Plan& plan, const Trigger& trigger,
                                   LocalProject& project) {
  int left = kMostJobs;
  return plans_below(plan, trigger, project, 1, left);
}

}  // namespace slipway::cli
