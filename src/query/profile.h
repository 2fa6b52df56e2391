#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/consumption.h"

namespace meterline::query {

/// What a time of the day has on the days of one kind.
struct TimeOfDayMean {
  std::int64_t count = 0;      ///< Days that have it whole.
  std::optional<Sum> average;  ///< Rounded half to even to six decimals; empty without any.
};

struct ProfilePoint {
  int minute = 0;  ///< Of the day, 0 to 1439, as the clock shows it.
  TimeOfDayMean weekday;
  TimeOfDayMean weekend;  ///< Saturdays and Sundays.
};

struct ChannelProfile {
  Channel channel;
  TimeOfDayMean all;                 ///< Of every point of the time asked for.
  std::optional<Point> peak;         ///< The largest, the first of several; with a sum.
  std::optional<Point> lowest;       ///< The smallest, likewise.
  std::optional<Sum> load_factor;    ///< Average by peak, to six decimals; for a peak above 0.
  std::vector<ProfilePoint> points;  ///< Ascending; those of which some day has a reading.
};

struct Profile {
  ConsumptionQuestion question;
  std::vector<ChannelProfile> channels;  ///< Ascending by channel.
};

/// What a day of a meter looks like: the mean of each hour, or interval, of the day, how large the
/// largest was and when. Only what is whole counts: an hour that lacks a reading is left out. Where
/// a clock shows an hour twice, both are of that hour. Readings that do not add up (adds_up) have
/// profiles of intervals only.
///
/// Errors: those of consumption(); `invalid_argument` for a resolution of a day or coarser, and
/// for `interval` where a channel's intervals were not always of one length.
Result<Profile> profile(const store::Store& store, const ConsumptionQuestion& question);

}  // namespace meterline::query
