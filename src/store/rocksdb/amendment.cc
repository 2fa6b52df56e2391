#include "store/rocksdb/amendment.h"

#include <rocksdb/write_batch.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/try.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/opened_store.h"

namespace meterline::store::rocksdb {
namespace {

/// What is written at a time.
constexpr std::size_t batch_bytes_max = 4 << 20;

/// What goes of one month of one channel of one meter: day (0 is the first), version, delivery.
using Going = std::set<std::tuple<std::uint32_t, Version, DeliveryId>>;

/// Tells which entries of a month go. Entries of one delivery and grid are neighbours.
class GoingEntries {
 public:
  GoingEntries(const DeliveryTable& table, const Going& going) : table_(table), going_(going) {}

  Result<bool> has(std::uint32_t day, std::uint32_t number, const GridInfo& grid) const {
    const auto* const entry = table_.find(number);
    if (entry == nullptr) return damaged_entry();
    return going_.contains({day, grid.version(entry->version), entry->id});
  }

 private:
  const DeliveryTable& table_;
  const Going& going_;
};

class Amending {
 public:
  Amending(const Amendment& amendment, const AmendParts& parts)
      : amendment_(amendment),
        database_(parts.database),
        table_(parts.table),
        known_(parts.known),
        fold_(parts.fold) {}

  Result<void> run() {
    METERLINE_CHECK(note_settings());
    if (!amendment_.days.empty()) METERLINE_CHECK(remove_days());
    METERLINE_CHECK(remove_reads());
    METERLINE_CHECK(unlist_meters());
    for (const auto& record : amendment_.records) METERLINE_CHECK(replace_record(record));
    METERLINE_CHECK(flush());
    return amendment_.traces == Traces::now ? remove_traces() : Result<void>();
  }

 private:
  Result<void> note_settings();
  Result<void> remove_days();
  Result<void> remove_reads();
  Result<void> unlist_meters();
  Result<void> replace_record(const DeliveryRecord& record);
  Result<void> remove_traces();

  Result<bool> get(Family family, std::string_view key, std::string& value) const;
  Result<void> rewrite_days(std::string_view key, const GoingEntries& going);
  Result<void> rewrite_totals(std::string_view key, const GoingEntries& going);
  Result<void> compact(Family family, std::string_view from, std::string_view to);
  void put(Family family, std::string_view key, std::string_view value) {
    note(batch_.Put(database_.family(family), slice_of(key), slice_of(value)));
  }
  void remove(Family family, std::string_view key) {
    note(batch_.Delete(database_.family(family), slice_of(key)));
  }
  void note(const ::rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
  }
  Result<void> flush_if_full() {
    return batch_.GetDataSize() < batch_bytes_max ? Result<void>() : flush();
  }
  Result<void> flush() {
    if (!status_.ok()) return database_error("collect what goes", status_);
    if (batch_.Count() == 0) return {};
    METERLINE_CHECK(database_.write("take versions out of the store", batch_, true));
    batch_.Clear();
    return {};
  }

  const Amendment& amendment_;
  Database& database_;
  DeliveryTable& table_;
  KnownMeters& known_;
  RecentFold& fold_;
  ::rocksdb::WriteBatch batch_;
  ::rocksdb::Status status_;
};

Result<bool> Amending::get(Family family, std::string_view key, std::string& value) const {
  const auto status = database_.db().Get({}, database_.family(family), slice_of(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return database_error("read the store", status);
  return true;
}

/// They are durable before anything goes.
Result<void> Amending::note_settings() {
  METERLINE_TRY(const auto before, load_settings(database_));
  StoreSettings after = before;
  METERLINE_CHECK(change_settings(amendment_, after));
  for (const auto& mark : amendment_.erased) put(Family::deliveries, erased_key(mark), "");
  for (const auto& mark : amendment_.allowed) remove(Family::deliveries, erased_key(mark));
  if (after.amended_at != before.amended_at)
    put(Family::deliveries, amended_key, time_bytes(*after.amended_at));
  return flush();
}

/// Recent days are folded into months before, so that each month has one place.
Result<void> Amending::remove_days() {
  METERLINE_CHECK(fold_.fold());
  std::map<std::string, Going> months;
  std::string key;
  for (const auto& [meter, channel, date, version, delivery] : amendment_.days) {
    const Month month = Month::of(date);
    days_key(meter, month, channel, key);
    const auto day = static_cast<std::uint32_t>(date.days() - month.first_day().days());
    months[key].emplace(day, version, delivery);
  }
  for (const auto& [month_key, going] : months) {
    const GoingEntries entries(table_, going);
    METERLINE_CHECK(rewrite_days(month_key, entries));
    totals_key_of(month_key, key);
    METERLINE_CHECK(rewrite_totals(key, entries));
    METERLINE_CHECK(flush_if_full());
  }
  return {};
}

Result<void> Amending::rewrite_days(std::string_view key, const GoingEntries& going) {
  std::string value;
  METERLINE_TRY(const bool is_there, get(Family::days, key, value));
  if (!is_there) return {};
  std::vector<MonthEntry> entries;
  std::vector<MonthEntry> left;
  METERLINE_CHECK(read_month_block(value, entries));
  for (const auto& entry : entries) {
    METERLINE_TRY(const auto grid, grid_info(entry.grid));
    METERLINE_TRY(const bool goes, going.has(entry.day, entry.delivery, grid));
    if (!goes) left.push_back(entry);
  }
  if (left.empty()) remove(Family::days, key);
  if (left.empty() || left.size() == entries.size()) return {};
  std::string rewritten;
  write_month_block(left, rewritten);
  put(Family::days, key, rewritten);
  return {};
}

Result<void> Amending::rewrite_totals(std::string_view key, const GoingEntries& going) {
  std::string value;
  METERLINE_TRY(const bool is_there, get(Family::totals, key, value));
  if (!is_there) return {};
  std::vector<GivenTotal> left;
  bool any_goes = false;
  TotalsLayer layer;
  METERLINE_TRY(auto layers, MonthTotals::open(value));
  for (;;) {
    METERLINE_TRY(const bool has_layer, layers.next(layer));
    if (!has_layer) break;
    METERLINE_TRY(const auto grid, read_counted_grid(layer.grid()));
    for (auto days = layer.days(); days != 0; days &= days - 1) {
      const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
      METERLINE_TRY(const bool goes, going.has(day, layer.delivery(day), grid.info));
      any_goes = any_goes || goes;
      if (goes) continue;
      left.push_back(
          {.grid = layer.grid(), .day = day, .delivery = layer.delivery(day), .total = {}});
      if (is_in(layer.plain(), day)) left.back().total = layer.total(day);
    }
  }
  if (left.empty()) remove(Family::totals, key);
  if (left.empty() || !any_goes) return {};
  std::string rewritten;
  write_month_totals(left, rewritten);
  put(Family::totals, key, rewritten);
  return {};
}

Result<void> Amending::remove_reads() {
  RegisterRead read;
  for (const auto& [meter, at, of, version, delivery] : amendment_.reads) {
    read.meter = meter;
    read.of = of;
    read.current.time.at = at;
    remove(Family::registers, registers_key(read, delivery));
    METERLINE_CHECK(flush_if_full());
  }
  return {};
}

/// What this process knows to be listed is forgotten: a delivery of theirs has to list them again.
Result<void> Amending::unlist_meters() {
  if (amendment_.meters.empty()) return {};
  for (const auto& meter : amendment_.meters) remove(Family::meters, meters_key(meter));
  METERLINE_CHECK(flush());
  known_.forget_entries();
  return {};
}

Result<void> Amending::replace_record(const DeliveryRecord& record) {
  std::string value;
  const auto key = delivery_key(record.delivery.id);
  METERLINE_TRY(const bool is_there, get(Family::deliveries, key, value));
  if (!is_there) return {};
  METERLINE_TRY(const auto before, decode_delivery(value));
  const auto source = source_key(record.delivery);
  if (const auto old = source_key(before.delivery); old != source) {
    remove(Family::deliveries, old);
    put(Family::deliveries, source, "");
  }
  put(Family::deliveries, key, encode_delivery(record.delivery, record.report, record.days));
  for (const auto& event : record.events)
    put(Family::deliveries, event_key(record.delivery.id, event), event.reason);
  return flush_if_full();
}

Result<void> Amending::compact(Family family, std::string_view from, std::string_view to) {
  ::rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = ::rocksdb::BottommostLevelCompaction::kForce;
  const auto begin = slice_of(from);
  const auto end = slice_of(to);
  const auto status =
      database_.db().CompactRange(options, database_.family(family),
                                  from.empty() ? nullptr : &begin, to.empty() ? nullptr : &end);
  if (!status.ok()) return database_error("write the store's tables anew", status);
  return {};
}

/// Of the large families, what holds the meters' keys; of the others all.
Result<void> Amending::remove_traces() {
  METERLINE_CHECK(fold_.fold());
  METERLINE_CHECK(database_.flush());
  for (const auto& meter : amendment_.meters) {
    METERLINE_CHECK(compact(Family::days, meter.text(), days_key_end(meter)));
    METERLINE_CHECK(compact(Family::registers, meter.text(), registers_key_end(meter)));
  }
  for (const auto family : {Family::totals, Family::deliveries, Family::meters, Family::recent})
    METERLINE_CHECK(compact(family, {}, {}));
  return {};
}

}  // namespace

Result<StoreSettings> load_settings(const Database& database) {
  StoreSettings settings;
  const std::unique_ptr<::rocksdb::Iterator> entries(
      database.db().NewIterator({}, database.family(Family::deliveries)));
  entries->Seek(slice_of(amended_key));
  if (entries->Valid() && view_of(entries->key()) == amended_key) {
    const auto at = time_of_bytes(view_of(entries->value()));
    if (!at) return damaged_entry();
    settings.amended_at = at;
  }
  for (entries->Seek(slice_of(erased_prefix)); entries->Valid(); entries->Next()) {
    const auto key = view_of(entries->key());
    if (!key.starts_with(erased_prefix)) break;
    settings.erased.emplace_back(key.substr(erased_prefix.size()));
  }
  METERLINE_CHECK(finished(*entries));
  return settings;
}

Result<void> amend_database(const Amendment& amendment, const AmendParts& parts) {
  return Amending(amendment, parts).run();
}

}  // namespace meterline::store::rocksdb
