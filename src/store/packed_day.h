#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/reading_day.h"
#include "core/result.h"

namespace meterline::store {

/// The bytes of one reading day: everything but whose it is and when (meter, channel, date).
/// docs/store.md has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char packed_day_format = 2;

/// Appends the packed day to `out`, and returns its plain total, which costs little here. The day
/// must hold 1 to slots_max slots.
std::optional<std::int64_t> pack_day(const ReadingDay& day, std::string& out);

/// The sum of the day's mantissas, when every slot is actual and the sum fits; else empty.
/// Such a day's total needs no other version and no look at its readings.
std::optional<std::int64_t> plain_total(const ReadingDay& day);

/// Fills interval, exponent, mantissas and qualities of `day` and leaves the rest as it is.
/// Errors: `corrupt` when the bytes are no packed day or of a newer format; never reads past
/// the end, whatever the bytes are.
Result<void> unpack_day(std::string_view packed, ReadingDay& day);

/// A packed day is its format number, the grid (interval, slots, exponent: the same for most
/// days of a meter) and the body (qualities and readings). A backend that keeps many days in
/// one value may keep their grid once.
struct PackedParts {
  std::string_view grid;
  std::string_view body;
};
Result<PackedParts> split_packed_day(std::string_view packed);
struct GridInfo {
  IntervalLength interval;
  std::int8_t exponent = 0;
  std::int64_t slots = 0;
};
Result<GridInfo> grid_info(std::string_view grid);
void join_packed_day(const PackedParts& parts, std::string& out);  ///< Overwrites `out`.

}  // namespace meterline::store
