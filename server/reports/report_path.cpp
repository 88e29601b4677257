#include "server/reports/report_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace slipway::server {

std::string plain_path(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  for (std::string_view rest = path; !rest.empty();) {
    const auto end = rest.find('/');
    const auto part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part != ".." || !absolute)
      parts.push_back(part);
  }
  return (absolute ? "/" : "") + fmt::format("{}", fmt::join(parts, "/"));
}

bool below_project(std::string_view project, std::string_view path, std::string& rest) {
  const std::string root = "/" + std::string{project} + "/";
  const std::string whole = std::string{path} + "/";
  const auto at = whole.find(root);
  if (project.empty() || at == std::string::npos) return false;
  rest = whole.substr(at + root.size());
  while (rest.ends_with('/')) rest.pop_back();
  return true;
}

std::string path_in_project(std::string_view project, std::string path) {
  path = plain_path(std::move(path));
  if (std::string rest; path.starts_with('/') && below_project(project, path, rest)) return rest;
  return path;
}

}  // namespace slipway::server
