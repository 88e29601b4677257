// Paths as reports have them, brought to what they are called in the project.
#pragma once

#include <string>
#include <string_view>

namespace slipway::server {

// "./src\\a.c" → "src/a.c", "a/../b" → "b"; a leading slash stays.
std::string plain_path(std::string path);
// "/builds/group/name/src" → "src" for the project group/name; false when it is not in there.
bool below_project(std::string_view project, std::string_view path, std::string& rest);
// Plain, and from the root of the project when it shows one.
std::string path_in_project(std::string_view project, std::string path);

}  // namespace slipway::server
