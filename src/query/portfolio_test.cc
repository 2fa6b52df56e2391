#include "query/portfolio.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::naive_days;
using meterline::testing::naive_total;
using meterline::testing::NaiveDay;
using meterline::testing::second;
using meterline::testing::TestDelivery;

std::unique_ptr<store::Store> store_of(const std::vector<TestDelivery>& deliveries) {
  auto store = store::make_memory_store();
  for (const auto& each : deliveries)
    if (!load(*store, each)) throw std::runtime_error("load");
  return store;
}

PortfolioQuestion question(std::string_view from, std::string_view to, Resolution resolution) {
  return {.dates = {.from = *Date::parse(from), .to = *Date::parse(to)},
          .resolution = resolution,
          .channel = {},
          .flow = {},
          .as_of = {}};
}

/// `24 of 24/48 m24 @7#1, 1 meter, 1 incomplete, average 24`
std::string text_of(const PortfolioTotal& total) {
  const Total& sum = total.total;
  return fmt::format(
      "{} of {}/{} a{} s{} e{} m{} {}, {} meters, {} incomplete, average {}",
      sum.sum ? sum.sum->text() : "-", sum.readings, sum.expected, sum.quality.actual,
      sum.quality.substituted, sum.quality.estimated, sum.quality.missing,
      sum.version ? fmt::format("@{}#{}", sum.version->stated.micros / 1'000'000, sum.version->tie)
                  : "@-",
      total.meters, total.meters_incomplete, total.average ? total.average->text() : "-");
}

std::string head_of(const Channel& channel) {
  return fmt::format("{}/{}/{}", channel.name, text_of(channel.flow), text_of(channel.unit));
}

std::vector<std::string> lines_of(const Result<Portfolio>& answer) {
  if (!answer) return {answer.error().message};
  std::vector<std::string> lines;
  for (const auto& [channel, total, series] : answer->channels) {
    lines.push_back(head_of(channel) + ": " + text_of(total));
    for (const auto& point : series)
      lines.push_back(point.day.text() + ": " + text_of(point.total));
  }
  return lines;
}

struct Case {
  std::string says;
  std::vector<std::string> days;
  std::string from;
  std::string to;
  Resolution resolution;
  std::vector<std::string> expected;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.says; }
};

class PortfolioOf : public ::testing::TestWithParam<Case> {};

TEST_P(PortfolioOf, AnswersLineByLine) {
  const auto& [says, days, from, to, resolution, expected] = GetParam();
  const auto store = store_of({delivery_of(7, 1, days)});
  EXPECT_EQ(lines_of(portfolio(*store, question(from, to, resolution))), expected);
}

const Case cases[] = {
    {"nothing stored", {"A 2019-01-02 60 1x24"}, "2019-01-01", "2019-01-01", Resolution::day, {}},
    {"one day of three meters",
     {"A 2019-01-01 60 1x24", "B 2019-01-01 30 0.5x40 -x8", "C 2019-01-01 60 -x24"},
     "2019-01-01",
     "2019-01-01",
     Resolution::day,
     {"consumption/consumption/kWh: 44 of 64/96 a64 s0 e0 m32 @7#1, 2 meters, 2 incomplete, "
      "average 22",
      "2019-01-01: 44 of 64/96 a64 s0 e0 m32 @7#1, 2 meters, 2 incomplete, average 22"}},
    {"meters without a day are expected all the same",
     {"A 2019-01-01 60 1x24", "B 2019-01-03 30 1x48", "C 2019-02-01 60 1x24"},
     "2019-01-01",
     "2019-01-03",
     Resolution::day,
     {"consumption/consumption/kWh: 72 of 72/216 a72 s0 e0 m144 @7#1, 2 meters, 2 incomplete, "
      "average 36",
      "2019-01-01: 24 of 24/72 a24 s0 e0 m48 @7#1, 1 meters, 1 incomplete, average 24",
      "2019-01-02: - of 0/72 a0 s0 e0 m72 @-, 0 meters, 2 incomplete, average -",
      "2019-01-03: 48 of 48/72 a48 s0 e0 m24 @7#1, 1 meters, 1 incomplete, average 48"}},
    {"months, cut off on both sides",
     {"A 2019-01-31 60 1x24", "A 2019-02-01 60 1x24", "B 2019-02-01 60 2s -x23"},
     "2019-01-31",
     "2019-02-01",
     Resolution::month,
     {"consumption/consumption/kWh: 50 of 49/96 a48 s1 e0 m47 @7#1, 2 meters, 1 incomplete, "
      "average 25",
      "2019-01-31: 24 of 24/48 a24 s0 e0 m24 @7#1, 1 meters, 1 incomplete, average 24",
      "2019-02-01: 26 of 25/48 a24 s1 e0 m23 @7#1, 2 meters, 1 incomplete, average 13"}},
    {"days of 23 and 25 hours are complete",
     {"A 2019-03-31 30 1x46", "A 2019-10-27 30 1x50"},
     "2019-03-31",
     "2019-12-31",
     Resolution::year,
     {"consumption/consumption/kWh: 96 of 96/13248 a96 s0 e0 m13152 @7#1, 1 meters, 1 incomplete, "
      "average 96",
      "2019-03-31: 96 of 96/13248 a96 s0 e0 m13152 @7#1, 1 meters, 1 incomplete, average 96"}},
    {"channels are kept apart; the average is rounded",
     {"A 2019-01-01 B1/generation/Wh 60 1x24", "A 2019-01-01 60 1x24", "B 2019-01-01 60 1x24",
      "C 2019-01-01 60 1x23 2"},
     "2019-01-01",
     "2019-01-01",
     Resolution::month,
     {"B1/generation/Wh: 24 of 24/24 a24 s0 e0 m0 @7#1, 1 meters, 0 incomplete, average 24",
      "2019-01-01: 24 of 24/24 a24 s0 e0 m0 @7#1, 1 meters, 0 incomplete, average 24",
      "consumption/consumption/kWh: 73 of 72/72 a72 s0 e0 m0 @7#1, 3 meters, 0 incomplete, "
      "average 24.333333",
      "2019-01-01: 73 of 72/72 a72 s0 e0 m0 @7#1, 3 meters, 0 incomplete, average 24.333333"}},
};

INSTANTIATE_TEST_SUITE_P(Lines, PortfolioOf, ::testing::ValuesIn(cases));

TEST(Portfolio, ChannelsAreFilteredByNameAndFlow) {
  const auto store = store_of(
      {delivery_of(7, 1, {"A 2019-01-01 B1/generation/kWh 60 1x24", "B 2019-01-01 60 2x24"})});
  const auto channels = [&](std::optional<std::string> name, std::optional<Flow> flow) {
    auto asked = question("2019-01-01", "2019-01-01", Resolution::day);
    asked.channel = std::move(name);
    asked.flow = flow;
    std::vector<std::string> found;
    const auto answer = portfolio(*store, asked).value();
    for (const auto& channel : answer.channels) found.push_back(channel.channel.name);
    return found;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(channels({}, {}), ElementsAre("B1", "consumption"));
  EXPECT_THAT(channels("B1", {}), ElementsAre("B1"));
  EXPECT_THAT(channels({}, Flow::consumption), ElementsAre("consumption"));
  EXPECT_THAT(channels("B1", Flow::consumption), ElementsAre());
}

TEST(Portfolio, OfPowerHasNoSum) {
  const auto store = store_of({delivery_of(
      7, 1, {"A 2019-01-01 P/consumption/kW 60 1x24", "B 2019-01-01 P/consumption/kW 60 2x24"})});
  const auto answer =
      portfolio(*store, question("2019-01-01", "2019-01-01", Resolution::day)).value();
  for (const auto& all : {answer.channels.at(0).total, answer.channels.at(0).series.at(0).total}) {
    EXPECT_EQ(all.total.sum, std::nullopt);
    EXPECT_EQ(all.average, std::nullopt);
    EXPECT_EQ(all.total.readings, 48);
    EXPECT_EQ(all.meters, 2);
  }
}

TEST(Portfolio, RefusesWhatCannotBeAnswered) {
  const auto store = store_of({});
  const auto code = [&](const char* from, const char* to, Resolution resolution) {
    const auto answer = portfolio(*store, question(from, to, resolution));
    return answer ? std::nullopt : std::optional(answer.error().code);
  };
  EXPECT_EQ(code("2019-01-01", "2019-01-01", Resolution::day), std::nullopt);
  EXPECT_EQ(code("2019-01-02", "2019-01-01", Resolution::day), Errc::invalid_argument);
  EXPECT_EQ(code("2019-01-01", "2019-01-01", Resolution::hour), Errc::invalid_argument);
  EXPECT_EQ(code("2019-01-01", "2019-01-01", Resolution::interval), Errc::invalid_argument);
  EXPECT_EQ(code("1999-01-01", "2038-12-31", Resolution::day), std::nullopt);
  EXPECT_EQ(code("1999-01-01", "2039-01-01", Resolution::day), Errc::too_large);
}

// --- Against a slow reference ---------------------------------------------------------------

using MeterDays = std::map<MeterId, std::map<Date, store::DayTotal>>;

struct NaiveChannel {
  MeterDays days;
  std::map<MeterId, std::int64_t> slots;  ///< Of a day of 24 hours of which nothing is stored.
  std::map<MeterId, TimeZone> zones;      ///< Of its last day.
};

std::map<Channel, NaiveChannel> naive_channels(const std::vector<TestDelivery>& deliveries,
                                               const PortfolioQuestion& asked) {
  std::map<Channel, NaiveChannel> channels;
  for (const NaiveDay& day : naive_days(deliveries, *asked.as_of)) {
    if (!asked.dates.contains(day.date)) continue;
    NaiveChannel& channel = channels[day.channel];
    channel.days[day.meter][day.date] = naive_total(day);
    std::int64_t& slots = channel.slots[day.meter];
    slots = std::max<std::int64_t>(slots, day.interval.slots_per_day());
    channel.zones[day.meter] = day.zone;
  }
  return channels;
}

PortfolioTotal naive_portfolio(const NaiveChannel& channel, const std::vector<Date>& dates) {
  PortfolioTotal out;
  for (const auto& [meter, days] : channel.days) {
    std::int64_t readings = 0;
    std::int64_t missing = 0;
    for (const Date date : dates) {
      const auto found = days.find(date);
      if (found == days.end()) {
        const auto slots =
            channel.slots.at(meter) * channel.zones.at(meter).minutes_of(date) / (24 * 60);
        out.total.expected += slots;
        out.total.quality.missing += slots;
        missing += slots;
        continue;
      }
      RC_ASSERT(out.total.add(found->second).has_value());
      readings += found->second.readings;
      missing += found->second.quality.missing;
    }
    if (readings > 0) ++out.meters;
    if (missing > 0) ++out.meters_incomplete;
  }
  if (out.meters > 0) out.average = average_of(*out.total.sum, out.meters).value();
  return out;
}

std::vector<std::string> naive_lines(const std::vector<TestDelivery>& deliveries,
                                     const PortfolioQuestion& asked) {
  std::map<std::string, std::vector<Date>> spans;
  std::vector<Date> all;
  for (Date date = asked.dates.from; date <= asked.dates.to; date = date.next()) {
    const std::string text = date.text();
    const std::size_t kept = asked.resolution == Resolution::day     ? 10
                             : asked.resolution == Resolution::month ? 8
                                                                     : 5;
    const std::string start = text.substr(0, kept) + std::string("0000-01-01").substr(kept);
    spans[std::max(start, asked.dates.from.text())].push_back(date);
    all.push_back(date);
  }
  std::vector<std::string> lines;
  for (const auto& [channel, days] : naive_channels(deliveries, asked)) {
    lines.push_back(head_of(channel) + ": " + text_of(naive_portfolio(days, all)));
    for (const auto& [start, dates] : spans)
      lines.push_back(start + ": " + text_of(naive_portfolio(days, dates)));
  }
  return lines;
}

PortfolioQuestion any_question() {
  auto asked = question("2018-11-01", "2018-11-01", Resolution::day);
  asked.resolution = static_cast<Resolution>(*rc::gen::inRange(2, 5));
  asked.dates.from = *Date::from_days(asked.dates.from.days() + *rc::gen::inRange(0, 63));
  asked.dates.to = *Date::from_days(asked.dates.from.days() + *rc::gen::inRange(0, 150));
  return asked;
}

RC_GTEST_PROP(Portfolio, EqualsTheSlowReference, ()) {
  const auto deliveries = *any_deliveries();
  const auto store = store_of(deliveries);
  auto asked = any_question();
  asked.as_of = second(*rc::gen::inRange(0, 4));
  RC_ASSERT(lines_of(portfolio(*store, asked)) == naive_lines(deliveries, asked));
}

/// The embedded store keeps months of all meters, the memory store days.
RC_GTEST_PROP(Portfolio, OfMonthsEqualsThatOfDaysWhileDeliveriesCome, ()) {
  const meterline::testing::TempFolder temp;
  const auto months = store::open_rocksdb_store({.folder = temp.path() / "s"});
  const auto days = store::make_memory_store();
  const auto asked = any_question();
  for (const auto& delivery : *any_deliveries()) {
    RC_ASSERT(load(**months, delivery).has_value());
    RC_ASSERT(load(*days, delivery).has_value());
    RC_ASSERT(lines_of(portfolio(**months, asked)) == lines_of(portfolio(*days, asked)));
  }
}

}  // namespace
}  // namespace meterline::query
