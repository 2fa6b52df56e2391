#pragma once

#include <optional>
#include <span>
#include <vector>

#include "store/cassandra/tables.h"
#include "store/store.h"
#include "store/write_order.h"

namespace meterline::store::cassandra {

/// Writes the records and what they are listed by. A delivery counts from its record on, so that
/// is written last, when everything else is acknowledged.
Result<void> write_deliveries(const Tables& tables, std::span<const Delivery> deliveries,
                              std::span<const DeliveryReport> reports, const WriteOrder& written);

/// Writes the record in the place of the one of its id, if there is one, which leaves no trace in
/// any row; and the reasons of its events.
Result<void> replace_delivery(const Tables& tables, const DeliveryRecord& record);

Result<std::optional<DeliveryRecord>> read_delivery(const Tables& tables, const DeliveryId& id);
Result<std::vector<DeliveryRecord>> list_deliveries(const Tables& tables,
                                                    const DeliveriesQuery& query);

}  // namespace meterline::store::cassandra
