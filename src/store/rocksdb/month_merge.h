#pragma once

#include <rocksdb/merge_operator.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/database.h"

namespace meterline::store {

// They let RocksDB write without reading what is there: values that are sets are united when they
// are read or compacted.

std::shared_ptr<rocksdb::MergeOperator> make_days_merge();    ///< Of month blocks.
std::shared_ptr<rocksdb::MergeOperator> make_totals_merge();  ///< Of months of totals.
std::shared_ptr<rocksdb::MergeOperator> make_meters_merge();  ///< Of a meter's channels.

/// Overwrites `united` with all that the values of this family hold; `days` or `totals`.
Result<void> unite_values(Family family, const std::vector<std::string_view>& values,
                          std::string& united);

}  // namespace meterline::store
