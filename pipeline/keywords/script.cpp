#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {

std::optional<std::vector<std::string>> read_script(const Node& node, const Place& place) {
  auto lines = nested_strings_in(node, place, Single::accepted);
  if (lines && lines->size() == 1 && lines->front().empty()) lines->clear();
  return lines;
}

}  // namespace slipway::pipeline::keywords
