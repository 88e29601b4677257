// A new key for the secrets of a server that is not running.
#pragma once

#include "base/error.h"
#include "server/settings/server_settings.h"
#include "server/variables/keys.h"

namespace slipway::server {

// Unavailable while a server has the database open; NotFound when there is no database.
Result<Rotation> rotate_key(const ServerSettings& settings);
// A new key for id_tokens; the old one is published for as long as its tokens are good. Errors as
// rotate_key.
Result<void> rotate_id_token_key(const ServerSettings& settings);

}  // namespace slipway::server
