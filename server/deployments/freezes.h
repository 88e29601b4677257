// When a freeze period is on. Pure, but for the system's time zone database.
#pragma once

#include "base/clock.h"
#include "server/store/deployment_rule_store.h"

namespace slipway::server {

// Sets frozen_from and frozen_until to the time that the period is on at `now`, or will be next.
// Empty for one that never begins or never ends, and when its expressions or time zone cannot be
// read (any more).
void set_window(FreezePeriodRow& period, UnixMillis now);

}  // namespace slipway::server
