#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/result.h"
#include "store/open_error.h"
#include "store/repair.h"
#include "store/rocksdb/cache_size.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

struct RocksdbOptions {
  std::filesystem::path folder;  ///< Made if absent.
  bool create = true;            ///< false: `not_found` when there is no store in the folder.
  /// Shown to a second process that wants the same store, e.g. `meterline serve`.
  std::string owner = "meterline";
  std::size_t cache_bytes = cache_bytes_min;  ///< For questions: suitable_cache_bytes().
  /// Of small deliveries, which are kept in memory, too, before they are folded into months.
  std::size_t recent_bytes_max = std::size_t{8} << 20;
};

/// The embedded store: a RocksDB database in a folder of its own. docs/store.md has the layout.
///
/// Owned by one process at a time. Errors: `unavailable` when another process owns it, with
/// that process's id and command; `refused` when a newer meterline wrote it.
Opening<std::unique_ptr<Store>> open_rocksdb_store(const RocksdbOptions& options);

/// The same store for questions only, beside the process that owns it and beside others that read:
/// nothing is written, not into its folder either, and nobody else is kept from anything. What was
/// acknowledged before this call is there, and nothing that comes after it. What would change it is
/// `refused`. Errors: as above; also where the owner changes its files faster than they can be
/// opened.
Opening<std::unique_ptr<Store>> read_rocksdb_store(const RocksdbOptions& options);

/// Of a store whose log is damaged, or which has days without a record, keeps what is whole. The
/// damaged database stays in the store's folder, as `damaged-N`. A repair that is ended in between
/// is begun anew by the next one. Errors: as above; `corrupt` for damage of other files.
Result<RepairReport> repair_rocksdb_store(const RocksdbOptions& options, RepairMode mode);

}  // namespace meterline::store::rocksdb

namespace meterline::store {
using rocksdb::open_rocksdb_store;
using rocksdb::read_rocksdb_store;
using rocksdb::repair_rocksdb_store;
using rocksdb::RocksdbOptions;
}  // namespace meterline::store
