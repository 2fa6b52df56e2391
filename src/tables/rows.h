#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "store/store.h"
#include "tables/store_table.h"
#include "tables/table.h"

namespace meterline::tables {

// What tables of a store have in common.

/// In units of the last decimal of a table. Errors: `too_large`.
Result<Int128> scaled(const Sum& sum);

/// Visits the meters of a selection, ascending; those that it names also where nobody knows them.
/// Errors: those of the store and of the visitor.
Result<void> each_meter(const store::Store& store, const TableSelection& selection,
                        const std::function<Result<void>(const MeterId& meter)>& visit);

/// Fills batches of `batch_rows`, and gives each to the table once it is full. The writer must
/// outlive it.
class Rows {
 public:
  Rows(std::span<const Column> columns, TableWriter& writer, std::size_t batch_rows)
      : batch_(batch_of(columns)), writer_(writer), batch_rows_(batch_rows) {}

  std::int64_t count() const { return count_; }

  /// The first four columns of every table.
  void add_channel(const MeterId& meter, const Channel& channel, std::size_t rows);
  TextValues& texts(std::size_t column) { return std::get<TextValues>(batch_[column]); }
  IntegerValues& numbers(std::size_t column) { return std::get<IntegerValues>(batch_[column]); }
  DecimalValues& decimals(std::size_t column) { return std::get<DecimalValues>(batch_[column]); }

  Result<void> added(std::size_t rows);
  Result<void> flush();

 private:
  Batch batch_;
  TableWriter& writer_;
  const std::size_t batch_rows_;
  std::size_t in_batch_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace meterline::tables
