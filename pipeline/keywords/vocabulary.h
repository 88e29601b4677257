// The words of the language: for each kind of mapping in a pipeline file, the keys that it may
// hold.
//
// One table, so that what the reader accepts and what `schemas/pipeline.schema.json` tells editors
// can be compared. A constant; any thread may read it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::pipeline::keywords {

struct Family {
  std::string_view name;  // as the schema calls it: "artifacts"
  std::vector<std::string> keywords;
};

std::span<const Family> all_families();

// Throws std::logic_error when there is no such family: the name is a slip in our own code.
const std::vector<std::string>& keywords_of(std::string_view family);

}  // namespace slipway::pipeline::keywords
