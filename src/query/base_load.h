#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "query/meter_days.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

struct ChannelBaseLoad {
  Channel channel;
  /// In base_unit(), rounded half to even to six decimals; empty without a complete day.
  std::optional<Sum> base;
  std::int64_t days = 0;       ///< That it rests on: those of which no reading is missing.
  std::int64_t intervals = 0;  ///< Of these days.
};

struct BaseLoad {
  MeterDaysQuestion question;
  std::vector<ChannelBaseLoad> channels;  ///< Ascending by channel.
};

/// The load that stands through, day and night: of each complete day the 2.5th percentile of the
/// mean loads of its intervals, and of these the mean. The percentile is that of the nearest rank:
/// of 48 half hours the second smallest. Source: P. Price, Methods for Analyzing Electric Load
/// Shape and its Variability, LBNL-3713E (2010), which calls it near-base load and takes it for the
/// smallest load, as that is often an outlier.
/// Errors: those of each_meter_day().
Result<BaseLoad> base_load(const store::Store& store, const MeterDaysQuestion& question,
                           StopFlag stop = nullptr);

/// The unit of loads of readings in `kept`: kW of kWh, m3/h of m3; empty where it is not known.
std::string_view base_unit(Unit kept);

}  // namespace meterline::query
