#include "server/coordinator/deployment_rules.h"

#include "pipeline/setting_variables.h"

namespace slipway::server {

std::optional<ProtectedEnvironmentRow> rule_for(const std::vector<ProtectedEnvironmentRow>& rules,
                                                std::string_view environment) {
  const ProtectedEnvironmentRow* best = nullptr;
  for (const ProtectedEnvironmentRow& rule : rules) {
    if (rule.name == environment) return rule;
    if (!pipeline::matches_wildcard(rule.name, environment)) continue;
    if (best == nullptr || rule.name.size() > best->name.size()) best = &rule;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

}  // namespace slipway::server
