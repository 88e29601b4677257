// One job of the file, all its keywords read; names in needs and dependencies are still as written.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/job.h"
#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {

struct WrittenJob {
  Job job;
  std::optional<std::vector<WrittenNeed>> needs;
  Shared<std::vector<WrittenRule>> rules;
  std::vector<Instance> instances;  // one without a suffix when the job is not parallel
  SourceSpan stage_at;              // of the job itself when it names no stage
  SourceSpan dependencies_at;
  SourceSpan trigger_at;
};

// Whether the job triggers or takes over a pipeline instead of running a script.
bool names_bridge(const Node& node);

// `node` with the entries of `defaults` that it lacks and inherits.
NodePtr with_defaults(const NodePtr& node, const Node& defaults, const Place& place);

// The rules that were read without a finding, by the node that they stand in: all jobs with the
// same base have the same. The nodes must stay.
using KnownRules = std::unordered_map<const Node*, Shared<std::vector<WrittenRule>>>;

// `entry` has the job's name, `node` has its bases and defaults applied. `written` is a new one.
void read_job(const Entry& entry, const Node& node, const Place& place, KnownRules& known_rules,
              WrittenJob& written);

}  // namespace slipway::pipeline::keywords
