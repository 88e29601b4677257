#include <algorithm>
#include <cctype>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

bool is_variable_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

std::optional<Variable> read_one(const Entry& entry, const Place& place, Described described) {
  const Node& node = *entry.value;
  if (node.is_scalar() || node.kind == Kind::Null)
    return Variable{.name = entry.key, .value = node.text};
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "variable definition must be either a string or a hash");
    return std::nullopt;
  }
  std::vector<std::string> known{"value", "expand"};
  if (described == Described::yes) known.insert(known.end(), {"description", "options"});
  check_keys(node, known, place.below(entry.key));
  Variable variable{.name = entry.key};
  if (const Node* value = value_of(node, "value"))
    variable.value = string_in(*value, place.below(entry.key + ":value")).value_or("");
  if (const Node* expand = value_of(node, "expand"))
    variable.raw = !bool_in(*expand, place.below(entry.key + ":expand")).value_or(true);
  if (const Node* options = value_of(node, "options")) {
    const auto words = strings_in(*options, place.below(entry.key + ":options"));
    if (words && std::find(words->begin(), words->end(), variable.value) == words->end())
      place.below(entry.key).error(options->at, "config value must be present in options");
  }
  return variable;
}

}  // namespace

std::optional<Variables> read_variables(const Node& node, const Place& place, Described described) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return std::nullopt;
  }
  Variables variables;
  for (const Entry& entry : node.entries) {
    if (!is_variable_name(entry.key))
      place.error(
          entry.at,
          "should be a hash of key value pairs: '" + entry.key + "' is no name of a variable",
          "names hold letters, digits and _");
    else if (auto variable = read_one(entry, place, described))
      variables.push_back(std::move(*variable));
  }
  return variables;
}

}  // namespace slipway::pipeline::keywords
