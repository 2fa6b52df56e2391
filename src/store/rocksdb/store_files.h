#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace meterline::store {

class Failure;

/// The files of a database as RocksDB asks the system for them, with two differences:
/// - Once a write or sync of the MANIFEST has failed, no table is removed before the database is
///   opened again: RocksDB removes those that it was to name, and it may name them nevertheless.
/// - OPTIONS files are not synced, as nobody reads them: it would be two syncs for each opening,
///   and twelve for a new store.
std::unique_ptr<rocksdb::Env> make_store_files(std::shared_ptr<const Failure> failure);

}  // namespace meterline::store
