// What the embedded store answers by shorter ways than others, against the memory store, which has
// only the plain ones.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::line_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::second;

DateRange ever() { return {Date::min(), Date::max()}; }

std::string text_of(const MeterInfo& info) {
  std::string text = info.meter.text();
  for (const auto& known : info.channels)
    text += fmt::format(" {}/{}/{} {} {} {}-{}", known.channel.name, text_of(known.channel.flow),
                        text_of(known.channel.unit), known.interval.minutes(), known.zone.text(),
                        known.first.text(), known.last.text());
  return text + '\n';
}

std::string meters_of(const Store& store) {
  std::string text;
  for (const auto& info : must(store.meters({.prefix = {}, .after = {}, .limit = 1000}))) {
    text += text_of(info);
    text += text_of(must(store.meter(info.meter)).value());
    for (const auto& channel : must(store.channels(info.meter))) text += channel.name + ' ';
  }
  return text;
}

std::string meter_totals_of(const Store& store, const DaysQuery& query) {
  std::map<Channel, Date> last;
  std::vector<std::string> lines;
  must(store.read_meter_totals(query, [&](const DayTotal& total, IntervalLength interval) {
    lines.push_back(fmt::format("{} {} min", line_of(total), interval.minutes()));
    const auto [known, is_first] = last.try_emplace(total.channel, total.date);
    EXPECT_TRUE(is_first || known->second < total.date) << "the days of a channel ascend";
    known->second = total.date;
    return Result<void>();
  }));
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// Of two meters.
std::string names_of(const Store& store, const MeterId& after) {
  std::string text;
  for (const auto& meter : must(store.meters({.after = after, .limit = 2, .names_only = true}))) {
    text += meter.meter.text();
    for (const auto& known : meter.channels) text += ' ' + known.channel.name;
  }
  return text;
}

/// The store knows its channels without reading only where they are few; then it knows all.
void expect_few_channels(const Store& store) {
  std::set<Channel> all;
  for (const auto& meter : must(store.meters({.limit = 1000, .names_only = true})))
    for (const auto& known : meter.channels) all.insert(known.channel);
  const auto few = store.traits().few_channels;
  ASSERT_EQ(few != nullptr, all.size() <= 2);
  if (!few) return;
  EXPECT_EQ(*few, std::vector<Channel>(all.begin(), all.end()));
}

/// A month as read_day_totals() tells it.
struct SlowMonth {
  std::map<std::pair<Channel, Date>, std::vector<DayTotal>> days;
  std::map<std::pair<Channel, MeterId>, ChannelMonth::Meter> meters;
};

SlowMonth slow_month(const Store& store, Month month) {
  SlowMonth out;
  const Date first = month.first_day();
  const DateRange dates{first, *Date::from_days(first.days() + month.days() - 1)};
  must(store.read_day_totals({.dates = dates}, [&](const DayTotal& total) {
    out.days[{total.channel, total.date}].push_back(total);
    auto& meter = out.meters[{total.channel, total.meter}];
    const std::uint32_t bit = std::uint32_t{1} << (total.date.days() - first.days());
    const auto slots = static_cast<std::uint16_t>(total.expected);
    meter.slots_min = meter.stored == 0 ? slots : std::min(meter.slots_min, slots);
    meter.slots_max = std::max(meter.slots_max, slots);
    meter.stored |= bit;
    if (total.readings == total.expected) meter.complete |= bit;
    if (total.readings > 0) meter.with_reading |= bit;
    return Result<void>();
  }));
  return out;
}

std::string line_of(const ChannelMonth::Day& day) {
  return fmt::format("{} of {}/{} a{} s{} e{} m{} @{}\n", day.sum.text(), day.readings,
                     day.expected, day.quality.actual, day.quality.substituted,
                     day.quality.estimated, day.quality.missing,
                     day.version ? day.version->stated.micros : -1);
}

std::string line_of(const ChannelMonth::Meter& meter) {
  return fmt::format("{:x} {:x} {:x} {}-{}\n", meter.stored, meter.complete, meter.with_reading,
                     meter.slots_min, meter.slots_max);
}

ChannelMonth::Day sum_of(const std::vector<DayTotal>& totals) {
  ChannelMonth::Day day;
  for (const auto& total : totals) {
    must(day.sum.add(total.sum));
    day.readings += total.readings;
    day.expected += total.expected;
    day.quality.actual += total.quality.actual;
    day.quality.substituted += total.quality.substituted;
    day.quality.estimated += total.quality.estimated;
    day.quality.missing += total.quality.missing;
    if (total.readings > 0) day.version = std::max(day.version, std::optional(total.version));
  }
  return day;
}

/// Empty where the store does not make it.
std::optional<MonthOfMeters> month_of_meters(const Store& store, Month month) {
  std::optional<MonthOfMeters> made;
  must(store.read_months({.dates = {month.first_day(), month.first_day()}},
                         {.days = [](const MeterDays&) { return Result<void>(); },
                          .month = [&](Month of, const MonthOfMeters& all) -> Result<bool> {
                            EXPECT_EQ(of, month);
                            made = all;
                            return true;
                          }}));
  return made;
}

void expect_same_month(const Store& fast, const Store& slow, Month month) {
  const auto known = month_of_meters(fast, month);
  ASSERT_TRUE(known);
  const auto expected = slow_month(slow, month);
  std::size_t meters = 0;
  for (const auto& channel : known->channels) {
    for (std::size_t i = 0; i < channel.days.size(); ++i) {
      const Date date = *Date::from_days(month.first_day().days() + static_cast<int>(i));
      const auto totals = expected.days.find({channel.channel, date});
      EXPECT_EQ(
          line_of(channel.days[i]),
          line_of(totals == expected.days.end() ? ChannelMonth::Day() : sum_of(totals->second)));
    }
    for (const auto& meter : channel.meters)
      EXPECT_EQ(line_of(meter), line_of(expected.meters.at({channel.channel, meter.meter})));
    meters += channel.meters.size();
  }
  EXPECT_EQ(meters, expected.meters.size());
}

std::set<Month> months_of(const Store& store) {
  std::set<Month> months;
  must(store.read_day_totals({.dates = ever()}, [&](const DayTotal& total) {
    months.insert(Month::of(total.date));
    return Result<void>();
  }));
  return months;
}

void expect_same(const Store& fast, const Store& slow, const DaysQuery& part) {
  EXPECT_EQ(meters_of(fast), meters_of(slow));
  expect_few_channels(fast);
  EXPECT_EQ(names_of(fast, part.meter), names_of(slow, part.meter));
  for (const auto& info : must(slow.meters({.prefix = {}, .after = {}, .limit = 1000})))
    for (const auto& dates : {ever(), part.dates}) {
      const DaysQuery query{.meter = info.meter, .dates = dates, .as_of = part.as_of};
      EXPECT_EQ(meter_totals_of(fast, query), meter_totals_of(slow, query));
    }
  auto months = months_of(slow);
  months.insert(Month{});  // Nothing is stored in it.
  for (const Month month : months) expect_same_month(fast, slow, month);
}

RC_GTEST_PROP(FastPaths, EqualThePlainOnesWhileDeliveriesCome, ()) {
  const testing::TempFolder temp;
  const RocksdbOptions options{
      .folder = temp.path() / "s",
      .recent_bytes_max = *rc::gen::element<std::size_t>(0, 1000, std::size_t{8} << 20)};
  auto fast = must(open_rocksdb_store(options));
  const auto slow = make_memory_store();
  const auto first = Date::parse("2018-12-20")->days() + *rc::gen::inRange(0, 30);
  const DaysQuery part{
      .meter = {},
      .dates = {*Date::from_days(first), *Date::from_days(first + *rc::gen::inRange(0, 60))},
      .as_of = second(*rc::gen::inRange(0, 5))};
  for (const auto& delivery : *any_deliveries()) {
    must(load(*fast, delivery));
    must(load(*slow, delivery));
    if (*rc::gen::inRange(0, 4) == 0) {
      fast.reset();
      fast = must(open_rocksdb_store(options));
    }
    expect_same(*fast, *slow, part);
    RC_ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

TEST(FastPaths, ManyMonthsAreReadInParts) {
  const testing::TempFolder temp;
  const auto fast = must(open_rocksdb_store({.folder = temp.path() / "s", .recent_bytes_max = 0}));
  const auto slow = make_memory_store();
  std::vector<std::string> lines;
  for (int month = 0; month < 80; ++month) {
    const auto date = fmt::format("{}-{:02}-15", 2012 + month / 12, 1 + month % 12);
    if (month % 7 != 3) lines.push_back(fmt::format("A {} 60 {}x24", date, month));
    if (month % 5 != 2)
      lines.push_back(fmt::format("A {} B1/generation/kWh 60 {}x24", date, month));
  }
  for (const auto& store : {fast.get(), slow.get()}) must(load(*store, delivery_of(1, 1, lines)));
  must(load(*fast, delivery_of(2, 2, {"A 2012-01-31 60 5x24"})));
  must(load(*slow, delivery_of(2, 2, {"A 2012-01-31 60 5x24"})));
  expect_same(*fast, *slow, {.meter = {}, .dates = ever()});
}

TEST(FastPaths, AMonthThatIsTooMuchToKeepIsToldAnotherWay) {
  const testing::TempFolder temp;
  const auto store = must(open_rocksdb_store({.folder = temp.path() / "s", .cache_bytes = 0}));
  must(load(*store, delivery_of(1, 1, {"A 2019-01-01 60 1x24"})));
  EXPECT_FALSE(month_of_meters(*store, Month::of(*Date::parse("2019-01-01"))));
  std::string told;
  must(store->read_day_presence({.dates = ever()}, [&](const DayPresence& presence) {
    told += fmt::format("{} {} {}", presence.meter.text(), presence.stored, presence.complete);
    return Result<void>();
  }));
  EXPECT_EQ(told, "A 1 1");
}

TEST(FastPaths, ASumThatDoesNotFitIsLeftToTheQuestion) {
  const testing::TempFolder temp;
  const auto store = must(open_rocksdb_store({.folder = temp.path() / "s"}));
  std::vector<std::string> lines = {"A 2019-01-01 60 0.00000000000000001x24"};
  for (int meter = 0; meter < 1000; ++meter)
    lines.push_back(fmt::format("B{:04} 2019-01-01 60 999999999999999999x24", meter));
  must(load(*store, delivery_of(1, 1, lines)));
  EXPECT_FALSE(month_of_meters(*store, Month::of(*Date::parse("2019-01-01"))));
}

TEST(FastPaths, AStoreOfManyChannelsKnowsThoseOfEachMeter) {
  const testing::TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  const auto slow = make_memory_store();
  for (std::uint8_t n = 1; n <= 12; ++n) {
    auto fast = must(open_rocksdb_store(options));
    const auto delivery =
        delivery_of(n, n,
                    {fmt::format("A 2019-01-0{} c{:02}/consumption/kWh 60 1x24", 1 + n % 9, n),
                     fmt::format("B 2019-02-01 c{:02}/consumption/kWh 60 1x24", n % 2)});
    must(load(*fast, delivery));
    must(load(*slow, delivery));
    expect_same(*fast, *slow, {.meter = {}, .dates = ever()});
  }
}

}  // namespace
}  // namespace meterline::store
