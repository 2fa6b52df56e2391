#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/reading_day.h"
#include "core/time_zone.h"
#include "formats/encoding.h"
#include "formats/feed/number.h"
#include "formats/feed/stamp.h"

namespace meterline::formats {

/// A column of a file: by its place, or by its name, in which `*` stands for anything. Case and
/// blanks around names do not count.
struct ColumnRef {
  std::string name = {};
  int nth = 1;    ///< Of several of that name: `Usage#2` is the second.
  int place = 0;  ///< From 1; 0: by name.

  bool is_given() const { return place > 0 || !name.empty(); }
  std::string text() const;
};

/// Columns whose texts, with a blank between them, are one date or time.
struct StampColumns {
  std::vector<ColumnRef> columns = {};
  StampPattern pattern = {};

  bool is_given() const { return !columns.empty(); }
};

/// What a file's rows are told apart by before they are read.
struct RowFilter {
  enum class Action { keep, drop, stop };
  ColumnRef column;
  Action action = Action::keep;
  std::vector<std::string> patterns;  ///< One of them fits the field.
};

struct MeterColumns {
  ColumnRef column = {};
  std::vector<std::string> titles = {};  ///< Names of title lines, whose values are joined by `-`.
  std::string title_below = {};          ///< A field above the header; the id stands under it.
  std::string column_name = {};  ///< A pattern with `{}` for the names of columns with values.
  std::string file_name = {};    ///< A pattern with `{}` for the file's name.
};

/// What readings are of: the channel, and how its numbers become energy.
struct Measured {
  std::string name = {};  ///< Empty: that of the flow.
  std::optional<Flow> flow = {};
  std::optional<Unit> unit = {};
  /// Readings are the mean power over their interval, of which energy is made.
  bool is_average_power = false;
  /// What numbers are multiplied by to be readings in `unit`: over 0, with up to 9 decimals.
  std::optional<Decimal> factor = {};
};

struct ChannelOf {
  std::vector<std::string> is = {};  ///< Patterns for the column's text.
  Measured measured = {};
};

struct ValueColumn {
  ColumnRef column = {};
  ColumnRef flag = {};
  Measured measured = {};
};

struct FlagClass {
  std::string flag = {};  ///< `*`: any other.
  Quality quality = Quality::actual;
};

/// Where a file says a total of itself.
struct SaidTotal {
  std::string title = {};   ///< The name of a title line.
  std::string record = {};  ///< Instead: the first field of a line that is no row, like `TRL`,
  int column = 0;           ///< and the place of the total in it, from 1.

  bool is_given() const { return !title.empty() || !record.empty(); }
};

/// Rows with a column for each interval of a day.
struct WideLayout {
  enum class Named { start, end, both, number, place };
  enum class Flags { none, before, after, named, block };
  /// What the n-th column is on a day that has not 24 hours.
  enum class Counts { clock, elapsed };
  /// What columns hold at times that the clock left out.
  enum class Spring { empty, zero, either };
  /// Where the second of two equal hours is.
  enum class Autumn { unknown, extra, sum, first_only, second_only };

  StampColumns date = {};
  int step = 0;
  Named named = Named::start;
  std::string columns = {};  ///< With `{start}`, `{end}` or `{n}`: names of the columns.
  ColumnRef first = {};      ///< Instead: the first of `count` columns side by side.
  int count = 0;
  Flags flags = Flags::none;
  std::string flag_columns = {};  ///< As `columns`.
  ColumnRef flags_first = {};
  std::vector<ColumnRef> again =
      {};  ///< Columns with the hour that comes twice, for the second time.
  std::vector<ColumnRef> again_flags = {};
  Counts counts = Counts::clock;
  Spring spring = Spring::either;
  Autumn autumn = Autumn::unknown;
  ColumnRef total = {};
};

/// Rows with a reading each.
struct LongLayout {
  enum class Step { minutes, start_to_end, column };
  enum class End { exact, last_minute, last_second };
  /// Which of two equal times is meant, where no offset says it.
  enum class Repeated { refused, file_order, newest_first };

  StampColumns start = {};
  StampColumns end = {};
  StampColumns date = {};
  ColumnRef period = {};
  bool is_period_time = false;  ///< `01:00` to `24:00` instead of 1 to 24 or 25.
  Step step_from = Step::minutes;
  int step = 0;  ///< Minutes; 0: as the first rows are apart.
  ColumnRef step_column = {};
  End end_is = End::exact;
  Repeated repeated = Repeated::refused;
  std::vector<ValueColumn> values = {};
  /// An end that is more than a step behind the one before it, up to an hour, is that of a longer
  /// interval, whose mean power each of its steps has, as an estimate.
  bool has_longer_steps = false;
  /// Values are what an accumulating register showed at `end`: the energy of an interval is the
  /// difference of the two at its ends, and missing where one of them is not there.
  bool is_register = false;
  /// Whole digits of such a register, which begins again at 0 behind all nines; 0: nobody says.
  int register_digits = 0;
  /// A line with nothing but a day, in its first field, is the day of the times below it.
  std::optional<StampPattern> date_line = {};
  bool adds_up = false;  ///< Readings of one channel and time, of several rows, are summed.
};

/// A feed: the description of a file layout, docs/use/feeds.md. What is not given is empty.
struct FeedLayout {
  std::string name = {};
  std::string title = {};
  std::string text = {};  ///< The TOML that says all this.

  char delimiter = ',';
  std::optional<Encoding> encoding = {};
  int header_line = 0;                   ///< 0: the first line that has the names below.
  std::vector<std::string> header = {};  ///< Empty: those that are used.
  bool has_header = true;
  std::string starts_with = {};         ///< A pattern for the first line.
  std::vector<std::string> other = {};  ///< Patterns for names of columns that are not read.
  bool has_unquoted_decimals = false;   ///< A decimal comma may split the field of a reading.
  std::vector<RowFilter> rows = {};
  NumberStyle numbers = {};
  std::vector<std::string> missing = {};  ///< Texts that stand for no reading, beside nothing.

  MeterColumns meter = {};
  bool removes_blanks = false;  ///< Inside meter ids.
  TimeZone zone = {};           ///< Of the days.
  TimeZone clock = {};          ///< Of stamps without offset, where it is not that of the days.
  Measured measured = {};
  ColumnRef unit_column = {};
  ColumnRef factor_column = {};  ///< Multiplies the row's numbers, beside Measured::factor.
  ColumnRef channel_column = {};
  std::vector<ChannelOf> channels = {};
  std::optional<Measured> negative = {};  ///< The channel of negative readings, there positive.
  ColumnRef flag_column = {};
  bool may_lack_flags = false;  ///< A file may have no such column: then all is actual.
  std::vector<FlagClass> flags = {};
  StampColumns stated = {};
  SaidTotal sum = {};         ///< Of all readings.
  SaidTotal rows_count = {};  ///< Rows that no filter leaves out.

  std::optional<WideLayout> wide = {};
  std::optional<LongLayout> rows_of_readings = {};  ///< Long.
};

inline constexpr std::size_t feed_bytes_max = std::size_t{64} << 10;

/// Reads the description of a feed, in TOML.
/// Errors: `invalid_argument`, with line, column, and what may stand there.
Result<FeedLayout> parse_feed(std::string_view toml, std::string_view name);

}  // namespace meterline::formats
