#include "server/deployments/freezes.h"

#include "server/schedules/cron.h"

namespace slipway::server {

void set_window(FreezePeriodRow& period, UnixMillis now) {
  period.frozen_from.reset();
  period.frozen_until.reset();
  if (!check_time_zone(period.cron_timezone)) return;
  const auto begins = Cron::parse(period.freeze_start);
  const auto ends = Cron::parse(period.freeze_end);
  if (!begins || !ends) return;
  const auto begin = begins->next(now, period.cron_timezone);
  const auto end = ends->next(now, period.cron_timezone);
  if (!begin || !end) return;
  // It is on when it ends before it begins again.
  const bool is_on = *end < *begin;
  period.frozen_from = is_on ? now : *begin;
  period.frozen_until = is_on ? end : ends->next(*begin, period.cron_timezone);
}

}  // namespace slipway::server
