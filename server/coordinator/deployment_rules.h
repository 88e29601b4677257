// What a project's rules say of one deployment. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "server/store/deployment_rule_store.h"

namespace slipway::server {

// The rule for an environment of that name: its own, or else the longest pattern that fits it.
std::optional<ProtectedEnvironmentRow> rule_for(const std::vector<ProtectedEnvironmentRow>& rules,
                                                std::string_view environment);

}  // namespace slipway::server
