#include "store/rocksdb/recent.h"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <iterator>

#include "core/try.h"
#include "store/bits.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {
namespace {

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a block of recent days is damaged"); }

}  // namespace

void RecentBlock::add(const RecentEntry& entry) {
  if (bytes_.empty()) bytes_ += static_cast<char>(format);
  const auto put = [this](std::string_view part, std::uint32_t& begin, std::uint32_t& end) {
    put_varint(part.size(), bytes_);
    begin = static_cast<std::uint32_t>(bytes_.size());
    bytes_ += part;
    end = static_cast<std::uint32_t>(bytes_.size());
  };
  Place& place = places_.emplace_back();
  put(entry.key, place.key, place.key_end);
  put(entry.days, place.days, place.days_end);
  put(entry.totals, place.totals, place.totals_end);
}

RecentEntry RecentBlock::at(const Place& place) const {
  const std::string_view bytes = bytes_;
  return {.key = bytes.substr(place.key, place.key_end - place.key),
          .days = bytes.substr(place.days, place.days_end - place.days),
          .totals = bytes.substr(place.totals, place.totals_end - place.totals)};
}

Result<RecentBlock> RecentBlock::read(std::string bytes) {
  if (bytes.empty() || bytes.size() > UINT32_MAX) return damaged();
  if (static_cast<unsigned char>(bytes[0]) != format)
    return fail(Errc::corrupt, "a block of recent days is in a format this program does not know");
  RecentBlock block;
  block.bytes_ = std::move(bytes);
  std::string_view rest = std::string_view(block.bytes_).substr(1);
  const auto take = [&](std::uint32_t& begin, std::uint32_t& end) {
    const auto part = take_sized(rest);
    end = static_cast<std::uint32_t>(block.bytes_.size() - rest.size());
    begin = end - static_cast<std::uint32_t>(part ? part->size() : 0);
    return part.has_value();
  };
  while (!rest.empty()) {
    Place& place = block.places_.emplace_back();
    if (!take(place.key, place.key_end) || !take(place.days, place.days_end) ||
        !take(place.totals, place.totals_end))
      return damaged();
    if (!parse_days_key(block.at(place).key))
      return fail(Errc::corrupt, "a block of recent days has a damaged key");
  }
  return block;
}

namespace {

void copy_entry(Family family, const RecentEntry& entry, EntryBuffer& found) {
  if (family == Family::days) return found.add(entry.key, entry.days);
  std::string key;
  totals_key_of(entry.key, key);
  found.add(key, entry.totals);
}

}  // namespace

void RecentMonths::note(const RecentBlock& block) {
  static_cast<void>(block.each([this](const RecentEntry& entry) -> Result<void> {
    const auto place = static_cast<std::uint32_t>(values_.size());
    Chain& chain = chains_[meter_month_of(entry.key)];
    values_.push_back({.entry = entry, .before = chain.count == 0 ? place : chain.last});
    chain.last = place;
    longest_ = std::max<std::size_t>(longest_, ++chain.count);
    months_.insert(month_of_days_key(entry.key));
    return {};
  }));
  bytes_ += block.bytes().size();
}

void RecentMonths::add(std::uint64_t number, std::shared_ptr<const RecentBlock> block) {
  const std::unique_lock lock(mutex_);
  if (next_number_ <= number) next_number_ = number + 1;
  note(*block);
  blocks_.emplace_back(number, std::move(block));
  std::sort(blocks_.begin(), blocks_.end());
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
  for (const auto& [number, block] : blocks_) note(*block);
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

namespace {

/// Visits what the entries hold, each key once.
template <class Visit>
Result<void> each_united(Family family, const EntryBuffer& sorted, const Visit& visit) {
  std::vector<std::string_view> values;
  std::string united;
  for (std::size_t i = 0; i < sorted.size();) {
    const auto key = sorted.key(i);
    values.clear();
    for (; i < sorted.size() && sorted.key(i) == key; ++i) values.push_back(sorted.value(i));
    METERLINE_CHECK(unite_values(family, values, united));
    METERLINE_CHECK(visit(key, united));
  }
  return {};
}

/// The first delivery number in the block that has no record.
Result<std::optional<std::uint32_t>> number_without_record(const DeliveryTable& table,
                                                           const RecentBlock& block) {
  std::vector<MonthEntry> days;
  std::optional<std::uint32_t> known;
  std::optional<std::uint32_t> unknown;
  METERLINE_CHECK(block.each([&](const RecentEntry& month) -> Result<void> {
    METERLINE_CHECK(read_month_block(month.days, days));
    for (const auto& day : days) {
      if (unknown || day.delivery == known) continue;
      known = day.delivery;
      if (!table.find(day.delivery)) unknown = day.delivery;
    }
    return {};
  }));
  return unknown;
}

}  // namespace

Result<std::int64_t> load_recent(Database& database, const DeliveryTable& table,
                                 RecentWithoutRecord without_record, RecentMonths& recent) {
  std::int64_t dropped = 0;
  ::rocksdb::WriteBatch removed;
  const std::unique_ptr<::rocksdb::Iterator> blocks(
      database.db().NewIterator({}, database.family(Family::recent)));
  for (blocks->SeekToFirst(); blocks->Valid(); blocks->Next()) {
    const auto number = parse_recent_key(view_of(blocks->key()));
    if (!number) return fail(Errc::corrupt, "the store's list of recent days is damaged");
    METERLINE_TRY(auto block, RecentBlock::read(blocks->value().ToString()));
    METERLINE_TRY(const auto unknown, number_without_record(table, block));
    if (!unknown) {
      recent.add(*number, std::make_shared<const RecentBlock>(std::move(block)));
      continue;
    }
    if (without_record == RecentWithoutRecord::refused)
      return fail(Errc::corrupt,
                  fmt::format("the store has days of delivery number {}, which was never "
                              "acknowledged; `meterline store repair` leaves them out",
                              *unknown));
    const auto status = removed.Delete(database.family(Family::recent), blocks->key());
    if (!status.ok()) return database_error("remove days without a delivery", status);
    ++dropped;
  }
  if (!blocks->status().ok()) return database_error("read the store", blocks->status());
  if (dropped > 0) METERLINE_CHECK(database.write("remove days without a delivery", removed, true));
  return dropped;
}

Result<void> RecentFold::make_room() {
  if (!recent_.is_full()) return {};
  const std::lock_guard lock(mutex_);
  return recent_.is_full() ? fold_locked() : Result<void>();
}

Result<void> RecentFold::fold() {
  const std::lock_guard lock(mutex_);
  return fold_locked();
}

Result<void> RecentFold::fold_locked() {
  const auto blocks = recent_.blocks();
  RecentMonths months(0);
  for (const auto& [number, block] : blocks) months.add(number, block);
  // Days must never be in tables while the record of their delivery is in the log only. And the
  // log is cut, so that opening stays quick.
  METERLINE_CHECK(database_.flush());
  METERLINE_CHECK(move(months));
  METERLINE_CHECK(remove(blocks));
  recent_.remove(blocks);
  return {};
}

Result<void> RecentFold::move(const RecentMonths& months) const {
  SortedFiles days(database_, Family::days, incoming_);
  SortedFiles totals(database_, Family::totals, incoming_);
  for (auto* files : {&days, &totals}) {
    EntryBuffer entries;
    months.of_all_meters(files->family(), all_months, entries);
    entries.sort();
    METERLINE_CHECK(each_united(
        files->family(), entries,
        [&](std::string_view key, std::string_view value) { return files->merge(key, value); }));
  }
  return take_in(database_, {&days, &totals});
}

Result<void> RecentFold::remove(const RecentMonths::Blocks& blocks) const {
  ::rocksdb::WriteBatch batch;
  for (const auto& [number, block] : blocks) {
    const auto status = batch.Delete(database_.family(Family::recent), recent_key(number));
    if (!status.ok()) return database_error("collect what was folded", status);
  }
  return database_.write("remove what was folded", batch, false);
}

}  // namespace meterline::store::rocksdb
