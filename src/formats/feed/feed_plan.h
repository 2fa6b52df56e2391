#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/meter_id.h"
#include "core/note.h"
#include "core/result.h"
#include "formats/feed/feed_layout.h"
#include "formats/parser.h"

namespace meterline::formats {

inline constexpr int no_column = -1;

/// The header is looked for in so many lines, and has up to so many columns.
inline constexpr int header_lines_max = 64;
inline constexpr std::size_t header_fields_max = 4096;

/// What a line like `sep=;` says, by which writers tell spreadsheets of the delimiter.
std::optional<char> delimiter_said(std::string_view line);

/// The minute of the day that a column's name has: of `0:30`, `00_30_00` or `0030`; beyond 24:00
/// where there are columns for it.
std::optional<int> interval_minute(std::string_view text);

/// The number of an interval, from 1, that a column's name has.
std::optional<int> interval_number(std::string_view text);

/// Columns by their places, from 0.
struct StampPlan {
  std::vector<int> columns = {};
  StampPattern pattern = {};

  bool is_given() const { return !columns.empty(); }
};

struct FilterPlan {
  int column = no_column;
  RowFilter::Action action = RowFilter::Action::keep;
  std::vector<std::string> patterns = {};
};

/// A column with the reading of an interval.
struct CellPlan {
  int column = no_column;
  int flag = no_column;
  int index = 0;  ///< Of the interval, from 0, as the column counts: WideLayout::Counts.
};

struct ValuePlan {
  int column = no_column;
  int flag = no_column;
  Measured measured = {};
  MeterId meter = {};  ///< Empty: that of the row.
};

struct FlagPlan {
  std::string flag = {};
  Quality quality = Quality::actual;
  std::optional<Note> note = {};  ///< Kept with readings that are not actual.
  bool is_known = true;           ///< The feed says what it means.
};

/// A total that the file says of itself.
struct TotalPlan {
  std::string record = {};  ///< Of a line among the rows that has it; empty: `said` is it.
  int column = no_column;
  std::string said = {};
  /// Of `said`, where the first row is on line 0: below 0 in a title. Empty: not found yet.
  std::optional<std::int64_t> line = {};

  bool is_given() const { return !record.empty() || line.has_value(); }
};

/// What a feed says of one file, with its columns found. Threads: immutable.
struct FeedPlan {  // NOLINT: its members stand by what they mean, and a file has one.
  char delimiter = ',';
  std::vector<std::string> names = {};  ///< Of the columns; empty without a header.
  int columns_needed = 0;               ///< Of a row: up to the last one that is read.
  bool has_unquoted_decimals = false;
  std::vector<FilterPlan> filters = {};
  NumberStyle numbers = {};
  std::vector<std::string> missing = {};

  MeterId meter = {};  ///< Of all rows; empty: from the column.
  int meter_column = no_column;
  bool removes_blanks = false;
  TimeZone zone = {};
  TimeZone clock = {};        ///< Of stamps without offset; unknown: that of the days.
  bool needs_offset = false;  ///< A stamp without one is of a clock that nobody knows.
  Measured measured = {};
  Unit unit = Unit::unknown;  ///< Where nothing else says it.
  int unit_column = no_column;
  int factor_column = no_column;
  int channel_column = no_column;
  std::vector<ChannelOf> channels = {};
  std::optional<Measured> negative = {};
  int flag_column = no_column;
  std::vector<FlagPlan> flags = {};
  std::optional<FlagPlan> other_flag = {};  ///< What any other flag means.
  StampPlan stated = {};
  TotalPlan sum = {};
  TotalPlan rows_count = {};

  int step = 0;  ///< Minutes; 0: each row says it.
  std::optional<WideLayout> wide = {};
  StampPlan date = {};
  std::vector<CellPlan> cells = {};  ///< Ascending by index.
  std::vector<CellPlan> again = {};  ///< The second of two equal hours.
  int total = no_column;

  std::optional<LongLayout> rows = {};
  StampPlan start = {};
  StampPlan end = {};
  int period = no_column;
  int step_column = no_column;
  std::vector<ValuePlan> values = {};

  /// Readings depend on rows far before them.
  bool needs_whole_file() const;
};

/// Where the rows begin, and how they are read.
struct FeedOpened {
  FeedPlan plan;
  std::size_t bytes = 0;  ///< Of the file's start, up to the first row.
  std::int64_t lines = 0;
  bool needs_unit = false;
  bool is_whole_header_known = false;  ///< The feed names every column of the header.
};

/// Finds the header and the columns of a file that begins with `first`.
/// Errors: `refused`, with what was looked for and what was there; `invalid_argument` where an
/// option is needed.
Result<FeedOpened> plan_feed(const FeedLayout& layout, const Piece& first,
                             const ReadOptions& options);

}  // namespace meterline::formats
