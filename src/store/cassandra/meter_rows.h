#pragma once

#include <optional>
#include <vector>

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store {

/// Store::meter.
Result<std::optional<MeterInfo>> read_meter(const Tables& tables, const MeterId& meter);
/// Store::meters.
Result<std::vector<MeterInfo>> list_meters(const Tables& tables, const MetersQuery& query);

}  // namespace meterline::store
