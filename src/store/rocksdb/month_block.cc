#include "store/rocksdb/month_block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"

namespace meterline::store {
namespace {

using DayBits = std::uint32_t;  ///< Bit 0 is the first of the month.

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a month of readings is damaged"); }

/// Appends the entries of the wanted days of the layer at the front of `block`.
bool take_layer(std::string_view& block, DayBits wanted, std::vector<MonthEntry>& entries) {
  const auto grid = take_sized(block);
  DayBits days = 0;
  if (!grid || block.size() < sizeof(days)) return false;
  std::memcpy(&days, block.data(), sizeof(days));
  block.remove_prefix(sizeof(days));
  if (days == 0 || (days & ~all_month_days) != 0) return false;
  const auto count = static_cast<std::size_t>(std::popcount(days));
  LayerDeliveries deliveries;
  if (!deliveries.take(block, count)) return false;

  // Bodies are found by adding up the sizes of those before them, so that no other is touched.
  std::array<std::size_t, month_days_max + 1> begins;
  begins[0] = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = take_varint(block);
    if (!size || *size > block.size()) return false;
    begins[i + 1] = begins[i] + *size;
  }
  if (begins[count] > block.size()) return false;
  for (std::size_t i = 0; i < count; ++i, days &= days - 1) {
    const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
    if ((wanted >> day & 1) == 0) continue;
    entries.push_back({.grid = *grid,
                       .day = day,
                       .delivery = deliveries.at(i),
                       .body = block.substr(begins[i], begins[i + 1] - begins[i])});
  }
  block.remove_prefix(begins[count]);
  return true;
}

using Entries = std::span<const MonthEntry>;

/// Entries of one grid, each of another day, ascending.
void put_layer(Entries entries, std::string& out) {
  const MonthEntry& first = entries.front();
  put_varint(first.grid.size(), out);
  out += first.grid;
  DayBits days = 0;
  std::array<std::uint32_t, month_days_max> deliveries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    days |= DayBits{1} << entries[i].day;
    deliveries[i] = entries[i].delivery;
  }
  out.append(reinterpret_cast<const char*>(&days), sizeof(days));
  put_deliveries(std::span(deliveries).first(entries.size()), out);
  for (const auto& entry : entries) put_varint(entry.body.size(), out);
  for (const auto& entry : entries) out += entry.body;
}

/// Whether they are of one grid, each of another day, ascending.
bool is_one_layer(Entries entries) {
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i].day <= entries[i - 1].day || entries[i].grid != entries[i - 1].grid)
      return false;
  return true;
}

auto identity_of(const MonthEntry& entry) {
  return std::tie(entry.grid, entry.day, entry.delivery);
}

/// Sorts, and returns without those that are there twice: the one with the greatest body stays.
std::span<MonthEntry> united(std::span<MonthEntry> entries) {
  const auto order = [](const MonthEntry& a, const MonthEntry& b) {
    return std::tuple_cat(identity_of(a), std::tie(b.body)) <
           std::tuple_cat(identity_of(b), std::tie(a.body));
  };
  if (!std::is_sorted(entries.begin(), entries.end(), order))
    std::sort(entries.begin(), entries.end(), order);
  const auto last = std::unique(
      entries.begin(), entries.end(),
      [](const MonthEntry& a, const MonthEntry& b) { return identity_of(a) == identity_of(b); });
  return entries.first(static_cast<std::size_t>(last - entries.begin()));
}

/// Orders united entries by layers: of the deliveries that gave a day with one grid, the first is
/// in the first layer of the grid, the second in the second.
void arrange(std::span<MonthEntry> entries, std::vector<std::size_t>& layer_ends) {
  std::vector<std::pair<std::uint32_t, MonthEntry>> layered;  // With the number of the layer.
  layered.reserve(entries.size());
  bool is_arranged = true;
  for (const auto& entry : entries) {
    const bool is_same_day = !layered.empty() && layered.back().second.grid == entry.grid &&
                             layered.back().second.day == entry.day;
    layered.emplace_back(is_same_day ? layered.back().first + 1 : 0, entry);
    is_arranged = is_arranged && !is_same_day;
  }
  if (!is_arranged)
    std::stable_sort(layered.begin(), layered.end(), [](const auto& a, const auto& b) {
      return std::tie(a.second.grid, a.first) < std::tie(b.second.grid, b.first);
    });
  for (std::size_t i = 0; i < layered.size(); ++i) {
    entries[i] = layered[i].second;
    const bool is_last = i + 1 == layered.size() || layered[i + 1].first != layered[i].first ||
                         layered[i + 1].second.grid != layered[i].second.grid;
    if (is_last) layer_ends.push_back(i + 1);
  }
}

}  // namespace

Result<void> read_month_block(std::string_view block, std::uint32_t wanted,
                              std::vector<MonthEntry>& entries) {
  entries.clear();
  if (block.empty()) return damaged();
  if (static_cast<unsigned char>(block[0]) != month_block_format)
    return fail(Errc::corrupt, "a month of readings is in a format this program does not know");
  block.remove_prefix(1);
  while (!block.empty())
    if (!take_layer(block, wanted, entries)) return damaged();
  return {};
}

void write_month_block(std::span<MonthEntry> entries, std::string& out) {
  out += static_cast<char>(month_block_format);
  if (is_one_layer(entries)) {
    if (!entries.empty()) put_layer(entries, out);
    return;
  }
  entries = united(entries);
  std::vector<std::size_t> layer_ends;
  arrange(entries, layer_ends);
  std::size_t begin = 0;
  for (const auto end : layer_ends) {
    put_layer(entries.subspan(begin, end - begin), out);
    begin = end;
  }
}

Result<void> merge_month_blocks(const std::vector<std::string_view>& blocks, std::string& merged) {
  std::vector<MonthEntry> all;
  std::vector<MonthEntry> some;
  for (const auto block : blocks) {
    METERLINE_CHECK(read_month_block(block, some));
    all.insert(all.end(), some.begin(), some.end());
  }
  merged.clear();
  write_month_block(all, merged);
  return {};
}

}  // namespace meterline::store
