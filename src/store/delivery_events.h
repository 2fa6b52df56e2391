#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "core/delivery.h"
#include "core/delivery_event.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// The events of a store's deliveries, in memory. Most stores have none, and few have many.
class DeliveryEvents {
 public:
  /// See Store::add_event; nothing is added with an error.
  Result<void> add(const DeliveryId& delivery, const DeliveryEvent& event);

  /// Adds what a store holds, whatever the limits are. Errors: `corrupt` for what is no event.
  Result<void> restore(const DeliveryId& delivery, DeliveryEvent event);

  /// Gives an event that is there, of the same time, kind and person, another reason.
  void restate(const DeliveryId& delivery, const DeliveryEvent& event);

  bool empty() const { return by_delivery_.empty(); }
  /// Whether the delivery is one of those.
  bool has(DeliveriesOf which, const DeliveryId& delivery) const;
  /// Those that have events.
  std::vector<DeliveryId> all(DeliveriesOf which) const;
  /// In their order; valid until the next add().
  std::span<const DeliveryEvent> of(const DeliveryId& delivery) const;
  /// Whether what the delivery says does not count as of a time.
  bool is_withdrawn(const DeliveryId& delivery, Instant as_of = Instant::end_of_time()) const {
    return !empty() && meterline::is_withdrawn(of(delivery), as_of);
  }

 private:
  std::map<DeliveryId, std::vector<DeliveryEvent>> by_delivery_;
  std::size_t count_ = 0;  ///< Of all deliveries.
};

}  // namespace meterline::store
