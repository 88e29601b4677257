#include "base/text.h"

#include <algorithm>

namespace slipway {

std::string_view utf8_prefix(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string cut_off(std::string_view text, std::size_t most) {
  constexpr std::string_view kMore = "…";
  if (text.size() <= most) return std::string{text};
  return std::string{utf8_prefix(text, most - std::min(most, kMore.size()))}.append(kMore);
}

}  // namespace slipway
