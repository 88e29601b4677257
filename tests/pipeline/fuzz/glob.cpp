// A glob in the first line, a path in the second.

#include "pipeline/rules/glob.h"

#include <string>

#include "tests/pipeline/fuzz/target.h"

namespace slipway::pipeline::fuzz {

void take(std::string_view bytes) {
  const std::string_view pattern = take_line(bytes);
  const std::string_view path = take_line(bytes);
  const bool matches = rules::glob_matches(pattern, path);
  // Without a special character a glob is the path itself.
  if (pattern.find_first_of("*?[{\\") == std::string_view::npos)
    require(matches == (pattern == path), "a plain path matches itself alone");
  if (path.find('/') == std::string_view::npos && !path.empty())
    require(rules::glob_matches("*", path) && rules::glob_matches("**/*", path),
            "`*` and `**/*` match every name");
}

}  // namespace slipway::pipeline::fuzz
