#include "formats/meter_text.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/meter_id.h"

namespace meterline::formats {
namespace {

constexpr std::size_t exponent_digits_max = 3;

bool is_digit(char c) { return '0' <= c && c <= '9'; }

std::size_t take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

/// `Total`, `Grand Total` and the like, in any case, with or without blanks.
bool names_a_sum(std::string_view text) {
  constexpr std::array<std::string_view, 7> names = {
      "total", "totals", "sum", "grandtotal", "subtotal", "totalsum", "sumtotal"};
  constexpr std::size_t chars_max = 16;
  if (text.empty() || text.size() > chars_max) return false;
  std::array<char, chars_max> letters{};
  std::size_t count = 0;
  for (const char c : text) {
    if (c == ' ' || c == '_' || c == '-' || c == ':' || c == '.') continue;
    letters.at(count++) = static_cast<char>(c | 0x20);
  }
  return std::find(names.begin(), names.end(), std::string_view(letters.data(), count)) !=
         names.end();
}

/// One digit, decimals if any, and an exponent: `7.22E+13`, `2,31282e13`.
bool is_scientific(std::string_view text) {
  if (take_digits(text) != 1 || text.empty()) return false;
  if (text.front() == '.' || text.front() == ',') {
    text.remove_prefix(1);
    if (take_digits(text) == 0 || text.empty()) return false;
  }
  if (text.front() != 'E' && text.front() != 'e') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const auto digits = take_digits(text);
  return 0 < digits && digits <= exponent_digits_max && text.empty();
}

/// A whole number with decimals of nothing: `9900000000017.0`.
bool is_decimal_whole(std::string_view text) {
  if (take_digits(text) == 0 || text.size() < 2) return false;
  if (text.front() != '.' && text.front() != ',') return false;
  text.remove_prefix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

}  // namespace

bool is_no_meter(std::string_view text) {
  if (text.empty()) return false;
  if (is_digit(text.front())) return is_scientific(text) || is_decimal_whole(text);
  return names_a_sum(text);
}

std::optional<MeterObjection> objection_to_meter(std::string_view text) {
  if (names_a_sum(text))
    return MeterObjection{FindingCode::summary_row, "this row names a sum of others, and no meter"};
  if (is_scientific(text))
    return MeterObjection{FindingCode::bad_meter_id,
                          "the id was turned into a number in scientific notation, as spreadsheets "
                          "do, and digits of it are lost; export it as text"};
  if (is_decimal_whole(text))
    return MeterObjection{
        FindingCode::bad_meter_id,
        "the id was turned into a decimal number, as spreadsheets and data frames "
        "do; export it as text"};
  if (text.starts_with('\''))
    return MeterObjection{FindingCode::bad_meter_id,
                          "a leading apostrophe, by which spreadsheets keep text as it is; write "
                          "the id without it"};
  if (!MeterId::parse(text))
    return MeterObjection{FindingCode::bad_meter_id, "want 1 to 64 of `A-Z a-z 0-9 _ - . :`"};
  return std::nullopt;
}

}  // namespace meterline::formats
