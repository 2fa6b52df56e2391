#include "store/rocksdb/month_block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_day.h"

namespace meterline::store {
namespace {

constexpr std::uint32_t days_mask = (std::uint32_t{1} << month_days_max) - 1;

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a month of readings is damaged"); }

/// Calls `visit(day)` for each set bit, ascending; stops when it returns false.
template <class Visit>
bool each_day(std::uint32_t days, const Visit& visit) {
  for (; days != 0; days &= days - 1)
    if (!visit(static_cast<std::size_t>(std::countr_zero(days)))) return false;
  return true;
}

bool take_group(std::string_view& block, MonthGroup& group) {
  const auto number = take_varint(block);
  const auto grid_size = take_varint(block);
  if (!number || *number > UINT32_MAX || !grid_size || *grid_size > block.size()) return false;
  group.delivery = static_cast<std::uint32_t>(*number);
  group.grid = block.substr(0, *grid_size);
  block.remove_prefix(*grid_size);
  if (block.size() < sizeof(group.days)) return false;
  std::memcpy(&group.days, block.data(), sizeof(group.days));
  block.remove_prefix(sizeof(group.days));
  if (group.days == 0 || (group.days & ~days_mask) != 0) return false;
  return each_day(group.days, [&](std::size_t day) {
    const auto size = take_varint(block);
    if (!size || *size > block.size()) return false;
    group.bodies[day] = block.substr(0, *size);
    block.remove_prefix(*size);
    return true;
  });
}

auto order_of(const MonthGroup& group) { return std::tie(group.delivery, group.grid); }

/// Adds the days of `from`. Where both have a day they should agree, as the same delivery says
/// the same twice; if not, the greater bytes stay, so that the order of merging does not count.
void add_days(const MonthGroup& from, MonthGroup& to) {
  each_day(from.days, [&](std::size_t day) {
    const bool both = (to.days >> day & 1) != 0;
    to.bodies[day] = both ? std::max(to.bodies[day], from.bodies[day]) : from.bodies[day];
    return true;
  });
  to.days |= from.days;
}

}  // namespace

Result<void> read_month_block(std::string_view block, std::vector<MonthGroup>& groups) {
  groups.clear();
  if (block.empty()) return damaged();
  if (static_cast<unsigned char>(block[0]) != month_block_format)
    return fail(Errc::corrupt, "a month of readings is in a format this program does not know");
  block.remove_prefix(1);
  while (!block.empty()) {
    groups.emplace_back();
    if (!take_group(block, groups.back())) return damaged();
  }
  return {};
}

void write_month_block(const std::vector<MonthGroup>& groups, std::string& out) {
  out += static_cast<char>(month_block_format);
  for (const auto& group : groups) {
    put_varint(group.delivery, out);
    put_varint(group.grid.size(), out);
    out += group.grid;
    out.append(reinterpret_cast<const char*>(&group.days), sizeof(group.days));
    each_day(group.days, [&](std::size_t day) {
      put_varint(group.bodies[day].size(), out);
      out += group.bodies[day];
      return true;
    });
  }
}

Result<void> merge_month_blocks(const std::vector<std::string_view>& blocks, std::string& merged) {
  std::vector<MonthGroup> all;
  std::vector<MonthGroup> some;
  for (const auto block : blocks) {
    METERLINE_CHECK(read_month_block(block, some));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const MonthGroup& a, const MonthGroup& b) {
    return order_of(a) < order_of(b);
  });
  std::vector<MonthGroup> groups;
  for (const auto& group : all) {
    if (!groups.empty() && order_of(groups.back()) == order_of(group))
      add_days(group, groups.back());
    else
      groups.push_back(group);
  }
  merged.clear();
  write_month_block(groups, merged);
  return {};
}

}  // namespace meterline::store
