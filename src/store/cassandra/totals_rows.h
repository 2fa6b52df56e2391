#pragma once

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Store::read_day_totals. Held in memory: the totals of one day of all meters, and of one month
/// those that were delivered in small files.
Result<void> read_totals(const Tables& tables, const TotalsQuery& query, const TotalVisitor& visit);

}  // namespace meterline::store::cassandra
