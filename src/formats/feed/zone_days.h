#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/date.h"
#include "core/time_zone.h"

namespace meterline::formats {

/// A moment of a local day.
struct DayMinute {
  Date date;
  int minute = 0;  ///< Behind its midnight.

  bool operator==(const DayMinute&) const = default;
};

/// A local day and its clock. A day of a zone that nobody knows has 24 hours.
class ZoneDay {
 public:
  ZoneDay(TimeZone zone, Date date);

  Date date() const { return date_; }
  int minutes() const { return minutes_; }
  bool is_odd() const { return minutes_ != day_minutes; }
  /// UTC, in minutes since 1970. Not where the zone is unknown.
  std::int64_t midnight() const { return midnight_; }
  /// Of a day that is_odd(): the minutes behind midnight at which the clock shows the minute
  /// `shown` of the day, 0 to 1440: none, one, or two.
  const std::vector<int>& places_of(int shown) const {
    return places_.at(static_cast<std::size_t>(shown));
  }

  static constexpr int day_minutes = 24 * 60;

 private:
  Date date_;
  int minutes_ = day_minutes;
  std::int64_t midnight_ = 0;
  std::vector<std::vector<int>> places_;  ///< By what the clock shows; of odd days only.
};

/// The days of a zone, each looked up once.
class ZoneDays {
 public:
  explicit ZoneDays(TimeZone zone) : zone_(zone) {}
  ZoneDays(const ZoneDays&) = delete;  // last_ is of days_.
  ZoneDays& operator=(const ZoneDays&) = delete;

  TimeZone zone() const { return zone_; }
  const ZoneDay& of(Date date);
  /// Where a moment is, in minutes since 1970-01-01T00:00Z; of an unknown zone, in UTC. Empty
  /// outside the range of dates.
  std::optional<DayMinute> at(std::int64_t utc_minutes);
  /// `minutes` before a moment of a day, which may be the day before.
  std::optional<DayMinute> before(DayMinute moment, int minutes);
  /// The moment at the end of a day is the midnight of the next one.
  std::optional<DayMinute> normal(DayMinute moment);

 private:
  static constexpr std::size_t days_max = 4096;

  TimeZone zone_;
  std::map<Date, ZoneDay> days_;
  std::map<Date, ZoneDay>::const_iterator last_ = days_.end();  ///< What was asked for before.
};

}  // namespace meterline::formats
