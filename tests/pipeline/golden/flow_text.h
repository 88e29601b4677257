// A tree written as YAML again, every collection in flow form: reading it gives the same tree.
#pragma once

#include <string>

#include "pipeline/read/source.h"

namespace slipway::pipeline::golden {

std::string flow_text(const read::Node& node);

}  // namespace slipway::pipeline::golden
