#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "store/rocksdb/keys.h"
#include "store/rocksdb/month_days.h"
#include "store/store.h"

namespace meterline::store {

/// Resolves these days of a meter (bit 0 is the first of the month) from all that the store has of
/// them, and visits their totals in all channels by (date, channel).
Result<void> resolve_days(const Store& store, const DaysQuery& meter_and_time, Month month,
                          std::uint32_t days, const MeterTotalVisitor& visit);

/// Makes a MonthOfMeters out of the values of `totals`.
class MonthBuilder {
 public:
  /// `store` is asked for days that have no plain total.
  MonthBuilder(const Store& store, const DeliveryTable& table, Month month)
      : store_(store), deliveries_(table, Instant::end_of_time()), month_(month) {}

  /// A meter's channels are neighbours.
  Result<void> add(const MonthKey& key, std::string_view value);
  /// Whether all totals fitted; if not, what take() gives is of no use.
  bool fits() const { return fits_; }
  Result<MonthOfMeters> take();

 private:
  /// Totals of one day that share an exponent, summed in 64 bits as long as they fit.
  struct Run {
    std::int64_t mantissa = 0;
    std::int8_t exponent = 0;
  };
  struct ChannelState {
    ChannelMonth month;
    std::array<Run, month_days_max> runs;
  };
  ChannelState& channel_of(const Channel& channel);
  void add_plain(std::uint32_t day, ChannelState& channel, ChannelMonth::Meter& meter);
  Result<void> add_others(ChannelState& channel, ChannelMonth::Meter& meter);
  void add_total(const DayTotal& total, ChannelState& channel, ChannelMonth::Meter& meter);
  void add_to_sum(ChannelMonth::Day& day, const Sum& sum);

  const Store& store_;
  DeliveryLookup deliveries_;
  const Month month_;
  MonthDays days_;
  std::vector<ChannelState> channels_;
  std::size_t last_ = 0;  ///< Of channels_.
  bool fits_ = true;
};

}  // namespace meterline::store
