#pragma once

#include <string>

#include "core/result.h"
#include "store/backup/backups.h"
#include "store/open_error.h"
#include "store/rocksdb/rocksdb_store.h"

namespace meterline::store::rocksdb {

/// The files of the store in a folder, as they are at one moment, while any process owns it and
/// writes: all that was acknowledged before this call is in them. They stay readable, and take
/// their room on the disk, as long as `held` does; that takes a descriptor for each table.
/// Errors: those of read_rocksdb_store(); `corrupt` where a log is damaged, which store repair
/// mends.
Opening<backup::StoreFiles> hold_store_files(const RocksdbOptions& options);

/// Makes a store of a backup in a folder that has none. One that is ended in between leaves no
/// store, and the next one begins anew. Errors: `refused` where a store is, or one of another
/// format was backed up; `corrupt` where a file of the backup is not what it was; those of the
/// place.
Result<void> restore_rocksdb_store(const RocksdbOptions& options, backup::Place& place,
                                   const backup::Backup& backup, const backup::Work& work = {});

}  // namespace meterline::store::rocksdb

namespace meterline::store {
using rocksdb::hold_store_files;
using rocksdb::restore_rocksdb_store;
}  // namespace meterline::store
