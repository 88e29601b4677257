// One zstd frame, as caches are sent.
#pragma once

#include <zstd.h>

#include <string>
#include <string_view>

namespace slipway::test {

inline std::string packed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
  return out;
}

}  // namespace slipway::test
