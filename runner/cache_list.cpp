#include "runner/cache_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runner/pieces.h"

namespace slipway::runner {
namespace {

using nlohmann::json;

// Its id becomes the name of a file.
bool is_sound(const CachePiece& piece) {
  constexpr std::size_t kIdLength = 64;
  return piece.size > 0 && piece.size <= PieceCutter::kLargest && piece.id.size() == kIdLength &&
         std::all_of(piece.id.begin(), piece.id.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

json to_json(const CacheList& list) {
  json pieces = json::array();
  for (const CachePiece& piece : list.pieces) pieces.push_back({piece.id, piece.size});
  return {{"signature", list.signature},
          {"files", list.files},
          {"bytes", list.bytes},
          {"pieces", std::move(pieces)}};
}

Result<CacheList> cache_list_from_json(const json& value) {
  const Error damaged = fail(ErrorKind::InvalidInput, "the list of the cache is damaged");
  try {
    CacheList list;
    list.signature = value.at("signature");
    list.files = value.at("files");
    list.bytes = value.at("bytes");
    for (const json& piece : value.at("pieces")) {
      list.pieces.push_back({piece.at(0), piece.at(1)});
      if (!is_sound(list.pieces.back())) return damaged;
    }
    return list;
  } catch (const json::exception&) {
    return damaged;
  }
}

}  // namespace slipway::runner
