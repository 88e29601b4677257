// The schema, as numbered steps from nothing to today.
//
// Each step runs in one transaction with its number (PRAGMA user_version). A step that was released
// is never changed; a new one is added behind it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::server {

class Session;

// A step is a list of statements, since SOCI runs one at a time.
using Migration = std::vector<std::string>;

const std::vector<Migration>& migrations();

// Brings the database up to `steps`. Conflict when it is already beyond them: a newer version of
// the program wrote it.
Result<void> migrate(Session& session, const std::vector<Migration>& steps);

}  // namespace slipway::server
