// The sealed variables of the settings: opened for the jobs that may have them, sealed when they
// are set. Each value is bound to its owner, key, scope and protection, so that one that was moved
// to another row in the database does not open.
//
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/keyring.h"
#include "pipeline/setting_variables.h"
#include "server/store/database.h"

namespace slipway::server {

// What a value is bound to.
std::string seal_context(const VariableRow& row);

class VariableVault {
 public:
  // Both must outlive it.
  VariableVault(Database& database, const Keyring& keys) : database_(database), keys_(keys) {}

  // All that jobs of the project may have, for whichever environment; protected ones only with
  // `ref_protected`. Internal when one of them cannot be opened: a job without it could do harm.
  [[nodiscard]] Result<pipeline::SettingVariables> for_jobs(const ProjectRow& project,
                                                            bool ref_protected) const;
  [[nodiscard]] bool is_protected(ProjectId project, std::string_view ref, RefKind kind) const;

  // `row` but for its value, which is set.
  void seal(VariableRow& row, std::string_view value) const;
  // Internal when it cannot be opened; the message names the variable.
  [[nodiscard]] Result<std::string> open(const VariableRow& row) const;

 private:
  Database& database_;
  const Keyring& keys_;
};

}  // namespace slipway::server
