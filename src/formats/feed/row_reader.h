#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "formats/csv_rows.h"
#include "formats/day_sink.h"
#include "formats/feed/feed_fields.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/quick_cells.h"
#include "formats/feed/zone_days.h"
#include "formats/reading_text.h"

namespace meterline::formats {

/// A reading as the row says it.
struct CellReading {
  std::optional<Decimal> value = {};  ///< Energy; empty: missing.
  Quality quality = Quality::actual;
  std::uint8_t note = 0;  ///< Of RowReader::notes(), from 1; 0: none.
  bool is_rounded = false;
};

/// What all rows of a feed have, wide and long: fields, meter, channel, numbers and flags.
class RowReader {
 public:
  RowReader(const FeedPlan& plan, std::int64_t first_line, DaySink& sink);

  /// Splits the next row, and moves behind it. False when there is nothing to read in it: it was
  /// rejected, or left out.
  bool next(std::string_view& rest, bool may_have_quotes);
  bool is_stopped() const { return is_stopped_; }

  /// All cells of the row, where they were read at once; then only the fields before them are
  /// there, until split_all(). Null for other rows.
  const QuickCells* quick() const { return is_quick_ ? &quick_ : nullptr; }
  void split_all();

  std::int64_t line() const { return line_; }
  const FeedFields& fields() const { return fields_; }
  ZoneDays& days() { return days_; }
  const std::vector<Note>& notes() const { return notes_; }
  /// The number of a note among notes(), from 1; 0 when there are too many.
  std::uint8_t note_number(const Note& note);
  Row row(int slots) const { return {.line = row_line_, .text = row_text_, .slots = slots}; }

  /// Null when the row was rejected.
  const MeterId* meter();
  /// What the row is of, which is how `measured` says it where it does, which outlives this. Null
  /// when it was rejected.
  const Channel* channel(const Measured& measured);
  bool is_average_power() const { return is_average_power_; }
  /// Numbers are not the readings themselves.
  bool makes_energy() const { return makes_energy_; }
  /// What the row's numbers are multiplied by: of the channel, and of the row's own column.
  Decimal factor() const { return factor_; }
  /// `value` times factor(), and over `step` minutes where it is a mean power; without `step` none
  /// is made of power. Empty when it has too many digits.
  std::optional<Decimal> energy(Decimal value, int step, bool& is_rounded) const;
  std::optional<Stamp> stamp(const StampPlan& plan, std::string_view what);
  /// When the row says that it was made. False when it was rejected.
  bool stated(std::optional<Instant>& instant);
  /// Empty when the field is no reading: then it is told of. Without `step`, no energy is made of
  /// power; of a register's values none is made at all.
  std::optional<CellReading> cell(int column, int flag, int step);

  Finding finding(int column, FindingCode code, std::string text) const;
  void reject(Finding finding);
  void reject(int column, FindingCode code, std::string text) {
    reject(finding(column, code, std::move(text)));
  }
  /// Counts a reading for the file's own sum.
  void count(Decimal reading) {
    if (plan_.sum.is_given()) add_to_sum(reading);
  }
  /// At the end of the file: tells where its own totals are not those of its rows.
  void check_totals();

  /// The findings of cell() for the day that takes the reading.
  std::vector<Finding>& found() { return found_; }

  int rejected_slots = 1;  ///< Of a row that is rejected.

 private:
  bool take_fields(const RawRow& raw, bool may_have_quotes);
  bool take_quick(const RawRow& raw);
  bool fit_columns(const RawRow& raw);
  bool take_date_line();
  bool take_factor();
  bool is_kept();
  void add_to_sum(Decimal reading);
  void take_total(TotalPlan& total);
  void check_total(const TotalPlan& total, Int128 found, std::string_view what);
  const FlagPlan& flag_of(std::string_view text);
  bool is_missing(std::string_view text) const;
  std::string_view joined(const StampPlan& plan);

  const FeedPlan& plan_;
  DaySink& sink_;
  std::int64_t line_;
  std::int64_t row_line_ = 0;
  std::string_view row_text_;
  FeedFields fields_;
  ZoneDays days_;
  QuickCells quick_;
  std::optional<Date> date_above_;  ///< Of the last line with nothing but a day.
  TotalPlan said_sum_;
  TotalPlan said_rows_;
  const bool is_register_;
  const bool may_digits_be_missing_;  ///< Whether a word for missing begins with one.
  bool is_quick_ = false;             ///< The row was read by quick_.
  bool is_stopped_ = false;
  bool is_average_power_ = false;
  bool makes_energy_ = false;
  std::int64_t rows_ = 0;  ///< Kept.
  Int128 sum_ = 0;         ///< Of their readings, in units of reading_decimals_max decimals.

  MeterId meter_;
  std::string meter_text_;  ///< What meter_ was read from.
  std::vector<Channel> channels_;
  Channel channel_;
  const Measured* channel_is_of_ = nullptr;  ///< Of all its rows; null where they differ.
  Decimal factor_{.mantissa = 1};
  std::string factor_text_;  ///< What row_factor_ was read from.
  Decimal row_factor_{.mantissa = 1};
  std::string stamp_text_;
  StampPattern::KnownDay known_day_;
  std::vector<Note> notes_;
  std::vector<FlagPlan> unknown_flags_;
  FlagPlan no_flag_;
  const FlagPlan* last_flag_ = nullptr;
  std::vector<Finding> found_;
};

/// Reads the rows of a piece, each of which has a column for each interval.
std::int64_t read_wide_rows(const FeedPlan& plan, const Piece& piece, DaySink& sink);

/// What the text of a step column says in minutes: of `15`, `15 min`, `PT15M`, `PT1H` or `Hour`.
std::optional<int> step_minutes(std::string_view text);

/// Reads the rows of a piece, each of which has a reading.
std::int64_t read_long_rows(const FeedPlan& plan, const Piece& piece, DaySink& sink);

}  // namespace meterline::formats
