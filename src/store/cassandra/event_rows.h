#pragma once

#include <future>
#include <optional>
#include <vector>

#include "store/cassandra/tables.h"
#include "store/delivery_events.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Store::add_event. Two processes that add events at once may go beyond a limit by one each.
Result<void> write_event(const Tables& tables, const DeliveryId& delivery,
                         const DeliveryEvent& event);
/// The row alone: of an event that is there, another reason.
Result<void> insert_event(const Tables& tables, const DeliveryId& delivery,
                          const DeliveryEvent& event, CqlWriter& writer);

/// Reads events while something else is asked for: begun when it is made, and waited for when they
/// are wanted. So what another process has acknowledged holds, and no question takes longer.
///
/// Threads: one at a time.
class EventsRead {
 public:
  /// Of all deliveries. `counted`: nothing is read, as if there were none.
  explicit EventsRead(const Tables& tables, Withdrawn withdrawn = Withdrawn::left_out);
  /// Of one delivery.
  EventsRead(const Tables& tables, const DeliveryId& delivery);

  /// The events live as long as this.
  Result<const DeliveryEvents*> get();

 private:
  std::optional<Result<DeliveryEvents>> events_;  ///< Empty while they are read.
  std::future<Result<DeliveryEvents>> reading_;
};

}  // namespace meterline::store::cassandra
