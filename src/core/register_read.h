#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "core/channel.h"
#include "core/date.h"
#include "core/decimal.h"
#include "core/delivery.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/note.h"
#include "core/reading_day.h"

namespace meterline {

/// Clocks differ from UTC by at most so much, either way.
inline constexpr int clock_offset_minutes_max = 15 * 60;

/// One accumulating register of a meter. At an exchange the old device and the new one are read at
/// the same time, so that the serial number is a part of which register it is.
struct MeterRegister {
  Channel channel;
  std::string id;      ///< As the source names the register; may be empty.
  std::string serial;  ///< Of the device; may be empty.

  auto operator<=>(const MeterRegister&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const MeterRegister& of);
};

/// A time with the clock that the source tells it by, which is how it is shown.
struct ClockTime {
  Instant at;
  std::int16_t offset_minutes = 0;  ///< Of the clock from UTC, east positive.

  Date date() const;         ///< On that clock. Only of a time for which fault_of() is empty.
  std::string text() const;  ///< RFC 3339: `2019-10-01T00:00:00+10:00`, with `Z` for 0.
  bool operator==(const ClockTime&) const = default;
  friend std::ostream& operator<<(std::ostream& out, ClockTime time) { return out << time.text(); }
};

/// What a register showed at a time, as far as the source says it.
struct RegisterState {
  ClockTime time;
  std::optional<Decimal> value;  ///< Empty where the source gives none.
  Quality quality = Quality::actual;
  Note note = {};  ///< The source's own words of the quality; may say nothing.
  bool operator==(const RegisterState&) const = default;
};

/// The state of an accumulating register at a time, or what it counted between two. It is never
/// spread over days, and is in no sum of days. It is named by meter, register and time of the read.
struct RegisterRead {
  MeterId meter;
  MeterRegister of;
  RegisterState current;
  std::optional<RegisterState> previous = {};  ///< Not later than the current one.
  /// What the source says was counted between the two, multipliers applied, in the channel's unit.
  std::optional<Decimal> counted = {};
  std::optional<Date> next_read = {};  ///< When the meter is to be read next.
  std::optional<Instant> stated = {};  ///< As in a ReadingDay.

  /// The version of a read that came with a delivery of version `delivered`.
  Version version(Version delivered) const {
    if (stated) delivered.stated = *stated;
    return delivered;
  }
  bool operator==(const RegisterRead&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const RegisterRead& read);
};

/// Why the read cannot be kept, in words; empty when it can. Who makes one asks this.
std::optional<std::string_view> fault_of(const RegisterRead& read);

}  // namespace meterline
