#pragma once

#include <memory>

#include "core/result.h"
#include "store/cassandra/schema.h"
#include "store/estimate.h"

namespace meterline::store::cassandra {

/// The writer of this store, whose rows are counted with their write units on Amazon Keyspaces.
/// Memory grows by some 40 bytes for each meter and year. `buckets` as such a store has.
Result<std::unique_ptr<Pricing>> make_keyspaces_pricing(int buckets = buckets_min);

}  // namespace meterline::store::cassandra
