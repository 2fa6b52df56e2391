#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace meterline::store {

class Failure;

/// The files of a database as RocksDB asks the system for them, with two differences:
/// - Once the database has failed, no table file is removed before it is opened again. When a sync
///   of the MANIFEST fails, RocksDB removes the tables that it was to name, and the MANIFEST may
///   name them nevertheless.
/// - OPTIONS files are not synced, as nobody reads them: it would be two syncs for each opening,
///   and twelve for a new store.
std::unique_ptr<rocksdb::Env> make_store_files(std::shared_ptr<const Failure> failure);

}  // namespace meterline::store
