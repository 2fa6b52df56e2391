#include "store/rocksdb/month_builder.h"

#include <algorithm>
#include <bit>

namespace meterline::store {
namespace {

/// Of a day of which `meter.stored` does not yet tell.
void note_day(std::uint32_t day, std::int64_t slots, TimeZone zone, ChannelMonth::Meter& meter) {
  if ((meter.stored >> day) == 0) meter.zone = zone;
  const auto count = static_cast<std::uint16_t>(slots);
  meter.slots_min = meter.slots_max == 0 ? count : std::min(meter.slots_min, count);
  meter.slots_max = std::max(meter.slots_max, count);
}

}  // namespace

void MonthBuilder::add(const MeterMonth& of) {
  ChannelState& channel = channel_of(of.channel);
  auto& meter = channel.month.meters.emplace_back();
  meter.meter = of.meter;
  const MonthDays& plain = of.plain();
  for (auto days = plain.plain(); days != 0; days &= days - 1)
    add_plain(plain, static_cast<std::uint32_t>(std::countr_zero(days)), channel, meter);
  meter.complete = meter.with_reading = meter.stored;
  for (auto days = of.others().days(); days != 0; days &= days - 1)
    add_total(of.others().total(static_cast<std::uint32_t>(std::countr_zero(days))), channel,
              meter);
}

MonthOfMeters MonthBuilder::take() {
  MonthOfMeters out;
  for (auto& channel : channels_) {
    for (std::size_t day = 0; day < channel.month.days.size(); ++day) {
      const Run& run = channel.runs[day];
      add_to_sum(channel.month.days[day], Sum(run.mantissa, run.exponent));
    }
    channel.month.meters.shrink_to_fit();
    out.channels.push_back(std::move(channel.month));
  }
  channels_.clear();
  return out;
}

MonthBuilder::ChannelState& MonthBuilder::channel_of(const Channel& channel) {
  if (last_ < channels_.size() && channels_[last_].month.channel == channel)
    return channels_[last_];
  const auto found =
      std::find_if(channels_.begin(), channels_.end(),
                   [&](const ChannelState& state) { return state.month.channel == channel; });
  last_ = static_cast<std::size_t>(found - channels_.begin());
  if (found == channels_.end()) {
    auto& made = channels_.emplace_back();
    made.month.channel = channel;
    made.month.days.resize(static_cast<std::size_t>(month_.days()));
  }
  return channels_[last_];
}

void MonthBuilder::add_plain(const MonthDays& days, std::uint32_t day, ChannelState& channel,
                             ChannelMonth::Meter& meter) {
  auto& all = channel.month.days[day];
  const GridInfo& grid = days.grid(day);
  const Run added{.mantissa = days.mantissa(day), .exponent = grid.exponent};
  Run& run = channel.runs[day];
  std::int64_t sum = 0;
  if (run.exponent == added.exponent &&
      !__builtin_add_overflow(run.mantissa, added.mantissa, &sum)) {
    run.mantissa = sum;
  } else {
    add_to_sum(all, Sum(run.mantissa, run.exponent));
    run = added;
  }
  all.readings += grid.slots;
  all.expected += grid.slots;
  const CountedGrid& counted = days.counted(day);
  all.quality.actual += grid.slots - counted.substituted - counted.estimated;
  all.quality.substituted += counted.substituted;
  all.quality.estimated += counted.estimated;
  all.version = std::max(all.version, std::optional(days.version(day)));
  note_day(day, grid.slots, grid.zone, meter);
  meter.stored |= std::uint32_t{1} << day;
}

void MonthBuilder::add_total(const DayTotal& total, ChannelState& channel,
                             ChannelMonth::Meter& meter) {
  const auto day = static_cast<std::uint32_t>(total.date.days() - month_.first_day().days());
  const std::uint32_t bit = std::uint32_t{1} << day;
  auto& all = channel.month.days[day];
  all.readings += total.readings;
  all.expected += total.expected;
  all.quality.actual += total.quality.actual;
  all.quality.substituted += total.quality.substituted;
  all.quality.estimated += total.quality.estimated;
  all.quality.missing += total.quality.missing;
  note_day(day, total.expected, total.zone, meter);
  meter.stored |= bit;
  if (total.readings == total.expected) meter.complete |= bit;
  if (total.readings == 0) return;
  meter.with_reading |= bit;
  add_to_sum(all, total.sum);
  all.version = std::max(all.version, std::optional(total.version));
}

void MonthBuilder::add_to_sum(ChannelMonth::Day& day, const Sum& sum) {
  if (!day.sum.add(sum)) fits_ = false;
}

}  // namespace meterline::store
