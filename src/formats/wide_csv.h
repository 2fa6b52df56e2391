#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/reading_day.h"
#include "core/result.h"
#include "formats/column_kind.h"
#include "formats/parser.h"

namespace meterline::formats {

inline constexpr std::string_view wide_csv_name = "wide-csv";
inline constexpr std::size_t header_columns_max = 4096;

struct WideCsvHeader;

/// The first customer's layout, docs/formats/wide-csv.md: `Meter,Date,0:00,0:30,...`, a row for
/// each meter and day, a column for each interval, named by its start.
class WideCsv final : public Parser {
 public:
  /// Reads the header row (without byte order mark and line end).
  /// Errors: `refused`, with the reason, when the header does not define a regular day.
  static Result<WideCsvHeader> create(std::string_view header, Unit unit, TimeZone zone = {});

  std::int64_t parse(const Piece& piece, DaySink& sink) const override;
  std::vector<std::string> label_names() const override { return label_names_; }

 private:
  friend class WideCsvRows;

  static constexpr int column_meter = -1;
  static constexpr int column_date = -2;
  static constexpr int column_ignored = -3;

  std::vector<Finding> sort_out(const std::vector<std::size_t>& left_out);

  IntervalLength interval_;
  Unit unit_ = Unit::unknown;
  TimeZone zone_;
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

/// What a header was found to say.
struct WideCsvHeader {
  WideCsv parser;
  /// Of the columns that are left out, as they are no times: once for each thing that they seem to
  /// hold.
  std::vector<Finding> findings;
};

/// The first row is the header. See Format::open.
Result<Opened> open_wide_csv(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
