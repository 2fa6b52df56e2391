#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::store {

/// Things of the days of one month, of one channel of one meter, in one value, from any number of
/// deliveries. For `days` a thing is the packed day's body; for `totals` its plain total.
/// A block is a set: merging blocks in any order and repetition gives the same bytes.
/// docs/store.md has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char month_block_format = 1;

inline constexpr std::size_t month_days_max = 31;

/// The days that one delivery gave with one grid.
struct MonthGroup {
  std::uint32_t delivery = 0;                           ///< The delivery's number in this store.
  std::string_view grid;                                ///< As in PackedParts.
  std::uint32_t days = 0;                               ///< Bit 0 is the first of the month.
  std::array<std::string_view, month_days_max> bodies;  ///< Of the days that are set.
};

/// Fills `groups`, ascending by (delivery, grid); they point into `block`.
/// Errors: `corrupt`; never reads past the end, whatever the bytes are.
Result<void> read_month_block(std::string_view block, std::vector<MonthGroup>& groups);

/// Appends a block of these groups to `out`; each must have a day, and they must ascend.
void write_month_block(const std::vector<MonthGroup>& groups, std::string& out);

/// Overwrites `merged` with all that the blocks hold.
Result<void> merge_month_blocks(const std::vector<std::string_view>& blocks, std::string& merged);

}  // namespace meterline::store
