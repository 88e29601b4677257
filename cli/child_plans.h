// What the trigger jobs of a plan would start, as far as that can be told from the files here.
#pragma once

#include <string>
#include <vector>

#include "cli/local_project.h"
#include "pipeline/configuration.h"
#include "pipeline/plan.h"

namespace slipway::cli {

struct ChildPlan {
  std::string job;      // whose child pipeline it is
  std::string refusal;  // why there is no plan: a file that a job makes, an error in it
  pipeline::Plan plan;
  pipeline::Configuration configuration;
  std::vector<ChildPlan> children;
};

// Two deep, as child pipelines may be nested. Pipelines of other projects are not looked for.
std::vector<ChildPlan> child_plans(const pipeline::Plan& plan, const pipeline::Trigger& trigger,
                                   LocalProject& project);

}  // namespace slipway::cli
