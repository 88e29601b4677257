// One job of the file, all its keywords read; names in needs and dependencies are still as written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {

struct WrittenJob {
  Job job;
  std::optional<std::vector<WrittenNeed>> needs;
  std::optional<std::vector<WrittenRule>> rules;
  std::vector<Instance> instances;  // one without a suffix when the job is not parallel
  SourceSpan stage_at;              // of the job itself when it names no stage
  SourceSpan dependencies_at;
  SourceSpan trigger_at;
};

// Whether the job triggers or takes over a pipeline instead of running a script.
bool names_bridge(const Node& node);

// `node` with the entries of `defaults` that it lacks and inherits.
NodePtr with_defaults(const NodePtr& node, const Node& defaults, const Place& place);

// `name` is the job's, `node` has its bases and defaults applied.
WrittenJob read_job(const Entry& entry, const Node& node, const Place& place);

}  // namespace slipway::pipeline::keywords
