#include "store/rocksdb/month_block.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace meterline::store {
namespace {

/// What a block holds: (delivery, grid, day) -> body.
using Content = std::map<std::tuple<std::uint32_t, std::string, std::size_t>, std::string>;

std::string block_of(const Content& content) {
  std::vector<MonthGroup> groups;
  for (const auto& [key, body] : content) {
    const auto& [delivery, grid, day] = key;
    if (groups.empty() || groups.back().delivery != delivery || groups.back().grid != grid)
      groups.push_back({.delivery = delivery, .grid = grid});
    groups.back().days |= std::uint32_t{1} << day;
    groups.back().bodies[day] = body;
  }
  std::string block;
  write_month_block(groups, block);
  return block;
}

Content content_of(std::string_view block) {
  std::vector<MonthGroup> groups;
  Content content;
  EXPECT_TRUE(read_month_block(block, groups));
  for (const auto& group : groups)
    for (std::size_t day = 0; day < month_days_max; ++day)
      if ((group.days >> day & 1) != 0)
        content[{group.delivery, std::string(group.grid), day}] = group.bodies[day];
  return content;
}

Content any_content() {
  Content content;
  const auto size = *rc::gen::inRange(0, 40);
  for (int i = 0; i < size; ++i)
    content[{*rc::gen::inRange<std::uint32_t>(0, 300), *rc::gen::element<std::string>("ab", "ac"),
             *rc::gen::inRange<std::size_t>(0, 31)}] = *rc::gen::string<std::string>();
  return content;
}

TEST(MonthBlock, StandsByteForByteAsDocumented) {
  // The worked example of docs/store.md: delivery 7 gave the 1st and the 3rd of the month.
  const std::string block = block_of({{{7, "\x04", 0}, "AB"}, {{7, "\x04", 2}, "C"}});
  EXPECT_EQ(block, std::string("\x01\x07\x01\x04\x05\x00\x00\x00\x02"
                               "AB\x01"
                               "C",
                               13));
}

RC_GTEST_PROP(MonthBlock, ReadsBackWhatWasWritten, ()) {
  const auto content = any_content();
  RC_ASSERT(content_of(block_of(content)) == content);
}

RC_GTEST_PROP(MonthBlock, MergingIsUnionInAnyOrderAndRepetition, ()) {
  std::vector<std::string> blocks;
  Content all;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const auto content = any_content();
    for (const auto& [key, body] : content) all[key] = std::max(all[key], body);
    blocks.push_back(block_of(content));
  }
  std::vector<std::string_view> views(blocks.begin(), blocks.end());
  views.insert(views.end(), views.begin(), views.begin() + *rc::gen::inRange(0, count + 1));
  const auto order = *rc::gen::container<std::vector<int>>(views.size(), rc::gen::inRange(0, 1000));
  for (std::size_t i = views.size(); i > 1; --i)
    std::swap(views[i - 1], views[static_cast<std::size_t>(order[i - 1]) % i]);

  std::string merged;
  RC_ASSERT(merge_month_blocks(views, merged).has_value());
  RC_ASSERT(merged == block_of(all));
  std::string left, both;
  RC_ASSERT(merge_month_blocks({views.begin(), views.begin() + 1}, left).has_value());
  views.front() = left;
  RC_ASSERT(merge_month_blocks(views, both).has_value());
  RC_ASSERT(both == merged);
}

RC_GTEST_PROP(MonthBlock, AnyBytesAreReadOrRefused, (std::string bytes)) {
  std::vector<MonthGroup> groups;
  if (!bytes.empty()) bytes[0] = month_block_format;
  if (!read_month_block(bytes, groups)) return;
  std::string merged;
  RC_ASSERT(merge_month_blocks({bytes}, merged).has_value());
}

TEST(MonthBlock, EveryCutIsRefusedOrHoldsWholeGroups) {
  const Content content = {{{7, "ab", 0}, "AB"}, {{7, "ab", 30}, "C"}, {{300, "ab", 4}, ""}};
  const auto block = block_of(content);
  std::vector<MonthGroup> groups;
  EXPECT_FALSE(read_month_block("", groups));
  for (std::size_t size = 1; size < block.size(); ++size) {
    if (!read_month_block(block.substr(0, size), groups)) continue;
    for (const auto& group : groups) EXPECT_NE(group.days, 0U);
  }
  auto newer = block;
  newer[0] = month_block_format + 1;
  EXPECT_FALSE(read_month_block(newer, groups));
}

}  // namespace
}  // namespace meterline::store
