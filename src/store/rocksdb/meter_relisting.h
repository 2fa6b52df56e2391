#pragma once

#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/recent_months.h"

namespace meterline::store {

/// Lists all meters and channels that have days and are not listed: a delivery lists only what is
/// new, and the one that listed them may be lost. Reads all keys of `days`.
Result<void> list_meters_of_days(Database& database, const RecentMonths& recent);

}  // namespace meterline::store
