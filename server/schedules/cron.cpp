#include "server/schedules/cron.h"

#include <date/tz.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace slipway::server {
namespace {

using std::chrono::milliseconds;

constexpr date::years kHorizon{10};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};

struct FieldKind {
  const char* name;
  int first;
  int last;
  const std::string_view* names = nullptr;
  int names_from = 0;
  std::size_t name_count = 0;
};

constexpr std::array<FieldKind, 5> kFields{
    FieldKind{"minute", 0, 59}, FieldKind{"hour", 0, 23}, FieldKind{"day of the month", 1, 31},
    FieldKind{"month", 1, 12, kMonths.data(), 1, kMonths.size()},
    FieldKind{"day of the week", 0, 7, kWeekdays.data(), 0, kWeekdays.size()}};

struct Alias {
  std::string_view name;
  std::string_view fields;
};
constexpr Alias kAliases[]{{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
                           {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
                           {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
                           {"@annually", "0 0 1 1 *"}};

std::string lower(std::string_view text) {
  std::string made{text};
  for (char& c : made)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return made;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || text.empty()) return std::nullopt;
  return value;
}

class FieldParser {
 public:
  FieldParser(const FieldKind& kind, std::string_view text) : kind_(kind), text_(text) {}

  Result<std::vector<int>> values() {
    // A comma at an end, or two in a row, is a slip and not an empty list.
    if (text_.starts_with(',') || text_.ends_with(',') || text_.find(",,") != std::string::npos)
      return wrong();
    std::vector<int> all;
    for (const std::string& part : split(text_, ","))
      if (!add(part, all)) return wrong();
    if (all.empty()) return wrong();
    return all;
  }

 private:
  [[nodiscard]] Error wrong() const {
    return fail(ErrorKind::InvalidInput,
                fmt::format("the {} of the cron is '{}', but must be *, numbers from {} to {}, "
                            "ranges and steps of them",
                            kind_.name, text_, kind_.first, kind_.last));
  }

  [[nodiscard]] std::optional<int> value(const std::string& word) const {
    for (std::size_t i = 0; i < kind_.name_count; ++i)
      if (kind_.names[i] == word) return static_cast<int>(i) + kind_.names_from;
    const auto found = number(word);
    if (!found || *found < kind_.first || *found > kind_.last) return std::nullopt;
    return found;
  }

  // "*", "5", "mon-fri", each with or without "/2".
  bool add(const std::string& part, std::vector<int>& all) const {
    const auto slash = part.find('/');
    const auto step =
        slash == std::string::npos ? std::optional{1} : number(part.substr(slash + 1));
    if (!step || *step < 1) return false;
    const std::string range = part.substr(0, slash);
    std::optional<int> from{kind_.first};
    std::optional<int> to{kind_.last};
    if (range != "*") {
      const auto dash = range.find('-');
      from = value(range.substr(0, dash));
      if (dash != std::string::npos)
        to = value(range.substr(dash + 1));
      else if (slash == std::string::npos)
        to = from;
    }
    if (!from || !to || *from > *to) return false;
    for (int each = *from; each <= *to; each += *step) all.push_back(each);
    return true;
  }

  const FieldKind& kind_;
  std::string_view text_;
};

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  std::string fields = lower(text);
  const auto begin = fields.find_first_not_of(" \t");
  if (begin != std::string::npos)
    fields = fields.substr(begin, fields.find_last_not_of(" \t") + 1 - begin);
  for (const Alias& alias : kAliases)
    if (fields == alias.name) fields = alias.fields;
  const auto parts = split(fields, " \t");
  if (parts.size() != kFields.size())
    return fail(ErrorKind::InvalidInput,
                fmt::format("the cron '{}' must have five fields: minute, hour, day of the month, "
                            "month, day of the week",
                            text))
        .with_hint("for example '0 4 * * *', each day at four");
  Cron cron;
  std::array<std::vector<int>, kFields.size()> values;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto parsed = FieldParser{kFields[i], parts[i]}.values();
    if (!parsed) return std::move(parsed).error();
    values[i] = std::move(*parsed);
  }
  for (const int value : values[0]) cron.minutes_.set(static_cast<std::size_t>(value));
  for (const int value : values[1]) cron.hours_.set(static_cast<std::size_t>(value));
  for (const int value : values[2]) cron.days_.set(static_cast<std::size_t>(value));
  for (const int value : values[3]) cron.months_.set(static_cast<std::size_t>(value));
  for (const int value : values[4]) cron.weekdays_.set(static_cast<std::size_t>(value % 7));
  cron.any_day_ = parts[2].front() == '*';
  cron.any_weekday_ = parts[4].front() == '*';
  return cron;
}

bool Cron::is_day(unsigned month, unsigned day, unsigned weekday) const {
  if (!months_[month]) return false;
  if (any_day_ || any_weekday_) return days_[day] && weekdays_[weekday];
  return days_[day] || weekdays_[weekday];
}

std::optional<UnixMillis> Cron::next(UnixMillis after, const std::string& zone) const {
  const auto* const clocks = date::locate_zone(zone);
  const date::sys_time<milliseconds> now{milliseconds{after}};
  // One day earlier, since a zone may leap over the end of a day.
  auto day = date::floor<date::days>(clocks->to_local(now)) - date::days{1};
  const auto end = day + kHorizon;
  for (; day < end; day += date::days{1}) {
    const date::year_month_day date{day};
    if (!is_day(unsigned{date.month()}, unsigned{date.day()}, date::weekday{day}.c_encoding()))
      continue;
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_[hour]) continue;
      for (std::size_t minute = 0; minute < minutes_.size(); ++minute) {
        if (!minutes_[minute]) continue;
        const auto local = day + std::chrono::hours{hour} + std::chrono::minutes{minute};
        // Both times of a doubled hour have the first one; those in a gap have its end.
        const auto at = clocks->to_sys(local, date::choose::earliest);
        if (at > now)
          return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
      }
    }
  }
  return std::nullopt;
}

Result<void> check_time_zone(const std::string& zone) {
  try {
    date::locate_zone(zone);
    return {};
  } catch (const std::runtime_error&) {
    return fail(ErrorKind::InvalidInput, fmt::format("'{}' is no time zone", zone))
        .with_hint("use a name like UTC, Europe/Berlin or Asia/Shanghai");
  }
}

}  // namespace slipway::server
