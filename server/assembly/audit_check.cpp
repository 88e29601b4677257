#include "server/assembly/audit_check.h"

#include "server/assembly/stored.h"

namespace slipway::server {

Result<AuditVerdict> check_audit(const ServerSettings& settings) {
  auto database = open_existing(settings);
  if (!database) return std::move(database).error();
  return (*database)->read()->audit.verify();
}

}  // namespace slipway::server
