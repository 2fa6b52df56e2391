#pragma once

#include <filesystem>
#include <memory>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/store.h"

namespace meterline::store {

/// Writes one delivery into the database at once: a small one as a batch in the log, a large one
/// as sorted files beside the database that are then taken in together. Either way all of it
/// appears, with its report, or nothing does. `incoming` is a folder for the sorted files.
/// Database and table must outlive the writer.
std::unique_ptr<DeliveryWriter> make_rocksdb_writer(const Delivery& delivery, Database& database,
                                                    DeliveryTable& table,
                                                    const std::filesystem::path& incoming);

}  // namespace meterline::store
