#include <algorithm>
#include <cctype>

#include "pipeline/keywords/families.h"
#include "pipeline/keywords/vocabulary.h"

namespace slipway::pipeline::keywords {
namespace {

bool is_variable_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

// The keys of `node` that say more about a variable than its value.
void check_data_keys(const Node& node, Described described, const Place& place) {
  const auto& known = keywords_of(described == Described::yes ? "global_variable" : "variable");
  for (const Entry& entry : node.entries)
    if (std::find(known.begin(), known.end(), entry.key) == known.end())
      place.error(entry.at, "config uses invalid data keys: " + entry.key,
                  described == Described::no ? "only `value` and `expand` may stand here" : "",
                  "unknown_keyword");
}

std::optional<Variable> read_one(const Entry& entry, const Place& place, Described described) {
  const Node& node = *entry.value;
  if (node.is_scalar() || node.kind == Kind::Null)
    return Variable{.name = entry.key, .value = node.text};
  if (node.kind != Kind::Mapping) {
    place.plain_error(node.at, "variable definition must be either a string or a hash");
    return std::nullopt;
  }
  const Place at = place.below(entry.key);
  if (described == Described::scalars) {
    at.error(node.at, "config must be a string");
    return std::nullopt;
  }
  check_data_keys(node, described, at);
  Variable variable{.name = entry.key};
  if (const Node* value = value_of(node, "value")) {
    if (value->is_scalar())
      variable.value = value->text;
    else
      at.error(value->at, "config value must be an alphanumeric string");
  }
  if (const Node* text = value_of(node, "description"); text != nullptr && !text->is_scalar())
    at.error(text->at, "config description must be an alphanumeric string");
  if (const Node* expand = value_of(node, "expand"))
    variable.raw = !bool_in(*expand, at.attribute("config expand")).value_or(true);
  if (const Node* options = value_of(node, "options")) {
    const auto words = strings_in(*options, at.attribute("config options"));
    if (words && std::find(words->begin(), words->end(), variable.value) == words->end())
      at.error(options->at, "config value must be present in options");
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
