#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// More points than this in an answer are refused: ask for a shorter time or a coarser resolution.
inline constexpr std::size_t series_points_max = 120'000;

struct ConsumptionQuestion {
  MeterId meter;
  DateRange dates;
  Resolution resolution = Resolution::day;
  std::optional<std::string> channel;  ///< Only channels of this name.
  std::optional<Flow> flow;            ///< Only channels of this flow.
  std::optional<Instant> as_of;
  std::optional<Unit> unit = {};  ///< Tell channels of its quantity in it, see told_unit().
};

struct Point {
  Date day;        ///< Where the span starts, cut off at the start of the question.
  int minute = 0;  ///< Behind local midnight, for spans below a day.
  TimeZone zone;   ///< Of the day, for spans below a day.
  Total total;
};

struct ChannelConsumption {
  Channel channel;
  Total total;
  std::vector<Point> series;  ///< Without holes, ascending: a span without readings has no sum.
  /// What sources say of intervals, by place in the series; only for Resolution::interval.
  Notes notes;
};

struct Consumption {
  ConsumptionQuestion question;
  std::vector<ChannelConsumption> channels;  ///< Ascending by channel.
};

/// What a meter used. Readings of power do not add up (adds_up): each is told as an interval, and
/// whatever is longer has no sum. A channel without a stored day in the time asked for is in the
/// answer all the same, without a sum. A day of which nothing is stored is expected to have the
/// intervals of the day stored before it in the time asked for, else of the first one in it, else
/// of the channel's last, as many as the day has in that one's time zone.
///
/// Errors: `not_found` for an unknown meter, `invalid_argument` when `to` is before `from`,
/// `too_large` beyond series_points_max, before any of the series is made where it can be known.
Result<Consumption> consumption(const store::Store& store, const ConsumptionQuestion& question);

/// The exact sum of a meter's `consumption` flow on one day over all its channels of it, as the
/// first customer's contract asks; empty when no reading of that day is known. Units are never
/// mixed: where those channels differ in unit, only channels in the unit of the first one that
/// has a reading count.
Result<std::optional<Sum>> daily_sum(const store::Store& store, const MeterId& meter, Date date);

}  // namespace meterline::query
