#include "core/budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace meterline {
namespace {

TEST(Budget, IsNeverExceededAndGivenBack) {
  Budget budget(10);
  {
    BudgetShare first(&budget);
    BudgetShare second(&budget);
    EXPECT_TRUE(first.grow(6));
    EXPECT_FALSE(second.grow(5));
    EXPECT_TRUE(second.grow(4));
    EXPECT_EQ(budget.used(), 10U);
    EXPECT_FALSE(first.grow(1));
    second.give_back();
    EXPECT_TRUE(first.grow(1));
    EXPECT_EQ(budget.used(), 7U);
  }
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_EQ(budget.bytes_max(), 10U);
}

TEST(Budget, WithoutOneThereIsNoLimit) {
  BudgetShare share(nullptr);
  EXPECT_TRUE(share.grow(~std::uint64_t{0}));
  EXPECT_TRUE(share.grow(~std::uint64_t{0}));
}

TEST(Budget, HoldsForManyThreads) {
  constexpr std::uint64_t bytes_max = 3;
  Budget budget(bytes_max);
  std::atomic<bool> exceeded = false;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) {
          BudgetShare share(&budget);
          static_cast<void>(share.grow(2));
          if (budget.used() > bytes_max) exceeded = true;
        }
      });
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace meterline
