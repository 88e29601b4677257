// A tree written as YAML: what a pipeline file is when includes, extends and references are
// resolved.
//
// Pure. Reading the text gives an equal tree: a value that a plain spelling would give another type
// is quoted.
#pragma once

#include <string>

#include "pipeline/read/source.h"

namespace slipway::pipeline::lint {

std::string yaml_text(const read::Node& node);

// The tree of a whole file as jobs are read from it: its bases are merged in, so `extends` goes.
std::string merged_yaml(const read::Node& root);

}  // namespace slipway::pipeline::lint
