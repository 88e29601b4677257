// The body of a request that starts a pipeline by a trigger token: a form as curl and most scripts
// send it, or JSON.
#pragma once

#include <string>

#include "base/error.h"
#include "server/http/message.h"
#include "server/http/ports.h"

namespace slipway::server::http {

struct TriggerForm {
  std::string token;
  std::string ref;
  std::vector<GivenVariable> variables;
  std::vector<std::pair<std::string, std::string>> inputs;  // name and value, this as JSON
};

// application/x-www-form-urlencoded or multipart/form-data with token, ref, variables[NAME] and
// inputs[NAME]; or a JSON object of token, ref, variables and inputs. InvalidInput says what is
// missing.
Result<TriggerForm> read_trigger_form(const Request& request);

}  // namespace slipway::server::http
