#include "store/delivery_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/store.h"

namespace meterline::store {

Result<void> DeliveryEvents::add(const DeliveryId& delivery, const DeliveryEvent& event) {
  if (!is_event(event))
    return fail(
        Errc::invalid_argument,
        fmt::format("an event of a delivery names who, in 1 to {} bytes, and a reason of at "
                    "most {} bytes",
                    event_who_bytes_max, event_reason_bytes_max));
  const auto found = by_delivery_.find(delivery);
  const std::size_t of_delivery = found == by_delivery_.end() ? 0 : found->second.size();
  if (of_delivery > 0 && std::binary_search(found->second.begin(), found->second.end(), event))
    return {};
  if (of_delivery == delivery_events_max)
    return fail(Errc::too_large,
                fmt::format("delivery {} was withdrawn and brought back {} times already, which is "
                            "as often as can be",
                            delivery.text(), delivery_events_max));
  if (count_ == store_events_max)
    return fail(Errc::too_large,
                fmt::format("the store has {} withdrawals already, which is as many as it keeps",
                            store_events_max));
  return restore(delivery, event);
}

void DeliveryEvents::restate(const DeliveryId& delivery, const DeliveryEvent& event) {
  const auto found = by_delivery_.find(delivery);
  if (found == by_delivery_.end()) return;
  for (auto& known : found->second)
    if (known.at == event.at && known.kind == event.kind && known.who == event.who)
      known.reason = event.reason;
}

Result<void> DeliveryEvents::restore(const DeliveryId& delivery, DeliveryEvent event) {
  if (!is_event(event)) return fail(Errc::corrupt, "the store holds a damaged event of a delivery");
  auto& events = by_delivery_[delivery];
  const auto at = std::lower_bound(events.begin(), events.end(), event);
  if (at != events.end() && *at == event) return {};
  events.insert(at, std::move(event));
  ++count_;
  return {};
}

bool DeliveryEvents::has(DeliveriesOf which, const DeliveryId& delivery) const {
  if (which == DeliveriesOf::all) return true;
  return which == DeliveriesOf::withdrawn ? is_withdrawn(delivery) : !of(delivery).empty();
}

std::vector<DeliveryId> DeliveryEvents::all(DeliveriesOf which) const {
  std::vector<DeliveryId> ids;
  for (const auto& [id, events] : by_delivery_)
    if (has(which, id)) ids.push_back(id);
  return ids;
}

std::span<const DeliveryEvent> DeliveryEvents::of(const DeliveryId& delivery) const {
  const auto found = by_delivery_.find(delivery);
  return found == by_delivery_.end() ? std::span<const DeliveryEvent>() : found->second;
}

}  // namespace meterline::store
