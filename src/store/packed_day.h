#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/delivery.h"
#include "core/reading_day.h"
#include "core/result.h"

namespace meterline::store {

/// The bytes of one reading day: everything but whose it is and when (meter, channel, date).
/// docs/store.md has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char packed_day_format = 2;

/// Appends the packed day to `out`, and returns its plain total, which costs little here. The day
/// must hold 1 to slots_max slots, and notes for which fault_of() is empty.
std::optional<std::int64_t> pack_day(const ReadingDay& day, std::string& out);

/// The sum of the day's mantissas, when every slot is actual and the sum fits; else empty.
/// Such a day's total needs no other version and no look at its readings.
std::optional<std::int64_t> plain_total(const ReadingDay& day);

/// Of a day that lacks no reading.
struct CompleteTotal {
  std::int64_t mantissa = 0;  ///< The sum of the day's.
  std::uint16_t substituted = 0;
  std::uint16_t estimated = 0;
  bool operator==(const CompleteTotal&) const = default;
};
/// Empty when a reading is missing, which costs little to find, or when the sum does not fit.
/// Overwrites `scratch`, but for its notes, which are passed over. Errors: as unpack_day().
Result<std::optional<CompleteTotal>> complete_total(std::string_view packed, ReadingDay& scratch);

/// Fills all of `day` but meter, channel and date.
/// Errors: `corrupt` when the bytes are no packed day or of a newer format; never reads past
/// the end, whatever the bytes are.
Result<void> unpack_day(std::string_view packed, ReadingDay& day);

/// A packed day is its format number, the grid (interval, slots, exponent, stated time, origin,
/// time zone, facts of its channel: the same for most days of a meter) and the body (notes,
/// qualities and readings). A backend that keeps many days in one value may keep their grid once.
struct PackedParts {
  std::string_view grid;
  std::string_view body;
};
Result<PackedParts> split_packed_day(std::string_view packed);
struct GridInfo {
  IntervalLength interval;
  std::int8_t exponent = 0;
  std::int64_t slots = 0;
  std::optional<Instant> stated;
  Origin origin = Origin::source;
  TimeZone zone = {};

  bool operator==(const GridInfo&) const = default;
  /// The version of a day of this grid that came with a delivery of version `delivered`.
  Version version(Version delivered) const {
    if (stated) delivered.stated = *stated;
    delivered.origin = origin;
    return delivered;
  }
};
/// Without the facts.
Result<GridInfo> grid_info(std::string_view grid);
/// The same of the grid at the front of `bytes`, which then begins behind it.
Result<GridInfo> take_grid(std::string_view& bytes);
/// What a grid says of the channel. Errors: `corrupt`.
Result<std::optional<ChannelFacts>> facts_of(std::string_view grid);
/// The version of a packed day that came with a delivery of version `delivered`; `grid` is that of
/// a valid day. Costs next to nothing where the day states no time.
Result<Version> version_of(std::string_view grid, const Version& delivered);
void join_packed_day(const PackedParts& parts, std::string& out);  ///< Overwrites `out`.

}  // namespace meterline::store
