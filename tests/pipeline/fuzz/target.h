// What a fuzzer and the replay of its seeds have in common: one function that takes any bytes.
//
// Each target is one .cpp that defines it. It must come to an end within a second, whatever the
// bytes are; what it checks beyond not crashing it checks with `require`.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace slipway::pipeline::fuzz {

void take(std::string_view bytes);

// An assertion that no build switches off.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The part of `rest` before the next line end, which is taken off.
inline std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace slipway::pipeline::fuzz
