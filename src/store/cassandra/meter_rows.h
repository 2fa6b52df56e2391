#pragma once

#include <vector>

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store {

/// Store::meters, of the only one that is asked for.
Result<std::vector<MeterInfo>> read_meter(const Tables& tables, const MetersQuery& query);
/// Of all others.
Result<std::vector<MeterInfo>> list_meters(const Tables& tables, const MetersQuery& query);

}  // namespace meterline::store
