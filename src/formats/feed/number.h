#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/reading_text.h"

namespace meterline::formats {

/// How a file writes its numbers.
struct NumberStyle {
  char decimal = '.';        ///< `.` or `,`
  char thousands = '\0';     ///< Between groups of three digits; 0: none.
  std::string symbols = {};  ///< Characters before or behind a number that say nothing: `$`.

  bool operator==(const NumberStyle&) const = default;
};

/// Reads a number as `style` writes it: an optional sign, digits with their decimals, and an
/// exponent if there is one (`0E-20`). Groups of digits must be of three. Decimals are kept and
/// rounded as parse_reading() does. Empty when it is no such number or too large.
std::optional<ReadingText> read_number(std::string_view text, const NumberStyle& style);

}  // namespace meterline::formats
