// The globs of `changes` and `exists`.
#pragma once

#include <string>
#include <string_view>

namespace slipway::pipeline::rules {

// What may still be done, in steps of the order of nanoseconds: shared by the globs of a pipeline.
struct GlobWork {
  static constexpr long kMost = 50'000'000;
  long left = kMost;
};

// What is said when there is nothing left.
std::string too_many_globs();

// Ruby's File.fnmatch?(pattern, path, FNM_PATHNAME | FNM_DOTMATCH | FNM_EXTGLOB) on a whole path:
// `*` and `?` do not cross a slash, `**/` stands for any directories, a trailing `**` is `*`,
// braces are alternatives. Work is bounded, for one pattern and by `work`; a pattern beyond the
// bound matches nothing.
bool glob_matches(std::string_view pattern, std::string_view path, GlobWork& work);
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace slipway::pipeline::rules
