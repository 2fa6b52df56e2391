#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "store/rocksdb/keys.h"
#include "store/rocksdb/recent.h"

namespace meterline::store::rocksdb {
namespace {

using Texts = std::vector<std::tuple<std::string, std::string, std::string>>;

RecentBlock block_of(const Texts& texts) {
  RecentBlock block;
  for (const auto& [key, days, totals] : texts)
    block.add({.key = key, .days = days, .totals = totals});
  return block;
}

Texts texts_of(const RecentBlock& block) {
  Texts texts;
  EXPECT_TRUE(block.each([&](const RecentEntry& entry) -> Result<void> {
    texts.emplace_back(entry.key, entry.days, entry.totals);
    return {};
  }));
  return texts;
}

/// At least one.
Texts any_texts() {
  Texts texts;
  const int count = *rc::gen::inRange(1, 20);
  for (int i = 0; i < count; ++i) {
    std::string key;
    days_key(*MeterId::parse(fmt::format("M{:02}", i)), {.index = 1400}, {}, key);
    texts.emplace_back(key, *rc::gen::arbitrary<std::string>(), *rc::gen::arbitrary<std::string>());
  }
  return texts;
}

TEST(RecentBlock, StandsByteForByteAsDocumented) {
  // The worked example of docs/store.md.
  EXPECT_EQ(block_of({{"A", "BC", "D"}, {"E", "", "F"}}).bytes(), std::string("\x01\x01"
                                                                              "A\x02"
                                                                              "BC\x01"
                                                                              "D\x01"
                                                                              "E\x00\x01"
                                                                              "F",
                                                                              13));
}

RC_GTEST_PROP(RecentBlock, GivesBackWhatWasAdded, ()) {
  const auto texts = any_texts();
  const auto block = block_of(texts);
  RC_ASSERT(texts_of(block) == texts);
  const auto back = RecentBlock::read(block.bytes());
  RC_ASSERT(back.has_value());
  RC_ASSERT(texts_of(*back) == texts);
}

RC_GTEST_PROP(RecentBlock, ADamagedOneIsAnErrorOrShort, ()) {
  const auto texts = any_texts();
  const auto bytes = block_of(texts).bytes();
  const auto cut =
      RecentBlock::read(bytes.substr(0, *rc::gen::inRange<std::size_t>(0, bytes.size())));
  if (!cut) return;
  const auto back = texts_of(*cut);
  RC_ASSERT(back.size() < texts.size());
  RC_ASSERT(std::equal(back.begin(), back.end(), texts.begin()));
}

TEST(RecentBlock, RefusesAnotherFormatAndNothingAndKeysThatAreNone) {
  EXPECT_FALSE(RecentBlock::read(""));
  EXPECT_FALSE(RecentBlock::read("\x02"));
  EXPECT_FALSE(RecentBlock::read("\x01\x7f"));
  EXPECT_FALSE(RecentBlock::read(block_of({{"no month", "", ""}}).bytes()));
}

}  // namespace
}  // namespace meterline::store::rocksdb
