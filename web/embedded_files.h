// The built browser application, inside the executable. Made by embed.mjs from web/dist.
#pragma once

#include <span>
#include <string_view>

namespace slipway::web {

struct EmbeddedFile {
  std::string_view path;  // "/assets/index-3f2a.js"
  std::string_view content_type;
  std::string_view etag;  // quoted, as the header carries it
  std::string_view bytes;
  std::string_view gzip;  // empty when compressing does not pay
};

// Sorted by path. The views live as long as the program.
std::span<const EmbeddedFile> embedded_files();

}  // namespace slipway::web
