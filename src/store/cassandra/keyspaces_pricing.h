#pragma once

#include <memory>

#include "core/result.h"
#include "store/estimate.h"

namespace meterline::store::cassandra {

/// The writer of this store, whose rows are counted with their write units on Amazon Keyspaces.
/// Memory grows by some 40 bytes for each meter and year.
Result<std::unique_ptr<Pricing>> make_keyspaces_pricing();

}  // namespace meterline::store::cassandra
