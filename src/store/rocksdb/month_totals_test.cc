#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <tuple>

#include "store/rocksdb/month.h"

namespace meterline::store::rocksdb {
namespace {

using Total = std::optional<std::int64_t>;
/// What a value holds: (grid, day, delivery) -> total.
using Content = std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, Total>;

std::vector<GivenTotal> entries_of(const Content& content) {
  std::vector<GivenTotal> entries;
  for (const auto& [key, total] : content) {
    const auto& [grid, day, delivery] = key;
    entries.push_back({.grid = grid, .day = day, .delivery = delivery, .total = total});
  }
  return entries;
}

std::string value_of(const Content& content) {
  auto entries = entries_of(content);
  std::string value;
  write_month_totals(entries, value);
  return value;
}

/// Empty when the value is refused.
std::optional<Content> content_of(std::string_view value) {
  auto layers = MonthTotals::open(value);
  if (!layers) return std::nullopt;
  Content content;
  TotalsLayer layer;
  for (;;) {
    const auto is_there = layers->next(layer);
    if (!is_there) return std::nullopt;
    if (!*is_there) return content;
    for (std::uint32_t day = 0; day < month_days_max; ++day) {
      if ((layer.days() >> day & 1) == 0) continue;
      const bool is_plain = (layer.plain() >> day & 1) != 0;
      EXPECT_EQ(layer.delivery(day), layer.only_delivery().value_or(layer.delivery(day)));
      content[{std::string(layer.grid()), day, layer.delivery(day)}] =
          is_plain ? Total(layer.total(day)) : Total();
    }
  }
}

Content any_content() {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  Content content;
  const auto size = *rc::gen::inRange(0, 40);
  const auto wide = *rc::gen::element<std::int64_t>(1, 300, std::int64_t{1} << 55, most);
  for (int i = 0; i < size; ++i) {
    auto& total = content[{*rc::gen::element<std::string>("ab", "ac"),
                           *rc::gen::inRange<std::uint32_t>(0, 31),
                           *rc::gen::element<std::uint32_t>(0, 1, 2, 300, UINT32_MAX)}];
    if (*rc::gen::inRange(0, 4) > 0)
      total = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-wide, wide),
                              rc::gen::element<std::int64_t>(0, wide, -wide, -most - 1));
  }
  return content;
}

TEST(MonthTotals, StandsByteForByteAsDocumented) {
  // The worked examples of docs/store.md: totals 20, 21 and 27 of the 1st, 2nd and 4th, all from
  // delivery 7; and without a plain total for the 2nd, which came from delivery 9.
  EXPECT_EQ(value_of({{{"\x04", 0, 7}, 20}, {{"\x04", 1, 7}, 21}, {{"\x04", 3, 7}, 27}}),
            std::string("\x03\x01\x04\x0b\x00\x00\x80\x1c\x28\x03\xc8\x01", 12));
  EXPECT_EQ(
      value_of({{{"\x04", 0, 7}, 20}, {{"\x04", 1, 9}, {}}, {{"\x04", 3, 9}, 27}}),
      std::string("\x03\x01\x04\x0b\x00\x00\x00\x09\x00\x00\x00\x1e\x04\x00\x28\x03\x38", 17));
}

TEST(MonthTotals, EqualTotalsTakeNoBits) {
  Content content;
  for (std::uint32_t day = 0; day < month_days_max; ++day) content[{"\x04", day, 7}] = 48;
  EXPECT_EQ(value_of(content).size(), 10U);
}

TEST(MonthTotals, OfADeliveryThatSaysADayTwiceTheGreaterTotalStays) {
  std::vector<GivenTotal> entries = {{.grid = "a", .day = 3, .delivery = 1, .total = {}},
                                     {.grid = "a", .day = 3, .delivery = 1, .total = -5},
                                     {.grid = "a", .day = 3, .delivery = 1, .total = -6}};
  std::string value;
  write_month_totals(entries, value);
  EXPECT_EQ(content_of(value), (Content{{{"a", 3, 1}, -5}}));
}

RC_GTEST_PROP(MonthTotals, ReadsBackWhatWasWritten, ()) {
  const auto content = any_content();
  const auto value = value_of(content);
  RC_ASSERT(content_of(value) == std::optional(content));
}

RC_GTEST_PROP(MonthTotals, EntriesInAnyOrderGiveTheSameBytes, ()) {
  const auto content = any_content();
  auto entries = entries_of(content);
  const auto order =
      *rc::gen::container<std::vector<int>>(entries.size(), rc::gen::inRange(0, 1000));
  for (std::size_t i = entries.size(); i > 1; --i)
    std::swap(entries[i - 1], entries[static_cast<std::size_t>(order[i - 1]) % i]);
  std::string value;
  write_month_totals(entries, value);
  RC_ASSERT(value == value_of(content));
}

RC_GTEST_PROP(MonthTotals, MergingIsUnionInAnyOrderAndRepetition, ()) {
  std::vector<std::string> values;
  Content all;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const auto content = any_content();
    for (const auto& [key, total] : content) all[key] = std::max(all[key], total);
    values.push_back(value_of(content));
  }
  std::vector<std::string_view> views(values.begin(), values.end());
  views.insert(views.end(), views.begin(), views.begin() + *rc::gen::inRange(0, count + 1));
  std::string merged;
  RC_ASSERT(merge_month_totals(views, merged).has_value());
  RC_ASSERT(merged == value_of(all));
  std::reverse(views.begin(), views.end());
  std::string first;
  std::string both;
  RC_ASSERT(merge_month_totals(std::span(views).first(1), first).has_value());
  views.front() = first;
  RC_ASSERT(merge_month_totals(views, both).has_value());
  RC_ASSERT(both == merged);
}

RC_GTEST_PROP(MonthTotals, AnyBytesAreReadOrRefused, (std::string bytes)) {
  if (!bytes.empty()) bytes[0] = month_totals_format;
  const std::vector<char> exact(bytes.begin(), bytes.end());  // A sanitizer sees its end.
  content_of({exact.data(), exact.size()});
}

RC_GTEST_PROP(MonthTotals, AChangedByteIsReadOrRefused, ()) {
  auto value = value_of(any_content());
  value[*rc::gen::inRange<std::size_t>(0, value.size())] = *rc::gen::arbitrary<char>();
  const std::vector<char> exact(value.begin(), value.end());
  content_of({exact.data(), exact.size()});
}

TEST(MonthTotals, EveryCutIsRefusedOrHoldsWholeLayers) {
  const auto value =
      value_of({{{"ab", 0, 7}, 5}, {{"ab", 30, 8}, 1'000'000}, {{"ac", 4, 300}, {}}});
  EXPECT_FALSE(content_of(""));
  std::size_t read = 0;
  for (std::size_t size = 1; size < value.size(); ++size) {
    const std::vector<char> exact(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(size));
    read += content_of({exact.data(), exact.size()}) ? 1 : 0;
  }
  EXPECT_EQ(read, 2U);  // Nothing, and the first layer.
  auto newer = value;
  newer[0] = month_totals_format + 1;
  EXPECT_FALSE(content_of(newer));
}

TEST(CountedGrid, TellsHowManyReadingsOfACompleteDayAreNotActual) {
  std::string grid("\x05\x03", 2);  // 60 minutes, 3 decimals.
  auto counted = read_counted_grid(grid).value();
  EXPECT_EQ(counted.info.slots, 24);
  EXPECT_EQ(counted.quality(), (QualityCounts{.actual = 24}));
  append_counts({.mantissa = 0, .substituted = 2, .estimated = 3}, grid);
  counted = read_counted_grid(grid).value();
  EXPECT_EQ(counted.quality(), (QualityCounts{.actual = 19, .substituted = 2, .estimated = 3}));
  EXPECT_FALSE(read_counted_grid(grid + '\0'));
  EXPECT_FALSE(read_counted_grid(grid.substr(0, 3)));
  EXPECT_FALSE(read_counted_grid(std::string("\x05\x03\x14\x05", 4))) << "25 of 24";
}

}  // namespace
}  // namespace meterline::store::rocksdb
