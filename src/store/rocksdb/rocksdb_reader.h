#pragma once

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/store.h"

namespace meterline::store {

/// The questions of the embedded store. Database and table must outlive it.
///
/// Threads: every method may be called from many threads at once.
class RocksdbReader {
 public:
  RocksdbReader(const Database& database, const DeliveryTable& table)
      : database_(database), table_(table) {}

  Result<void> days(const DaysQuery& query, const DayVisitor& visit) const;
  Result<void> day_totals(const Store& store, const TotalsQuery& query,
                          const TotalVisitor& visit) const;
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const;
  Result<std::optional<MeterInfo>> meter(const MeterId& meter) const;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const;
  Result<std::optional<DeliveryRecord>> delivery(const DeliveryId& id) const;

 private:
  std::unique_ptr<rocksdb::Iterator> iterate(Family family,
                                             const rocksdb::ReadOptions& options) const;

  const Database& database_;
  const DeliveryTable& table_;
};

}  // namespace meterline::store
