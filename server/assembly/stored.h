// The database that the settings name.
#pragma once

#include <memory>

#include "base/error.h"
#include "server/settings/server_settings.h"
#include "server/store/database.h"

namespace slipway::server {

DatabasePlace database_place(const ServerSettings& settings);

// For commands on a stopped server: NotFound when there is none, since opening would make one.
Result<std::unique_ptr<Database>> open_existing(const ServerSettings& settings);

}  // namespace slipway::server
