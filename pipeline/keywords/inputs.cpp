#include <algorithm>

#include "pipeline/keywords/families.h"
#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostInputs = 50;
constexpr std::size_t kMostOptions = 50;
const std::vector<std::string> kTypes{"string", "number", "boolean", "array"};

bool is_of_type(const Node& node, const std::string& type) {
  switch (node.kind) {
    case Kind::Bool: return type == "boolean";
    case Kind::Integer:
    case Kind::Float: return type == "number";
    case Kind::String: return type == "string";
    case Kind::Sequence: return type == "array";
    case Kind::Null:
    case Kind::Mapping: return false;
  }
  return false;
}

std::optional<JobInput> read_job_input(const Entry& entry, const Place& place) {
  const Node& node = *entry.value;
  if (!check_family(node, "job_input", place)) return std::nullopt;
  JobInput input;
  input.name = entry.key;
  input.description = text_under(node, "description", place);
  if (const Node* type = value_of(node, "type"))
    input.type = word_in(*type, kTypes, place.attribute("type")).value_or("string");
  if (const Node* regex = value_of(node, "regex")) {
    input.regex = string_in(*regex, place.attribute("regex")).value_or("");
    if (!rules::Pattern::parse("/" + input.regex + "/"))
      place.attribute("regex").error(regex->at, "must be a regular expression with re2 syntax");
  }
  if (const Node* options = value_of(node, "options")) {
    if (options->kind != Kind::Sequence || options->items.size() > kMostOptions)
      place.attribute("options").error(options->at, options->kind == Kind::Sequence
                                                        ? "cannot exceed 50 options"
                                                        : "should be an array");
    for (const NodePtr& option : options->items)
      input.options_json.push_back(read::as_json(*option));
  }
  const Node* standard = value_of(node, "default");
  if (standard == nullptr) {
    place.error(node.at, "must have a default value");
    return std::nullopt;
  }
  input.default_json = read::as_json(*standard);
  if (!is_of_type(*standard, input.type))
    place.attribute("default").error(standard->at, "should be a " + input.type);
  else if (!input.options_json.empty() &&
           std::find(input.options_json.begin(), input.options_json.end(), input.default_json) ==
               input.options_json.end())
    place.attribute("default").error(standard->at, "must be one of the options");
  return input;
}

}  // namespace

std::optional<std::vector<JobInput>> read_job_inputs(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return std::nullopt;
  }
  if (node.entries.size() > kMostInputs)
    place.error(node.at, "config has too many inputs (maximum is 50)");
  std::vector<JobInput> inputs;
  for (const Entry& entry : node.entries)
    if (auto input = read_job_input(entry, place.below(entry.key)))
      inputs.push_back(std::move(*input));
  return inputs;
}

}  // namespace slipway::pipeline::keywords
