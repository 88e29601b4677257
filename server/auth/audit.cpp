#include "server/auth/audit.h"

#include "base/logging.h"
#include "server/store/database.h"

namespace slipway::server::auth {

namespace {

std::string_view result_of(const AuditEntry& entry) {
  return entry.refused ? "refused" : "ok";
}

}  // namespace

void audit(const AuditEntry& entry) {
  log::audit(entry.action, {{"actor", entry.actor},
                            {"object", entry.object},
                            {"result", result_of(entry)},
                            {"remote", entry.address}});
}

void audit(Stores& stores, UnixMillis now, const AuditEntry& entry) {
  AuditRow row;
  row.at = now;
  row.actor = entry.actor;
  row.action = entry.action;
  row.object = entry.object;
  row.result = result_of(entry);
  row.detail = "{}";
  row.ip_address = entry.address;
  stores.audit.append(row);
  audit(entry);
}

}  // namespace slipway::server::auth
