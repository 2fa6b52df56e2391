#include "store/rocksdb/month_days.h"

#include <bit>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/database.h"

namespace meterline::store {

Result<FoundDelivery> DeliveryLookup::find(std::uint32_t number) {
  if (last_ && number_ == number) return *last_;
  const auto entry = table_.find(number);
  if (!entry) return damaged_entry();
  number_ = number;
  last_ = {.id = entry->id,
           .version = entry->version,
           .received = entry->version.received <= as_of_,
           .withdrawn = events_ && events_->is_withdrawn(entry->id, as_of_)};
  return *last_;
}

Result<void> MonthDays::read(Month month, std::string_view value, std::uint32_t wanted,
                             DeliveryLookup& deliveries) {
  clear();
  const auto days = static_cast<std::uint32_t>(month.days());
  METERLINE_TRY(auto totals, MonthTotals::open(value));
  for (std::uint32_t i = 0;; ++i) {
    if (i == layers_.size()) layers_.emplace_back();
    METERLINE_TRY(const bool is_there, totals.next(layers_[i].bits));
    if (!is_there) return {};
    if (std::bit_width(layers_[i].bits.days()) > days) return damaged_entry();
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
    METERLINE_TRY(const auto delivery, deliveries.find(*only));
    if (!delivery.counts()) return {};
    version = grid.version(delivery.version);
  }
  for (auto days = bits.days() & wanted; days != 0; days &= days - 1) {
    const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
    if (!only) {
      METERLINE_TRY(const auto delivery, deliveries.find(bits.delivery(day)));
      if (!delivery.counts()) continue;
      version = grid.version(delivery.version);
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

}  // namespace meterline::store
