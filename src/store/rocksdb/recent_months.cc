#include "store/rocksdb/recent_months.h"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "core/try.h"

namespace meterline::store {
namespace {

/// The entries of a block, each checked to be of use.
Result<std::vector<RecentEntry>> entries_of(std::string_view block) {
  std::vector<RecentEntry> entries;
  METERLINE_TRY(auto reader, RecentBlockReader::open(block));
  for (;;) {
    METERLINE_TRY(const auto entry, reader.next());
    if (!entry) return entries;
    if (!parse_days_key(entry->key))
      return fail(Errc::corrupt, "a block of recent days has a damaged key");
    entries.push_back(*entry);
  }
}

void copy_entry(Family family, const RecentEntry& entry, EntryBuffer& found) {
  if (family == Family::days) return found.add(entry.key, entry.days);
  std::string key;
  totals_key_of(entry.key, key);
  found.add(key, entry.totals);
}

}  // namespace

void RecentMonths::note(const RecentEntry& entry) {
  const auto place = static_cast<std::uint32_t>(values_.size());
  Chain& chain = chains_[meter_month_of(entry.key)];
  values_.push_back({.entry = entry, .before = chain.count == 0 ? place : chain.last});
  chain.last = place;
  longest_ = std::max<std::size_t>(longest_, ++chain.count);
  months_.insert(month_of_days_key(entry.key));
}

Result<void> RecentMonths::add(std::uint64_t number, std::string block) {
  const auto kept = std::make_shared<const std::string>(std::move(block));
  METERLINE_TRY(const auto entries, entries_of(*kept));
  const std::unique_lock lock(mutex_);
  if (next_number_ <= number) next_number_ = number + 1;
  blocks_.emplace_back(number, kept);
  std::sort(blocks_.begin(), blocks_.end());
  for (const auto& entry : entries) note(entry);
  bytes_ += kept->size();
  return {};
}

bool RecentMonths::is_full() const {
  const std::shared_lock lock(mutex_);
  return !blocks_.empty() && (bytes_ >= bytes_max_ || longest_ >= values_of_month_max);
}

RecentMonths::Blocks RecentMonths::blocks() const {
  const std::shared_lock lock(mutex_);
  return blocks_;
}

void RecentMonths::remove(const Blocks& blocks) {
  const std::unique_lock lock(mutex_);
  Blocks left;
  std::set_difference(blocks_.begin(), blocks_.end(), blocks.begin(), blocks.end(),
                      std::back_inserter(left));
  blocks_ = std::move(left);
  chains_.clear();
  values_.clear();
  months_.clear();
  longest_ = 0;
  bytes_ = 0;
  for (const auto& [number, block] : blocks_) {
    const auto entries = entries_of(*block);  // They were read before.
    for (const auto& entry : *entries) note(entry);
    bytes_ += block->size();
  }
}

template <class Visit>
void RecentMonths::each_of(std::string_view meter_month, const Visit& visit) const {
  const auto found = chains_.find(meter_month);
  if (found == chains_.end()) return;
  for (auto place = found->second.last;; place = values_[place].before) {
    visit(values_[place].entry);
    if (values_[place].before == place) return;
  }
}

void RecentMonths::find(std::string_view days_key, EntryBuffer& found) const {
  if (empty()) return;
  const std::shared_lock lock(mutex_);
  each_of(meter_month_of(days_key), [&](const RecentEntry& entry) {
    if (entry.key == days_key) found.add(entry.key, entry.days);
  });
}

void RecentMonths::of_meter(Family family, const MeterId& meter, MonthRange months,
                            EntryBuffer& found) const {
  if (empty()) return;
  const std::shared_lock lock(mutex_);
  for (auto month = months_.lower_bound(months.first);
       month != months_.end() && *month <= months.last; ++month)
    each_of(days_key_start(meter, *month),
            [&](const RecentEntry& entry) { copy_entry(family, entry, found); });
}

void RecentMonths::of_all_meters(Family family, MonthRange months, EntryBuffer& found) const {
  if (empty()) return;
  const std::shared_lock lock(mutex_);
  for (const auto& value : values_) {
    const Month month = month_of_days_key(value.entry.key);
    if (months.first <= month && month <= months.last) copy_entry(family, value.entry, found);
  }
}

}  // namespace meterline::store
