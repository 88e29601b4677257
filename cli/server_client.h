// A signed-in client of a Slipway server, for the subcommands that talk to one.
//
// The address is SLIPWAY_URL (http://127.0.0.1:8080 without it), the token SLIPWAY_TOKEN or the
// first line of the file that SLIPWAY_TOKEN_FILE names. The token never stands in an argument.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"

namespace slipway::cli {

struct ServerAddress {
  std::string url;
  std::string token;  // empty: not signed in
};

Result<ServerAddress> server_from_environment();

// The answer's JSON; an Error of the status's kind with the server's own message otherwise.
Result<nlohmann::json> call(const ServerAddress& server, const std::string& method,
                            const std::string& target, const nlohmann::json* body = nullptr);

// A file as the body of a POST; errors as call().
Result<void> upload(const ServerAddress& server, const std::string& target,
                    const std::filesystem::path& file);

// At most `most` bytes of a resource, from `offset`; "" where it ends. Errors as call().
Result<std::string> download(const ServerAddress& server, const std::string& target,
                             long long offset, long long most);

}  // namespace slipway::cli
