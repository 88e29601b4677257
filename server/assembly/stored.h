// The database that the settings name.
#pragma once

#include <memory>

#include "base/error.h"
#include "server/settings/server_settings.h"
#include "server/store/database.h"

namespace slipway::server {

DatabasePlace database_place(const ServerSettings& settings);

// NotFound for a file that is not there: opening it would make one.
Result<void> check_exists(const DatabasePlace& place);

// For commands on a stopped server; as check_exists().
Result<std::unique_ptr<Database>> open_existing(const ServerSettings& settings);

}  // namespace slipway::server
