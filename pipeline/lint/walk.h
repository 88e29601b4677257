// The places of a tree that warnings are about.
#pragma once

#include <functional>

#include "pipeline/read/source.h"

namespace slipway::pipeline::lint {

// The top of the file, `default` and every visible job: whatever may hold job keywords.
void for_each_job(const read::Node& tree, const std::function<void(const read::Node&)>& visit);

// Each string of a value that may be one string or lists of them.
void for_each_string(const read::Node& node, const std::function<void(const read::Node&)>& visit);

void warn(Diagnostics& findings, const read::Node& node, std::string code, std::string message,
          std::string hint);

}  // namespace slipway::pipeline::lint
