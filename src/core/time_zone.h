#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "core/date.h"
#include "core/instant.h"
#include "core/result.h"

namespace meterline {

inline constexpr std::size_t time_zone_name_chars_max = 40;
inline constexpr int time_zone_offset_minutes_max = 16 * 60 - 1;  ///< Either way.

/// A local day that has not 24 hours.
struct OddDay {
  Date date;
  /// From its midnight to the next one, rounded up; 0 for a day that the zone left out. A midnight
  /// that the clock left out is the moment in which it did; of two, the first.
  std::int32_t minutes = 0;
};

/// A local day from its midnight to the next one, as in OddDay.
struct LocalDay {
  Date date;
  Instant start;
  Instant end;  ///< Behind the day.
};

/// The clock that local days are counted by: a fixed offset from UTC, a named zone of the tz
/// database (https://www.iana.org/time-zones), or nobody knows. As big as a pointer.
///
/// Threads: immutable; every function may be called from many threads at once.
class TimeZone {
 public:
  constexpr TimeZone() = default;  ///< Unknown: every day has 24 hours.

  /// `UTC` or `Z`, an offset like `+10:00` (to 15:59), or a name like `Europe/London`, as this
  /// machine's tz database has it (TZDIR, or /usr/share/zoneinfo).
  /// Errors: `invalid_argument`, with what is wanted.
  static Result<TimeZone> parse(std::string_view text);
  /// `minutes` east of UTC, at most time_zone_offset_minutes_max either way.
  static TimeZone of_offset(int minutes);

  bool is_known() const { return rules_ != nullptr; }
  bool is_fixed() const;       ///< An offset.
  int offset_minutes() const;  ///< Of one that is_fixed().
  /// `UTC`, `+10:00`, `Europe/London`; empty where it is unknown. parse() reads it.
  std::string_view text() const;

  /// Its days within the range that have not 24 hours, ascending.
  std::span<const OddDay> odd_days(DateRange range) const;
  std::int32_t minutes_of(Date date) const;

  /// The day in which a time lies; empty where that is no Date. The zone must be known.
  std::optional<LocalDay> day_at(Instant at) const;

  /// The minute of the day, 0 to 1439, that the clock shows `minute` minutes behind the midnight
  /// that begins the day.
  int shown_minute(Date date, int minute) const;
  /// `minute` minutes behind the midnight that begins the day, as the clock shows it then with the
  /// offset (RFC 3339): `2024-10-27T01:00:00+01:00`. Where the zone is unknown, without offset,
  /// and counting on beyond 24 hours.
  std::string label(Date date, int minute) const;

  bool operator==(const TimeZone&) const = default;
  friend std::ostream& operator<<(std::ostream& out, TimeZone zone) { return out << zone.text(); }

 private:
  struct Rules;
  static Result<TimeZone> named(std::string_view name);
  explicit TimeZone(const Rules* rules) : rules_(rules) {}

  const Rules* rules_ = nullptr;  ///< One for each text, for good.
};

/// Intervals of a day of so many minutes: a last part of one counts.
constexpr std::int64_t slots_in(std::int64_t minutes, int interval_minutes) {
  return (minutes + interval_minutes - 1) / interval_minutes;
}

/// The release of this machine's tz database, `2024a`; `unknown` where it does not say.
std::string tz_database_version();

}  // namespace meterline
