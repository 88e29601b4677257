// How a PostgreSQL server is reached: from the URL of the settings to what libpq is given.
#pragma once

#include <string>

#include "base/error.h"
#include "server/store/place.h"

namespace slipway::server {

// With the password and with what the URL does not say: time-outs, keepalives, UTF-8. InvalidInput
// for a URL that libpq does not understand, and for one with a password: it would be in argv, in
// the log and in `--show-settings`. Unavailable when libpq is not installed.
Result<std::string> connection_string(const DatabasePlace& place);

}  // namespace slipway::server
