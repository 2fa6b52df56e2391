#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "store/rocksdb/month.h"

namespace meterline::store::rocksdb {
namespace {

/// What a block holds: (grid, day, delivery) -> body.
using Content = std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, std::string>;

std::string block_of(const Content& content) {
  std::vector<MonthEntry> entries;
  for (const auto& [key, body] : content) {
    const auto& [grid, day, delivery] = key;
    entries.push_back({.grid = grid, .day = day, .delivery = delivery, .body = body});
  }
  std::string block;
  write_month_block(entries, block);
  return block;
}

Content content_of(std::string_view block) {
  std::vector<MonthEntry> entries;
  Content content;
  EXPECT_TRUE(read_month_block(block, entries));
  for (const auto& entry : entries) {
    const auto [at, is_new] =
        content.emplace(std::tuple(std::string(entry.grid), entry.day, entry.delivery), entry.body);
    EXPECT_TRUE(is_new);
  }
  return content;
}

Content any_content() {
  Content content;
  const auto size = *rc::gen::inRange(0, 40);
  for (int i = 0; i < size; ++i)
    content[{*rc::gen::element<std::string>("ab", "ac"), *rc::gen::inRange<std::uint32_t>(0, 31),
             *rc::gen::element<std::uint32_t>(0, 1, 2, 300, UINT32_MAX)}] =
        *rc::gen::string<std::string>();
  return content;
}

TEST(MonthBlock, StandsByteForByteAsDocumented) {
  // The worked examples of docs/store.md: delivery 7 gave the 1st, and it, 9 or 8 the
  // 3rd.
  EXPECT_EQ(block_of({{{"\x04", 0, 7}, "AB"}, {{"\x04", 2, 7}, "C"}}),
            std::string("\x02\x01\x04\x05\x00\x00\x00\x1c\x02\x01"
                        "ABC",
                        13));
  EXPECT_EQ(block_of({{{"\x04", 0, 7}, "AB"}, {{"\x04", 2, 9}, "C"}}),
            std::string("\x02\x01\x04\x05\x00\x00\x00\x1e\x04\x02\x01"
                        "ABC",
                        14));
  EXPECT_EQ(block_of({{{"\x04", 0, 7}, "AB"}, {{"\x04", 2, 8}, "C"}}),
            std::string("\x02\x01\x04\x05\x00\x00\x00\x1d\x02\x01"
                        "ABC",
                        13));
}

TEST(MonthBlock, DaysThatTwoDeliveriesGaveStandInTwoLayers) {
  EXPECT_EQ(block_of({{{"\x04", 0, 7}, "A"}, {{"\x04", 0, 8}, "B"}, {{"\x04", 1, 8}, "C"}}),
            std::string("\x02"
                        "\x01\x04\x03\x00\x00\x00\x1d\x01\x01"
                        "AC"
                        "\x01\x04\x01\x00\x00\x00\x20\x01"
                        "B",
                        21));
}

RC_GTEST_PROP(MonthBlock, ReadsBackWhatWasWritten, ()) {
  const auto content = any_content();
  RC_ASSERT(content_of(block_of(content)) == content);
}

RC_GTEST_PROP(MonthBlock, WantedDaysAreReadAlone, ()) {
  const auto block = block_of(any_content());
  const auto wanted = *rc::gen::arbitrary<std::uint32_t>();
  std::vector<MonthEntry> all;
  std::vector<MonthEntry> some;
  RC_ASSERT(read_month_block(block, all).has_value());
  RC_ASSERT(read_month_block(block, wanted, some).has_value());
  std::erase_if(all, [&](const MonthEntry& entry) { return (wanted >> entry.day & 1) == 0; });
  const auto same = [](const MonthEntry& a, const MonthEntry& b) {
    return a.day == b.day && a.grid == b.grid && a.delivery == b.delivery &&
           a.body.data() == b.body.data() && a.body.size() == b.body.size();
  };
  RC_ASSERT(std::equal(all.begin(), all.end(), some.begin(), some.end(), same));
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
  std::vector<MonthEntry> entries;
  if (!bytes.empty()) bytes[0] = month_block_format;
  if (!read_month_block(bytes, entries)) return;
  std::string merged;
  RC_ASSERT(merge_month_blocks(std::vector<std::string_view>{bytes}, merged).has_value());
}

TEST(MonthBlock, EveryCutIsRefusedOrHoldsWholeLayers) {
  const Content content = {{{"ab", 0, 7}, "AB"}, {{"ab", 30, 8}, "C"}, {{"ac", 4, 300}, ""}};
  const auto block = block_of(content);
  std::vector<MonthEntry> entries;
  EXPECT_FALSE(read_month_block("", entries));
  std::size_t read = 0;
  for (std::size_t size = 1; size < block.size(); ++size)
    read += read_month_block(block.substr(0, size), entries) ? 1 : 0;
  EXPECT_EQ(read, 2U);  // Nothing, and the first layer.
  auto newer = block;
  newer[0] = month_block_format + 1;
  EXPECT_FALSE(read_month_block(newer, entries));
}

}  // namespace
}  // namespace meterline::store::rocksdb
