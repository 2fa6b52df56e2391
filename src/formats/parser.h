#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/finding.h"
#include "core/result.h"
#include "core/time_zone.h"
#include "formats/csv_rows.h"
#include "formats/day_sink.h"

namespace meterline::formats {

// A format is a file pair here and a line in recognise.cc. It is opened with the first piece of a
// file, and the parser that this gives reads all pieces, each by itself, on any thread:
//
//     recognise(head) -> Format;  format.open(first piece, options) -> Opened;
//     opened.parser->parse(piece, sink) for each, as RowCutter(format.cut) cuts them.

/// What a file does not say itself, and a feed, long CSV or, of the meter, Green Button may have to
/// be told. Nothing of it is
/// guessed: a file that needs one of them is refused with its name.
struct ReadHints {
  std::string meter = {};  ///< Of a file that names none.
  std::string stamp = {};  ///< `start` or `end`: which of an interval its time names.
  std::string dates = {};  ///< A StampPattern.
  int step = 0;            ///< Minutes of an interval; 0: not given.

  bool is_given() const { return !meter.empty() || !stamp.empty() || !dates.empty() || step > 0; }
  bool operator==(const ReadHints&) const = default;
};

/// What a reader is told beside the file itself.
struct ReadOptions {
  std::optional<Unit> unit = {};  ///< Of readings whose file names none.
  TimeZone zone = {};             ///< Of days whose file names none.
  std::string_view source = {};   ///< The file's name, in which a feed may find the meter.
  ReadHints hints = {};
};

/// Whole rows of a file, as RowCutter gives them. A last row without a line end is the end of the
/// file, or, when longer than row_bytes_max, an overlong row.
struct Piece {
  std::string_view text;
  std::int64_t first_line = 1;  ///< The physical line on which it begins.
  bool is_last = false;         ///< The file ends with it.
};

/// Reads one file.
///
/// Threads: immutable; parse() may run on many pieces of a file at once. Where a file is cut
/// anywhere (Cut::is_anywhere), it is called for one piece after the other, in order.
class Parser {
 public:
  Parser() = default;
  Parser(const Parser&) = default;
  Parser(Parser&&) = default;
  Parser& operator=(const Parser&) = default;
  Parser& operator=(Parser&&) = default;
  virtual ~Parser() = default;

  /// Gives the sink what a piece holds, and returns the number of physical lines in it.
  virtual std::int64_t parse(const Piece& piece, DaySink& sink) const = 0;
  /// What the labels of rows (Row::labels) are of, for people, in order.
  virtual std::vector<std::string> label_names() const { return {}; }
};

/// A file that is read from now on.
struct Opened {
  std::unique_ptr<Parser> parser;
  std::string recognised_by = {};  ///< What of the first piece shows the format, for people.
  bool needs_unit = false;  ///< The file names no unit: its readings are of ReadOptions::unit.
  /// What of the first piece has been read, a header. The pieces to parse begin behind it.
  std::size_t bytes = 0;
  std::int64_t lines = 0;
  std::vector<Finding> findings = {};  ///< About the file, by its lines.
};

/// What of ReadHints a format may have to be told; the rest it says itself.
enum class Asks : std::uint8_t { nothing, meter, all };

/// A format that is read.
struct Format {
  std::string_view name;  ///< As in docs/formats: `wide-csv`.
  /// Kept with what it read. Raised when the reader comes to read more of a file, or reads it
  /// otherwise: see reader_number().
  std::uint32_t reader = 1;
  Asks asks = Asks::nothing;
  Cut cut = {};
  /// Whether a file that begins so is of this format: up to recognise_bytes, without byte order
  /// mark, and text.
  bool (*recognises)(std::string_view head) = nullptr;
  /// Opens a file by its first piece, which begins with a row that is not empty.
  /// Errors: `refused`, with the reason, when no row of it could be read.
  Result<Opened> (*open)(const Piece& first, const ReadOptions& options) = nullptr;
};

}  // namespace meterline::formats
