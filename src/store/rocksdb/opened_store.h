#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/recent.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/store_folder.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

/// A store on one opening of its database. After a failure it still answers questions, and refuses
/// to write until it is opened again.
class OpenedStore : public Store {
 public:
  virtual const Failure& failure() const = 0;
  /// Of deliveries: greater than any that was given.
  virtual std::uint32_t next_number() = 0;
  /// Recent deliveries that were removed when it was opened to be repaired.
  virtual std::int64_t dropped() const = 0;
};

enum class OpenPurpose : std::uint8_t {
  use,
  repair,  ///< Also removes recent days without a record, and lists all meters that have days.
};

/// Where an opened store has its files.
struct StorePlace {
  std::filesystem::path database;
  std::filesystem::path incoming;
};
inline StorePlace place_of(const StoreFolder& folder) {
  return {.database = folder.database(), .incoming = folder.incoming()};
}

struct OpenOnce {
  OpenAs as = OpenAs::there;
  OpenPurpose purpose = OpenPurpose::use;
  std::uint32_t first_number = 0;     ///< Deliveries get no lower one than this.
  std::optional<Error> because = {};  ///< Why it is opened for reading only: its failure, then.
};

Result<std::unique_ptr<OpenedStore>> open_once(const StorePlace& place,
                                               const RocksdbOptions& options, const OpenOnce& how);

/// The deliveries that family `deliveries` lists, and their events. Errors: `corrupt`.
Result<std::unique_ptr<DeliveryTable>> load_table(const Database& database);

/// The number of a delivery as its key in `deliveries` has it. Errors: `corrupt`.
Result<std::uint32_t> read_number(std::string_view bytes);

}  // namespace meterline::store::rocksdb
