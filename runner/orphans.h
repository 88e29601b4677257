// What jobs have left behind that no slot runs any more: processes, containers, networks and
// volumes. Only what bears the runner's own mark or label is ever touched.
#pragma once

#include <functional>
#include <string>

#include "runner/config.h"
#include "runner/slot_pool.h"

namespace slipway::runner {

// Ends all of it, and tells of it in the log. `live` is asked after the things were looked for, so
// that a job which begins meanwhile is safe.
void end_orphans(const std::string& runner_label, ExecutorKind executor,
                 const std::function<LiveSlots()>& live);

}  // namespace slipway::runner
