#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "store/rocksdb/database.h"
#include "store/rocksdb/recent_fold.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/store_folder.h"
#include "store/store.h"

namespace meterline::store {

/// A store on one opening of its database. After a failure it still answers questions, and refuses
/// to write until it is opened again.
class OpenedStore : public Store {
 public:
  virtual const Failure& failure() const = 0;
  /// Of deliveries: greater than any that was given.
  virtual std::uint32_t next_number() = 0;
};

struct OpenOnce {
  OpenAs as = OpenAs::there;
  std::uint32_t first_number = 0;  ///< Deliveries get no lower one than this.
  RecentWithoutRecord without_record = RecentWithoutRecord::refused;
  std::optional<Error> because = {};  ///< Why it is opened for reading only: its failure, then.
};

/// `dropped` grows by the recent deliveries that were removed as they have no record.
Result<std::unique_ptr<OpenedStore>> open_once(const StoreFolder& folder,
                                               const RocksdbOptions& options, const OpenOnce& how,
                                               std::int64_t& dropped);

}  // namespace meterline::store
