// Variables of the settings of a project, a group or the instance: list, show, make, change,
// remove, and the jobs that were handed one. Whose they are, the path says.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"
#include "server/variables/vault.h"

namespace slipway::server::http {

class VariableRoutes {
 public:
  VariableRoutes(Database& database, Coordinator& coordinator, const VariableVault& vault)
      : database_(database), coordinator_(coordinator), vault_(vault) {}

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> create(const Call& call);
  // What is not given stays. A hidden variable keeps hiding its value.
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  // Newest first.
  Result<Response> uses(const Call& call);

 private:
  // NotFound for a group that has no project.
  Result<VariableOwner> owner_of(Stores& stores, const Call& call) const;
  // The one of that key and, when it is given, that scope. Conflict when there are several.
  Result<VariableRow> find(Stores& stores, const Call& call,
                           const std::optional<std::string>& scope) const;
  // With its value, unless that is hidden.
  Result<nlohmann::json> view(const VariableRow& row) const;

  Database& database_;
  Coordinator& coordinator_;
  const VariableVault& vault_;
};

}  // namespace slipway::server::http
