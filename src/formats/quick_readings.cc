#include "formats/quick_readings.h"

#include <bit>
#include <cstddef>

#include "formats/reading_text.h"

namespace meterline::formats {
namespace {

/// Bit n of `decimals_seen` tells that a value has n decimals.
const char* read_values(const char* at, ReadingDay& day, std::span<std::uint8_t> decimals_of,
                        std::uint32_t& decimals_seen) {
  const std::size_t slots = day.mantissas.size();
  std::int64_t* mantissas = day.mantissas.data();
  Quality* qualities = day.qualities.data();
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (*at != ',') return nullptr;
    ++at;
    const bool negative = *at == '-';
    if (negative) ++at;
    const char* const first = at;
    std::uint64_t value = 0;
    for (unsigned digit = 0; (digit = static_cast<unsigned char>(*at - '0')) < 10; ++at)
      value = value * 10 + digit;
    auto digits = at - first;
    std::uint32_t decimals = 0;
    if (*at == '.') {
      const char* const point = at++;
      for (unsigned digit = 0; (digit = static_cast<unsigned char>(*at - '0')) < 10; ++at)
        value = value * 10 + digit;
      if (digits == 0 || at == point + 1 || at - point > decimal_digits_max) return nullptr;
      decimals = static_cast<std::uint32_t>(at - point - 1);
      digits += decimals;
    }
    if (digits > decimal_digits_max) return nullptr;
    if (digits == 0) {
      if (negative) return nullptr;
      mantissas[slot] = 0;
      qualities[slot] = Quality::missing;
      continue;
    }
    decimals_seen |= std::uint32_t{1} << decimals;
    decimals_of[slot] = static_cast<std::uint8_t>(decimals);
    mantissas[slot] =
        negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    qualities[slot] = Quality::actual;
  }
  return at;
}

/// Brings all readings to the exponent of the one with most decimals; false when one would not
/// fit.
bool align(ReadingDay& day, std::span<const std::uint8_t> decimals, std::uint32_t decimals_seen) {
  const int decimals_max =
      decimals_seen == 0 ? 0 : static_cast<int>(std::bit_width(decimals_seen)) - 1;
  day.exponent = static_cast<std::int8_t>(-decimals_max);
  if ((decimals_seen & (decimals_seen - 1)) == 0) return true;
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    if (day.qualities[slot] == Quality::missing) continue;
    const auto power = static_cast<std::size_t>(decimals_max - decimals[slot]);
    if (__builtin_mul_overflow(day.mantissas[slot], powers_of_ten[power], &day.mantissas[slot]))
      return false;
  }
  return true;
}

}  // namespace

const char* read_quick_readings(const char* at, ReadingDay& day, std::span<std::uint8_t> decimals) {
  std::uint32_t decimals_seen = 0;
  at = read_values(at, day, decimals, decimals_seen);
  const bool may_be_noisy = decimals_seen >> (reading_decimals_max + 1) != 0;
  return at != nullptr && !may_be_noisy && align(day, decimals, decimals_seen) ? at : nullptr;
}

}  // namespace meterline::formats
