#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

/// Why something in a file was not stored as it stands. A closed list: docs/findings.md.
enum class FindingCode : std::uint8_t {
  // One reading is left out; the others of its row are kept.
  bad_value,        ///< Not a plain decimal.
  value_too_large,  ///< Does not fit beside the row's other readings, or has over 18 digits.
  // One row is left out; the file goes on.
  bad_meter_id,
  bad_date,
  too_few_columns,
  too_many_columns,
  bad_quoting,   ///< A quote inside an unquoted field, or text after a closing quote.
  row_too_long,  ///< Longer than row_bytes_max.
  truncated,     ///< The file ends in the middle of this row.
  repeated,      ///< A later row of the file has the same meter and day; that one is kept.
  // Nothing of a row is lost.
  column_ignored,  ///< A header column that is no time of day.
};
inline constexpr std::size_t finding_codes_count = 11;

/// What a finding costs.
enum class FindingScope : std::uint8_t { reading, row, column };

std::string_view text_of(FindingCode code);
FindingScope scope_of(FindingCode code);

/// The excerpt and other text of a finding is cut to this many bytes.
inline constexpr std::size_t excerpt_bytes_max = 80;

struct Finding {
  std::int64_t line = 0;  ///< 1-based, physical line where the row starts; 0: no single line.
  int column = 0;         ///< 1-based field of the row; 0: the row as a whole.
  FindingCode code = FindingCode::bad_value;
  std::string text;     ///< What was wanted and what was there.
  std::string excerpt;  ///< The offending text, clipped, with control characters escaped.

  bool operator==(const Finding&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Finding& f) {
    return out << f.line << ':' << f.column << ' ' << text_of(f.code) << ": " << f.text << " ["
               << f.excerpt << ']';
  }
};

/// `text` cut to excerpt_bytes_max bytes with `...`; control and non-UTF-8 bytes as `\xNN`.
std::string excerpt_of(std::string_view text);

}  // namespace meterline
