#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/decimal.h"
#include "core/reading_day.h"

namespace meterline::formats {

inline constexpr std::array<std::int64_t, decimal_digits_max + 1> powers_of_ten = [] {
  std::array<std::int64_t, decimal_digits_max + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

/// Reads `,v` for every slot of the day, and returns where the last one ends; null when one of them
/// is neither empty nor a plain decimal, has more than reading_decimals_max decimals, or does not
/// fit beside the others. An empty one is missing, the others are actual. Sets mantissas, qualities
/// and the exponent of the day, and `decimals` to those of each reading as written; what they are
/// after null is not said.
///
/// `at` is a comma, and there must be a character behind it that is neither digit, point, comma nor
/// minus: a line end.
const char* read_quick_readings(const char* at, ReadingDay& day, std::span<std::uint8_t> decimals);

}  // namespace meterline::formats
