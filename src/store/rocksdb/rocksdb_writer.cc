#include "store/rocksdb/rocksdb_writer.h"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/recent.h"
#include "store/write_order.h"

namespace meterline::store::rocksdb {
namespace {

/// Up to here a delivery is kept as it is until several are folded together; beyond, it becomes
/// sorted files.
constexpr std::size_t recent_block_bytes_max = 4 << 20;
/// Totals are ordered by month, days by meter: so many bytes of totals are sorted at a time.
constexpr std::size_t totals_bytes_max = 8 << 20;
/// Register reads that go into a batch; more of them become sorted files.
constexpr std::size_t reads_bytes_max = 1 << 20;

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
  RocksdbWriter(std::span<const Delivery> deliveries, const WriterParts& parts)
      : deliveries_(deliveries.begin(), deliveries.end()),
        order_(deliveries.size()),
        database_(parts.database),
        recent_(parts.recent),
        fold_(parts.fold),
        day_files_(database_, Family::days, parts.incoming),
        total_files_(database_, Family::totals, parts.incoming),
        record_files_(database_, Family::deliveries, parts.incoming),
        read_files_(database_, Family::registers, parts.incoming),
        meters_(database_, parts.known, parts.incoming) {
    for (const auto& delivery : deliveries_) numbers_.push_back(parts.table.number_of(delivery));
  }

  Result<void> add(const DayToStore& day) override;
  Result<void> add(const RegisterRead& read, std::size_t delivery) override;
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override;

 private:
  /// Channel and grids are places in channels_ and grids_.
  struct PendingDay {
    std::size_t channel;
    std::size_t grid;
    std::size_t totals_grid;
    std::uint32_t day;  ///< 0 is the first of the month.
    std::uint32_t delivery;
    std::size_t body_at;
    std::size_t body_bytes;
    std::optional<std::int64_t> total;
  };

  void begin_month(const DayToStore& day);
  Result<void> flush_month();
  Result<void> flush_channel(std::size_t channel);
  Result<void> emit(const RecentEntry& month);
  Result<void> move_to_files();
  Result<void> add_to_files(const RecentEntry& month);
  Result<void> flush_totals();
  Result<void> flush_reads();
  Result<std::vector<RecordChange>> record_changes(std::span<const DeliveryReport> reports) const;
  Result<void> change_record(std::size_t delivery, const DeliveryReport& report,
                             std::vector<RecordChange>& changes) const;
  Result<void> commit_recent(const std::vector<RecordChange>& changes);
  Result<void> commit_files(const std::vector<RecordChange>& changes);

  const std::vector<Delivery> deliveries_;
  WriteOrder order_;
  Database& database_;
  RecentMonths& recent_;
  RecentFold& fold_;
  std::vector<std::uint32_t> numbers_;  ///< Of the deliveries, in this store.

  MeterId meter_;  ///< Of the days that are pending; empty before the first.
  Month month_;
  std::int32_t month_begin_ = 0;  ///< Days since 1970, up to before month_end_.
  std::int32_t month_end_ = 0;
  std::vector<PendingDay> pending_;
  std::vector<Channel> channels_;  ///< Of the pending days.
  std::vector<std::string> grids_;
  std::string bodies_;
  std::string counted_grid_;
  ReadingDay scratch_;

  // Used by flush_channel(), and kept for their memory.
  std::vector<MonthEntry> day_entries_;
  std::vector<GivenTotal> total_entries_;
  std::string key_;
  std::string totals_key_;
  std::string days_;
  std::string totals_;

  RecentBlock block_;  ///< For family `recent`, as long as there is little.
  bool uses_files_ = false;
  EntryBuffer sorted_totals_;  ///< Some of those for total_files_.
  SortedFiles day_files_;
  SortedFiles total_files_;
  SortedFiles record_files_;
  EntryBuffer reads_;  ///< Keys and values of `registers`, for a batch or for read_files_.
  SortedFiles read_files_;
  MeterList meters_;
};

void RocksdbWriter::begin_month(const DayToStore& day) {
  meter_ = day.meter;
  month_ = Month::of(day.date);
  month_begin_ = month_.first_day().days();
  month_end_ = month_begin_ + month_.days();
}

Result<void> RocksdbWriter::add(const DayToStore& day) {
  if (database_.failure().is_set()) return tl::unexpected(database_.failure().error());
  METERLINE_CHECK(order_.check(day));
  METERLINE_TRY(const auto parts, split_packed_day(day.packed));
  const bool is_in_month =
      month_begin_ <= day.date.days() && day.date.days() < month_end_ && day.meter == meter_;
  if (!pending_.empty() && !is_in_month) METERLINE_CHECK(flush_month());
  if (pending_.empty()) begin_month(day);
  const auto grid = place_of(parts.grid, grids_);
  auto totals_grid = grid;
  auto total = day.plain_total;
  if (!total) {
    METERLINE_TRY(const auto complete, complete_total(day.packed, scratch_));
    if (complete) total = complete->mantissa;
    if (complete && complete->substituted + complete->estimated > 0) {
      counted_grid_ = parts.grid;
      append_counts(*complete, counted_grid_);
      totals_grid = place_of(std::string_view(counted_grid_), grids_);
    }
  }
  pending_.push_back({.channel = place_of(day.channel, channels_),
                      .grid = grid,
                      .totals_grid = totals_grid,
                      .day = static_cast<std::uint32_t>(day.date.days() - month_begin_),
                      .delivery = numbers_[day.delivery],
                      .body_at = bodies_.size(),
                      .body_bytes = parts.body.size(),
                      .total = total});
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
    total_entries_.push_back({.grid = grids_[day.totals_grid],
                              .day = day.day,
                              .delivery = day.delivery,
                              .total = day.total});
  }
  days_key(meter_, month_, channels_[channel], key_);
  days_.clear();
  write_month_block(day_entries_, days_);
  totals_.clear();
  write_month_totals(total_entries_, totals_);
  METERLINE_CHECK(emit({.key = key_, .days = days_, .totals = totals_}));
  return meters_.add(meter_, channels_[channel]);
}

Result<void> RocksdbWriter::emit(const RecentEntry& month) {
  if (uses_files_) return add_to_files(month);
  block_.add(month);
  return block_.bytes().size() < recent_block_bytes_max ? Result<void>() : move_to_files();
}

Result<void> RocksdbWriter::move_to_files() {
  uses_files_ = true;
  METERLINE_CHECK(block_.each([this](const RecentEntry& month) { return add_to_files(month); }));
  block_ = {};
  return {};
}

Result<void> RocksdbWriter::add_to_files(const RecentEntry& month) {
  METERLINE_CHECK(day_files_.merge(month.key, month.days));
  totals_key_of(month.key, totals_key_);
  sorted_totals_.add(totals_key_, month.totals);
  return sorted_totals_.bytes() < totals_bytes_max ? Result<void>() : flush_totals();
}

Result<void> RocksdbWriter::flush_totals() {
  sorted_totals_.sort();
  METERLINE_CHECK(sorted_totals_.each([&](std::string_view key, std::string_view value) {
    return total_files_.merge(key, value);
  }));
  sorted_totals_.clear();
  return total_files_.finish_file();
}

/// The value is the delivery's number and the packed read.
Result<void> RocksdbWriter::add(const RegisterRead& read, std::size_t delivery) {
  METERLINE_CHECK(order_.check(read, delivery));
  std::string value;
  put_varint(numbers_[delivery], value);
  pack_read(read, value);
  reads_.add(registers_key(read, deliveries_[delivery].id), value);
  return reads_.bytes() < reads_bytes_max ? Result<void>() : flush_reads();
}

Result<void> RocksdbWriter::flush_reads() {
  if (reads_.empty()) return {};
  reads_.sort();
  METERLINE_CHECK(reads_.each(
      [&](std::string_view key, std::string_view value) { return read_files_.put(key, value); }));
  reads_.clear();
  return read_files_.finish_file();
}

/// What the deliveries family must become for one delivery.
Result<void> RocksdbWriter::change_record(std::size_t delivery, const DeliveryReport& report,
                                          std::vector<RecordChange>& changes) const {
  const Delivery& now = deliveries_[delivery];
  std::string before;
  const auto id_key = delivery_key(now.id);
  const auto status = database_.db().Get(::rocksdb::ReadOptions(),
                                         database_.family(Family::deliveries), id_key, &before);
  if (!status.ok() && !status.IsNotFound()) return database_error("read a delivery", status);
  if (status.ok()) {
    METERLINE_TRY(const auto record, decode_delivery(before));
    changes.emplace_back(time_key(record.delivery), std::nullopt);
    changes.emplace_back(receipt_key(record.delivery), std::nullopt);
    changes.emplace_back(source_key(record.delivery), std::nullopt);
  }
  const DeliveryTable::Entry entry{.id = now.id, .version = now.version()};
  changes.emplace_back(id_key, encode_delivery(now, report, order_.days(delivery)));
  changes.emplace_back(number_key(numbers_[delivery]), DeliveryTable::encode(entry));
  changes.emplace_back(time_key(now), "");
  changes.emplace_back(receipt_key(now), "");
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

Result<void> RocksdbWriter::commit_recent(const std::vector<RecordChange>& changes) {
  ::rocksdb::WriteBatch batch;
  ::rocksdb::Status status;
  const auto number = recent_.next_number();
  if (!block_.empty())
    status = batch.Put(database_.family(Family::recent), recent_key(number), block_.bytes());
  METERLINE_CHECK(meters_.entries().each([&](std::string_view key, std::string_view value) {
    if (status.ok())
      status = batch.Merge(database_.family(Family::meters), slice_of(key), slice_of(value));
    return Result<void>();
  }));
  METERLINE_CHECK(reads_.each([&](std::string_view key, std::string_view value) {
    if (status.ok())
      status = batch.Put(database_.family(Family::registers), slice_of(key), slice_of(value));
    return Result<void>();
  }));
  auto* const records = database_.family(Family::deliveries);
  for (const auto& [key, value] : changes)
    if (status.ok()) status = value ? batch.Put(records, key, *value) : batch.Delete(records, key);
  if (!status.ok()) return database_error("collect a delivery", status);
  METERLINE_CHECK(database_.write("write a delivery", batch, true));
  if (!block_.empty()) recent_.add(number, std::make_shared<const RecentBlock>(std::move(block_)));
  return {};
}

Result<void> RocksdbWriter::commit_files(const std::vector<RecordChange>& changes) {
  METERLINE_CHECK(move_to_files());
  METERLINE_CHECK(flush_totals());
  METERLINE_CHECK(flush_reads());
  METERLINE_CHECK(meters_.move_to_files());
  for (const auto& [key, value] : changes)
    METERLINE_CHECK(value ? record_files_.put(key, *value) : record_files_.remove(key));
  return take_in(database_,
                 {&day_files_, &total_files_, &read_files_, &record_files_, &meters_.files()});
}

Result<void> RocksdbWriter::commit(std::span<const DeliveryReport> reports) {
  METERLINE_CHECK(order_.check(reports));
  METERLINE_CHECK(flush_month());
  METERLINE_CHECK(meters_.finish());
  METERLINE_TRY(const auto changes, record_changes(reports));
  const bool uses_files = uses_files_ || meters_.uses_files() || !read_files_.files().empty();
  if (uses_files) {
    METERLINE_CHECK(commit_files(changes));
  } else {
    METERLINE_CHECK(fold_.make_room());  // Who finds too much recent folds it, before all else.
    METERLINE_CHECK(commit_recent(changes));
  }
  meters_.committed();
  return {};
}

}  // namespace

std::unique_ptr<DeliveryWriter> make_rocksdb_writer(std::span<const Delivery> deliveries,
                                                    const WriterParts& parts) {
  return std::make_unique<RocksdbWriter>(deliveries, parts);
}

}  // namespace meterline::store::rocksdb
