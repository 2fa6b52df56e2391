#include "store/rocksdb/month_builder.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/try.h"
#include "store/resolve.h"

namespace meterline::store {
namespace {

constexpr std::uint32_t all_days = std::numeric_limits<std::uint32_t>::max();

/// Of a day of which `meter.stored` does not yet tell.
void note_day(std::uint32_t day, std::int64_t slots, TimeZone zone, ChannelMonth::Meter& meter) {
  if ((meter.stored >> day) == 0) meter.zone = zone;
  const auto count = static_cast<std::uint16_t>(slots);
  meter.slots_min = meter.slots_max == 0 ? count : std::min(meter.slots_min, count);
  meter.slots_max = std::max(meter.slots_max, count);
}

}  // namespace

Result<void> resolve_days(const Store& store, const DaysQuery& meter_and_time, Month month,
                          std::uint32_t days, const MeterTotalVisitor& visit) {
  if (days == 0) return {};
  DaysQuery query = meter_and_time;
  query.dates.from = day_of(month, static_cast<std::uint32_t>(std::countr_zero(days)));
  query.dates.to = day_of(month, static_cast<std::uint32_t>(std::bit_width(days) - 1));
  const int first = month.first_day().days();
  return read_resolved(store, query, [&](const ResolvedDay& day) -> Result<void> {
    if (!is_in(days, static_cast<std::uint32_t>(day.date.days() - first))) return {};
    METERLINE_TRY(const auto total, total_of(query.meter, day));
    return visit(total, day.interval);
  });
}

Result<void> MonthBuilder::add(const MonthKey& key, std::string_view value) {
  METERLINE_CHECK(days_.read(month_, value, all_days, deliveries_));
  if (days_.stored() == 0) return {};
  auto id = MeterId::parse(key.meter);
  if (!id) return fail(Errc::corrupt, "the store holds a damaged key; restore it from the files");
  ChannelState& channel = channel_of(key.channel);
  auto& meter = channel.month.meters.emplace_back();
  meter.meter = *std::move(id);
  for (auto days = days_.plain(); days != 0; days &= days - 1)
    add_plain(static_cast<std::uint32_t>(std::countr_zero(days)), channel, meter);
  meter.complete = meter.with_reading = meter.stored;
  return days_.plain() == days_.stored() ? Result<void>() : add_others(channel, meter);
}

Result<MonthOfMeters> MonthBuilder::take() {
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

void MonthBuilder::add_plain(std::uint32_t day, ChannelState& channel, ChannelMonth::Meter& meter) {
  auto& all = channel.month.days[day];
  const GridInfo& grid = days_.grid(day);
  const Run added{.mantissa = days_.mantissa(day), .exponent = grid.exponent};
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
  const CountedGrid& counted = days_.counted(day);
  all.quality.actual += grid.slots - counted.substituted - counted.estimated;
  all.quality.substituted += counted.substituted;
  all.quality.estimated += counted.estimated;
  all.version = std::max(all.version, std::optional(days_.version(day)));
  note_day(day, grid.slots, grid.zone, meter);
  meter.stored |= std::uint32_t{1} << day;
}

Result<void> MonthBuilder::add_others(ChannelState& channel, ChannelMonth::Meter& meter) {
  return resolve_days(store_, {.meter = meter.meter, .dates = {}}, month_,
                      days_.stored() & ~days_.plain(),
                      [&](const DayTotal& total, IntervalLength) -> Result<void> {
                        if (total.channel == channel.month.channel)
                          add_total(total, channel, meter);
                        return {};
                      });
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
