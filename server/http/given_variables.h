// Variables and inputs that come with a request for a pipeline, or for a schedule of one.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "server/http/ports.h"

namespace slipway::server::http {

// One of {key, value, variable_type}. InvalidInput names what is wrong with it.
Result<GivenVariable> given_variable(const nlohmann::json& entry);
// The list under "variables" of `body`; none when it is not there.
Result<std::vector<GivenVariable>> given_variables(const nlohmann::json& body);
// The object under "inputs", by name, each value as JSON.
Result<std::vector<std::pair<std::string, std::string>>> given_inputs(const nlohmann::json& body);

}  // namespace slipway::server::http
