#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.h"
#include "core/result.h"
#include "formats/encoding.h"
#include "formats/feed/number.h"
#include "formats/feed/stamp.h"

namespace meterline::formats {

/// Bytes of a file's start that a draft of its feed is made of, rows of them, and fields of those.
inline constexpr std::size_t draft_bytes_max = std::size_t{8} << 20;
inline constexpr std::size_t draft_rows_max = 20'000;
inline constexpr std::size_t draft_fields_max = 1'000'000;

using SampleFields = std::vector<std::string>;

/// A line that is no title, no header, and not like most rows: a footer, perhaps.
struct OddRow {
  std::int64_t line = 0;
  SampleFields fields;
  bool is_last = false;  ///< No other row is behind it.
};

/// What the fields of a column have in common.
struct SampleColumn {
  static constexpr std::size_t texts_max = 17;

  std::string name = {};
  std::vector<std::string> texts = {};  ///< The different ones, in order, up to texts_max.
  bool has_blanks = false;
  /// The patterns of dates and times by which every text of it is one: of those by which all are
  /// the same the first, so that with several of them only more rows, or people, can tell.
  std::vector<StampPattern> stamps = {};

  bool is_date() const { return !stamps.empty() && stamps.front().has_date(); }
  bool is_time_of_day() const { return !stamps.empty() && !stamps.front().has_date(); }
  bool has_time() const { return !stamps.empty() && stamps.front().has_time(); }
};

/// A file of an unknown layout, as far as its rows show it.
struct Sample {
  Encoding encoding = Encoding::utf8;
  bool has_mark = false;  ///< A byte order mark says the encoding.
  std::string text = {};  ///< UTF-8, without a mark, from the first line that is not empty on.
  char delimiter = ',';
  bool is_delimiter_said = false;  ///< By a line like `sep=;`.
  std::vector<SampleFields> titles = {};
  std::int64_t header_line = 0;  ///< Counted in `text`; 0: there is no header.
  std::string records = {};      ///< `HDR,ICPCONS`: lines are records, by their first field.
  /// Rows have a field more than the header: a decimal comma parts that of this place (from 0),
  /// which has been joined.
  std::optional<int> joined = {};
  std::vector<SampleFields> rows = {};
  std::vector<OddRow> odd = {};
  bool is_whole = false;  ///< These are all rows of the file.
  std::vector<SampleColumn> columns = {};
};

/// Finds out how a file is written, which of its lines is the header, and what its columns hold.
/// `is_whole_file` is false where only its start is given. Errors: `refused`, with the reason.
Result<Sample> read_draft_sample(std::string_view bytes, bool is_whole_file);

/// Texts that stand for no reading whatever the layout: `-`, `null` and the like.
bool is_missing_word(std::string_view text);

/// The styles in which all of these texts are numbers, those left out that stand for no reading.
/// A group of thousands does not begin with 0.
std::vector<NumberStyle> number_styles(const std::vector<std::string_view>& texts);

/// A number in units of reading_decimals_max decimals, to be summed and compared.
Int128 scaled(Decimal number);

}  // namespace meterline::formats
