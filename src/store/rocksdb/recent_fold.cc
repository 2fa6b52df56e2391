#include "store/rocksdb/recent_fold.h"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <optional>
#include <vector>

#include "core/try.h"
#include "store/rocksdb/month_block.h"
#include "store/rocksdb/month_merge.h"
#include "store/rocksdb/sorted_files.h"

namespace meterline::store {
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
                                                           std::string_view block) {
  METERLINE_TRY(auto reader, RecentBlockReader::open(block));
  std::vector<MonthEntry> days;
  std::optional<std::uint32_t> known;
  for (;;) {
    METERLINE_TRY(const auto month, reader.next());
    if (!month) return std::optional<std::uint32_t>();
    METERLINE_CHECK(read_month_block(month->days, days));
    for (const auto& day : days) {
      if (day.delivery == known) continue;
      if (!table.find(day.delivery)) return std::optional(day.delivery);
      known = day.delivery;
    }
  }
}

}  // namespace

Result<std::int64_t> load_recent(Database& database, const DeliveryTable& table,
                                 RecentWithoutRecord without_record, RecentMonths& recent) {
  std::int64_t dropped = 0;
  rocksdb::WriteBatch removed;
  const std::unique_ptr<rocksdb::Iterator> blocks(
      database.db().NewIterator({}, database.family(Family::recent)));
  for (blocks->SeekToFirst(); blocks->Valid(); blocks->Next()) {
    const auto number = parse_recent_key(view_of(blocks->key()));
    if (!number) return fail(Errc::corrupt, "the store's list of recent days is damaged");
    METERLINE_TRY(const auto unknown, number_without_record(table, view_of(blocks->value())));
    if (!unknown) {
      METERLINE_CHECK(recent.add(*number, blocks->value().ToString()));
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
  for (const auto& [number, block] : blocks) METERLINE_CHECK(months.add(number, *block));
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
  rocksdb::WriteBatch batch;
  for (const auto& [number, block] : blocks) {
    const auto status = batch.Delete(database_.family(Family::recent), recent_key(number));
    if (!status.ok()) return database_error("collect what was folded", status);
  }
  return database_.write("remove what was folded", batch, false);
}

}  // namespace meterline::store
