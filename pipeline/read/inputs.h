// The values of a file's inputs: what was given, or the default, held against what was declared.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/read/spec.h"

namespace slipway::pipeline::read {

// A value on its way to an input.
struct GivenInput {
  std::string name;
  NodePtr value;
  bool as_text = false;  // the value is text that is to be read as the input's type wants it
};

// Every declared input with its value. nullopt after an error; what was given and is not declared,
// or does not fit, is found fault with at `at`, with `prefix` in front.
std::optional<std::map<std::string, NodePtr>> input_values(
    const std::vector<DeclaredInput>& declared, const std::vector<GivenInput>& given,
    const SourceSpan& at, const std::string& prefix, Diagnostics& findings);

}  // namespace slipway::pipeline::read
