#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "core/instant.h"

namespace meterline {

/// Stored: the numbers never change meaning.
enum class DeliveryEventKind : std::uint8_t {
  restored = 0,   ///< Counts again.
  withdrawn = 1,  ///< Does not count any more.
};
std::string_view text_of(DeliveryEventKind kind);

/// What somebody decided about a delivery after it was stored. Events are never changed and never
/// removed. They order by all of it: of two at the same time, a withdrawal comes last and so holds.
struct DeliveryEvent {
  Instant at;
  DeliveryEventKind kind = DeliveryEventKind::withdrawn;
  std::string who;     ///< 1 to event_who_bytes_max bytes.
  std::string reason;  ///< Up to event_reason_bytes_max bytes; may be empty where it restores.

  auto operator<=>(const DeliveryEvent&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const DeliveryEvent& event) {
    return out << text_of(event.kind) << ' ' << event.at << " by " << event.who << ": "
               << event.reason;
  }
};

inline constexpr std::size_t event_who_bytes_max = 100;
inline constexpr std::size_t event_reason_bytes_max = 1000;
/// Of one delivery.
inline constexpr std::size_t delivery_events_max = 100;

/// Whether it keeps to the limits above.
bool is_event(const DeliveryEvent& event);

/// Whether a delivery with these events, ascending, is withdrawn at a time: the last event up to
/// then, that time included, withdrew it.
bool is_withdrawn(std::span<const DeliveryEvent> events, Instant at = Instant::end_of_time());

}  // namespace meterline
