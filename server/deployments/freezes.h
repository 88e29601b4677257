// Whether a freeze period is on. Pure, but for the system's time zone database.
#pragma once

#include <optional>

#include "base/clock.h"
#include "server/store/deployment_rule_store.h"

namespace slipway::server {

// When the freeze that is on at `now` ends; nullopt while none is, and for a period whose
// expressions or time zone cannot be read (any more).
std::optional<UnixMillis> frozen_until(const FreezePeriodRow& period, UnixMillis now);

}  // namespace slipway::server
