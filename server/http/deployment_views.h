// Environments and deployments as the API shows them, exactly as schemas/openapi.yaml says.
//
// Used by one thread, for as long as the reader is borrowed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/clock.h"
#include "server/store/database.h"

namespace slipway::server::http {

class DeploymentViews {
 public:
  DeploymentViews(Stores& stores, std::string_view external_url, UnixMillis now)
      : stores_(stores), url_(external_url), now_(now) {}

  [[nodiscard]] nlohmann::json environment(const EnvironmentRow& row) const;
  [[nodiscard]] nlohmann::json deployment(const DeploymentRow& row) const;

 private:
  [[nodiscard]] nlohmann::json user(std::optional<UserId> id) const;
  // With the approvals that were given and the number of those that are missing.
  void add_approvals(nlohmann::json& view, const DeploymentRow& row,
                     std::string_view environment) const;

  Stores& stores_;
  std::string_view url_;
  UnixMillis now_;
};

nlohmann::json protected_environment_view(const ProtectedEnvironmentRow& row);
nlohmann::json freeze_period_view(const FreezePeriodRow& row, UnixMillis now);

}  // namespace slipway::server::http
