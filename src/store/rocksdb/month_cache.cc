#include "store/rocksdb/month_cache.h"

#include <utility>

namespace meterline::store {

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

}  // namespace meterline::store
