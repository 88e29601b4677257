// What a runner says of the caches and artifacts that its job brought in and stored, for the job's
// page. Whatever it says is data: words that are not known and texts that are too long are left
// out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace slipway::server::http {

// `transfers` of the body of a job's last call, as text to be stored; "" when there are none.
std::string transfers_of(const nlohmann::json& body);
// The stored text as the API shows it.
nlohmann::json transfers_view(const std::string& stored);

}  // namespace slipway::server::http
