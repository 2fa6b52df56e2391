#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

/// Why something in a file was not stored as it stands, or may not be what was meant. A closed
/// list: docs/findings.md. The numbers are stored: they never change meaning, and new ones come
/// last.
enum class FindingCode : std::uint8_t {
  bad_value = 0,        ///< Not a plain decimal.
  value_too_large = 1,  ///< Does not fit beside the row's other readings, or has over 18 digits.
  bad_meter_id = 2,
  bad_date = 3,
  too_few_columns = 4,
  too_many_columns = 5,
  bad_quoting = 6,      ///< A quote inside an unquoted field, or text after a closing quote.
  row_too_long = 7,     ///< Longer than row_bytes_max.
  truncated = 8,        ///< The file ends in the middle of this row.
  repeated = 9,         ///< A later row of the file has the same meter and day; that one is kept.
  column_ignored = 10,  ///< Header columns that are no times of day.
  summary_row = 11,     ///< Names a sum of other rows instead of a meter.
  noise_dropped = 12,   ///< A reading was rounded to reading_decimals_max decimals.
  ambiguous_row = 13,   ///< Another row of its meter and day differs in a column that is not read.
  readings_without_column = 14,  ///< The row has readings that no interval of the day takes.
  other_unit = 15,               ///< The row names another unit than the file was loaded with.
  total_differs = 16,            ///< The row's own total is not the sum of its readings.
  readings_ignored = 17,         ///< Header columns that seem to hold readings.
  flags_ignored = 18,            ///< Header columns that seem to say how good readings are.
  unit_ignored = 19,             ///< A header column that seems to name units.
  delivery_in_future = 20,       ///< The file's time is later than its receipt, which counts.
  older_delivery = 21,           ///< A later delivery of the same source came before it.
  unit_differs = 22,             ///< Loaded with a unit of another quantity than the store's own.
  reading_replaced =
      23,              ///< Another row of the day, which is united with this one, says otherwise.
  notes_dropped = 24,  ///< More is said of a day's readings than is kept.
  stated_in_future = 25,    ///< The row states a time later than the file's receipt, which counts.
  bad_block = 26,           ///< Records that belong together are not read, as one of them is wrong.
  bad_record = 27,          ///< A line that is no record of its format, or not where it may stand.
  not_standard = 28,        ///< Read, though the format's standard does not allow it.
  end_missing = 29,         ///< The format ends with a record that the file lacks.
  other_zone = 30,          ///< The row's times are not those of the zone that it was loaded with.
  no_such_time = 31,        ///< A zero at a time that the clock left out.
  time_comes_twice = 32,    ///< A reading at a time that the clock showed twice on that day.
  read_replaced = 33,       ///< Another row of the same register and time, kept instead, differs.
  too_many_registers = 34,  ///< More registers of a meter are read at once than are kept.
  broken_off = 35,          ///< The file cannot be read on: what is behind that place is not.
  zone_unknown = 36,        ///< Neither the file nor an option says what clock days are counted by.
  series_ignored = 37,      ///< Readings of a kind that is not kept, or not beside another.
  resource_ignored = 38,    ///< Parts of the file that are no readings.
  bad_interval = 39,        ///< A reading of a time that is no interval of its day.
  row_left_out = 40,        ///< The feed says that such a row is not read.
  unknown_flag = 41,        ///< The feed does not say what a reading's flag means.
  unknown_channel = 42,     ///< The feed does not say which channel a row is of.
  file_total_differs = 43,  ///< The file's own sum or number of rows is not that of its rows.
  meter_erased = 44,        ///< The row's meter was erased, and is not taken any more.
};

/// What a finding is about.
enum class FindingScope : std::uint8_t { reading, row, block, file };

/// What a finding costs.
enum class FindingSeverity : std::uint8_t {
  note,     ///< Nothing that was meant to be stored is lost.
  warning,  ///< Nothing is lost, but what is stored may not be what was meant.
  loss,     ///< A reading or a row was not stored.
};

/// A row of the table of all codes.
struct FindingKind {
  FindingCode code;
  std::string_view name;
  FindingScope scope;
  FindingSeverity severity;
};

/// All codes, each at the place of its number.
inline constexpr std::array finding_kinds = {
    FindingKind{FindingCode::bad_value, "bad_value", FindingScope::reading, FindingSeverity::loss},
    FindingKind{FindingCode::value_too_large, "value_too_large", FindingScope::reading,
                FindingSeverity::loss},
    FindingKind{FindingCode::bad_meter_id, "bad_meter_id", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::bad_date, "bad_date", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::too_few_columns, "too_few_columns", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::too_many_columns, "too_many_columns", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::bad_quoting, "bad_quoting", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::row_too_long, "row_too_long", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::truncated, "truncated", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::repeated, "repeated", FindingScope::row, FindingSeverity::note},
    FindingKind{FindingCode::column_ignored, "column_ignored", FindingScope::file,
                FindingSeverity::note},
    FindingKind{FindingCode::summary_row, "summary_row", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::noise_dropped, "noise_dropped", FindingScope::reading,
                FindingSeverity::note},
    FindingKind{FindingCode::ambiguous_row, "ambiguous_row", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::readings_without_column, "readings_without_column", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::other_unit, "other_unit", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::total_differs, "total_differs", FindingScope::row,
                FindingSeverity::warning},
    FindingKind{FindingCode::readings_ignored, "readings_ignored", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::flags_ignored, "flags_ignored", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::unit_ignored, "unit_ignored", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::delivery_in_future, "delivery_in_future", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::older_delivery, "older_delivery", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::unit_differs, "unit_differs", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::reading_replaced, "reading_replaced", FindingScope::row,
                FindingSeverity::warning},
    FindingKind{FindingCode::notes_dropped, "notes_dropped", FindingScope::row,
                FindingSeverity::warning},
    FindingKind{FindingCode::stated_in_future, "stated_in_future", FindingScope::row,
                FindingSeverity::warning},
    FindingKind{FindingCode::bad_block, "bad_block", FindingScope::block, FindingSeverity::loss},
    FindingKind{FindingCode::bad_record, "bad_record", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::not_standard, "not_standard", FindingScope::block,
                FindingSeverity::warning},
    FindingKind{FindingCode::end_missing, "end_missing", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::other_zone, "other_zone", FindingScope::row, FindingSeverity::loss},
    FindingKind{FindingCode::no_such_time, "no_such_time", FindingScope::reading,
                FindingSeverity::note},
    FindingKind{FindingCode::time_comes_twice, "time_comes_twice", FindingScope::reading,
                FindingSeverity::loss},
    FindingKind{FindingCode::read_replaced, "read_replaced", FindingScope::row,
                FindingSeverity::warning},
    FindingKind{FindingCode::too_many_registers, "too_many_registers", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::broken_off, "broken_off", FindingScope::file, FindingSeverity::loss},
    FindingKind{FindingCode::zone_unknown, "zone_unknown", FindingScope::block,
                FindingSeverity::loss},
    FindingKind{FindingCode::series_ignored, "series_ignored", FindingScope::block,
                FindingSeverity::loss},
    FindingKind{FindingCode::resource_ignored, "resource_ignored", FindingScope::file,
                FindingSeverity::note},
    FindingKind{FindingCode::bad_interval, "bad_interval", FindingScope::reading,
                FindingSeverity::loss},
    FindingKind{FindingCode::row_left_out, "row_left_out", FindingScope::row,
                FindingSeverity::note},
    FindingKind{FindingCode::unknown_flag, "unknown_flag", FindingScope::reading,
                FindingSeverity::warning},
    FindingKind{FindingCode::unknown_channel, "unknown_channel", FindingScope::row,
                FindingSeverity::loss},
    FindingKind{FindingCode::file_total_differs, "file_total_differs", FindingScope::file,
                FindingSeverity::warning},
    FindingKind{FindingCode::meter_erased, "meter_erased", FindingScope::row,
                FindingSeverity::loss},
};
inline constexpr std::size_t finding_codes_count = finding_kinds.size();

/// Of a code that is in the table.
constexpr const FindingKind& kind_of(FindingCode code) {
  return finding_kinds.at(static_cast<std::size_t>(code));
}
constexpr std::string_view text_of(FindingCode code) { return kind_of(code).name; }
constexpr FindingScope scope_of(FindingCode code) { return kind_of(code).scope; }
std::string_view text_of(FindingScope scope);
std::string_view text_of(FindingSeverity severity);

static_assert(
    [] {
      for (std::size_t i = 0; i < finding_kinds.size(); ++i)
        if (static_cast<std::size_t>(finding_kinds.at(i).code) != i) return false;
      return true;
    }(),
    "a code stands at the place of its number");

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
