#include "formats/feed/zone_days.h"

#include "core/instant.h"

namespace meterline::formats {
namespace {

constexpr std::int64_t minute_micros = 60'000'000;

std::int64_t floor_days(std::int64_t minutes) {
  const std::int64_t days = minutes / ZoneDay::day_minutes;
  return minutes % ZoneDay::day_minutes < 0 ? days - 1 : days;
}

}  // namespace

ZoneDay::ZoneDay(TimeZone zone, Date date)
    : date_(date), midnight_(std::int64_t{date.days()} * day_minutes) {
  if (!zone.is_known()) return;
  minutes_ = zone.minutes_of(date);
  if (zone.is_fixed()) {
    midnight_ -= zone.offset_minutes();
    return;
  }
  if (const auto instant = Instant::parse(zone.label(date, 0)))
    midnight_ = instant->micros / minute_micros;
  if (!is_odd()) return;
  places_.resize(day_minutes + 1);
  for (int minute = 0; minute < minutes_; ++minute)
    places_.at(static_cast<std::size_t>(zone.shown_minute(date, minute))).push_back(minute);
  places_.back() = {minutes_};
}

const ZoneDay& ZoneDays::of(Date date) {
  if (last_ != days_.end() && last_->first == date) return last_->second;
  // Files mostly go on to the next day.
  if (last_ != days_.end()) ++last_;
  if (last_ != days_.end() && last_->first == date) return last_->second;
  if (days_.size() > days_max) days_.clear();
  last_ = days_.try_emplace(date, zone_, date).first;
  return last_->second;
}

std::optional<DayMinute> ZoneDays::at(std::int64_t utc_minutes) {
  // No zone is a day or more away from UTC, so the date is that of UTC or a neighbour of it.
  const std::int64_t days = floor_days(utc_minutes);
  for (const int step : {0, 1, -1}) {
    const auto date = Date::from_days(days + step);
    if (!date) continue;
    const auto& day = of(*date);
    const auto minute = utc_minutes - day.midnight();
    if (0 <= minute && minute < day.minutes())
      return DayMinute{.date = *date, .minute = static_cast<int>(minute)};
  }
  return std::nullopt;
}

std::optional<DayMinute> ZoneDays::before(DayMinute moment, int minutes) {
  if (moment.minute >= minutes) return DayMinute{moment.date, moment.minute - minutes};
  const auto date = Date::from_days(std::int64_t{moment.date.days()} - 1);
  if (!date) return std::nullopt;
  const int minute = of(*date).minutes() + moment.minute - minutes;
  return minute < 0 ? std::nullopt : std::optional(DayMinute{*date, minute});
}

std::optional<DayMinute> ZoneDays::normal(DayMinute moment) {
  const int minutes = of(moment.date).minutes();
  if (moment.minute < minutes) return moment;
  const auto date = Date::from_days(std::int64_t{moment.date.days()} + 1);
  return date ? std::optional(DayMinute{*date, moment.minute - minutes}) : std::nullopt;
}

}  // namespace meterline::formats
