#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/decimal.h"
#include "core/result.h"

namespace meterline::tables {

enum class TableFormat : std::uint8_t {
  csv,      ///< RFC 4180 with a header row, LF; what is unknown is empty
  parquet,  ///< zstd, row groups of 1,048,576 rows
  arrow,    ///< IPC, the file format; zstd
};
inline constexpr std::string_view table_format_names = "csv, parquet or arrow";
std::optional<TableFormat> parse_table_format(std::string_view text);

enum class ColumnType : std::uint8_t {
  text,        ///< UTF-8
  date,        ///< days since 1970
  local_time,  ///< microseconds since 1970 by a wall clock, whose offset another column has
  instant,     ///< microseconds since 1970, UTC
  int16,
  int32,
  decimal,  ///< decimal(38, 9): units of the ninth decimal
};

/// More decimals than any reading has: values are in units of the last of them.
inline constexpr int table_decimals = 9;

struct Column {
  std::string_view name;
  ColumnType type;
};

/// Texts of which a batch has few different ones.
class TextValues {
 public:
  /// That of the row before is found at once.
  void add(std::string_view text, std::size_t rows = 1);
  void add_none(std::size_t rows = 1) { places_.insert(places_.end(), rows, -1); }

  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<std::int32_t>& places() const { return places_; }  ///< Below 0: none.
  void clear();

 private:
  std::vector<std::string> texts_;
  std::vector<std::int32_t> places_;
  std::int32_t last_ = -1;
};

/// Of dates, times and integers, as their ColumnType says.
template <class Number>
class NumberValues {
 public:
  void add(Number value, std::size_t rows = 1) {
    values_.insert(values_.end(), rows, value);
    if (!valid_.empty()) valid_.resize(values_.size(), 1);
  }
  void add_none(std::size_t rows = 1) {
    valid_.resize(values_.size(), 1);
    values_.insert(values_.end(), rows, Number());
    valid_.resize(values_.size(), 0);
  }

  const std::vector<Number>& values() const { return values_; }
  /// Empty where all have a value; else 0 for each that has none.
  const std::vector<std::uint8_t>& valid() const { return valid_; }
  bool has(std::size_t row) const { return valid_.empty() || valid_[row] != 0; }
  void clear() {
    values_.clear();
    valid_.clear();
  }

 private:
  std::vector<Number> values_;
  std::vector<std::uint8_t> valid_;
};
using IntegerValues = NumberValues<std::int64_t>;
using DecimalValues = NumberValues<Int128>;

using Values = std::variant<TextValues, IntegerValues, DecimalValues>;
/// Some rows: a column for each of the table, all of the same length.
using Batch = std::vector<Values>;
/// An empty one.
Batch batch_of(std::span<const Column> columns);

using BytesSink = std::function<Result<void>(std::string_view bytes)>;

/// Writes a table, batch by batch; memory does not grow with the table.
class TableWriter {
 public:
  TableWriter() = default;
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;
  virtual ~TableWriter() = default;

  /// Errors: those of the sink; `invalid_argument` for a batch that is none of the table's.
  virtual Result<void> add(const Batch& batch) = 0;
  /// What is left goes to the sink. Nothing is added afterwards.
  virtual Result<void> finish() = 0;
};

/// Errors: those of the sink; `invalid_argument` for Parquet and Arrow in a program that was built
/// without them (-DMETERLINE_CLOUD=OFF).
Result<std::unique_ptr<TableWriter>> open_table(TableFormat format, std::span<const Column> columns,
                                                BytesSink sink);

}  // namespace meterline::tables
