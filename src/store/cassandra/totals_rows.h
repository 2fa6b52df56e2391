#pragma once

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Claims of one channel of a meter on one day that are held at once, some 110 bytes each; names of
/// meters beside them, a fourth of that.
inline constexpr std::size_t claims_held_max = 1'000'000;

/// Store::read_months of all meters or of a span of them, total after total. Memory grows neither
/// with versions nor, beyond `held_max` (32 or more), with meters: then the partitions of a day are
/// read several times, for some meters after others.
Result<void> read_totals(const Tables& tables, const TotalsQuery& query, const TotalVisitor& visit,
                         std::size_t held_max = claims_held_max);

}  // namespace meterline::store::cassandra
