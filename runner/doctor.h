// What a machine needs to run jobs, looked at one by one: `slipway runner doctor`.
//
// Each check stands alone and has a time-out. The directory of the work trees is made when it is
// not there, and one empty file in it for a moment; the server notes the contact. Nothing of a
// finding is secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runner/config.h"
#include "runner/coordinator_client.h"

namespace slipway::runner {

enum class Health : std::uint8_t {
  Good,
  Doubtful,  // jobs run, something may not
  Bad,       // jobs will fail
};
std::string_view to_string(Health health);  // "ok", "warning", "error"

struct Finding {
  std::string what;  // "docker", "disk"
  Health health = Health::Good;
  std::string text;  // what was found, with figures
  std::string hint;  // what to do; empty when all is well
};

std::vector<Finding> examine(const RunnerSettings& settings, const RunnerIdentity& identity);

}  // namespace slipway::runner
