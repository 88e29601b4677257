// Variables of a trigger or a schedule, as the store keeps them.
#pragma once

#include <string>

#include "pipeline/job.h"

namespace slipway::server {

// A JSON list of {key, value}; with variable_type "file" and raw where they are.
std::string variables_to_json(const pipeline::Variables& variables);
// What is no such list, or no entry of one, is left out.
pipeline::Variables variables_from_json(const std::string& json);

}  // namespace slipway::server
