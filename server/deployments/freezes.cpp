#include "server/deployments/freezes.h"

#include "server/schedules/cron.h"

namespace slipway::server {

std::optional<UnixMillis> frozen_until(const FreezePeriodRow& period, UnixMillis now) {
  if (!check_time_zone(period.cron_timezone)) return std::nullopt;
  const auto begins = Cron::parse(period.freeze_start);
  const auto ends = Cron::parse(period.freeze_end);
  if (!begins || !ends) return std::nullopt;
  const auto end = ends->next(now, period.cron_timezone);
  const auto begin = begins->next(now, period.cron_timezone);
  // It is on when it ends before it begins again.
  if (!end || !begin || *begin <= *end) return std::nullopt;
  return end;
}

}  // namespace slipway::server
