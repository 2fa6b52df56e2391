#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/csv_rows.h"
#include "formats/parser.h"

namespace meterline::formats {

/// A file of NEM12 or NEM13 that comes line by line out of another text, which has its lines.
class MdffText {
 public:
  explicit MdffText(bool is_nem12);

  bool has_rows() const { return has_rows_; }

  /// `line` is where the text begins. Text comes a line or less at a time. A row is read once all
  /// of it is there: how much of one comes before a fault hangs on how the file was cut.
  void add(std::string_view text, std::int64_t line, DaySink& sink);

  /// The last row need not have a line end of its own where the text ends.
  void end(DaySink& sink) {
    if (!row_.empty()) take_row(sink);
    finish(sink);
  }

  /// What is no whole row is left out.
  void finish(DaySink& sink) {
    cutter_.finish();
    read(true, sink);
  }

 private:
  void take_row(DaySink& sink);
  void read(bool is_end, DaySink& sink);

  Result<Opened> (*open_)(const Piece& first, const ReadOptions& options);
  RowCutter cutter_;
  TextBuffer piece_;
  std::unique_ptr<Parser> parser_;
  std::string row_;  ///< As far as it came.
  bool has_rows_ = false;
  std::size_t fed_ = 0;    ///< Bytes since pieces were last looked for.
  std::int64_t line_ = 0;  ///< Of the file, where the next piece begins; 0: no text came yet.
};

}  // namespace meterline::formats
