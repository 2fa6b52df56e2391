#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/packed_day.h"
#include "store/rocksdb/layer_deliveries.h"
#include "store/store.h"

namespace meterline::store {

/// The plain totals of the days of one month, of one channel of one meter, in one value, from any
/// number of deliveries. A set, like a month block: merging in any order and repetition gives the
/// same bytes. One day's total is reached without reading the others.
/// docs/store.md has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char month_totals_format = 3;

/// The grid of a day in a month of totals: that of the packed day and, where the day is complete
/// but not every reading is actual, how many are substituted and how many estimated. So days of
/// equal counts share a layer, and those that are all actual cost nothing for it.
struct CountedGrid {
  GridInfo info;
  std::uint16_t substituted = 0;
  std::uint16_t estimated = 0;

  QualityCounts quality() const {  ///< Of a complete day.
    return {.actual = info.slots - substituted - estimated,
            .substituted = substituted,
            .estimated = estimated};
  }
};
void append_counts(const CompleteTotal& total, std::string& grid);
/// Errors: `corrupt`.
Result<CountedGrid> read_counted_grid(std::string_view grid);

/// What one delivery gave for one day.
struct GivenTotal {
  std::string_view grid;              ///< Of a CountedGrid.
  std::uint32_t day = 0;              ///< 0 is the first of the month.
  std::uint32_t delivery = 0;         ///< The delivery's number in this store.
  std::optional<std::int64_t> total;  ///< The sum of a complete day.
};

/// How many of `days` are before `day`.
inline std::size_t rank_of(std::uint32_t days, std::uint32_t day) {
  const std::uint32_t all_before = (std::uint32_t{1} << day) - 1;
  const std::uint32_t before = days & all_before;
  if (before == all_before) return day;  // Mostly; counting bits takes longer.
  return static_cast<std::size_t>(std::popcount(before));
}

/// Days of one grid, each from one delivery. Points into the value it was read from.
class TotalsLayer {
 public:
  std::string_view grid() const { return grid_; }
  std::uint32_t days() const { return days_; }    ///< Bit 0 is the first of the month.
  std::uint32_t plain() const { return plain_; }  ///< Those of days() that have a total.
  /// Empty where the days come from more than one delivery.
  std::optional<std::uint32_t> only_delivery() const { return deliveries_.only(); }
  std::uint32_t delivery(std::uint32_t day) const;  ///< Of one of days().
  std::int64_t total(std::uint32_t day) const;      ///< Of one of plain().

 private:
  friend class MonthTotals;
  bool take_totals(std::string_view& bytes);

  std::string_view grid_;
  std::uint32_t days_ = 0;
  std::uint32_t plain_ = 0;
  LayerDeliveries deliveries_;
  std::uint64_t lowest_ = 0;
  unsigned width_ = 0;  ///< Bits of a total.
  std::string_view packed_;
};

/// Reads a value layer by layer.
class MonthTotals {
 public:
  /// Errors: `corrupt`; never reads past the end, whatever the bytes are.
  static Result<MonthTotals> open(std::string_view value);
  /// The next layer into `layer`; false behind the last.
  Result<bool> next(TotalsLayer& layer);

 private:
  explicit MonthTotals(std::string_view layers) : rest_(layers) {}
  std::string_view rest_;
};

/// Appends a value of these entries, in any order, to `out`; may reorder them. Where two have the
/// same grid, day and delivery, the greater total stays, and any rather than none. Allocates
/// nothing but in `out` when they come ascending, with one grid and no day twice.
void write_month_totals(std::span<GivenTotal> entries, std::string& out);

/// Overwrites `merged` with all that the values hold.
Result<void> merge_month_totals(std::span<const std::string_view> values, std::string& merged);

}  // namespace meterline::store
