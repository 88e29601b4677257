// The coverage figure that a job's log holds: its expression tried on each line from the last one
// upwards. Reads the file, so call it on a thread that may block, before finish_job().
#pragma once

#include <optional>
#include <string_view>

#include "server/store/ids.h"

namespace slipway::server {

class TraceStore;

// nullopt without an expression, without a match, or when the expression is no good.
std::optional<double> coverage_of_trace(const TraceStore& traces, JobId job,
                                        std::string_view expression);

}  // namespace slipway::server
