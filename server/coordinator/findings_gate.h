// Whether a pipeline brings findings that its project does not want.
//
// Reads the store only; called in the transaction that ends the pipeline.
#pragma once

#include <string>

#include "server/store/database.h"

namespace slipway::server {

struct GateVerdict {
  std::string state;  // "passed", "failed"; "" when there is nothing to judge
  std::string text;   // a sentence for people
};

// New findings of the severity that the project names, or a worse one, fail it; so does a report
// that could not be read, of which nobody knows what it hides.
GateVerdict findings_gate(const FindingsStore& findings, const ProjectRow& project,
                          const PipelineRow& pipeline);

}  // namespace slipway::server
