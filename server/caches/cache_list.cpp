#include "server/caches/cache_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::server {

namespace {

using nlohmann::json;

constexpr std::size_t kIdLength = 64;
constexpr std::size_t kLongestSignature = 128;

Error wrong(const std::string& field, const std::string& expected) {
  return fail(ErrorKind::InvalidInput, "'" + field + "' of the cache must be " + expected);
}

const json& field_of(const json& object, const char* name) {
  static const json kNothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? kNothing : *found;
}

bool is_count(const json& value) {
  return value.is_number_unsigned() || (value.is_number_integer() && value.get<long long>() >= 0);
}

Result<CachePiece> piece_from_json(const json& value, std::size_t index) {
  const std::string where = "pieces[" + std::to_string(index) + "]";
  if (!value.is_array() || value.size() != 2 || !value[0].is_string() || !is_count(value[1]))
    return wrong(where, "a pair of an id and a size");
  CachePiece piece{value[0].get<std::string>(), value[1].get<std::size_t>()};
  if (!is_cache_piece_id(piece.id)) return wrong(where, "named by 64 small hex digits");
  if (piece.size == 0 || piece.size > kLargestCachePiece)
    return wrong(where, "of 1 to " + std::to_string(kLargestCachePiece) + " bytes");
  return piece;
}

}  // namespace

bool is_cache_piece_id(std::string_view id) {
  return id.size() == kIdLength && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<CacheList> cache_list_from_json(const json& object) {
  CacheList list;
  const json& signature = field_of(object, "signature");
  if (!signature.is_string() || signature.get_ref<const std::string&>().size() > kLongestSignature)
    return wrong("signature", "a text of at most 128 characters");
  list.signature = signature;
  for (const auto& [name, target] : {std::pair{"files", &list.files}, {"bytes", &list.bytes}}) {
    const json& count = field_of(object, name);
    if (!is_count(count)) return wrong(name, "a number that is not negative");
    *target = count.get<long long>();
  }
  const json& pieces = field_of(object, "pieces");
  if (!pieces.is_array() || pieces.empty() || pieces.size() > kMostCachePieces)
    return wrong("pieces", "a list of 1 to " + std::to_string(kMostCachePieces) + " pieces");
  for (const json& value : pieces) {
    auto piece = piece_from_json(value, list.pieces.size());
    if (!piece) return std::move(piece).error();
    list.pieces.push_back(std::move(*piece));
  }
  return list;
}

json to_json(const CacheList& list) {
  json pieces = json::array();
  for (const CachePiece& piece : list.pieces) pieces.push_back({piece.id, piece.size});
  return {{"signature", list.signature},
          {"files", list.files},
          {"bytes", list.bytes},
          {"pieces", std::move(pieces)}};
}

}  // namespace slipway::server
