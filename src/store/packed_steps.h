#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/reading_day.h"

namespace meterline::store {

/// The readings in a packed day's body: the steps from one to the next, in a Rice code whose
/// remainders and quotients stand apart. docs/store.md has the layout with a worked example.

/// The most bits of a remainder.
inline constexpr int remainder_bits_max = 56;
/// Room for any readings: per reading a remainder, the ones of a quotient and an escape, and at
/// the end what is written in whole words.
inline constexpr std::size_t steps_bytes_max = slots_max * (7 + 4 + 10) + 16;

/// The values that are handled together.
inline constexpr std::size_t steps_group = 8;

struct PackedSteps {
  int remainder_bits;
  std::size_t bytes;
};
/// Writes `count` values, at most slots_max, to `out`, which has room for steps_bytes_max bytes.
/// The last value is repeated until there are whole groups of steps_group. `sum` becomes that of
/// the values, when it fits. The same values give the same bytes everywhere.
PackedSteps pack_steps(const std::int64_t* values, std::size_t count, unsigned char* out,
                       std::optional<std::int64_t>& sum);

/// Reads `count` values; false when `packed` is not exactly them. Never reads past the end,
/// whatever the bytes are. `remainder_bits` is at most remainder_bits_max.
bool unpack_steps(std::string_view packed, int remainder_bits, std::int64_t* values,
                  std::size_t count);

}  // namespace meterline::store
