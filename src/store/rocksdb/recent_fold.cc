#include "store/rocksdb/recent_fold.h"

#include <rocksdb/write_batch.h>

#include <vector>

#include "core/try.h"
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

}  // namespace

Result<void> load_recent(const Database& database, RecentMonths& recent) {
  const std::unique_ptr<rocksdb::Iterator> blocks(
      database.db().NewIterator({}, database.family(Family::recent)));
  for (blocks->SeekToFirst(); blocks->Valid(); blocks->Next()) {
    const auto number = parse_recent_key(view_of(blocks->key()));
    if (!number) return fail(Errc::corrupt, "the store's list of recent days is damaged");
    METERLINE_CHECK(recent.add(*number, blocks->value().ToString()));
  }
  if (!blocks->status().ok()) return database_error("read the store", blocks->status());
  return {};
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

/// And lets the database forget its log, so that opening it stays quick.
Result<void> RecentFold::remove(const RecentMonths::Blocks& blocks) const {
  rocksdb::WriteBatch batch;
  for (const auto& [number, block] : blocks) {
    const auto status = batch.Delete(database_.family(Family::recent), recent_key(number));
    if (!status.ok()) return database_error("collect what was folded", status);
  }
  auto status = database_.db().Write({}, &batch);
  if (status.ok())
    status = database_.db().Flush(
        {}, {database_.family(Family::recent), database_.family(Family::deliveries),
             database_.family(Family::meters)});
  if (!status.ok()) return database_error("remove what was folded", status);
  return {};
}

}  // namespace meterline::store
