#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "store/rocksdb/recent.h"

namespace meterline::store::rocksdb {
namespace {

constexpr std::size_t much = std::size_t{1} << 30;
constexpr int meters_count = 3;
constexpr int months_count = 4;
constexpr int channels_count = 2;

MeterId meter_number(int n) { return *MeterId::parse(n == 0 ? "A" : n == 1 ? "A1" : "B"); }
Channel channel_number(int n) { return {.name = n == 0 ? "consumption" : "solar"}; }
Month month_number(int n) { return {.index = static_cast<std::uint16_t>(1428 + n)}; }

struct Place {
  int meter;
  int month;
  int channel;
  auto operator<=>(const Place&) const = default;
};

std::string key_of(const Place& at) {
  std::string key;
  days_key(meter_number(at.meter), month_number(at.month), channel_number(at.channel), key);
  return key;
}

/// Blocks of the naive twin: number -> (place, text).
using Naive = std::map<std::uint64_t, std::vector<std::pair<Place, std::string>>>;

std::shared_ptr<const RecentBlock> block_of(
    const std::vector<std::pair<Place, std::string>>& entries) {
  RecentBlock block;
  for (const auto& [at, text] : entries)
    block.add({.key = key_of(at), .days = "d" + text, .totals = "t" + text});
  return std::make_shared<const RecentBlock>(std::move(block));
}

std::vector<std::string> lines_of(const EntryBuffer& found) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < found.size(); ++i)
    lines.push_back(std::string(found.key(i)) + ' ' + std::string(found.value(i)));
  std::sort(lines.begin(), lines.end());
  return lines;
}

template <class Wanted>
std::vector<std::string> naive_lines(const Naive& naive, Family family, const Wanted& wanted) {
  std::vector<std::string> lines;
  for (const auto& [number, entries] : naive) {
    for (const auto& [at, text] : entries) {
      if (!wanted(at)) continue;
      std::string key = key_of(at);
      if (family == Family::totals)
        totals_key(meter_number(at.meter), month_number(at.month), channel_number(at.channel), key);
      lines.push_back(key + (family == Family::days ? " d" : " t") + text);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void expect_same(const RecentMonths& recent, const Naive& naive) {
  const auto from = *rc::gen::inRange(0, months_count);
  const auto to = *rc::gen::inRange(from, months_count);
  const MonthRange months{.first = month_number(from), .last = month_number(to)};
  const auto is_asked = [&](const Place& at) { return from <= at.month && at.month <= to; };
  for (const auto family : {Family::days, Family::totals}) {
    EntryBuffer all;
    recent.of_all_meters(family, months, all);
    RC_ASSERT(lines_of(all) == naive_lines(naive, family, is_asked));
    for (int meter = 0; meter < meters_count; ++meter) {
      EntryBuffer of_meter;
      recent.of_meter(family, meter_number(meter), months, of_meter);
      RC_ASSERT(lines_of(of_meter) == naive_lines(naive, family, [&](const Place& at) {
                  return at.meter == meter && is_asked(at);
                }));
    }
  }
  const Place one{.meter = *rc::gen::inRange(0, meters_count), .month = from, .channel = 0};
  EntryBuffer found;
  recent.find(key_of(one), found);
  RC_ASSERT(lines_of(found) ==
            naive_lines(naive, Family::days, [&](const Place& at) { return at == one; }));
}

RC_GTEST_PROP(RecentMonths, FindsWhatANaiveListFinds, ()) {
  RecentMonths recent(much);
  Naive naive;
  const int steps = *rc::gen::inRange(1, 12);
  for (int step = 0; step < steps; ++step) {
    if (*rc::gen::inRange(0, 4) == 0) {
      recent.remove(recent.blocks());
      naive.clear();
    }
    const auto number = recent.next_number();
    const int size = *rc::gen::inRange(1, 8);
    for (int i = 0; i < size; ++i)
      naive[number].emplace_back(Place{.meter = *rc::gen::inRange(0, meters_count),
                                       .month = *rc::gen::inRange(0, months_count),
                                       .channel = *rc::gen::inRange(0, channels_count)},
                                 fmt::format("{} {}", number, i));
    recent.add(number, block_of(naive[number]));
    expect_same(recent, naive);
  }
}

TEST(RecentMonths, WhatCameWhileOthersWereFoldedStays) {
  RecentMonths recent(much);
  const Place at{.meter = 0, .month = 0, .channel = 0};
  recent.add(recent.next_number(), block_of({{at, "old"}}));
  const auto folded = recent.blocks();
  recent.add(recent.next_number(), block_of({{at, "new"}}));
  recent.remove(folded);
  EntryBuffer found;
  recent.find(key_of(at), found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.value(0), "dnew");
}

TEST(RecentMonths, AreFullByBytesOrByValuesOfOneMonth) {
  const Place at{.meter = 0, .month = 0, .channel = 0};
  RecentMonths few(1000);
  EXPECT_FALSE(few.is_full());
  few.add(few.next_number(), block_of({{at, std::string(300, 'x')}}));
  EXPECT_FALSE(few.is_full());
  few.add(few.next_number(), block_of({{at, std::string(300, 'x')}}));
  EXPECT_TRUE(few.is_full());

  RecentMonths many(much);
  for (std::size_t i = 0; i < RecentMonths::values_of_month_max; ++i) {
    EXPECT_FALSE(many.is_full());
    many.add(many.next_number(), block_of({{at, ""}}));
  }
  EXPECT_TRUE(many.is_full());
  many.remove(many.blocks());
  EXPECT_FALSE(many.is_full());
  EXPECT_TRUE(many.empty());
}

TEST(RecentMonths, NumbersGoOnBehindTheGreatestThatWasLoaded) {
  RecentMonths recent(much);
  const auto block = block_of({{{.meter = 0, .month = 0, .channel = 0}, "x"}});
  recent.add(41, block);
  recent.add(7, block);
  EXPECT_EQ(recent.next_number(), 42U);
  EXPECT_EQ(recent.next_number(), 43U);
}

}  // namespace
}  // namespace meterline::store::rocksdb
