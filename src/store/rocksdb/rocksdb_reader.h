#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/known_meters.h"
#include "store/rocksdb/month_cache.h"
#include "store/rocksdb/month_days.h"
#include "store/rocksdb/recent_months.h"
#include "store/store.h"

namespace meterline::store {

/// What questions are answered from.
struct ReaderParts {
  const Store& store;  ///< The store itself: asked for days that have no plain total.
  const Database& database;
  const DeliveryTable& table;
  const KnownMeters& known;
  MonthCache& cache;
  const RecentMonths& recent;
};

/// The questions of the embedded store. Its parts must outlive it.
///
/// Threads: every method may be called from many threads at once.
class RocksdbReader {
 public:
  explicit RocksdbReader(const ReaderParts& parts)
      : store_(parts.store),
        database_(parts.database),
        table_(parts.table),
        known_(parts.known),
        cache_(parts.cache),
        recent_(parts.recent) {}

  Result<void> days(const DaysQuery& query, const DayVisitor& visit) const;
  Result<void> registers(const ReadsQuery& query, const ReadVisitor& visit) const;
  Result<void> meter_totals(const DaysQuery& query, const MeterTotalVisitor& visit) const;
  Result<void> day_totals(const TotalsQuery& query, const TotalVisitor& visit) const;
  Result<void> day_presence(const TotalsQuery& query, const PresenceVisitor& visit) const;
  Result<std::shared_ptr<const MonthOfMeters>> month_of_meters(Month month) const;
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const;
  Result<std::vector<MeterChannels>> meter_channels(const MetersQuery& query) const;
  Result<std::optional<MeterInfo>> meter(const MeterId& meter) const;
  Result<std::vector<Channel>> channels(const MeterId& meter) const;
  KnownMeters::Channels few_channels() const;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const;
  Result<std::optional<DeliveryRecord>> delivery(const DeliveryId& id) const;

 private:
  struct MonthOfChannel {
    const MeterId& meter;
    Month month;
    const Channel& channel;
  };
  using DaysVisitor = std::function<Result<void>(const MonthKey&, const MonthDays&)>;
  using TotalsVisitor = std::function<Result<void>(const MonthKey&, std::string_view value)>;

  std::unique_ptr<rocksdb::Iterator> iterate(Family family,
                                             const rocksdb::ReadOptions& options) const;
  /// Whether the key is there.
  Result<bool> get(Family family, std::string_view key, rocksdb::PinnableSlice& value) const;
  /// The values of several keys, read together; empty where there is none.
  Result<void> get_all(Family family, std::span<const std::string> keys,
                       std::vector<rocksdb::PinnableSlice>& values) const;
  /// Whether there is a month of `days`, with what is recent. `key` is made anew.
  Result<bool> get_days(const MonthOfChannel& month, std::string& key,
                        rocksdb::PinnableSlice& value) const;
  /// Values of `totals` with what is recent, by month and channel; empty where there is none.
  Result<void> get_totals(const MeterId& meter, MonthRange months,
                          const std::vector<Channel>& channels,
                          std::vector<rocksdb::PinnableSlice>& values) const;
  /// Channels to look for: those of the meter, or a few more.
  Result<KnownMeters::Channels> likely_channels(const MeterId& meter) const;
  Result<void> days_of_many_months(const DaysQuery& query, const DayVisitor& visit) const;
  Result<MonthRange> months_of(const DaysQuery& query) const;
  /// All values of `totals` in these months, by key.
  Result<void> scan_totals(MonthRange months, const TotalsVisitor& visit) const;
  /// Of each of them the days asked for, where there are any.
  Result<void> scan_days(const TotalsQuery& query, const DaysVisitor& visit) const;
  Result<void> scan_presence(const TotalsQuery& query, const PresenceVisitor& visit) const;
  Result<std::optional<MeterInfo>> summary(const MeterId& meter, Withdrawn withdrawn) const;
  /// What is listed of a meter.
  struct Listed {
    MeterChannels channels;
    bool has_reads = false;
  };
  Result<std::vector<Listed>> listed_meters(const MetersQuery& query) const;
  Result<void> add_listed_channels(const MetersQuery& query, std::vector<Listed>& found) const;
  Result<void> add_listed_reads(const MetersQuery& query, std::vector<Listed>& found) const;
  Result<bool> has_any_read(const MeterId& meter) const;
  Result<bool> counts_any_read(const MeterId& meter) const;
  Result<std::vector<MeterInfo>> summaries(std::vector<Listed>& meters, Withdrawn withdrawn) const;
  Result<void> resolve_others(const MonthKey& key, const MonthDays& days, Instant as_of,
                              const MeterTotalVisitor& visit) const;

  const Store& store_;
  const Database& database_;
  const DeliveryTable& table_;
  const KnownMeters& known_;
  MonthCache& cache_;
  const RecentMonths& recent_;
  const rocksdb::ReadOptions options_;
};

}  // namespace meterline::store
