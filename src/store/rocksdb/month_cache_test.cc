#include <gtest/gtest.h>

#include "store/rocksdb/month_sums.h"

namespace meterline::store::rocksdb {
namespace {

MonthOfMeters month_with(std::size_t meters) {
  MonthOfMeters month;
  month.channels.resize(1);
  month.channels[0].days.resize(31);
  month.channels[0].meters.resize(meters);
  return month;
}

bool has(MonthCache& cache, std::uint16_t month) {
  std::uint64_t ticket = 0;
  return cache.find({month}, ticket).has_value();
}

void put(MonthCache& cache, std::uint16_t month, std::size_t meters) {
  std::uint64_t ticket = 0;
  cache.find({month}, ticket);
  cache.put({month}, ticket, month_with(meters));
}

TEST(MonthCache, GivesUpTheLeastRecentlyAskedFor) {
  MonthCache cache(3 * bytes_of(month_with(10)));
  for (std::uint16_t month = 1; month <= 3; ++month) put(cache, month, 10);
  EXPECT_TRUE(has(cache, 1));
  put(cache, 4, 10);
  EXPECT_FALSE(has(cache, 2));
  EXPECT_TRUE(has(cache, 1) && has(cache, 3) && has(cache, 4));
}

TEST(MonthCache, RemembersThatAMonthIsTooMuch) {
  MonthCache cache(bytes_of(month_with(10)) - 1);
  put(cache, 1, 10);
  std::uint64_t ticket = 0;
  const auto known = cache.find({1}, ticket);
  ASSERT_TRUE(known);
  EXPECT_EQ(*known, nullptr);
  cache.forget({1}, {1});
  EXPECT_FALSE(has(cache, 1));
}

TEST(MonthCache, ForgetsTheMonthsThatChanged) {
  MonthCache cache(1 << 20);
  for (std::uint16_t month = 1; month <= 4; ++month) put(cache, month, 10);
  cache.forget({2}, {3});
  EXPECT_TRUE(has(cache, 1) && has(cache, 4));
  EXPECT_FALSE(has(cache, 2) || has(cache, 3));
}

TEST(MonthCache, DoesNotKeepWhatChangedWhileItWasMade) {
  MonthCache cache(1 << 20);
  std::uint64_t ticket = 0;
  cache.find({1}, ticket);
  cache.forget({1}, {1});
  EXPECT_TRUE(cache.put({1}, ticket, month_with(10)));  // The question that made it may use it.
  EXPECT_FALSE(has(cache, 1));
}

}  // namespace
}  // namespace meterline::store::rocksdb
