#include "store/rocksdb/recent_block.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <tuple>
#include <vector>

namespace meterline::store {
namespace {

using Texts = std::vector<std::tuple<std::string, std::string, std::string>>;

std::string block_of(const Texts& texts) {
  std::string block;
  for (const auto& [key, days, totals] : texts)
    add_recent_entry({.key = key, .days = days, .totals = totals}, block);
  return block;
}

/// What can be read, and whether all of it could.
std::pair<Texts, bool> read(std::string_view block) {
  Texts texts;
  auto reader = RecentBlockReader::open(block);
  while (reader) {
    const auto entry = reader->next();
    if (!entry) break;
    if (!*entry) return {texts, true};
    texts.emplace_back((*entry)->key, (*entry)->days, (*entry)->totals);
  }
  return {texts, false};
}

TEST(RecentBlock, StandsByteForByteAsDocumented) {
  // The worked example of docs/store.md.
  EXPECT_EQ(block_of({{"A", "BC", "D"}, {"E", "", "F"}}), std::string("\x01\x01"
                                                                      "A\x02"
                                                                      "BC\x01"
                                                                      "D\x01"
                                                                      "E\x00\x01"
                                                                      "F",
                                                                      13));
}

RC_GTEST_PROP(RecentBlock, GivesBackWhatWasAdded, (const Texts& texts)) {
  RC_PRE(!texts.empty());
  const auto [back, is_whole] = read(block_of(texts));
  RC_ASSERT(is_whole);
  RC_ASSERT(back == texts);
}

RC_GTEST_PROP(RecentBlock, ADamagedOneIsAnErrorOrShort, (const Texts& texts)) {
  RC_PRE(!texts.empty());
  const auto block = block_of(texts);
  const auto size = *rc::gen::inRange<std::size_t>(0, block.size());
  const std::string cut = block.substr(0, size);  // A buffer of its own, so that reading past
  const auto [back, is_whole] = read(cut);        // its end is seen.
  RC_ASSERT(back.size() <= texts.size());
  RC_ASSERT(std::equal(back.begin(), back.end(), texts.begin()));
}

TEST(RecentBlock, RefusesAnotherFormatAndNothing) {
  EXPECT_FALSE(RecentBlockReader::open(""));
  EXPECT_FALSE(RecentBlockReader::open("\x02"));
}

}  // namespace
}  // namespace meterline::store
