#pragma once

#include <rocksdb/merge_operator.h>

#include <memory>

namespace meterline::store {

/// Lets RocksDB write a month's days without reading what is there: blocks are united when they
/// are read or compacted.
std::shared_ptr<rocksdb::MergeOperator> make_month_merge();

}  // namespace meterline::store
