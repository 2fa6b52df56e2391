#include "formats/feed/number.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

constexpr std::size_t chars_max = 64;
constexpr int exponent_max = 30;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Plain numbers of few digits, which most are.
std::optional<ReadingText> read_plain(std::string_view text, char decimal) {
  constexpr std::size_t plain_chars_max = 19;
  if (text.empty() || text.size() > plain_chars_max) return std::nullopt;
  const bool is_negative = text.front() == '-';
  std::uint64_t value = 0;  // So many digits always fit.
  std::size_t at = is_negative ? 1 : 0;
  const std::size_t first = at;
  const auto take_digit = [&](char c) { value = value * 10 + static_cast<unsigned>(c - '0'); };
  while (at < text.size() && is_digit(text[at])) take_digit(text[at++]);
  std::size_t digits = at - first;
  if (digits == 0) return std::nullopt;
  std::size_t decimals = 0;
  if (at < text.size() && text[at] == decimal) {
    const std::size_t point = at++;
    while (at < text.size() && is_digit(text[at])) take_digit(text[at++]);
    decimals = at - point - 1;
    if (decimals == 0 || decimals > reading_decimals_max) return std::nullopt;
    digits += decimals;
  }
  if (at != text.size() || digits > decimal_digits_max) return std::nullopt;
  const auto mantissa = static_cast<std::int64_t>(value);
  return ReadingText{.value = {.mantissa = is_negative ? -mantissa : mantissa,
                               .exponent = static_cast<std::int8_t>(-static_cast<int>(decimals))}};
}

std::string_view without_symbols(std::string_view text, std::string_view symbols) {
  const auto is_symbol = [&](char c) { return symbols.find(c) != std::string_view::npos; };
  text = without_blanks_around(text);
  while (!text.empty() && is_symbol(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_symbol(text.back())) text.remove_suffix(1);
  return without_blanks_around(text);
}

/// The digits of a whole number without its separators; false when a group is not of three.
bool take_grouped(std::string_view& text, char thousands, std::string& digits) {
  constexpr std::size_t group = 3;
  std::size_t in_group = 0;
  bool has_separator = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (is_digit(c)) {
      digits += c;
      ++in_group;
    } else if (thousands != '\0' && c == thousands) {
      if (in_group == 0 || in_group > group || (has_separator && in_group != group)) return false;
      has_separator = true;
      in_group = 0;
    } else {
      break;
    }
  }
  if (has_separator && in_group != group) return false;
  text.remove_prefix(at);
  return true;
}

std::optional<int> take_exponent(std::string_view& text) {
  if (text.empty()) return 0;
  if (text.front() != 'E' && text.front() != 'e') return std::nullopt;
  text.remove_prefix(1);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  std::size_t count = 0;
  while (!text.empty() && is_digit(text.front()) && count++ < 3) {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (count == 0 || !text.empty()) return std::nullopt;
  return is_negative ? -value : value;
}

/// The decimal point of `digits`, of which the last `decimals` are behind it, moved by an exponent.
std::optional<std::string> moved(std::string digits, std::size_t decimals, int exponent) {
  if (digits.find_first_not_of('0') == std::string::npos) return "0";
  if (exponent > exponent_max || exponent < -exponent_max) return std::nullopt;
  for (; exponent > 0; --exponent)
    if (decimals > 0)
      --decimals;
    else
      digits += '0';
  decimals += static_cast<std::size_t>(-exponent);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
  return digits;
}

}  // namespace

std::optional<ReadingText> read_number(std::string_view text, const NumberStyle& style) {
  if (const auto plain = read_plain(text, style.decimal)) return plain;
  if (text.size() > chars_max) return std::nullopt;
  text = without_symbols(text, style.symbols);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  text = without_symbols(text, style.symbols);
  std::string digits;
  if (!take_grouped(text, style.thousands, digits) || digits.empty()) return std::nullopt;
  std::size_t decimals = 0;
  if (text.starts_with(style.decimal)) {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text.front()); ++decimals, text.remove_prefix(1))
      digits += text.front();
    if (decimals == 0) return std::nullopt;
  }
  const auto exponent = take_exponent(text);
  if (!exponent) return std::nullopt;
  const auto plain = moved(std::move(digits), decimals, *exponent);
  return plain ? parse_reading(is_negative ? "-" + *plain : *plain) : std::nullopt;
}

}  // namespace meterline::formats
