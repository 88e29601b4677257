// The trail of what an auditor would ask for: a row in the database, written with the change that
// it tells of, and a line in the audit log.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace slipway::server {
struct Stores;
}

namespace slipway::server::auth {

struct AuditEntry {
  std::string actor;   // "user/1"
  std::string action;  // "token.created"
  std::string object;  // "token/4"; "" when there is none
  bool refused = false;
  std::string address;
};

// Inside a transaction.
void audit(Stores& stores, UnixMillis now, const AuditEntry& entry);
// The line alone, where nothing is written.
void audit(const AuditEntry& entry);

}  // namespace slipway::server::auth
