#include "server/http/router.h"

#include <algorithm>

namespace slipway::server::http {

namespace {

using Params = std::map<std::string, std::string, std::less<>>;
using Segments = std::span<const std::string>;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  path.remove_prefix(1);
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

struct Placeholder {
  std::string name;
  std::string suffix;  // "{project_path}.git"
  bool greedy = false;
};

std::optional<Placeholder> placeholder(std::string_view part) {
  if (part.empty() || part.front() != '{') return std::nullopt;
  const auto end = part.find('}');
  Placeholder found{std::string{part.substr(1, end - 1)}, std::string{part.substr(end + 1)}, false};
  found.greedy = found.name == "project_path" || found.name == "ref" || found.name == "page";
  return found;
}

std::string joined(Segments segments) {
  std::string text;
  for (const auto& segment : segments) {
    if (!text.empty()) text += '/';
    text += segment;
  }
  return text;
}

bool fits(Segments pattern, Segments segments, Params& params);

bool fits_greedy(const Placeholder& hole, Segments pattern, Segments segments, Params& params) {
  for (std::size_t count = segments.size(); count >= 1; --count) {
    const auto& last = segments[count - 1];
    if (!last.ends_with(hole.suffix) || last.size() == hole.suffix.size()) continue;
    if (!fits(pattern.subspan(1), segments.subspan(count), params)) continue;
    auto value = joined(segments.first(count));
    value.resize(value.size() - hole.suffix.size());
    params[hole.name] = std::move(value);
    return true;
  }
  return false;
}

bool fits(Segments pattern, Segments segments, Params& params) {
  if (pattern.empty()) return segments.empty();
  if (segments.empty()) return false;
  const auto hole = placeholder(pattern.front());
  if (hole && hole->greedy) return fits_greedy(*hole, pattern, segments, params);
  if (!hole && pattern.front() != segments.front()) return false;
  if (!fits(pattern.subspan(1), segments.subspan(1), params)) return false;
  if (hole) params[hole->name] = segments.front();
  return true;
}

bool has_stray_slash(const Route& route, const std::vector<std::string>& segments,
                     const Params& params) {
  const auto encoded = std::count_if(segments.begin(), segments.end(), [](const auto& segment) {
    return segment.find('/') != std::string::npos;
  });
  if (encoded == 0) return false;
  const auto in = [&](std::string_view hole) {
    const auto value = params.find(hole);
    return value != params.end() && value->second.find('/') != std::string::npos ? 1 : 0;
  };
  const int expected = (route.pattern.starts_with("/api/v4/projects/") ? in("id") : 0) +
                       in("group") + in("ref_name");
  return encoded != expected;
}

void note_method(std::string& allowed, std::string_view method) {
  if (allowed.find(method) != std::string::npos) return;
  if (!allowed.empty()) allowed += ", ";
  allowed += method;
  if (method == "GET") allowed += ", HEAD";
}

}  // namespace

Router::Router(std::span<const Route> routes) {
  for (const auto& route : routes) rows_.push_back({&route, split(route.pattern)});
}

RouteMatch Router::find(std::string_view method, const std::vector<std::string>& segments) const {
  constexpr std::size_t kLongestPath = 24;
  RouteMatch match;
  if (segments.size() > kLongestPath) return match;
  const auto wanted = method == "HEAD" ? std::string_view{"GET"} : method;
  for (const auto& row : rows_) {
    Params params;
    if (!fits(row.pattern, segments, params)) continue;
    if (row.route->method != wanted) {
      note_method(match.allowed, row.route->method);
      continue;
    }
    if (has_stray_slash(*row.route, segments, params)) {
      match.malformed = true;
      return match;
    }
    match.route = row.route;
    match.params = std::move(params);
    return match;
  }
  return match;
}

}  // namespace slipway::server::http
