// What `slipway plan` prints: for people, and the JSON that scripts rely on.
#pragma once

#include <string>
#include <vector>

#include "cli/child_plans.h"
#include "pipeline/configuration.h"
#include "pipeline/plan.h"

namespace slipway::cli {

// `children` are those of the plan's trigger jobs.
std::string plan_as_text(const pipeline::Plan& plan, const pipeline::Configuration& configuration,
                         const std::vector<ChildPlan>& children = {});

// {"created":bool,"reason":{"code","text"},"stages":[…],
//  "jobs":[{"name","stage","when","allow_failure","needs":[…],"image","services","tags",
//           "variables":{…},"script":[…],"rule":{"at","text"},
//           "trigger":{"project","branch","files":[…],"strategy","child"}}],
//  "left_out":[{"name","code","text","at"}]}
// `reason` is {"code":"none","text":""} when the pipeline is created, `image` and `rule` are null
// when there is none; `at` is "file:line". `trigger` is null but for a trigger job; its `child` is
// such an object again, {"refused":"why"}, or null for another project's pipeline.
std::string plan_as_json(const pipeline::Plan& plan, const pipeline::Configuration& configuration,
                         const std::vector<ChildPlan>& children = {});

// The same shape for a file that is not valid, with the findings as `lint --json` has them beside
// it as "findings".
std::string refused_plan_as_json(const pipeline::Diagnostics& findings);

}  // namespace slipway::cli
