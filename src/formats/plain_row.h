#pragma once

#include <cstdint>
#include <span>

namespace meterline::formats {

/// What read_plain_row found.
struct PlainRow {
  /// Behind the last reading: no digit and no point. Null: not of that form.
  const char* end = nullptr;
  int decimals = 0;  ///< Of every reading; 0: whole numbers.
};

/// Reads `mantissas.size()` readings, parted by commas, from `at` on, where they have the form that
/// nearly all rows have: each has 1 to 8 digits and no sign, and all have the same number of
/// decimals, with a digit before the point. Of any other row nothing is promised but a null end.
///
/// Nothing at or behind `end` is looked at; a row that ends within 64 bytes of it may be taken for
/// one of another form. On a processor that lacks what this needs (AVX-512 VBMI2), every row is: it
/// is only ever a quicker way to what another reader says, too.
PlainRow read_plain_row(const char* at, const char* end, std::span<std::int64_t> mantissas);

}  // namespace meterline::formats
