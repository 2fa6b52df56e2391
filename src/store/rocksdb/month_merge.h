#pragma once

#include <rocksdb/merge_operator.h>

#include <memory>

namespace meterline::store {

// They let RocksDB write without reading what is there: values that are sets are united when they
// are read or compacted.

std::shared_ptr<rocksdb::MergeOperator> make_days_merge();    ///< Of month blocks.
std::shared_ptr<rocksdb::MergeOperator> make_totals_merge();  ///< Of months of totals.
std::shared_ptr<rocksdb::MergeOperator> make_meters_merge();  ///< Of a meter's channels.

}  // namespace meterline::store
