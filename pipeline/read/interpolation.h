// `$[[ inputs.name | function ]]`: values put into a file before anything else is done with it.
//
// A scalar that is one block as a whole becomes the value with its type; a block inside a longer
// text becomes text. Keys too. What an input brings in is not interpolated again.
#pragma once

#include <map>
#include <string>

#include "pipeline/diagnostic.h"
#include "pipeline/job.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::read {

// What blocks may name: "inputs" → name → value, "component" → name → value.
using InterpolationValues = std::map<std::string, std::map<std::string, NodePtr>>;

// nullptr after an error, which stands at the scalar; `prefix` goes in front of its message
// ("`a.yml`: " for an included file). `variables` are for `expand_vars`. `$[[ matrix.x ]]` stays as
// written. `text` counts the bytes that blocks put in; for the files of one configuration it is the
// same. Of `limits` that on values holds.
NodePtr interpolate(const NodePtr& root, const InterpolationValues& values,
                    const Variables& variables, const std::string& prefix, Diagnostics& findings,
                    const Limits& limits = {}, std::size_t* text = nullptr);

}  // namespace slipway::pipeline::read
