// One byte range of a resource, as the Range header asks for it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::server::http {

struct ByteRange {
  long long first = 0;
  long long length = 0;
};

enum class RangeVerdict : std::uint8_t { Whole, Part, Unsatisfiable };

// Anything but one plain range asks for the whole: many overlapping ones are an attack.
RangeVerdict parse_range(std::string_view header, long long size, ByteRange& range);

// "first-last" or "bytes first-last/total" of a Content-Range: where the bytes begin.
std::optional<long long> content_range_start(std::string_view header);

}  // namespace slipway::server::http
