#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/reading_day.h"
#include "core/result.h"
#include "formats/column_kind.h"
#include "formats/day_sink.h"

namespace meterline::formats {

inline constexpr std::size_t header_columns_max = 4096;

/// See reader_number().
inline constexpr std::uint32_t wide_csv_reader = 1;

/// The first customer's layout, docs/formats/wide-csv.md: `Meter,Date,0:00,0:30,...`, a row for
/// each meter and day, a column for each interval, named by its start.
///
/// Threads: a parser is immutable; parse() may run on many pieces of a file at once.
class WideCsv {
 public:
  /// Reads the header row (without byte order mark and line end).
  /// Columns that are no time are left out; `findings` tells of them, once for each thing that they
  /// seem to hold.
  /// Errors: `refused`, with the reason, when the header does not define a regular day.
  static Result<WideCsv> create(std::string_view header, Unit unit, std::vector<Finding>& findings);

  /// Parses a piece of whole rows, as RowCutter gives them; `first_line` is the physical line
  /// on which the piece begins. A last row without a line end is the end of the file, or, when
  /// longer than row_bytes_max, an overlong row.
  /// Returns the number of physical lines in the piece.
  std::int64_t parse(std::string_view piece, std::int64_t first_line, DaySink& sink) const;

  IntervalLength interval() const { return interval_; }
  /// Of the columns whose hashes are a row's labels (formats::Row), in order.
  const std::vector<std::string>& label_names() const { return label_names_; }

 private:
  friend class WideCsvRows;

  static constexpr int column_meter = -1;
  static constexpr int column_date = -2;
  static constexpr int column_ignored = -3;

  void sort_out(const std::vector<std::size_t>& left_out, std::vector<Finding>& findings);

  IntervalLength interval_;
  Unit unit_ = Unit::unknown;
  std::vector<int> columns_;        ///< What each column is: a slot, or one of the above.
  std::vector<std::string> names_;  ///< Of the columns, for findings.
  bool is_plain_ = false;           ///< Meter, Date, then every slot in order.

  // Of the columns that are left out, in order:
  std::vector<ColumnKind> kinds_;     ///< Of every column; `other` for those that are read.
  std::vector<std::size_t> checked_;  ///< Kinds `slot` and `unit`: a row may be rejected for them.
  std::vector<std::size_t> totals_;
  std::vector<std::size_t> labels_;  ///< Those that may tell rows apart.
  std::vector<std::string> label_names_;
};

}  // namespace meterline::formats
