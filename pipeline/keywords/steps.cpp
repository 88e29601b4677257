#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {

// A step has a name, and is either a script or the address of a step.
std::optional<std::vector<std::string>> read_run(const Node& node, const Place& place) {
  if (node.kind != Kind::Sequence) {
    place.error(node.at, "config should be an array of hashes");
    return std::nullopt;
  }
  if (node.items.empty()) place.error(node.at, "config can't be blank");
  std::vector<std::string> steps;
  for (const NodePtr& item : node.items) {
    const Place at = place.below("step");
    if (!check_family(*item, "step", at)) continue;
    required_text_under(*item, "name", at);
    int kinds = 0;
    for (const char* kind : {"script", "step", "func"})
      kinds += value_of(*item, kind) != nullptr ? 1 : 0;
    if (kinds != 1)
      at.error(item->at, "config must use exactly one of these keys: script, step, func");
    for (const char* table : {"inputs", "env"})
      if (const Node* value = value_of(*item, table); value != nullptr)
        if (value->kind != Kind::Mapping) at.attribute(table).error(value->at, "should be a hash");
    steps.push_back(read::as_json(*item));
  }
  return steps;
}

}  // namespace slipway::pipeline::keywords
