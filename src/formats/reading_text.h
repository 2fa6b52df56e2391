#pragma once

#include <optional>
#include <string_view>

#include "core/decimal.h"

namespace meterline::formats {

/// Decimals of a reading that are kept: a millionth of a watt second in kWh is beyond any meter,
/// and what binary numbers leave behind when they are printed (0.30000000000000004) is beyond that.
inline constexpr int reading_decimals_max = 9;

struct ReadingText {
  Decimal value;
  bool is_rounded = false;  ///< There was more than nothing behind the decimals that are kept.
};

/// A plain decimal (Decimal::parse), of any number of decimals: those beyond reading_decimals_max
/// are rounded, half away from zero. Empty when it is none, or too large.
std::optional<ReadingText> parse_reading(std::string_view text);

}  // namespace meterline::formats
