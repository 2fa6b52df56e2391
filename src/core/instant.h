#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

/// A point in time, UTC, to the microsecond.
struct Instant {
  std::int64_t micros = 0;  ///< Since 1970-01-01T00:00:00Z, without leap seconds.

  /// Later than every instant that can be written as text.
  static constexpr Instant end_of_time() { return {std::numeric_limits<std::int64_t>::max()}; }

  /// RFC 3339 with offset: `2019-01-31T06:00:00Z`, `2019-01-31T07:00:00.25+01:00`; 1 to 9
  /// decimals, of which those below the microsecond are dropped; no leap second.
  /// A date alone (`2019-01-31`) is its last microsecond in UTC, so that "as of" that day
  /// includes all that became known on it. Years as for Date, in UTC as well.
  static std::optional<Instant> parse(std::string_view text);

  /// RFC 3339 in UTC, with six decimals only where the second is not whole.
  std::string text() const;

  auto operator<=>(const Instant&) const = default;
  friend std::ostream& operator<<(std::ostream& out, Instant at) { return out << at.text(); }
};

}  // namespace meterline
