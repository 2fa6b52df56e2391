#pragma once

#include <memory>
#include <span>

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Writes deliveries: their days as they come, then totals and what became known, and last their
/// records, by which they count as delivered. `tables` must outlive the writer. Errors: those of
/// Tables::prepare_writes().
Result<std::unique_ptr<DeliveryWriter>> make_cassandra_writer(std::span<const Delivery> deliveries,
                                                              const Tables& tables);

}  // namespace meterline::store::cassandra
