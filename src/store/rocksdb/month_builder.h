#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "store/rocksdb/month_days.h"
#include "store/store.h"

namespace meterline::store {

/// Makes a MonthOfMeters out of the months of all meters.
class MonthBuilder {
 public:
  explicit MonthBuilder(Month month) : month_(month) {}

  /// A meter's channels are neighbours.
  void add(const MeterMonth& of);
  MonthOfMeters take();
  /// Whether all totals fitted; if not, what take() gave is of no use.
  bool fits() const { return fits_; }

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
  void add_plain(const MonthDays& days, std::uint32_t day, ChannelState& channel,
                 ChannelMonth::Meter& meter);
  void add_total(const DayTotal& total, ChannelState& channel, ChannelMonth::Meter& meter);
  void add_to_sum(ChannelMonth::Day& day, const Sum& sum);

  const Month month_;
  std::vector<ChannelState> channels_;
  std::size_t last_ = 0;  ///< Of channels_.
  bool fits_ = true;
};

}  // namespace meterline::store
