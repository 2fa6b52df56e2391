#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/date.h"
#include "core/instant.h"
#include "core/reading_day.h"

/// What NEM12 and NEM13 have in common: lines, fields, times and qualities. Source: AEMO, Meter
/// Data File Format Specification NEM12 & NEM13 (MDFF), section 3. In a header, since a reader of
/// days goes through lines and dates quickly when they are part of it.
namespace meterline::formats::mdff {

/// Without `unknown`, which comes last.
inline constexpr auto unit_names = unit_choices.substr(0, unit_choices.rfind(','));

inline constexpr std::size_t kind_chars = 3;
inline constexpr std::size_t date_chars = 8;
inline constexpr std::size_t date_time_chars = 14;
inline constexpr std::int64_t micros_per_second = 1'000'000;
/// Market time is that of +10:00 all the year (MDFF, section 3: date and time).
inline constexpr int market_offset_minutes = 10 * 60;
inline constexpr std::int64_t market_offset_seconds = std::int64_t{market_offset_minutes} * 60;

struct Line {
  std::string_view text;  ///< Without its end.
  std::size_t bytes = 0;  ///< With it.
  bool is_ended = true;   ///< It has an end.
};

/// The line at the start of `text`, which is not empty.
inline Line first_line(std::string_view text) {
  const auto* const end = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
  const auto before = end == nullptr ? text.size() : static_cast<std::size_t>(end - text.data());
  const auto* const cr = static_cast<const char*>(std::memchr(text.data(), '\r', before));
  if (cr == nullptr)
    return {.text = text.substr(0, before),
            .bytes = before + (end == nullptr ? 0 : 1),
            .is_ended = end != nullptr};
  const auto length = static_cast<std::size_t>(cr - text.data());
  const bool is_crlf = length + 1 < text.size() && text[length + 1] == '\n';
  return {.text = text.substr(0, length), .bytes = length + (is_crlf ? 2 : 1)};
}

inline std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// Without its quotes and the blanks around it; a comma is always a delimiter.
inline void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    const auto comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

inline bool is_digit(char c) { return '0' <= c && c <= '9'; }
inline bool is_letter(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z'); }
inline char upper(char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// The number that so many digits make; empty for anything else.
inline std::optional<int> number_of(std::string_view digits) {
  constexpr std::size_t digits_max = 4;
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  int number = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// `yyyyMMdd`
inline std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != date_chars) return std::nullopt;
  const auto year = number_of(text.substr(0, 4));
  const auto month = number_of(text.substr(4, 2));
  const auto day = number_of(text.substr(6, 2));
  if (!year || !month || !day) return std::nullopt;
  return Date::from_civil({.year = *year, .month = *month, .day = *day});
}

/// `yyyyMMddHHmmss` in market time.
inline std::optional<Instant> parse_date_time(std::string_view text) {
  if (text.size() != date_time_chars) return std::nullopt;
  const auto date = parse_date(text.substr(0, date_chars));
  const auto hour = number_of(text.substr(8, 2));
  const auto minute = number_of(text.substr(10, 2));
  const auto second = number_of(text.substr(12, 2));
  if (!date || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59)
    return std::nullopt;
  const std::int64_t of_day = (*hour * 60 + *minute) * 60 + *second;
  return Instant{.micros =
                     (std::int64_t{date->days()} * 24 * 3600 + of_day - market_offset_seconds) *
                     micros_per_second};
}

/// A letter, and for some two digits of a method: `A`, `S14`.
struct QualityMethod {
  char flag = 'A';
  std::string_view method;
};
inline std::optional<QualityMethod> parse_quality(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return std::nullopt;
  const QualityMethod read{.flag = upper(text[0]), .method = text.substr(1)};
  if (std::string_view("AEFSNV").find(read.flag) == std::string_view::npos) return std::nullopt;
  if (!read.method.empty() && (read.method.size() != 2 || !number_of(read.method)))
    return std::nullopt;
  return read;
}

/// Final substitutes are substitutes; null data is missing (MDFF, appendix on quality flags).
inline Quality quality_of(char flag) {
  switch (flag) {
    case 'E':
      return Quality::estimated;
    case 'F':
    case 'S':
      return Quality::substituted;
    case 'N':
      return Quality::missing;
    default:
      return Quality::actual;
  }
}

/// Of a record's line: `300`. Empty for what begins with none.
inline std::string_view kind_of(std::string_view line) {
  if (line.size() < kind_chars) return {};
  if (line.size() > kind_chars && line[kind_chars] != ',') return {};
  return line.substr(0, kind_chars);
}

inline bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t,") == std::string_view::npos;
}

/// Whether `head` begins with a 100 record of that format.
inline bool is_header_of(std::string_view head, std::string_view format) {
  if (!head.starts_with("100,")) return false;
  const auto name = trimmed(head.substr(4, head.find_first_of(",\r\n", 4) - 4));
  return std::equal(name.begin(), name.end(), format.begin(), format.end(),
                    [](char a, char b) { return upper(a) == b; });
}

}  // namespace meterline::formats::mdff
