#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/month_sums.h"
#include "store/rocksdb/recent.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

/// What questions are answered from.
struct ReaderParts {
  const Database& database;
  const DeliveryTable& table;
  const KnownMeters& known;
  MonthCache& cache;
  const RecentMonths& recent;
};

/// The questions of the embedded store: of one meter in meter_reader.cc, of all in all_reader.cc.
/// Its parts must outlive it.
///
/// Threads: every method may be called from many threads at once.
class RocksdbReader {
 public:
  explicit RocksdbReader(const ReaderParts& parts)
      : database_(parts.database),
        table_(parts.table),
        known_(parts.known),
        cache_(parts.cache),
        recent_(parts.recent) {}

  Result<void> days(const DaysQuery& query, const DayVisitor& visit) const;
  Result<void> registers(const ReadsQuery& query, const ReadVisitor& visit) const;
  Result<void> months(const TotalsQuery& query, const MonthsVisitor& visit) const;
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const;
  KnownMeters::Channels few_channels() const;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const;

 private:
  struct MonthOfChannel {
    const MeterId& meter;
    Month month;
    const Channel& channel;
  };
  /// Reads value after value of `totals`.
  struct MonthReading {
    MonthReading(const DeliveryTable& table, const DateRange& asked, Instant time)
        : dates(asked), as_of(time), deliveries(table, time) {}
    const DateRange dates;
    const Instant as_of;
    DeliveryLookup deliveries;
    MonthDays days;
    OtherDays others;
  };
  using MonthVisitor = std::function<Result<void>(const MeterMonth&)>;

  std::unique_ptr<::rocksdb::Iterator> iterate(Family family,
                                               const ::rocksdb::ReadOptions& options) const;
  /// Whether the key is there.
  Result<bool> get(Family family, std::string_view key, ::rocksdb::PinnableSlice& value) const;
  /// The values of several keys, read together; empty where there is none.
  Result<void> get_all(Family family, std::span<const std::string> keys,
                       std::vector<::rocksdb::PinnableSlice>& values) const;
  /// Whether there is a month of `days`, with what is recent. `key` is made anew.
  Result<bool> get_days(const MonthOfChannel& month, std::string& key,
                        ::rocksdb::PinnableSlice& value) const;
  /// Values of `totals` with what is recent, by month and channel; empty where there is none.
  Result<void> get_totals(const MeterId& meter, MonthRange months,
                          const std::vector<Channel>& channels,
                          std::vector<::rocksdb::PinnableSlice>& values) const;
  Result<std::vector<Channel>> listed_channels(const MeterId& meter) const;
  /// Channels to look for: those of the meter, or a few more.
  Result<KnownMeters::Channels> likely_channels(const MeterId& meter) const;
  Result<void> days_of(const DaysQuery& query, std::span<const Channel> channels,
                       const DayVisitor& visit) const;
  Result<void> days_of_many_months(const DaysQuery& query, const DayVisitor& visit) const;
  Result<MonthRange> months_of(const DaysQuery& query) const;
  Result<void> months_of_meter(const DaysQuery& query, const MonthVisitor& visit) const;
  Result<void> scan_months(const TotalsQuery& query, const MonthVisitor& visit) const;
  Result<void> visit_month(const MonthOfChannel& of, std::string_view value, MonthReading& reading,
                           const MonthVisitor& visit) const;
  Result<void> resolve_others(const MonthOfChannel& of, MonthReading& reading) const;
  Result<std::shared_ptr<const MonthOfMeters>> month_of_meters(Month month) const;
  Result<std::vector<MeterInfo>> listed_meter(const MeterId& meter) const;
  Result<std::vector<MeterInfo>> listed_meters(const MetersQuery& query) const;
  Result<void> add_listed_channels(const MetersQuery& query, std::vector<MeterInfo>& found) const;
  Result<void> add_listed_reads(const MetersQuery& query, std::vector<MeterInfo>& found) const;
  Result<void> complete(std::vector<MeterInfo>& meters, Withdrawn withdrawn) const;
  Result<bool> has_any_read(const MeterId& meter) const;
  Result<bool> counts_any_read(const MeterId& meter) const;
  Result<std::optional<DeliveryRecord>> delivery(const DeliveryId& id) const;

  const Database& database_;
  const DeliveryTable& table_;
  const KnownMeters& known_;
  MonthCache& cache_;
  const RecentMonths& recent_;
  const ::rocksdb::ReadOptions options_;
};

}  // namespace meterline::store::rocksdb
