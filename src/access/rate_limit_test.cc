#include "access/rate_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace meterline::access {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr Time start{std::chrono::hours(1)};

int passed(RateLimit& limit, std::string_view who, Time at, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i)
    if (!limit.wait_s(who, at)) ++count;
  return count;
}

TEST(RateLimit, TakesSoManyAtOnceAndThenSoManyASecond) {
  RateLimit limit(10);
  EXPECT_EQ(passed(limit, "a", start, 100), 10);
  EXPECT_EQ(passed(limit, "a", start + milliseconds(99), 100), 0);
  EXPECT_EQ(passed(limit, "a", start + milliseconds(300), 100), 3);
  EXPECT_EQ(passed(limit, "a", start + milliseconds(10'000), 100), 10);
}

TEST(RateLimit, TellsHowLongToWait) {
  RateLimit limit(1);
  EXPECT_FALSE(limit.wait_s("a", start));
  EXPECT_EQ(limit.wait_s("a", start), 1);
  EXPECT_EQ(limit.wait_s("a", start + milliseconds(999)), 1);
  EXPECT_FALSE(limit.wait_s("a", start + milliseconds(1000)));
}

TEST(RateLimit, LimitsEachForItself) {
  RateLimit limit(1);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.wait_s("key:" + std::to_string(i), start)) << i;
}

}  // namespace
}  // namespace meterline::access
