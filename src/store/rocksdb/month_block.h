#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/layer_deliveries.h"

namespace meterline::store {

/// Things of the days of one month, of one channel of one meter, in one value, from any number of
/// deliveries. For `days` a thing is the packed day's body; for `totals` its plain total.
/// A block is a set: merging blocks in any order and repetition gives the same bytes.
/// docs/store.md has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char month_block_format = 2;

/// What one delivery gave for one day.
struct MonthEntry {
  std::string_view grid;       ///< As in PackedParts.
  std::uint32_t day = 0;       ///< 0 is the first of the month.
  std::uint32_t delivery = 0;  ///< The delivery's number in this store.
  std::string_view body;
};

inline constexpr std::uint32_t all_month_days = (std::uint32_t{1} << month_days_max) - 1;

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
Result<void> merge_month_blocks(const std::vector<std::string_view>& blocks, std::string& merged);

}  // namespace meterline::store
