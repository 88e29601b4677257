// The header of a file: what inputs it declares, and which facts about its component it wants.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::read {

enum class InputType : std::uint8_t { String, Number, Boolean, Array };
std::string_view to_string(InputType type);

// Gives other options and another default while its condition holds; without one, always.
struct InputRule {
  std::string condition;  // "" in a fallback
  std::optional<std::vector<NodePtr>> options;
  NodePtr default_value;  // nullptr when it has none
  SourceSpan at;
};

struct DeclaredInput {
  std::string name;
  InputType type = InputType::String;
  NodePtr default_value;  // nullptr when a value must be given
  std::optional<std::vector<NodePtr>> options;
  std::optional<std::string> regex;
  std::vector<InputRule> rules;
  SourceSpan at;
};

struct Spec {
  std::vector<DeclaredInput> inputs;
  std::vector<std::string> component;  // of name, sha, version, reference
  NodePtr include;                     // files that declare further inputs, or nullptr
  SourceSpan at;
};

// Reads the first of a file's documents. `prefix` goes in front of every message.
// nullopt after an error.
std::optional<Spec> read_spec(const Node& header, const std::string& prefix, Diagnostics& findings);

// Reads the mapping below `inputs`, in a header or in a file that a header includes, and appends to
// `inputs`. False after an error.
bool read_declared_inputs(const Node& node, const std::string& prefix,
                          std::vector<DeclaredInput>& inputs, Diagnostics& findings);

}  // namespace slipway::pipeline::read
