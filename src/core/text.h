#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meterline {

/// Bytes of the well-formed UTF-8 character (RFC 3629) at the start of `text`, which is not empty;
/// 0 if there is none.
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

/// Whether it is UTF-8 without control characters.
bool is_clean_text(std::string_view text);

/// ASCII letters in lower case; every other byte stays.
constexpr char lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
std::string lower(std::string_view text);

/// Whether they are the same but for the case of ASCII letters.
bool same_letters(std::string_view a, std::string_view b);

/// Appends a field of CSV (RFC 4180), quoted where it has to be.
void append_csv_field(std::string& out, std::string_view text);

/// Appends `text` as it stands between the quotes of a JSON string: control characters escaped,
/// and U+FFFD for bytes that are not UTF-8, so that the result is always valid.
void append_json_text(std::string& out, std::string_view text);

}  // namespace meterline
