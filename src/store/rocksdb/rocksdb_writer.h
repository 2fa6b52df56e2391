#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/known_meters.h"
#include "store/store.h"

namespace meterline::store {

/// Writes deliveries into the database at once: small ones as a batch in the log, large ones as
/// sorted files beside the database that are then taken in together. Either way all of it
/// appears, with the reports, or nothing does. `incoming` is a folder for the sorted files.
/// Database, table and known meters must outlive the writer.
std::unique_ptr<DeliveryWriter> make_rocksdb_writer(std::span<const Delivery> deliveries,
                                                    Database& database, DeliveryTable& table,
                                                    KnownMeters& known,
                                                    const std::filesystem::path& incoming);

}  // namespace meterline::store
