#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "query/total.h"
#include "store/resolve.h"
#include "store/store.h"

namespace meterline::query {

/// Days of a meter, and of which of its channels.
struct MeterDaysQuestion {
  MeterId meter;
  DateRange dates;
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
};

/// One day of one channel; valid during a visit only.
struct MeterDay {
  const Channel& channel;
  Date date;
  IntervalLength interval;
  TimeZone zone;
  std::int64_t slots = 0;                      ///< Intervals of the day.
  const store::ResolvedDay* stored = nullptr;  ///< Null: nothing is stored of it.
};
using MeterDayVisitor = std::function<Result<void>(const MeterDay&)>;

/// Visits every day asked for of every channel of a meter, those of a channel ascending and without
/// holes, and returns these channels, ascending. A day of which nothing is stored has the interval
/// and zone that consumption() expects it to have; which channels there are is told as there, too.
/// An error from the visitor ends it and is returned.
/// Errors: `not_found` for an unknown meter, `invalid_argument` when `to` is before `from`,
/// `too_large` beyond 40 years.
Result<std::vector<Channel>> each_meter_day(const store::Store& store,
                                            const MeterDaysQuestion& question,
                                            const MeterDayVisitor& visit, StopFlag stop);

/// Tells `total`, which is as it was made, of one interval of a day; a reading that is missing is
/// expected. Inline and in place, as it is done for each reading that is shown.
inline void tell_of_slot(const store::ResolvedDay& day, std::size_t slot, Total& total) {
  total.expected = 1;
  switch (day.qualities[slot]) {
    case Quality::actual:
      total.quality.actual = 1;
      break;
    case Quality::substituted:
      total.quality.substituted = 1;
      break;
    case Quality::estimated:
      total.quality.estimated = 1;
      break;
    case Quality::missing:
      total.quality.missing = 1;
      return;
  }
  const auto& part = day.part(slot);
  total.sum.emplace(day.mantissas[slot], part.exponent);
  total.readings = 1;
  total.version = part.version;
}

inline Total total_of_slot(const store::ResolvedDay& day, std::size_t slot) {
  Total total;
  tell_of_slot(day, slot, total);
  return total;
}

}  // namespace meterline::query
