#include "server/assembly/audit_check.h"

#include "server/store/database.h"

namespace slipway::server {

Result<AuditVerdict> check_audit(const ServerSettings& settings) {
  const auto file = settings.data_dir / "slipway.db";
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    return fail(ErrorKind::NotFound, "there is no database '" + file.string() + "'")
        .with_hint("name the server's directory with --data-dir or SLIPWAY_DATA_DIR");
  auto database = Database::open(file);
  if (!database) return std::move(database).error();
  return (*database)->read()->audit.verify();
}

}  // namespace slipway::server
