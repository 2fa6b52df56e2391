#pragma once

#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/recent.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

/// What an amendment changes.
struct AmendParts {
  Database& database;
  DeliveryTable& table;
  KnownMeters& known;
  RecentFold& fold;
};

/// The store's settings but for its unit. Errors: `corrupt`.
Result<StoreSettings> load_settings(const Database& database);

/// Store::amend, but for settings that are in memory: months are written anew without the versions
/// that go, days and totals of a month in one batch. Nobody may write meanwhile. Bytes that are to
/// leave no trace are then in no table file; the MANIFEST and the log may still have some until the
/// database is opened again.
Result<void> amend_database(const Amendment& amendment, const AmendParts& parts);

}  // namespace meterline::store::rocksdb
