#include "server/coordinator/coverage_of_trace.h"

#include "pipeline/coverage.h"
#include "server/trace/backward_lines.h"

namespace slipway::server {

std::optional<double> coverage_of_trace(const TraceStore& traces, JobId job,
                                        std::string_view expression) {
  if (expression.empty()) return std::nullopt;
  const auto compiled = pipeline::CoverageExpression::compile(expression);
  if (!compiled) return std::nullopt;
  BackwardLines lines{traces, job.value};
  while (const auto line = lines.next())
    if (const auto found = compiled->match_line(*line)) return found;
  return std::nullopt;
}

}  // namespace slipway::server
