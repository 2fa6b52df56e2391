// That questions over all meters have one answer, whether all are held at once or few.
#include "query/meter_spans.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <set>

#include "query/gaps.h"
#include "query/portfolio.h"
#include "query/top.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::load;

/// So little that a handful of meters is more.
constexpr std::size_t few_bytes = 1000;

std::string text_of(const Total& total) {
  return fmt::format("{} {}/{} {}", total.sum ? total.sum->text() : "-", total.readings,
                     total.expected, total.version ? total.version->stated.micros : -1);
}

std::string answers_of(const store::Store& store, const DateRange& dates, std::size_t held_bytes) {
  std::string out;
  for (const auto resolution : {Resolution::day, Resolution::month, Resolution::year}) {
    const auto all =
        portfolio(store, {.dates = dates, .resolution = resolution}, nullptr, held_bytes).value();
    for (const auto& channel : all.channels) {
      const auto add = [&](const PortfolioTotal& total) {
        out += fmt::format("{} {} {} {}\n", text_of(total.total), total.meters,
                           total.meters_incomplete, total.average ? total.average->text() : "-");
      };
      out += channel.channel.name + '\n';
      add(channel.total);
      for (const auto& point : channel.series) add(point.total);
    }
  }
  for (const auto order : {TopOrder::highest, TopOrder::lowest}) {
    const auto all =
        top(store, {.dates = dates, .order = order, .limit = 2}, nullptr, held_bytes).value();
    for (const auto& channel : all.channels) {
      out += fmt::format("{} of {}:", channel.channel.name, channel.meters);
      for (const auto& meter : channel.listed)
        out += fmt::format(" {} {} {}", meter.meter.text(), meter.sum->text(), meter.days);
      out += '\n';
    }
  }
  for (const auto absent : {Absent::listed, Absent::left_out}) {
    const auto all =
        gaps(store, {.dates = dates, .absent = absent, .limit = 3}, nullptr, held_bytes).value();
    out += fmt::format("{} {} {} {} {} {}\n", all.total.meters, all.total.meters_with_gaps,
                       all.total.days, all.total.stored, all.total.complete, all.more);
    for (const auto& meter : all.meters)
      for (const auto& channel : meter.channels)
        out += fmt::format("{} {} {} {} {}\n", meter.meter.text(), channel.channel.name,
                           channel.stored, channel.complete, channel.first_gap.text());
  }
  return out;
}

RC_GTEST_PROP(MeterSpans, ChangeNoAnswer, ()) {
  const auto store = store::make_memory_store();
  for (const auto& delivery : *any_deliveries()) RC_ASSERT(load(*store, delivery).has_value());
  const auto first = *Date::parse("2018-12-30");
  for (const int days : {1, 5, 70}) {
    const DateRange dates{.from = first, .to = *Date::from_days(first.days() + days - 1)};
    RC_ASSERT(answers_of(*store, dates, few_bytes) == answers_of(*store, dates, held_bytes_max));
  }
}

std::unique_ptr<store::Store> store_of_meters(int count) {
  auto store = store::make_memory_store();
  std::vector<ReadingDay> days;
  for (int i = 0; i < count; ++i)
    for (const char* day : {"2019-01-01", "2019-01-02"})
      days.push_back(meterline::testing::day_of(fmt::format("M{:05} {} 60 {}x24", i, day, i)));
  EXPECT_TRUE(load(*store, meterline::testing::delivery_of_days(1, 1, days)));
  return store;
}

/// Spans ascend, leave out nobody, and hold no more than they are to.
TEST(MeterSpans, AreAskedForUntilEachFits) {
  constexpr std::size_t meters_max = 100;
  const auto store = store_of_meters(1000);
  const store::TotalsQuery all{
      .dates = {.from = *Date::parse("2019-01-01"), .to = *Date::parse("2019-01-02")}};
  std::string last;
  std::size_t seen = 0;
  int spans = 0;
  const auto visit = [&](const store::MeterSpan& span) -> Result<bool> {
    std::set<std::string> meters;
    store::TotalsQuery query = all;
    query.span = span;
    EXPECT_TRUE(store->read_day_totals(query, [&](const store::DayTotal& total) -> Result<void> {
      meters.insert(total.meter.text());
      return {};
    }));
    if (meters.size() > meters_max) return false;
    EXPECT_FALSE(meters.empty());
    EXPECT_GT(*meters.begin(), last);
    last = *meters.rbegin();
    seen += meters.size();
    ++spans;
    return true;
  };
  ASSERT_TRUE(each_span(*store, all, meters_max, visit, nullptr));
  EXPECT_EQ(seen, 1000U);
  EXPECT_LE(spans, 20);
}

TEST(MeterSample, CountsManyMetersFromFew) {
  MeterSample sample;
  for (int i = 0; i < 100'000; ++i) {
    sample.add(fmt::format("M{}", i));
    sample.add(fmt::format("M{}", i / 2));
  }
  EXPECT_NEAR(static_cast<double>(sample.count()), 100'000, 10'000);
  const auto spans = sample.split({}, 10'000);
  EXPECT_GE(spans.size(), 10U);
  EXPECT_TRUE(spans.front().after.text().empty());
  EXPECT_FALSE(spans.back().to);
  for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_EQ(spans[i].after, *spans[i - 1].to);
}

}  // namespace
}  // namespace meterline::query
