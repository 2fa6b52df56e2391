#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/channel.h"
#include "core/finding.h"

namespace meterline::formats {

/// What a column that is no time of day seems to hold, by its name alone
/// (docs/formats/wide-csv.md).
enum class ColumnKind : std::uint8_t {
  other,
  label,      ///< Tells rows of a meter and day apart, like `Measurement Type` and `Register`.
  remark,     ///< Says something about the row as a delivery, like `Note` and `Revision`.
  unit,       ///< The unit of the row's readings.
  total,      ///< The sum of the row's readings, as its writer has it.
  slot,       ///< A reading of an interval that the times do not have, like `Time Change 1`.
  quantity,   ///< Another quantity, like a register or a demand.
  flag,       ///< How good the row's readings are.
  slot_flag,  ///< How good one reading is, like `0:30 Flag`.
};

/// The kind of a column of this name. `unit` is that of the file's readings: a total of another one
/// is another quantity.
ColumnKind column_kind(std::string_view name, Unit unit);

/// The unit that is a word of the name, like `Usage (kWh)`; Unit::unknown where none is.
Unit unit_in_name(std::string_view name);

/// How columns of this kind are told of, once for the file; empty when nothing of them is lost.
std::optional<FindingCode> told_as(ColumnKind kind, Unit unit);

/// What a cell of such a column says of which rows of a meter and day are the same row, corrected:
/// rows with different answers are different things. Empty where the cell says nothing of it.
std::string_view label_of(ColumnKind kind, std::string_view cell);

/// Whether cells of such a column may say something of it.
bool may_be_label(ColumnKind kind);

/// Whether a cell of a `slot` column holds a reading: anything with a digit other than 0.
bool holds_reading(std::string_view cell);

/// Whether a cell of a `unit` column says that the row is in another unit than the file.
bool is_other_unit(std::string_view cell, Unit unit);

/// Columns told apart when rows are compared; those behind them count as one.
inline constexpr std::size_t labels_max = 16;

/// Continues a hash of labels with one more.
std::uint64_t label_hash(std::uint64_t before, std::string_view label);

}  // namespace meterline::formats
