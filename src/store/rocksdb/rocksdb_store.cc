#include "store/rocksdb/rocksdb_store.h"

#include <utility>

#include "core/try.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/rocksdb_reader.h"
#include "store/rocksdb/rocksdb_writer.h"
#include "store/rocksdb/store_folder.h"

namespace meterline::store {
namespace {

class RocksdbStore final : public Store {
 public:
  RocksdbStore(StoreFolder folder, std::unique_ptr<Database> database,
               std::unique_ptr<DeliveryTable> table)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        table_(std::move(table)),
        reader_(*database_, *table_) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    for (const auto& delivery : deliveries)
      if (delivery.source.size() > source_bytes_max)
        return fail(Errc::too_large, "the name of the delivery's source is too long");
    return make_rocksdb_writer(deliveries, *database_, *table_, folder_.incoming());
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    return reader_.days(query, visit);
  }
  Result<void> read_day_totals(const TotalsQuery& query, const TotalVisitor& visit) const override {
    return reader_.day_totals(*this, query, visit);
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    return reader_.meters(query);
  }
  Result<std::optional<MeterInfo>> meter(const MeterId& meter) const override {
    return reader_.meter(meter);
  }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    return reader_.deliveries(query);
  }
  Result<std::optional<DeliveryRecord>> delivery(const DeliveryId& id) const override {
    return reader_.delivery(id);
  }
  Result<void> ready() const override { return {}; }
  Result<std::vector<StoreFigure>> figures() const override;

 private:
  StoreFolder folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<DeliveryTable> table_;
  RocksdbReader reader_;
};

Result<std::vector<StoreFigure>> RocksdbStore::figures() const {
  std::vector<StoreFigure> figures;
  const auto add = [&](std::string name, Family family, const std::string& property) {
    std::uint64_t value = 0;
    if (database_->db().GetIntProperty(database_->family(family), property, &value))
      figures.push_back({.name = std::move(name), .value = static_cast<std::int64_t>(value)});
  };
  using Property = rocksdb::DB::Properties;
  add("days_file_bytes", Family::days, Property::kTotalSstFilesSize);
  add("totals_file_bytes", Family::totals, Property::kTotalSstFilesSize);
  add("deliveries_file_bytes", Family::deliveries, Property::kTotalSstFilesSize);
  add("days_memory_bytes", Family::days, Property::kSizeAllMemTables);
  add("meter_months_estimated", Family::days, Property::kEstimateNumKeys);
  return figures;
}

Result<std::unique_ptr<DeliveryTable>> load_table(const Database& database) {
  auto table = std::make_unique<DeliveryTable>();
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database.db().NewIterator(rocksdb::ReadOptions(), database.family(Family::deliveries)));
  for (iterator->Seek("n"); iterator->Valid(); iterator->Next()) {
    const auto key = view_of(iterator->key());
    if (!key.starts_with('n')) break;
    std::uint32_t number = 0;
    for (const char byte : key.substr(1)) number = number << 8 | static_cast<unsigned char>(byte);
    METERLINE_CHECK(table->restore(number, view_of(iterator->value())));
  }
  if (!iterator->status().ok()) return database_error("read the store", iterator->status());
  return table;
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb_store(const RocksdbOptions& options) {
  METERLINE_TRY(auto folder, StoreFolder::open(options.folder, options.create, options.owner));
  METERLINE_TRY(auto database, Database::open(folder.database(), options.cache_bytes));
  METERLINE_TRY(auto table, load_table(*database));
  return std::make_unique<RocksdbStore>(std::move(folder), std::move(database), std::move(table));
}

}  // namespace meterline::store
