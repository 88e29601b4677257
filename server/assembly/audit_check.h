// Looks at the audit log of a server that does not run.
#pragma once

#include "base/error.h"
#include "server/settings/server_settings.h"
#include "server/store/effect_store.h"

namespace slipway::server {

// NotFound without a database, Unavailable while a server has it open.
Result<AuditVerdict> check_audit(const ServerSettings& settings);

}  // namespace slipway::server
