#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "query/tariff.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// More sums of bands than this in an answer are refused.
inline constexpr std::size_t band_totals_max = 120'000;

/// What `resolution` may be in this question: a day or coarser, or `total`.
inline constexpr std::string_view band_resolution_names =
    "day, week, month, quarter, year or total";

/// The span of one point of a series; `total` has no series.
struct BandResolution {
  std::optional<Resolution> span = Resolution::month;  ///< A day or coarser; empty: `total`.

  static std::optional<BandResolution> parse(std::string_view text);
  std::string_view text() const;
};

struct TimeOfUseQuestion {
  MeterId meter;
  DateRange dates;
  const Tariff& tariff;  ///< Must outlive the answer.
  BandResolution resolution;
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
  std::optional<Unit> unit = {};  ///< Tell channels of its quantity in it, see told_unit().
};

struct BandTotal {
  Total total;
  /// Of the readings, those of intervals that reach into another band: the sum has them whole.
  std::int64_t straddling = 0;
};

struct TimeOfUsePoint {
  Date day;                      ///< Where the span starts, cut off at the start of the question.
  std::vector<BandTotal> bands;  ///< As Tariff::bands.
};

struct ChannelTimeOfUse {
  Channel channel;
  Total total;
  std::vector<BandTotal> bands;        ///< As Tariff::bands; together they are the total.
  std::vector<TimeOfUsePoint> series;  ///< Ascending, without holes.
};

struct TimeOfUse {
  TimeOfUseQuestion question;
  std::vector<ChannelTimeOfUse> channels;  ///< Ascending by channel.
};

/// What a meter used in each band of a tariff, by the clock of each of its days: that of its time
/// zone, as it shows changes of the clock; without one, midnight and on. An interval belongs to the
/// band in which it begins. What is expected of days of which nothing is stored is as in
/// consumption(), and so is the total.
///
/// Errors: those of each_meter_day(); `too_large` beyond band_totals_max.
Result<TimeOfUse> time_of_use(const store::Store& store, const TimeOfUseQuestion& question,
                              StopFlag stop = nullptr);

}  // namespace meterline::query
