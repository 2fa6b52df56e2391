#include "core/delivery_event.h"

#include <algorithm>
#include <cassert>

namespace meterline {

std::string_view text_of(DeliveryEventKind kind) {
  return kind == DeliveryEventKind::withdrawn ? "withdrawn" : "restored";
}

bool is_event(const DeliveryEvent& event) {
  return event.kind <= DeliveryEventKind::withdrawn && !event.who.empty() &&
         event.who.size() <= event_who_bytes_max && event.reason.size() <= event_reason_bytes_max;
}

bool is_withdrawn(std::span<const DeliveryEvent> events, Instant at) {
  assert(std::is_sorted(events.begin(), events.end()));
  const auto behind =
      std::find_if(events.begin(), events.end(), [&](const auto& event) { return event.at > at; });
  return behind != events.begin() && std::prev(behind)->kind == DeliveryEventKind::withdrawn;
}

}  // namespace meterline
