#include "store/rocksdb/recent_fold.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store {
namespace {

using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;

std::int64_t figure(const Store& store, std::string_view name) {
  const auto size = must(store.status(StatusOf::size));
  for (const auto& each : size.figures)
    if (each.name == name) return each.value;
  throw std::runtime_error("no such figure");
}

/// Delivery `n` has the n-th of January, and corrects the day before.
meterline::testing::TestDelivery daily(std::uint8_t n) {
  return delivery_of(
      n, n,
      {fmt::format("A 2019-01-{:02} 60 {}x24", n, n), fmt::format("B 2019-01-{:02} 60 2x24", n),
       fmt::format("A 2019-01-{:02} solar/generation/kWh 60 {}x24", std::max(1, n - 1), n)});
}

TEST(RecentFold, AnswersAreTheSameBeforeAndAfterwards) {
  const testing::TempFolder temp;
  const RocksdbOptions waiting{.folder = temp.path() / "s"};
  const RocksdbOptions at_once{.folder = temp.path() / "s", .recent_bytes_max = 0};
  std::string before;
  {
    const auto store = must(open_rocksdb_store(waiting));
    for (std::uint8_t n = 1; n <= 20; ++n) must(load(*store, daily(n)));
    EXPECT_GT(figure(*store, "recent_bytes"), 0);
    EXPECT_EQ(figure(*store, "days_file_bytes"), 0);
    before = answers_of(*store);
  }
  {
    const auto store = must(open_rocksdb_store(at_once));
    EXPECT_EQ(answers_of(*store), before);
    const auto waited = figure(*store, "recent_bytes");
    must(load(*store, daily(20)));  // It makes room for itself, and waits in turn.
    EXPECT_LT(figure(*store, "recent_bytes"), waited);
    EXPECT_GT(figure(*store, "days_file_bytes"), 0);
    EXPECT_EQ(answers_of(*store), before);
  }
  const auto store = must(open_rocksdb_store(waiting));
  EXPECT_EQ(answers_of(*store), before);
  EXPECT_TRUE(std::filesystem::is_empty(temp.path() / "s" / "incoming"));
}

/// As a process leaves it that is killed between taking in the months and removing the blocks.
TEST(RecentFold, WhatWasTakenInAndNotRemovedCountsOnce) {
  const testing::TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  std::string before;
  {
    const auto store = must(open_rocksdb_store(options));
    for (std::uint8_t n = 1; n <= 5; ++n) must(load(*store, daily(n)));
    before = answers_of(*store);
  }
  {
    const auto database =
        must(Database::open(temp.path() / "s" / "db", options.cache_bytes, OpenAs::there));
    RecentMonths recent(options.recent_bytes_max);
    DeliveryTable table;
    for (std::uint8_t n = 1; n <= 5; ++n) table.number_of(daily(n).delivery);
    must(load_recent(*database, table, RecentWithoutRecord::refused, recent));
    const auto blocks = recent.blocks();
    ASSERT_EQ(blocks.size(), 5U);
    RecentFold fold(*database, recent, temp.path() / "s" / "incoming");
    must(fold.fold());
    EXPECT_TRUE(recent.empty());
    for (const auto& [number, block] : blocks)
      ASSERT_TRUE(database->db()
                      .Put({}, database->family(Family::recent), recent_key(number), *block)
                      .ok());
  }
  const auto store = must(open_rocksdb_store(options));
  EXPECT_GT(figure(*store, "recent_bytes"), 0);
  EXPECT_EQ(answers_of(*store), before);
}

TEST(RecentFold, AnEntryThatIsNoneIsRefusedWhenTheStoreIsOpened) {
  const testing::TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  must(open_rocksdb_store(options));
  const auto put = [&](const std::string& key, const std::string& value) {
    const auto database =
        must(Database::open(temp.path() / "s" / "db", options.cache_bytes, OpenAs::there));
    ASSERT_TRUE(database->db().Put({}, database->family(Family::recent), key, value).ok());
  };
  put("short", "\x01");
  auto opened = open_rocksdb_store(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::corrupt);
}

TEST(RecentFold, NoQuestionMissesADayWhileMonthsAreFolded) {
  constexpr std::uint8_t days = 31;
  for (const std::size_t bytes_max : {0, 300}) {
    const testing::TempFolder temp;
    const auto store =
        must(open_rocksdb_store({.folder = temp.path() / "s", .recent_bytes_max = bytes_max}));
    std::atomic<int> committed = 0;
    std::thread writer([&] {
      for (std::uint8_t n = 1; n <= days; ++n) {
        must(load(*store, daily(n)));
        committed = n;
      }
    });
    const DaysQuery query{.meter = *MeterId::parse("B"), .dates = {Date::min(), Date::max()}};
    for (int known = 0; known < days;) {
      known = committed;
      int of_days = 0;
      int of_totals = 0;
      int of_all = 0;
      must(store->read_days(query, [&](const StoredDay&) { return ++of_days, Result<void>(); }));
      must(store->read_meter_totals(
          query, [&](const DayTotal&, IntervalLength) { return ++of_totals, Result<void>(); }));
      must(store->read_day_totals({.dates = query.dates}, [&](const DayTotal& total) {
        of_all += total.meter == query.meter ? 1 : 0;
        return Result<void>();
      }));
      EXPECT_GE(of_days, known);
      EXPECT_GE(of_totals, known);
      EXPECT_GE(of_all, known);
      if (known > 0) {
        const auto info = must(store->meter(query.meter));
        ASSERT_TRUE(info);
        EXPECT_GE(info->channels.front().last.days() - info->channels.front().first.days() + 1,
                  known);
      }
    }
    writer.join();
  }
}

}  // namespace
}  // namespace meterline::store
