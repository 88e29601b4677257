// The address of a component, `host/path/name@version`, and the version that it means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/configuration.h"

namespace slipway::pipeline::read {

struct ComponentAddress {
  IncludeProject project;
  std::string name;
  std::string version;
};

// nullopt when `text` has not that form.
std::optional<ComponentAddress> parse_component(std::string_view text);

// Whether `version` must be looked for among the tags: `~latest`, `1`, `1.2`.
bool is_version_range(std::string_view version);

// The highest version among `tags` that `range` allows; those before a release (1.0.0-rc1) only
// when there is no other. "" when there is none.
std::string highest_version(std::string_view range, const std::vector<std::string>& tags);

// Where a component's file may stand in its project, the first first.
std::vector<std::string> component_paths(const std::string& name);

}  // namespace slipway::pipeline::read
