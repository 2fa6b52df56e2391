#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/finding.h"
#include "core/reading_day.h"
#include "core/register_read.h"

namespace meterline::formats {

/// A row of a file, as it stands there.
struct Row {
  std::int64_t line = 0;  ///< 1-based physical line where the row starts.
  std::string_view text;  ///< Without its line end. Valid during the call only.
  int slots = 0;          ///< Slots of the row's day.
  /// Hashes of what tells the row apart from others of its meter and day, which are then no
  /// corrections of it; one for each of the parser's label columns. Valid during the call only.
  std::span<const std::uint64_t> labels = {};
  bool is_register_read = false;  ///< Or would be one, if it was not rejected.
};

/// Receives what a parser finds, row by row in file order. The findings of a row come just
/// before the row itself. Every row of a file is a day, a register read, or rejected: one of these.
class DaySink {
 public:
  virtual ~DaySink() = default;

  /// A good row: the readings of a day, in the unit and with the decimals of the file (at most
  /// reading_decimals_max), of which `rejected_readings` slots were refused and stand as missing.
  /// `day` is valid during the call only.
  virtual void on_day(const ReadingDay& day, int rejected_readings, const Row& row) = 0;
  /// A good row: a read of a register, of which fault_of() is empty, as the file says it. `read` is
  /// valid during the call only.
  virtual void on_read(const RegisterRead& read, const Row& row) = 0;
  virtual void on_rejected_row(const Row& row) = 0;
  virtual void on_finding(Finding finding) = 0;
};

}  // namespace meterline::formats
