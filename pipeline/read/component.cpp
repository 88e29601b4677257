#include "pipeline/read/component.h"

#include <re2/re2.h>

#include <tuple>

namespace slipway::pipeline::read {
namespace {

struct Version {
  // 32 bits hold every number that a sane tag has; a longer one does not match.
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  std::string before_release;
  std::string tag;

  // A release is above what came before it. Two of those are compared as text.
  [[nodiscard]] auto rank() const {
    return std::tuple{before_release.empty(), major, minor, patch, before_release};
  }
};

std::optional<Version> parse_version(const std::string& tag) {
  static const re2::RE2 form{R"(v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+.*)?)"};
  Version version;
  version.tag = tag;
  if (!re2::RE2::FullMatch(tag, form, &version.major, &version.minor, &version.patch,
                           &version.before_release))
    return std::nullopt;
  return version;
}

bool allows(std::string_view range, const Version& version) {
  if (range == "~latest") return true;
  const auto dot = range.find('.');
  if (std::to_string(version.major) != range.substr(0, dot)) return false;
  return dot == std::string_view::npos || std::to_string(version.minor) == range.substr(dot + 1);
}

}  // namespace

std::optional<ComponentAddress> parse_component(std::string_view text) {
  static const re2::RE2 form{
      R"(([A-Za-z0-9._-]+(?::\d+)?)/((?:[A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+)/([A-Za-z0-9_-]+)@([^@\s]+))"};
  ComponentAddress address;
  if (!re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, form, &address.project.host,
                           &address.project.path, &address.name, &address.version))
    return std::nullopt;
  return address;
}

bool is_version_range(std::string_view version) {
  static const re2::RE2 form{R"(~latest|\d+(?:\.\d+)?)"};
  return re2::RE2::FullMatch(re2::StringPiece{version.data(), version.size()}, form);
}

std::string highest_version(std::string_view range, const std::vector<std::string>& tags) {
  std::optional<Version> highest;
  for (const std::string& tag : tags) {
    auto version = parse_version(tag);
    if (version && allows(range, *version) && (!highest || highest->rank() < version->rank()))
      highest = std::move(version);
  }
  return highest ? highest->tag : "";
}

std::vector<std::string> component_paths(const std::string& name) {
  return {"templates/" + name + ".yml", "templates/" + name + "/template.yml"};
}

}  // namespace slipway::pipeline::read
