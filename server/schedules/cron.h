// When a schedule is due: five fields of cron in a time zone. Pure, but for the system's time zone
// database, which is read once.
//
// minute hour day-of-month month day-of-week, each `*`, a number, a name (jan, mon), a range, a
// list, a step (*/15, 1-31/2); also @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
// @annually. When both days are given either of them counts, as in Vixie cron. Each slot comes
// once: of an hour that a clock goes through twice the first one counts, and a time that it leaps
// over comes when it has leapt.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::server {

class Cron {
 public:
  // InvalidInput names the field, what stands there and what may.
  static Result<Cron> parse(std::string_view text);

  // The first time after `after` at which it is due, by the clocks of `zone`. nullopt when there is
  // none within ten years (30 February). The zone must be known, see check_time_zone().
  [[nodiscard]] std::optional<UnixMillis> next(UnixMillis after, const std::string& zone) const;

 private:
  [[nodiscard]] bool is_day(unsigned month, unsigned day, unsigned weekday) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // from 1
  std::bitset<13> months_;   // from 1
  std::bitset<7> weekdays_;  // from Sunday
  bool any_day_ = true;
  bool any_weekday_ = true;
};

// InvalidInput for what the time zone database does not have. "UTC" is always known.
Result<void> check_time_zone(const std::string& zone);

}  // namespace slipway::server
