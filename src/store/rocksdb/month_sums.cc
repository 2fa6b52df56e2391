#include "store/rocksdb/month_sums.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/database.h"

namespace meterline::store::rocksdb {

Result<const FoundDelivery*> DeliveryLookup::find_other(std::uint32_t number) {
  const auto* const entry = table_.find(number);
  if (entry == nullptr) return damaged_entry();
  number_ = number;
  is_found_ = true;
  last_ = {.id = entry->id,
           .version = entry->version,
           .received = entry->version.received <= as_of_,
           .withdrawn = events_ && events_->is_withdrawn(entry->id, as_of_)};
  return &last_;
}

Result<void> MonthDays::read(Month month, std::string_view value, std::uint32_t wanted,
                             DeliveryLookup& deliveries) {
  clear();
  const int days = month.days();
  METERLINE_TRY(auto totals, MonthTotals::open(value));
  for (std::uint32_t i = 0;; ++i) {
    if (i == layers_.size()) layers_.emplace_back();
    METERLINE_TRY(const bool is_there, totals.next(layers_[i].bits));
    if (!is_there) return {};
    if (static_cast<int>(std::bit_width(layers_[i].bits.days())) > days) return damaged_entry();
    METERLINE_CHECK(read_grid(layers_[i]));
    METERLINE_CHECK(choose(i, wanted, deliveries));
  }
}

Result<void> MonthDays::read_grid(Layer& layer) {
  if (!layer.grid_bytes.empty() && layer.grid_bytes == layer.bits.grid()) return {};
  METERLINE_TRY(layer.grid, read_counted_grid(layer.bits.grid()));
  layer.grid_bytes = layer.bits.grid();
  return {};
}

Result<void> MonthDays::choose(std::uint32_t layer, std::uint32_t wanted,
                               DeliveryLookup& deliveries) {
  const TotalsLayer& bits = layers_[layer].bits;
  if ((bits.days() & wanted) == 0) return {};
  const GridInfo& grid = layers_[layer].grid.info;
  const auto only = bits.only_delivery();
  Version version;
  if (only) {
    METERLINE_TRY(const auto* const delivery, deliveries.find(*only));
    if (!delivery->counts()) return {};
    version = grid.version(delivery->version);
  }
  for (auto days = bits.days() & wanted; days != 0; days &= days - 1) {
    const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
    if (!only) {
      METERLINE_TRY(const auto* const delivery, deliveries.find(bits.delivery(day)));
      if (!delivery->counts()) continue;
      version = grid.version(delivery->version);
    }
    if (is_in(stored_, day) && !(newest_[day].version < version)) continue;
    newest_[day] = {.version = version, .layer = layer};
    const std::uint32_t bit = std::uint32_t{1} << day;
    stored_ |= bit;
    plain_ = is_in(bits.plain(), day) ? plain_ | bit : plain_ & ~bit;
  }
  return {};
}

void MonthDays::fill(std::uint32_t day, DayTotal& total) const {
  const GridInfo& info = grid(day);
  total.sum = Sum(mantissa(day), info.exponent);
  total.readings = info.slots;
  total.expected = info.slots;
  total.quality = counted(day).quality();
  total.version = version(day);
  total.zone = info.zone;
}

void OtherDays::add(std::uint32_t day, DayTotal&& total, IntervalLength interval) {
  days_ |= std::uint32_t{1} << day;
  if (total.readings == total.expected) complete_ |= std::uint32_t{1} << day;
  totals_.emplace_back(std::move(total), interval);
}

void MeterMonth::fill(std::uint32_t day, DayTotal& total) const {
  if (is_in(plain_.plain(), day)) return plain_.fill(day, total);
  total = others_.total(day);
}

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

std::optional<MonthCache::Value> MonthCache::find(Month month, std::uint64_t& ticket) {
  const std::scoped_lock lock(mutex_);
  ticket = changes_;
  const auto found = by_month_.find(month);
  if (found == by_month_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return entries_.front().value;
}

MonthCache::Value MonthCache::put(Month month, std::uint64_t ticket, MonthOfMeters&& made) {
  std::size_t bytes = bytes_of(made);
  Value value;
  if (bytes <= bytes_max_)
    value = std::make_shared<const MonthOfMeters>(std::move(made));
  else
    bytes = 0;

  const std::scoped_lock lock(mutex_);
  if (ticket != changes_) return value;
  if (const auto old = by_month_.find(month); old != by_month_.end()) drop(old->second);
  entries_.push_front({.month = month, .value = value, .bytes = bytes});
  by_month_[month] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > bytes_max_) drop(std::prev(entries_.end()));
  return value;
}

void MonthCache::forget(Month first, Month last) {
  const std::scoped_lock lock(mutex_);
  ++changes_;
  for (auto at = by_month_.lower_bound(first); at != by_month_.end() && at->first <= last;)
    drop((at++)->second);
}

void MonthCache::drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_month_.erase(entry->month);
  entries_.erase(entry);
}

std::size_t bytes_of(const MonthOfMeters& month) {
  constexpr std::size_t short_text_chars = 15;  // Without memory of its own.
  std::size_t bytes = sizeof(month);
  for (const auto& channel : month.channels) {
    bytes += sizeof(channel) + channel.days.size() * sizeof(channel.days[0]) +
             channel.meters.size() * sizeof(channel.meters[0]);
    for (const auto& meter : channel.meters)
      if (meter.meter.text().size() > short_text_chars) bytes += meter.meter.text().size() + 1;
  }
  return bytes;
}

}  // namespace meterline::store::rocksdb
