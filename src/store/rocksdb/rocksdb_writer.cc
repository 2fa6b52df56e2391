#include "store/rocksdb/rocksdb_writer.h"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/try.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meter_list.h"
#include "store/rocksdb/month_block.h"
#include "store/rocksdb/month_totals.h"
#include "store/rocksdb/sorted_files.h"
#include "store/write_order.h"

namespace meterline::store {
namespace {

/// Up to here a delivery goes through the log; beyond, its sorted files cost less.
constexpr std::size_t batch_bytes_max = 4 << 20;
/// Totals are ordered by month, days by meter: so many bytes of totals are sorted at a time.
constexpr std::size_t totals_bytes_max = 8 << 20;

/// A change of the deliveries family: a value, or none to remove the key.
using RecordChange = std::pair<std::string, std::optional<std::string>>;

/// Where `value` stands in `values`, of which there are few; added if it is new.
template <class Value, class Kept>
std::size_t place_of(const Value& value, std::vector<Kept>& values) {
  if (!values.empty() && values.back() == value) return values.size() - 1;
  const auto found = std::find(values.begin(), values.end(), value);
  if (found != values.end()) return static_cast<std::size_t>(found - values.begin());
  values.emplace_back(value);
  return values.size() - 1;
}

class RocksdbWriter final : public DeliveryWriter {
 public:
  RocksdbWriter(std::span<const Delivery> deliveries, Database& database, DeliveryTable& table,
                KnownMeters& known, const std::filesystem::path& incoming)
      : deliveries_(deliveries.begin(), deliveries.end()),
        order_(deliveries.size()),
        database_(database),
        day_files_(database, Family::days, incoming),
        total_files_(database, Family::totals, incoming),
        record_files_(database, Family::deliveries, incoming),
        meters_(database, known, incoming) {
    for (const auto& delivery : deliveries_) numbers_.push_back(table.number_of(delivery));
  }

  Result<void> add(const DayToStore& day) override;
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override;

 private:
  /// Channel and grid are places in channels_ and grids_.
  struct PendingDay {
    std::size_t channel;
    std::size_t grid;
    std::uint32_t day;  ///< 0 is the first of the month.
    std::uint32_t delivery;
    std::size_t body_at;
    std::size_t body_bytes;
    std::optional<std::int64_t> total;
  };

  void begin_month(const DayToStore& day);
  Result<void> flush_month();
  Result<void> flush_channel(std::size_t channel);
  Result<void> emit_days(std::string_view key, std::string_view value);
  Result<void> emit_totals(std::string_view key, std::string_view value);
  Result<void> flush_totals();
  Result<std::vector<RecordChange>> record_changes(std::span<const DeliveryReport> reports) const;
  Result<void> change_record(std::size_t delivery, const DeliveryReport& report,
                             std::vector<RecordChange>& changes) const;
  Result<void> commit_batch(const std::vector<RecordChange>& changes);
  Result<void> commit_files(const std::vector<RecordChange>& changes);

  const std::vector<Delivery> deliveries_;
  WriteOrder order_;
  Database& database_;
  std::vector<std::uint32_t> numbers_;  ///< Of the deliveries, in this store.

  MeterId meter_;  ///< Of the days that are pending; empty before the first.
  Month month_;
  std::int32_t month_begin_ = 0;  ///< Days since 1970, up to before month_end_.
  std::int32_t month_end_ = 0;
  std::vector<PendingDay> pending_;
  std::vector<Channel> channels_;  ///< Of the pending days.
  std::vector<std::string> grids_;
  std::string bodies_;

  // Used by flush_channel(), and kept for their memory.
  std::vector<MonthEntry> day_entries_;
  std::vector<GivenTotal> total_entries_;
  std::string key_;
  std::string value_;

  EntryBuffer days_;  ///< Until they are too many for a batch; then they go to day_files_.
  EntryBuffer totals_;
  bool uses_files_ = false;
  SortedFiles day_files_;
  SortedFiles total_files_;
  SortedFiles record_files_;
  MeterList meters_;
};

void RocksdbWriter::begin_month(const DayToStore& day) {
  meter_ = day.meter;
  month_ = Month::of(day.date);
  month_begin_ = month_.first_day().days();
  month_end_ = month_begin_ + month_.days();
}

Result<void> RocksdbWriter::add(const DayToStore& day) {
  METERLINE_CHECK(order_.check(day));
  METERLINE_TRY(const auto parts, split_packed_day(day.packed));
  const bool is_in_month =
      month_begin_ <= day.date.days() && day.date.days() < month_end_ && day.meter == meter_;
  if (!pending_.empty() && !is_in_month) METERLINE_CHECK(flush_month());
  if (pending_.empty()) begin_month(day);
  pending_.push_back({.channel = place_of(day.channel, channels_),
                      .grid = place_of(parts.grid, grids_),
                      .day = static_cast<std::uint32_t>(day.date.days() - month_begin_),
                      .delivery = numbers_[day.delivery],
                      .body_at = bodies_.size(),
                      .body_bytes = parts.body.size(),
                      .total = day.plain_total});
  bodies_ += parts.body;
  return {};
}

Result<void> RocksdbWriter::flush_month() {
  std::vector<std::size_t> order(channels_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return channels_[a] < channels_[b]; });
  for (const auto channel : order) METERLINE_CHECK(flush_channel(channel));
  pending_.clear();
  channels_.clear();
  grids_.clear();
  bodies_.clear();
  return {};
}

/// Writes the days of one channel of the month.
Result<void> RocksdbWriter::flush_channel(std::size_t channel) {
  day_entries_.clear();
  total_entries_.clear();
  const std::string_view bodies = bodies_;
  for (const auto& day : pending_) {
    if (day.channel != channel) continue;
    const std::string_view grid = grids_[day.grid];
    day_entries_.push_back({.grid = grid,
                            .day = day.day,
                            .delivery = day.delivery,
                            .body = bodies.substr(day.body_at, day.body_bytes)});
    total_entries_.push_back(
        {.grid = grid, .day = day.day, .delivery = day.delivery, .total = day.total});
  }
  value_.clear();
  days_key(meter_, month_, channels_[channel], key_);
  write_month_block(day_entries_, value_);
  METERLINE_CHECK(emit_days(key_, value_));
  value_.clear();
  totals_key(meter_, month_, channels_[channel], key_);
  write_month_totals(total_entries_, value_);
  METERLINE_CHECK(emit_totals(key_, value_));
  return meters_.add(meter_, channels_[channel]);
}

Result<void> RocksdbWriter::emit_days(std::string_view key, std::string_view value) {
  if (uses_files_) return day_files_.merge(key, value);
  days_.add(key, value);
  if (days_.bytes() < batch_bytes_max) return {};
  uses_files_ = true;
  auto moved =
      days_.each([&](std::string_view k, std::string_view v) { return day_files_.merge(k, v); });
  days_.clear();
  return moved;
}

Result<void> RocksdbWriter::emit_totals(std::string_view key, std::string_view value) {
  totals_.add(key, value);
  return totals_.bytes() < totals_bytes_max ? Result<void>() : flush_totals();
}

Result<void> RocksdbWriter::flush_totals() {
  uses_files_ = true;
  totals_.sort();
  METERLINE_CHECK(totals_.each([&](std::string_view key, std::string_view value) {
    return total_files_.merge(key, value);
  }));
  totals_.clear();
  return total_files_.finish_file();
}

/// What the deliveries family must become for one delivery.
Result<void> RocksdbWriter::change_record(std::size_t delivery, const DeliveryReport& report,
                                          std::vector<RecordChange>& changes) const {
  const Delivery& now = deliveries_[delivery];
  std::string before;
  const auto id_key = delivery_key(now.id);
  const auto status = database_.db().Get(rocksdb::ReadOptions(),
                                         database_.family(Family::deliveries), id_key, &before);
  if (!status.ok() && !status.IsNotFound()) return database_error("read a delivery", status);
  if (status.ok()) {
    METERLINE_TRY(const auto record, decode_delivery(before));
    changes.emplace_back(time_key(record.delivery), std::nullopt);
    changes.emplace_back(source_key(record.delivery), std::nullopt);
  }
  const DeliveryTable::Entry entry{.id = now.id, .version = now.version()};
  changes.emplace_back(id_key, encode_delivery(now, report));
  changes.emplace_back(number_key(numbers_[delivery]), DeliveryTable::encode(entry));
  changes.emplace_back(time_key(now), "");
  changes.emplace_back(source_key(now), "");
  return {};
}

/// What the deliveries family must become, ascending by key.
Result<std::vector<RecordChange>> RocksdbWriter::record_changes(
    std::span<const DeliveryReport> reports) const {
  std::vector<RecordChange> changes;
  for (std::size_t i = 0; i < deliveries_.size(); ++i)
    METERLINE_CHECK(change_record(i, reports[i], changes));
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Of a key that is both removed and written, the writing came later and counts.
  const auto last = std::unique(changes.rbegin(), changes.rend(),
                                [](const auto& a, const auto& b) { return a.first == b.first; });
  changes.erase(changes.begin(), last.base());
  return changes;
}

Result<void> RocksdbWriter::commit_batch(const std::vector<RecordChange>& changes) {
  rocksdb::WriteBatch batch;
  const auto merge_into = [&](Family family) {
    return [&batch, handle = database_.family(family)](std::string_view key,
                                                       std::string_view value) -> Result<void> {
      const auto status = batch.Merge(handle, slice_of(key), slice_of(value));
      if (!status.ok()) return database_error("collect a delivery", status);
      return {};
    };
  };
  METERLINE_CHECK(days_.each(merge_into(Family::days)));
  METERLINE_CHECK(totals_.each(merge_into(Family::totals)));
  METERLINE_CHECK(meters_.entries().each(merge_into(Family::meters)));
  auto* const records = database_.family(Family::deliveries);
  for (const auto& [key, value] : changes) {
    const auto status = value ? batch.Put(records, key, *value) : batch.Delete(records, key);
    if (!status.ok()) return database_error("collect a delivery", status);
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = database_.db().Write(durable, &batch);
  if (!status.ok()) return database_error("write a delivery", status);
  return {};
}

Result<void> RocksdbWriter::commit_files(const std::vector<RecordChange>& changes) {
  METERLINE_CHECK(days_.each(
      [&](std::string_view key, std::string_view value) { return day_files_.merge(key, value); }));
  METERLINE_CHECK(flush_totals());
  METERLINE_CHECK(meters_.move_to_files());
  for (const auto& [key, value] : changes)
    METERLINE_CHECK(value ? record_files_.put(key, *value) : record_files_.remove(key));

  std::vector<rocksdb::IngestExternalFileArg> arguments;
  for (auto* files : {&day_files_, &total_files_, &record_files_, &meters_.files()}) {
    METERLINE_CHECK(files->finish_file());
    if (files->files().empty()) continue;
    rocksdb::IngestExternalFileArg argument;
    argument.column_family = database_.family(files->family());
    argument.external_files = files->files();
    argument.options.move_files = true;
    argument.options.write_global_seqno = false;
    arguments.push_back(argument);
  }
  const auto status = database_.db().IngestExternalFiles(arguments);
  if (!status.ok()) return database_error("take a delivery into the store", status);
  return {};
}

Result<void> RocksdbWriter::commit(std::span<const DeliveryReport> reports) {
  METERLINE_CHECK(order_.check(reports));
  METERLINE_CHECK(flush_month());
  METERLINE_CHECK(meters_.finish());
  METERLINE_TRY(const auto changes, record_changes(reports));
  METERLINE_CHECK(uses_files_ || meters_.uses_files() ? commit_files(changes)
                                                      : commit_batch(changes));
  meters_.committed();
  return {};
}

}  // namespace

std::unique_ptr<DeliveryWriter> make_rocksdb_writer(std::span<const Delivery> deliveries,
                                                    Database& database, DeliveryTable& table,
                                                    KnownMeters& known,
                                                    const std::filesystem::path& incoming) {
  return std::make_unique<RocksdbWriter>(deliveries, database, table, known, incoming);
}

}  // namespace meterline::store
