#pragma once

#include "core/result.h"
#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Store::amend: the only statements that remove rows. Totals go before the days that they tell of,
/// so that what was ended in between is found again. A removed row is a tombstone until the nodes
/// drop it: docs/operate/keeping.md.
Result<void> amend_rows(const Tables& tables, const Amendment& amendment);

/// What the catalogue has of the store as a whole.
Result<StoreSettings> read_settings(const Tables& tables);

}  // namespace meterline::store::cassandra
