#include "core/decimal.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace meterline {
namespace {

/// Digits of a number without its sign, most significant first; `0` for zero.
std::string digits_of(Int128 value) {
  std::string out;
  do {
    const int digit = static_cast<int>(value % 10);  // The least number has no negative: no -value.
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

/// Without zeros at the end of the decimals.
std::pair<Int128, int> shortened(Int128 mantissa, int exponent) {
  for (; exponent < 0 && mantissa % 10 == 0; ++exponent) mantissa /= 10;
  return {mantissa, exponent};
}

std::string render(Int128 mantissa, int exponent) {
  std::tie(mantissa, exponent) = shortened(mantissa, exponent);
  const bool negative = mantissa < 0;
  std::string digits = digits_of(mantissa);
  if (exponent < 0) {
    const auto decimals = static_cast<std::size_t>(-exponent);
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
  }
  return negative ? '-' + digits : digits;
}

/// False when the result does not fit.
bool scale_up(Int128& mantissa, int powers_of_ten) {
  for (; powers_of_ten > 0; --powers_of_ten)
    if (__builtin_mul_overflow(mantissa, Int128{10}, &mantissa)) return false;
  return true;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto decimals = point == std::string_view::npos ? 0 : text.size() - point - 1;
  if (text.empty() || point == 0 || text.ends_with('.')) return std::nullopt;
  if (text.size() - (decimals > 0 ? 1 : 0) > decimal_digits_max) return std::nullopt;

  std::int64_t mantissa = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    mantissa = mantissa * 10 + (text[i] - '0');
  }
  return Decimal{.mantissa = negative ? -mantissa : mantissa,
                 .exponent = static_cast<std::int8_t>(-static_cast<int>(decimals))};
}

std::string Decimal::text() const { return render(mantissa, exponent); }

bool operator==(Decimal a, Decimal b) {
  if (a.exponent == b.exponent) return a.mantissa == b.mantissa;
  return shortened(a.mantissa, a.exponent) == shortened(b.mantissa, b.exponent);
}

Result<void> Sum::add_scaled(const Sum& other) {
  const int exponent = std::min(exponent_, other.exponent_);
  Int128 a = mantissa_;
  Int128 b = other.mantissa_;
  if (!scale_up(a, exponent_ - exponent) || !scale_up(b, other.exponent_ - exponent) ||
      __builtin_add_overflow(a, b, &a))
    return fail(Errc::too_large, "the sum has more digits than an exact total can hold");
  mantissa_ = a;
  exponent_ = exponent;
  return {};
}

bool operator==(const Sum& a, const Sum& b) {
  if (a.exponent_ == b.exponent_) return a.mantissa_ == b.mantissa_;
  return shortened(a.mantissa_, a.exponent_) == shortened(b.mantissa_, b.exponent_);
}

std::string Sum::text() const { return render(mantissa_, exponent_); }

}  // namespace meterline
