#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "core/stop.h"
#include "store/store.h"
#include "tables/table.h"

namespace meterline::tables {

/// What a row of a table is.
enum class TableOf : std::uint8_t {
  readings,  ///< an interval of a stored day, with its reading or without
  days,      ///< a stored day of a channel, with its sum
  months,    ///< a month in which a channel has stored days, with their sum
};
inline constexpr std::string_view table_of_names = "readings, days or months";
std::optional<TableOf> parse_table_of(std::string_view text);

/// docs/use/export.md tells what each is.
std::span<const Column> columns_of(TableOf table);

struct TableSelection {
  DateRange dates;
  std::optional<std::vector<MeterId>> meters = {};  ///< Ascending, each once; empty: all.
  Instant as_of = Instant::end_of_time();
};

struct TableHooks {
  StopFlag stop = nullptr;
  std::atomic<std::int64_t>* meters = nullptr;  ///< Counts those that were looked at.
  std::atomic<std::int64_t>* days = nullptr;    ///< Counts days of channels.
};

struct TableSummary {
  std::int64_t meters = 0;  ///< That have a row.
  std::int64_t rows = 0;
};

/// Writes what counts of the days asked for, by meter, date and channel, ascending; months by
/// meter, channel and month. Of a meter that is not known there is no row. Does not finish the
/// table. Memory does not grow with the store.
///
/// Errors: those of the store and the table; `cancelled`; `too_large` for a sum that no decimal(38,
/// 9) holds.
Result<TableSummary> write_store_table(const store::Store& store, TableOf table,
                                       const TableSelection& selection, TableWriter& writer,
                                       const TableHooks& hooks = {});

}  // namespace meterline::tables
