// What stands for one cache: the pieces that its tar is made of, in their order. Kept on disk
// beside the pieces, and sent to the server and back.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::runner {

struct CachePiece {
  std::string id;        // SHA-256 of its bytes, as 64 small hex digits
  std::size_t size = 0;  // not compressed, in bytes
};

struct CacheList {
  std::string signature;  // of the files' names, sizes and times
  std::size_t files = 0;
  long long bytes = 0;  // of the files
  std::vector<CachePiece> pieces;
};

nlohmann::json to_json(const CacheList& list);
// InvalidInput for what is damaged, or no list: a cache may always be missed.
Result<CacheList> cache_list_from_json(const nlohmann::json& value);

}  // namespace slipway::runner
