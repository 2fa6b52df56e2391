#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/recent.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

/// What a writer writes into, and the rest of the store has to know of it.
struct WriterParts {
  Database& database;
  DeliveryTable& table;
  KnownMeters& known;
  RecentMonths& recent;
  RecentFold& fold;
  const std::filesystem::path& incoming;  ///< A folder for files on their way into the database.
};

/// Writes deliveries into the database at once: small ones as one entry of family `recent`, large
/// ones as sorted files beside the database that are then taken in together. Either way all of it
/// appears, with the reports, or nothing does. The parts must outlive the writer.
std::unique_ptr<DeliveryWriter> make_rocksdb_writer(std::span<const Delivery> deliveries,
                                                    const WriterParts& parts);

}  // namespace meterline::store::rocksdb
