#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/reading_day.h"
#include "core/result.h"
#include "store/resolve.h"
#include "store/store.h"
#include "tables/store_table.h"
#include "tables/table.h"

namespace meterline::tables {

/// Whether a table can have the wide form: readings as CSV can. Errors: `invalid_argument`.
Result<void> check_wide(TableFormat format, TableOf table);

/// Which columns readings take where a row is a whole day: one for each time of the clock at which
/// an interval begins. Times that a clock shows twice where it is put back have a second one,
/// behind those of all days, as have those that are no whole number of intervals behind midnight.
class WideLayout {
 public:
  /// When an interval begins: by the clock, and how often that showed the time on this day, from 1.
  using Clock = std::pair<int, int>;

  /// For the days asked for, by what the store knows of its channels without reading their days.
  ///
  /// Errors: those of the store; `invalid_argument` where the intervals of channels are not of one
  /// length; `cancelled`.
  static Result<std::shared_ptr<const WideLayout>> of(const store::Store& store,
                                                      const TableSelection& selection,
                                                      StopFlag stop = nullptr);
  WideLayout(const WideLayout&) = delete;
  WideLayout& operator=(const WideLayout&) = delete;

  /// docs/use/export.md tells what each is. As long as the layout.
  std::span<const Column> columns() const { return columns_; }
  std::size_t slots() const { return names_.size(); }  ///< Columns of readings.
  /// For each slot of a day, its place among those. Errors: `invalid_argument` for a day that does
  /// not fit, as days of another interval length do.
  Result<std::vector<std::size_t>> places_of(const MeterId& meter,
                                             const store::ResolvedDay& day) const;

 private:
  /// `odd`: what no day of 24 hours has.
  WideLayout(std::optional<IntervalLength> interval, const std::set<Clock>& odd);

  const std::optional<IntervalLength> interval_;  ///< Empty: there is no channel.
  std::map<Clock, std::size_t> places_;           ///< Among the columns of readings.
  std::vector<std::string> names_;
  std::vector<Column> columns_;
};

/// Writes what counts of the days asked for, a row for each day of a channel, by meter, date and
/// channel, ascending. Does not finish the table, which has the columns of the layout. Memory does
/// not grow with the store.
///
/// Errors: those of the store, the table and WideLayout::places_of(); `cancelled`.
Result<TableSummary> write_wide_table(const store::Store& store, const WideLayout& layout,
                                      const TableSelection& selection, TableWriter& writer,
                                      const TableHooks& hooks = {});

}  // namespace meterline::tables
