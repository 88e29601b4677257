// What stands for one cache: the pieces that its tar is made of, in their order.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::server {

// A runner cuts no larger ones.
inline constexpr std::size_t kLargestCachePiece = std::size_t{4} << 20U;
inline constexpr std::size_t kMostCachePieces = 65'536;

struct CachePiece {
  std::string id;        // SHA-256 of its bytes, as 64 small hex digits
  std::size_t size = 0;  // not compressed, in bytes
};

struct CacheList {
  std::string signature;  // the runner's own mark of the files' names, sizes and times
  long long files = 0;
  long long bytes = 0;  // of all pieces, not compressed
  std::vector<CachePiece> pieces;
};

bool is_cache_piece_id(std::string_view id);

// InvalidInput, naming the field, for anything else than what to_json() writes.
Result<CacheList> cache_list_from_json(const nlohmann::json& object);
nlohmann::json to_json(const CacheList& list);

}  // namespace slipway::server
