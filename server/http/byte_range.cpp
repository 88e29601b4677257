#include "server/http/byte_range.h"

#include <algorithm>

#include "server/http/common.h"

namespace slipway::server::http {

RangeVerdict parse_range(std::string_view header, long long size, ByteRange& range) {
  range = {0, size};
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos)
    return RangeVerdict::Whole;
  header.remove_prefix(6);
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return RangeVerdict::Whole;
  const auto first = whole_number(header.substr(0, dash));
  const auto last = whole_number(header.substr(dash + 1));
  if (!first && !last) return RangeVerdict::Whole;
  if (!first) {
    if (*last == 0 || size == 0) return RangeVerdict::Unsatisfiable;
    range.length = std::min(*last, size);
    range.first = size - range.length;
    return RangeVerdict::Part;
  }
  if (dash + 1 < header.size() && !last) return RangeVerdict::Whole;
  if (*first >= size || (last && *last < *first)) return RangeVerdict::Unsatisfiable;
  range.first = *first;
  range.length = std::min(last.value_or(size - 1), size - 1) - *first + 1;
  return RangeVerdict::Part;
}

std::optional<long long> content_range_start(std::string_view header) {
  if (header.starts_with("bytes ")) header.remove_prefix(6);
  header = header.substr(0, header.find('/'));
  const auto dash = header.find('-');
  if (dash == std::string_view::npos || !whole_number(header.substr(dash + 1))) return std::nullopt;
  return whole_number(header.substr(0, dash));
}

}  // namespace slipway::server::http
