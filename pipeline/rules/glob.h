// The globs of `changes` and `exists`.
#pragma once

#include <string_view>

namespace slipway::pipeline::rules {

// Ruby's File.fnmatch?(pattern, path, FNM_PATHNAME | FNM_DOTMATCH | FNM_EXTGLOB) on a whole path:
// `*` and `?` do not cross a slash, `**/` stands for any directories, a trailing `**` is `*`,
// braces are alternatives. Work is bounded; a pattern beyond the bound matches nothing.
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace slipway::pipeline::rules
