#include "formats/espi_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/date.h"
#include "core/instant.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::formats::espi {
namespace {

/// The years for which a zone must keep the rules. Those of North America are of 2007, and that
/// Newfoundland changes its clock at 2:00 is of 2011; the tz database is compiled up to 2037.
constexpr int year_first = 2012;
constexpr int year_last = 2037;

/// One of each clock that changes by rules of today.
constexpr std::array<std::string_view, 16> candidates = {
    "America/New_York",  "America/Chicago",    "America/Denver",   "America/Los_Angeles",
    "America/Anchorage", "America/Adak",       "America/Halifax",  "America/St_Johns",
    "Europe/London",     "Europe/Berlin",      "Europe/Athens",    "Atlantic/Azores",
    "Australia/Sydney",  "Australia/Adelaide", "Pacific/Auckland", "Pacific/Chatham"};

/// When the clock changes, as the clock shows it before. espi.xsd, DstRuleType.
struct Rule {
  int month = 0;
  int nth = 0;      ///< Occurrence of the weekday; 7: the last one; 1: on or after `day`; 0: `day`.
  int day = 0;      ///< Of the month.
  int weekday = 0;  ///< Monday is 1.
  int minute = 0;   ///< Of the day.
};

constexpr std::uint32_t no_rule = 0xFFFFFFFF;

std::optional<std::uint32_t> hex_of(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  constexpr std::size_t digits_max = 8;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    const char digit = lower(c);
    const bool is_decimal = '0' <= c && c <= '9';
    if (!is_decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(is_decimal ? c - '0' : digit - 'a' + 10);
  }
  return value;
}

/// Empty where the bits are no rule.
std::optional<Rule> rule_of(std::uint32_t bits) {
  const auto field = [bits](int from, std::uint32_t mask) {
    return static_cast<int>((bits >> from) & mask);
  };
  const int seconds = field(0, 0xFFF);
  const int hour = field(12, 0x1F);
  const Rule rule{.month = field(28, 0xF),
                  .nth = field(25, 0x7),
                  .day = field(20, 0x1F),
                  .weekday = field(17, 0x7),
                  .minute = hour * 60 + seconds / 60};
  const bool has_time = hour < 24 && seconds < 3600 && seconds % 60 == 0;
  const bool needs_day = rule.nth < 2;
  const bool needs_weekday = rule.nth > 0;
  if (!has_time || rule.month < 1 || rule.month > 12 || (needs_day && rule.day == 0) ||
      (needs_weekday && rule.weekday == 0))
    return std::nullopt;
  return rule;
}

/// Monday is 1.
int weekday_of(Date date) {
  constexpr int thursday = 4;  // 1970-01-01.
  const int days = (date.days() + thursday - 1) % 7;
  return (days + 7) % 7 + 1;
}

std::optional<Date> date_of(const Rule& rule, int year) {
  const auto first = Date::from_civil({.year = year, .month = rule.month, .day = 1});
  if (rule.nth == 0) return Date::from_civil({.year = year, .month = rule.month, .day = rule.day});
  constexpr int last = 7;
  const int from = rule.nth == 1      ? rule.day
                   : rule.nth == last ? Month::of(*first).days() - 6
                                      : (rule.nth - 2) * 7 + 1;
  const auto begin = Date::from_civil({.year = year, .month = rule.month, .day = from});
  if (!begin) return std::nullopt;
  return Date::from_days(begin->days() + (rule.weekday - weekday_of(*begin) + 7) % 7);
}

/// A clock that is described.
struct Clock {
  int offset_minutes = 0;
  int saving_minutes = 0;  ///< 0: it never changes.
  Rule start;
  Rule end;
};

Instant midnight(TimeZone zone, Date date) { return *Instant::parse(zone.label(date, 0)); }

Instant midnight_at(int offset_minutes, Date date) {
  constexpr std::int64_t minute_micros = std::int64_t{60} * 1'000'000;
  return {(std::int64_t{date.days()} * 24 * 60 - offset_minutes) * minute_micros};
}

/// Whether the zone's clock goes by `minutes` in the day of the rule, at its time, from `offset`
/// on.
bool changes(TimeZone zone, const Rule& rule, int year, int offset, int minutes) {
  const auto date = date_of(rule, year);
  constexpr int day_minutes = 24 * 60;
  return date && midnight(zone, *date) == midnight_at(offset, *date) &&
         zone.minutes_of(*date) == day_minutes - minutes && rule.minute > 0 &&
         zone.shown_minute(*date, rule.minute - 1) == rule.minute - 1 &&
         zone.shown_minute(*date, rule.minute) == rule.minute + minutes;
}

bool has_clock(TimeZone zone, const Clock& clock) {
  if (!zone.is_known()) return false;
  const auto from = Date::from_civil({.year = year_first, .month = 1, .day = 1});
  const auto to = Date::from_civil({.year = year_last, .month = 12, .day = 31});
  const auto odd_days = zone.odd_days({.from = *from, .to = *to});
  if (clock.saving_minutes == 0)
    return odd_days.empty() && midnight(zone, *from) == midnight_at(clock.offset_minutes, *from);
  constexpr std::size_t changes_count = std::size_t{2} * (year_last - year_first + 1);
  if (odd_days.size() != changes_count) return false;
  const int summer = clock.offset_minutes + clock.saving_minutes;
  for (int year = year_first; year <= year_last; ++year)
    if (!changes(zone, clock.start, year, clock.offset_minutes, clock.saving_minutes) ||
        !changes(zone, clock.end, year, summer, -clock.saving_minutes))
      return false;
  return true;
}

Result<Clock> clock_of(const LocalTime& local) {
  const auto refuse = [](std::string_view what, std::string_view text) {
    return fail(Errc::invalid_argument, fmt::format("{} \"{}\" is none", what, text));
  };
  const auto offset = number_of(local.tz_offset);
  if (!offset || *offset % 60 != 0 || std::abs(*offset) > time_zone_offset_minutes_max * 60)
    return refuse("tzOffset", local.tz_offset);
  Clock clock{.offset_minutes = static_cast<int>(*offset / 60)};
  if (local.dst_offset.empty() && local.dst_start.empty()) return clock;
  const auto saving = number_of(local.dst_offset);
  constexpr int saving_max = 2 * 60 * 60;
  if (!saving || *saving % 60 != 0 || *saving < 0 || *saving > saving_max)
    return refuse("dstOffset", local.dst_offset);
  const auto start = hex_of(local.dst_start);
  const auto end = hex_of(local.dst_end);
  if (*saving == 0 || (start == no_rule && end == no_rule)) return clock;
  const auto start_rule = start ? rule_of(*start) : std::nullopt;
  const auto end_rule = end ? rule_of(*end) : std::nullopt;
  if (!start_rule) return refuse("dstStartRule", local.dst_start);
  if (!end_rule) return refuse("dstEndRule", local.dst_end);
  clock.saving_minutes = static_cast<int>(*saving / 60);
  clock.start = *start_rule;
  clock.end = *end_rule;
  return clock;
}

}  // namespace

Result<TimeZone> zone_of(const LocalTime& local, TimeZone preferred) {
  METERLINE_TRY(const auto clock, clock_of(local));
  if (has_clock(preferred, clock)) return preferred;
  if (clock.saving_minutes == 0) return TimeZone::of_offset(clock.offset_minutes);
  for (const auto name : candidates) {
    const auto zone = TimeZone::parse(name);
    if (zone && has_clock(*zone, clock)) return *zone;
  }
  return fail(Errc::invalid_argument,
              fmt::format("no zone that is known changes its clock by the rules {} and {} of "
                          "tzOffset {}",
                          local.dst_start, local.dst_end, local.tz_offset));
}

}  // namespace meterline::formats::espi
