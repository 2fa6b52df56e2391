#include "formats/reading_text.h"

#include <algorithm>
#include <cstddef>

namespace meterline::formats {
namespace {

constexpr auto kept_decimals = static_cast<std::size_t>(reading_decimals_max);

bool is_digit(char c) { return '0' <= c && c <= '9'; }

}  // namespace

std::optional<ReadingText> parse_reading(std::string_view text) {
  const auto point = text.find('.');
  const auto decimals = point == std::string_view::npos ? 0 : text.size() - point - 1;
  if (decimals <= kept_decimals) {
    const auto value = Decimal::parse(text);
    return value ? std::optional(ReadingText{.value = *value}) : std::nullopt;
  }
  const auto cut = text.substr(point + 1 + kept_decimals);
  auto value = Decimal::parse(text.substr(0, point + 1 + kept_decimals));
  if (!value || !std::all_of(cut.begin(), cut.end(), is_digit)) return std::nullopt;
  if (cut.front() >= '5') value->mantissa += text.starts_with('-') ? -1 : 1;
  while (value->exponent < 0 && value->mantissa % 10 == 0) {
    value->mantissa /= 10;
    ++value->exponent;
  }
  const bool is_rounded = cut.find_first_not_of('0') != std::string_view::npos;
  return ReadingText{.value = *value, .is_rounded = is_rounded};
}

}  // namespace meterline::formats
