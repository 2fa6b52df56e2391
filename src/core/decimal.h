#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline {

__extension__ using Int128 = __int128;

/// At most this many digits before and after the point together, leading zeros included.
inline constexpr int decimal_digits_max = 18;

/// An exact decimal: mantissa * 10^exponent. `0.305` is {305, -3}.
/// Two decimals of equal value may differ in exponent; `==` compares the value.
struct Decimal {
  std::int64_t mantissa = 0;
  std::int8_t exponent = 0;  ///< -18 to 0

  /// A plain decimal: an optional `-`, digits, and an optional point with digits after it.
  /// No blanks, `+`, exponent or bare point; at most decimal_digits_max digits.
  static std::optional<Decimal> parse(std::string_view text);

  std::string text() const;  ///< The shortest plain form: {1500, -3} is `1.5`, {0, -3} is `0`.
  friend bool operator==(Decimal a, Decimal b);
  friend std::ostream& operator<<(std::ostream& out, Decimal d) { return out << d.text(); }
};

/// An exact running sum of decimals in 128 bits: wide enough for 10^20 readings of 18 whole
/// digits, or for 1,000 of them beside one of 17 decimals. What exceeds that is an error.
class Sum {
 public:
  Sum() = default;
  Sum(Int128 mantissa, int exponent) : mantissa_(mantissa), exponent_(exponent) {}

  /// `too_large` when the sum would overflow; the sum is then unchanged.
  Result<void> add(Decimal value) { return add(Sum(value.mantissa, value.exponent)); }
  Result<void> add(const Sum& other) {
    Int128 sum = 0;
    if (exponent_ != other.exponent_ || __builtin_add_overflow(mantissa_, other.mantissa_, &sum))
      return add_scaled(other);
    mantissa_ = sum;
    return {};
  }

  Int128 mantissa() const { return mantissa_; }
  int exponent() const { return exponent_; }  ///< -18 to 0

  std::string text() const;  ///< As Decimal::text; always a valid JSON number.
  friend bool operator==(const Sum& a, const Sum& b);  ///< Of the values, as of decimals.
  friend std::ostream& operator<<(std::ostream& out, const Sum& s) { return out << s.text(); }

 private:
  Result<void> add_scaled(const Sum& other);

  Int128 mantissa_ = 0;
  int exponent_ = 0;
};

}  // namespace meterline
