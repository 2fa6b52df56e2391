#include "store/rocksdb/month_days.h"

#include <algorithm>
#include <bit>

#include "core/try.h"

namespace meterline::store {
namespace {

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged entry; restore it from the files");
}

}  // namespace

std::uint32_t days_in(Month month, const DateRange& dates) {
  const int first = month.first_day().days();
  const int from = std::max(0, dates.from.days() - first);
  const int to = std::min(month.days() - 1, dates.to.days() - first);
  if (from > to) return 0;
  return ((std::uint32_t{2} << to) - 1) & ~((std::uint32_t{1} << from) - 1);
}

Date day_of(Month month, std::uint32_t day) {
  return *Date::from_days(month.first_day().days() + std::int64_t{day});
}

Result<FoundDelivery> DeliveryLookup::find(std::uint32_t number) {
  if (last_ && number_ == number) return *last_;
  const auto entry = table_.find(number);
  if (!entry) return damaged();
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
    if (std::bit_width(layers_[i].bits.days()) > days) return damaged();
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

}  // namespace meterline::store
