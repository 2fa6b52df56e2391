#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/date.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/note.h"
#include "core/time_zone.h"

namespace meterline {

/// The span of one reading in minutes: 1, 5, 10, 15, 30 or 60.
class IntervalLength {
 public:
  constexpr IntervalLength() = default;  ///< 30 minutes
  static constexpr std::optional<IntervalLength> from_minutes(int minutes) {
    for (const int legal : {1, 5, 10, 15, 30, 60})
      if (minutes == legal) return IntervalLength(minutes);
    return std::nullopt;
  }
  constexpr int minutes() const { return minutes_; }
  /// Intervals of a day of 24 hours.
  constexpr int slots_per_day() const { return 24 * 60 / minutes_; }
  auto operator<=>(const IntervalLength&) const = default;

 private:
  explicit constexpr IntervalLength(int minutes) : minutes_(minutes) {}
  int minutes_ = 30;
};

/// The most slots of any reading day: 25 hours of one minute.
inline constexpr int slots_max = 25 * 60;

/// How a reading came to be. The numbers are stored: they never change meaning.
enum class Quality : std::uint8_t { actual = 0, substituted = 1, estimated = 2, missing = 3 };

std::string_view text_of(Quality quality);

/// Where a version of a reading day comes from. The numbers are stored: they never change meaning.
enum class Origin : std::uint8_t {
  /// Made later, by rules. It states the time of the newest version that it looked at, so any
  /// source that states a later one wins over it; at equal times a source does.
  estimate = 0,
  source = 1,  ///< What a delivery says.
};

std::string_view text_of(Origin origin);

/// All readings of one channel of one meter on one local day. Slot i begins i intervals behind
/// local midnight, so a day on which the clock changes has fewer or more slots. Energy of slot i is
/// mantissas[i] * 10^exponent in the channel's unit.
struct ReadingDay {
  MeterId meter;
  Channel channel;
  Date date;
  IntervalLength interval;
  std::int8_t exponent = 0;             ///< -18 to 0
  std::vector<std::int64_t> mantissas;  ///< One a slot; 0 where the quality is missing.
  std::vector<Quality> qualities;       ///< One a slot; as long as mantissas.
  /// When the file says that this day was made or changed (NEM12 UpdateDateTime, ESPI `updated`).
  /// Empty where it does not say: then the delivery's time stands for it.
  std::optional<Instant> stated = {};
  Origin origin = Origin::source;
  TimeZone zone = {};                      ///< Whose day it is.
  std::optional<ChannelFacts> facts = {};  ///< For which fault_of() is empty.
  Notes notes = {};  ///< Runs of slots, for which fault_of() is empty; most days have none.

  bool operator==(const ReadingDay&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const ReadingDay& day);
};

}  // namespace meterline
