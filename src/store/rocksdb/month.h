#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/packed_day.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

// The days of one month, of one channel of one meter, from any number of deliveries, in one value:
// in `days` the packed days' bodies, in `totals` their plain totals. docs/store.md has worked
// examples.
//
//   value       | format, 1 byte | layer | layer | ...
//   layer       | grid size, varint | grid | days | deliveries | content |
//   days        4 bytes, bit n is day n, 0 the first of the month;
//               in `totals` bit 31 says that each has a total, else 4 bytes of those that have one
//   deliveries  | number of the first << 2 | mode, varint | steps of mode 2, a zigzag varint each |
//   content     in `days`:   | size, varint | of each day, then | body | of each day
//               in `totals`: | lowest, zigzag varint | width, 1 byte | total - lowest | of each
//                            that there is, `width` bits, the lowest bit first; nothing for none
//
// The days of a layer are of one grid, each from one delivery: of deliveries that gave the same day
// with one grid, the first stands in the first layer, the second in the second. So a value is a
// set: merging values in any order and repetition gives the same bytes.

inline constexpr unsigned char month_block_format = 2;
inline constexpr unsigned char month_totals_format = 3;

inline constexpr std::uint32_t month_days_max = 31;
inline constexpr std::uint32_t all_month_days = (std::uint32_t{1} << month_days_max) - 1;
static_assert(std::numeric_limits<std::uint32_t>::digits == month_days_max + 1,
              "a month's days and one bit more are a word");

inline bool is_in(std::uint32_t days, std::uint32_t day) { return (days >> day & 1) != 0; }
/// How many of `days` are before `day`.
inline std::size_t rank_of(std::uint32_t days, std::uint32_t day) {
  const std::uint32_t all_before = (std::uint32_t{1} << day) - 1;
  const std::uint32_t before = days & all_before;
  if (before == all_before) return day;  // Mostly; counting bits takes longer.
  return static_cast<std::size_t>(std::popcount(before));
}

/// The delivery numbers of the days of a layer. The days of one delivery cost one number, and so do
/// days of which each came with the delivery after that of the day before, as a folder of daily
/// files gives them.
class LayerDeliveries {
 public:
  /// Takes those of `count` days, 1 to month_days_max, off the front of `bytes`; false when they
  /// are damaged. Never reads past the end.
  bool take(std::string_view& bytes, std::size_t count);

  /// Of the day with `rank` days before it.
  std::uint32_t at(std::size_t rank) const {
    return mode_ == Mode::steps ? numbers_[rank]
                                : first_ + (mode_ == Mode::rising ? std::uint32_t(rank) : 0);
  }
  /// Empty where the days come from more than one delivery.
  std::optional<std::uint32_t> only() const {
    return mode_ == Mode::same ? std::optional(first_) : std::nullopt;
  }

 private:
  friend void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out);
  /// Stored: the numbers never change meaning.
  enum class Mode : std::uint8_t {
    same = 0,
    rising = 1,  ///< Each further day's number is one more.
    steps = 2,   ///< The step to each further day's number follows.
  };
  bool take_steps(std::string_view& bytes, std::size_t count);

  Mode mode_ = Mode::same;
  std::uint32_t first_ = 0;
  std::array<std::uint32_t, month_days_max> numbers_;  ///< With steps only.
};

/// Appends the numbers of days, at least one; the same bytes for the same numbers.
void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out);

/// Days of one grid, each from one delivery. Points into the value it was read from.
class Layer {
 public:
  std::string_view grid() const { return grid_; }
  std::uint32_t days() const { return days_; }  ///< Bit 0 is the first of the month.
  /// Empty where the days come from more than one delivery.
  std::optional<std::uint32_t> only_delivery() const { return deliveries_.only(); }
  std::uint32_t delivery(std::uint32_t day) const {  ///< Of one of days().
    const auto only = deliveries_.only();
    return only ? *only : deliveries_.at(rank_of(days_, day));
  }

 protected:
  /// Grid and days; the bit beside them is left in days_.
  bool take_grid(std::string_view& bytes);
  bool take_deliveries(std::string_view& bytes);

  std::string_view grid_;
  std::uint32_t days_ = 0;
  LayerDeliveries deliveries_;
};

// --- `days` -----------------------------------------------------------------------------------

/// What one delivery gave for one day.
struct MonthEntry {
  std::string_view grid;       ///< As in PackedParts.
  std::uint32_t day = 0;       ///< 0 is the first of the month.
  std::uint32_t delivery = 0;  ///< The delivery's number in this store.
  std::string_view body;
};

/// Fills `entries`, which point into `block`, with those of the wanted days (bit 0 is the first of
/// the month); the bytes of other days are not looked at.
/// Errors: `corrupt`; never reads past the end, whatever the bytes are.
Result<void> read_month_block(std::string_view block, std::uint32_t wanted,
                              std::vector<MonthEntry>& entries);
inline Result<void> read_month_block(std::string_view block, std::vector<MonthEntry>& entries) {
  return read_month_block(block, all_month_days, entries);
}

/// Appends a block of these entries, in any order, to `out`; may reorder them. Where two have the
/// same grid, day and delivery they should agree, as a delivery says the same twice; if not, the
/// greater body stays, so that the order of merging does not count. Allocates nothing but in `out`
/// when they come ascending, with one grid and no day twice.
void write_month_block(std::span<MonthEntry> entries, std::string& out);

/// Overwrites `merged` with all that the blocks hold.
Result<void> merge_month_blocks(std::span<const std::string_view> blocks, std::string& merged);

// --- `totals`: one day's total is reached without reading the others --------------------------

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

class TotalsLayer : public Layer {
 public:
  std::uint32_t plain() const { return plain_; }  ///< Those of days() that have a total.
  std::int64_t total(std::uint32_t day) const;    ///< Of one of plain().

 private:
  friend class MonthTotals;
  bool take(std::string_view& bytes);
  bool take_totals(std::string_view& bytes);

  std::uint32_t plain_ = 0;
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

}  // namespace meterline::store::rocksdb
