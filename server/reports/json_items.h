// The parts of a large JSON text that somebody asks for, one at a time: a list of a million things
// is read without holding more than one of them.
//
// Texts come from jobs and are not trusted: depth, and the size of what is handed out, are limited.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::server {

// Keys on the way from the root; "*" is each element of an array, and of nothing else.
using JsonPath = std::vector<std::string_view>;

struct JsonPick {
  JsonPath path;
  // Gets the value, and which element of each array on the way it is. False: no more is wanted.
  std::function<bool(const std::vector<std::size_t>& places, nlohmann::json value)> take;
};

struct JsonItemLimits {
  int depth = 64;
  std::size_t values = 20'000;  // in one part
};

struct JsonOutcome {
  std::optional<std::string> fault;  // why it ends: "line 3: it is no valid JSON"
  std::size_t too_large = 0;         // parts that were passed over
  bool array = false;                // the root is one
  std::vector<std::string> arrays;   // keys of the root whose values are arrays, the first 100
};

// Never throws for what stands in `text`. What was read before a fault has been handed out.
JsonOutcome pick_items(std::string_view text, const std::vector<JsonPick>& picks,
                       const JsonItemLimits& limits = {});

}  // namespace slipway::server
