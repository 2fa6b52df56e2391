#include "core/finding.h"

#include <fmt/core.h>

#include <array>

namespace meterline {
namespace {

/// Length of the well-formed UTF-8 character at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

/// C0, DEL and C1 (U+0080 to U+009F): a terminal may act on any of them.
bool starts_with_control(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead == 0xC2 && text.size() > 1) return static_cast<unsigned char>(text[1]) < 0xA0;
  return lead < 0x20 || lead == 0x7F;
}

}  // namespace

std::string_view text_of(FindingCode code) {
  constexpr std::array<std::string_view, finding_codes_count> names = {
      "bad_value",       "value_too_large",  "bad_meter_id",  "bad_date",
      "too_few_columns", "too_many_columns", "bad_quoting",   "row_too_long",
      "truncated",       "repeated",         "column_ignored"};
  return names.at(static_cast<std::size_t>(code));
}

FindingScope scope_of(FindingCode code) {
  if (code <= FindingCode::value_too_large) return FindingScope::reading;
  return code == FindingCode::column_ignored ? FindingScope::column : FindingScope::row;
}

std::string excerpt_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const bool printable = length > 0 && !starts_with_control(text);
    const std::string piece =
        printable ? std::string(text.substr(0, length)) : fmt::format("\\x{:02X}", lead);
    if (out.size() + piece.size() > excerpt_bytes_max) return out + "...";
    out += piece;
    text.remove_prefix(printable ? length : 1);
  }
  return out;
}

}  // namespace meterline
