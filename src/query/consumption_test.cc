#include "query/consumption.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::second;
using meterline::testing::TestDelivery;

std::unique_ptr<store::Store> store_of(const std::vector<TestDelivery>& deliveries) {
  auto store = store::make_memory_store();
  for (const auto& each : deliveries)
    if (!load(*store, each)) throw std::runtime_error("load");
  return store;
}

Date date_of(std::string_view text) { return *Date::parse(text); }
MeterId meter_of(std::string_view text) { return *MeterId::parse(text); }

ConsumptionQuestion question(std::string_view from, std::string_view to, Resolution resolution) {
  return {.meter = meter_of("A"),
          .dates = {.from = date_of(from), .to = date_of(to)},
          .resolution = resolution,
          .channel = {},
          .flow = {},
          .as_of = {}};
}

/// `3.5 of 2/24`, with `- of 0/24` where no reading is known.
std::string short_text(const Total& total) {
  return fmt::format("{} of {}/{}", total.sum ? total.sum->text() : "-", total.readings,
                     total.expected);
}

std::string text_of(const Total& total) {
  const auto& [actual, substituted, estimated, missing] = total.quality;
  const std::string version =
      total.version
          ? fmt::format("@{}#{}", total.version->stated.micros / 1'000'000, total.version->tie)
          : "@-";
  return fmt::format("{} a{} s{} e{} m{} {}", short_text(total), actual, substituted, estimated,
                     missing, version);
}

std::string start_of(const Point& point, Resolution resolution) {
  if (resolution != Resolution::interval && resolution != Resolution::hour) return point.day.text();
  return fmt::format("{} {:02}:{:02}", point.day.text(), point.minute / 60, point.minute % 60);
}

std::string head_of(const Channel& channel) {
  return fmt::format("{}/{}/{}", channel.name, text_of(channel.flow), text_of(channel.unit));
}

/// A line for each channel and point, with its note.
std::vector<std::string> lines_of(const Result<Consumption>& answer) {
  if (!answer) return {answer.error().message};
  std::vector<std::string> lines;
  for (const auto& [channel, total, series, notes] : answer->channels) {
    lines.push_back(head_of(channel) + ": " + text_of(total));
    for (std::size_t i = 0; i < series.size(); ++i) {
      lines.push_back(start_of(series[i], answer->question.resolution) + ": " +
                      text_of(series[i].total));
      if (const Note* const note = note_at(notes, i))
        lines.back() += fmt::format(" ({})", meterline::text_of(*note));
    }
  }
  return lines;
}

/// Only what the points of all channels sum to.
std::string points_of(const Result<Consumption>& answer) {
  if (!answer) return answer.error().message;
  std::string text;
  for (const auto& channel : answer->channels)
    for (const Point& point : channel.series)
      text += fmt::format("{}: {}\n", start_of(point, answer->question.resolution),
                          short_text(point.total));
  return text;
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

class ConsumptionOf : public ::testing::TestWithParam<Case> {};

TEST_P(ConsumptionOf, AnswersLineByLine) {
  const auto& [says, days, from, to, resolution, expected] = GetParam();
  const auto store = store_of({delivery_of(7, 1, days)});
  EXPECT_EQ(lines_of(consumption(*store, question(from, to, resolution))), expected);
}

const Case cases[] = {
    {"one day",
     {"A 2019-01-01 30 0.5x46 1s 2e"},
     "2019-01-01",
     "2019-01-01",
     Resolution::day,
     {"consumption/consumption/kWh: 26 of 48/48 a46 s1 e1 m0 @7#1",
      "2019-01-01: 26 of 48/48 a46 s1 e1 m0 @7#1"}},
    {"a day with holes, and days without anything around it",
     {"A 2019-01-02 60 1x4 -x20"},
     "2019-01-01",
     "2019-01-03",
     Resolution::day,
     {"consumption/consumption/kWh: 4 of 4/72 a4 s0 e0 m68 @7#1",
      "2019-01-01: - of 0/24 a0 s0 e0 m24 @-", "2019-01-02: 4 of 4/24 a4 s0 e0 m20 @7#1",
      "2019-01-03: - of 0/24 a0 s0 e0 m24 @-"}},
    {"nothing stored in the time asked for: the channel's last interval",
     {"A 2019-05-01 15 1x96", "A 2018-01-01 60 1x24"},
     "2019-01-01",
     "2019-01-01",
     Resolution::day,
     {"consumption/consumption/kWh: - of 0/96 a0 s0 e0 m96 @-",
      "2019-01-01: - of 0/96 a0 s0 e0 m96 @-"}},
    {"the interval changes: absent days are like the one before, else the first",
     {"A 2019-01-02 60 1x24", "A 2019-01-04 30 1x48", "A 2019-02-01 15 1x96"},
     "2019-01-01",
     "2019-01-05",
     Resolution::day,
     {"consumption/consumption/kWh: 72 of 72/168 a72 s0 e0 m96 @7#1",
      "2019-01-01: - of 0/24 a0 s0 e0 m24 @-", "2019-01-02: 24 of 24/24 a24 s0 e0 m0 @7#1",
      "2019-01-03: - of 0/24 a0 s0 e0 m24 @-", "2019-01-04: 48 of 48/48 a48 s0 e0 m0 @7#1",
      "2019-01-05: - of 0/48 a0 s0 e0 m48 @-"}},
    {"months, cut off on both sides",
     {"A 2019-01-31 60 1x24", "A 2019-02-01 60 2x24", "A 2019-02-28 60 3x24",
      "A 2019-03-01 60 5x24", "A 2019-03-02 60 100x24"},
     "2019-01-30",
     "2019-03-01",
     Resolution::month,
     {"consumption/consumption/kWh: 264 of 96/744 a96 s0 e0 m648 @7#1",
      "2019-01-30: 24 of 24/48 a24 s0 e0 m24 @7#1", "2019-02-01: 120 of 48/672 a48 s0 e0 m624 @7#1",
      "2019-03-01: 120 of 24/24 a24 s0 e0 m0 @7#1"}},
    {"years, a leap day among them",
     {"A 2019-12-31 60 1x24", "A 2020-01-01 60 2x24"},
     "2019-12-31",
     "2020-12-31",
     Resolution::year,
     {"consumption/consumption/kWh: 72 of 48/8808 a48 s0 e0 m8760 @7#1",
      "2019-12-31: 24 of 24/24 a24 s0 e0 m0 @7#1",
      "2020-01-01: 48 of 24/8784 a24 s0 e0 m8760 @7#1"}},
    {"the first and the last day there is",
     {"A 1900-01-01 60 1x24", "A 2199-12-31 60 -2x24"},
     "1900-01-01",
     "2199-12-31",
     Resolution::year,
     {}},
};

INSTANTIATE_TEST_SUITE_P(Lines, ConsumptionOf, ::testing::ValuesIn(cases, cases + 6));

TEST(Consumption, SpansAllDaysThereAre) {
  const Case& all = cases[6];
  const auto store = store_of({delivery_of(7, 1, all.days)});
  for (const auto resolution : {Resolution::year, Resolution::month, Resolution::day}) {
    const auto answer = consumption(*store, question(all.from, all.to, resolution));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(short_text(answer->channels.at(0).total), "-24 of 48/2629752");
    EXPECT_EQ(answer->channels[0].series.front().day, Date::min());
    EXPECT_EQ(short_text(answer->channels[0].series.back().total),
              resolution == Resolution::year    ? "-48 of 24/8760"
              : resolution == Resolution::month ? "-48 of 24/744"
                                                : "-48 of 24/24");
  }
}

TEST(Consumption, PointsOfIntervalsStartWithTheirSlots) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-01-02 60 0.5 - 2s 3x21"})});
  const auto lines =
      lines_of(consumption(*store, question("2019-01-01", "2019-01-02", Resolution::interval)));
  ASSERT_EQ(lines.size(), 49U);
  EXPECT_EQ(lines[1], "2019-01-01 00:00: - of 0/1 a0 s0 e0 m1 @-");
  EXPECT_EQ(lines[24], "2019-01-01 23:00: - of 0/1 a0 s0 e0 m1 @-");
  EXPECT_EQ(lines[25], "2019-01-02 00:00: 0.5 of 1/1 a1 s0 e0 m0 @7#1");
  EXPECT_EQ(lines[26], "2019-01-02 01:00: - of 0/1 a0 s0 e0 m1 @-");
  EXPECT_EQ(lines[27], "2019-01-02 02:00: 2 of 1/1 a0 s1 e0 m0 @7#1");
  EXPECT_EQ(lines[48], "2019-01-02 23:00: 3 of 1/1 a1 s0 e0 m0 @7#1");
}

TEST(Consumption, IntervalsHaveTheNotesOfTheVersionsThatGaveThem) {
  const auto store = store_of(
      {delivery_of(1, 1, {"A 2019-01-01 60 1 2e 3 note:0-2:E/52//", "A 2019-01-02 60 1 2 3"}),
       delivery_of(2, 2,
                   {"A 2019-01-01 60 - - 4s note:2-3:S/14/32/fuse",
                    "A 2019-01-03 60 5 6 - note:0-1:F/// note:2-3:N//79/outage"})});
  auto asked = question("2019-01-01", "2019-01-03", Resolution::interval);
  const auto notes = must(consumption(*store, asked)).channels.at(0).notes;
  const Notes expected = {{0, 2, {"E", "52", "", ""}},
                          {2, 3, {"S", "14", "32", "fuse"}},
                          {6, 7, {"F", "", "", ""}},
                          {8, 9, {"N", "", "79", "outage"}}};
  EXPECT_EQ(notes, expected);
  asked.as_of = second(1);
  EXPECT_EQ(must(consumption(*store, asked)).channels.at(0).notes,
            (Notes{{0, 2, {"E", "52", "", ""}}}));
  for (const auto resolution : {Resolution::hour, Resolution::day, Resolution::month}) {
    asked.resolution = resolution;
    EXPECT_EQ(must(consumption(*store, asked)).channels.at(0).notes, Notes{});
  }
}

TEST(Consumption, HoursSumTheirIntervals) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-01-01 15 1 2 3.5 - -x4 7e -x87"})});
  const auto lines =
      lines_of(consumption(*store, question("2019-01-01", "2019-01-02", Resolution::hour)));
  ASSERT_EQ(lines.size(), 49U);
  EXPECT_EQ(lines[1], "2019-01-01 00:00: 6.5 of 3/4 a3 s0 e0 m1 @7#1");
  EXPECT_EQ(lines[2], "2019-01-01 01:00: - of 0/4 a0 s0 e0 m4 @-");
  EXPECT_EQ(lines[3], "2019-01-01 02:00: 7 of 1/4 a0 s0 e1 m3 @7#1");
  EXPECT_EQ(lines[48], "2019-01-02 23:00: - of 0/4 a0 s0 e0 m4 @-");
}

TEST(Consumption, HoursAndIntervalsOfAnHourAgree) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-01-01 60 1 2 3.5 - 4x20"})});
  EXPECT_EQ(
      points_of(consumption(*store, question("2018-12-31", "2019-01-02", Resolution::hour))),
      points_of(consumption(*store, question("2018-12-31", "2019-01-02", Resolution::interval))));
}

TEST(Consumption, DaysOf23And25HoursHaveAsManyPoints) {
  const auto store =
      store_of({delivery_of(7, 1, {"A 2019-03-31 30 1x46", "A 2019-10-27 30 1x50"})});
  const auto points = [&](const char* day, Resolution resolution) {
    const auto answer = consumption(*store, question(day, day, resolution));
    return answer.value().channels.at(0).series;
  };
  EXPECT_EQ(points("2019-03-31", Resolution::hour).size(), 23U);
  EXPECT_EQ(points("2019-10-27", Resolution::hour).size(), 25U);
  EXPECT_EQ(points("2019-10-27", Resolution::interval).size(), 50U);
  EXPECT_EQ(points("2019-10-27", Resolution::hour).back().minute, 24 * 60);
  EXPECT_EQ(short_text(points("2019-10-27", Resolution::day).at(0).total), "50 of 50/50");
}

TEST(Consumption, TheDayAfterALongDayHas24Hours) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-10-27 30 1x50"})});
  EXPECT_EQ(points_of(consumption(*store, question("2019-10-27", "2019-10-28", Resolution::day))),
            "2019-10-27: 50 of 50/50\n2019-10-28: - of 0/48\n");
}

TEST(Consumption, ChannelsAreFilteredByNameAndFlow) {
  const auto store = store_of({delivery_of(
      7, 1,
      {"A 2019-01-01 B1/generation/kWh 60 1x24", "A 2019-01-01 E1/consumption/kWh 60 2x24",
       "A 2019-01-01 E1/consumption/Wh 60 3x24", "A 2018-01-01 Q1/reactive/kvarh 60 4x24"})});
  const auto channels = [&](std::optional<std::string> name, std::optional<Flow> flow) {
    auto asked = question("2019-01-01", "2019-01-01", Resolution::day);
    asked.channel = std::move(name);
    asked.flow = flow;
    std::vector<std::string> found;
    const auto answer = consumption(*store, asked).value();
    for (const auto& channel : answer.channels)
      found.push_back(head_of(channel.channel) + " " + short_text(channel.total));
    return found;
  };
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(channels({}, {}),
              ElementsAre("B1/generation/kWh 24 of 24/24", "E1/consumption/Wh 72 of 24/24",
                          "E1/consumption/kWh 48 of 24/24", "Q1/reactive/kvarh - of 0/24"));
  EXPECT_THAT(channels("E1", {}),
              ElementsAre("E1/consumption/Wh 72 of 24/24", "E1/consumption/kWh 48 of 24/24"));
  EXPECT_THAT(channels({}, Flow::generation), ElementsAre("B1/generation/kWh 24 of 24/24"));
  EXPECT_THAT(channels("E1", Flow::generation), IsEmpty());
  EXPECT_THAT(channels("e1", {}), IsEmpty());
}

TEST(Consumption, AsOfLeavesLaterVersionsOut) {
  const auto store = store_of({delivery_of(1, 1, {"A 2019-01-01 60 1x24"}),
                               delivery_of(3, 2, {"A 2019-01-01 60 2x12 -x12"})});
  auto asked = question("2019-01-01", "2019-01-01", Resolution::day);
  const auto first_line = [&] { return lines_of(consumption(*store, asked)).at(0); };
  EXPECT_EQ(first_line(), "consumption/consumption/kWh: 36 of 24/24 a24 s0 e0 m0 @3#2");
  asked.as_of = second(2);
  EXPECT_EQ(first_line(), "consumption/consumption/kWh: 24 of 24/24 a24 s0 e0 m0 @1#1");
  asked.as_of = second(0);
  EXPECT_EQ(first_line(), "consumption/consumption/kWh: - of 0/24 a0 s0 e0 m24 @-");
}

TEST(Consumption, TheVersionOfAPointIsThatOfItsReadings) {
  const auto store = store_of(
      {delivery_of(1, 1, {"A 2019-01-01 60 1x24"}), delivery_of(3, 2, {"A 2019-01-01 60 2 -x23"})});
  const auto lines =
      lines_of(consumption(*store, question("2019-01-01", "2019-01-01", Resolution::interval)));
  EXPECT_EQ(lines.at(0), "consumption/consumption/kWh: 25 of 24/24 a24 s0 e0 m0 @3#2");
  EXPECT_EQ(lines.at(1), "2019-01-01 00:00: 2 of 1/1 a1 s0 e0 m0 @3#2");
  EXPECT_EQ(lines.at(2), "2019-01-01 01:00: 1 of 1/1 a1 s0 e0 m0 @1#1");
}

TEST(Consumption, RefusesWhatCannotBeAnswered) {
  const auto store =
      store_of({delivery_of(1, 1, {"A 2019-01-01 60 1x24", "A 2018-01-01 1 1x1440"})});
  auto asked = question("2019-01-02", "2019-01-01", Resolution::day);
  EXPECT_EQ(consumption(*store, asked).error().code, Errc::invalid_argument);
  EXPECT_EQ(consumption(*store, asked).error().message,
            "`to` (2019-01-01) is before `from` (2019-01-02)");
  asked = question("2019-01-01", "2019-01-01", Resolution::day);
  asked.meter = meter_of("B");
  EXPECT_EQ(consumption(*store, asked).error().code, Errc::not_found);
}

TEST(Consumption, RefusesMoreThan120000Points) {
  const auto store =
      store_of({delivery_of(1, 1, {"A 2019-01-01 60 1x24", "A 2018-01-01 1 1x1440"})});
  const auto code = [&](const char* from, const char* to, Resolution resolution) {
    const auto answer = consumption(*store, question(from, to, resolution));
    return answer ? std::nullopt : std::optional(answer.error().code);
  };
  // 5,000 days of 24 points are the most; days of minutes among them are seen when they come.
  EXPECT_EQ(code("2005-01-01", "2018-09-09", Resolution::hour), std::nullopt);
  EXPECT_EQ(code("2005-01-01", "2018-09-10", Resolution::hour), Errc::too_large);
  EXPECT_EQ(code("2019-01-01", "2032-09-08", Resolution::interval), std::nullopt);
  EXPECT_EQ(code("2019-01-01", "2032-09-09", Resolution::interval), Errc::too_large);
  EXPECT_EQ(code("2018-01-01", "2018-03-24", Resolution::interval), std::nullopt);
  EXPECT_EQ(code("2018-01-01", "2018-03-25", Resolution::interval), Errc::too_large);
  EXPECT_EQ(code("2017-10-11", "2018-01-01", Resolution::interval), std::nullopt);
  EXPECT_EQ(code("2017-10-10", "2018-01-01", Resolution::interval), Errc::too_large);
  EXPECT_EQ(code("1900-01-01", "2199-12-31", Resolution::hour), Errc::too_large);
}

// --- The first customer's question ----------------------------------------------------------

struct DailyCase {
  std::string says;
  std::vector<std::string> days;
  std::string expected;
};

/// Counts how often a meter is looked up in full; a store on servers has to ask them several times.
class Counting final : public store::Store {
 public:
  explicit Counting(const std::vector<TestDelivery>& deliveries) : store_(store_of(deliveries)) {}

  mutable int lookups = 0;
  mutable int channel_lookups = 0;
  std::shared_ptr<const std::vector<Channel>> few;
  std::optional<Channel> begun;  ///< One more channel, of which no day is stored yet.

  Result<std::unique_ptr<store::DeliveryWriter>> write(std::span<const Delivery> all) override {
    return store_->write(all);
  }
  Result<void> read_registers(const store::ReadsQuery& query,
                              const store::ReadVisitor& visit) const override {
    return store_->read_registers(query, visit);
  }
  Result<void> read_days(const store::DaysQuery& query,
                         const store::DayVisitor& visit) const override {
    return store_->read_days(query, visit);
  }
  Result<void> read_months(const store::TotalsQuery& query,
                           const store::MonthsVisitor& visit) const override {
    return store_->read_months(query, visit);
  }
  Result<std::vector<store::MeterInfo>> meters(const store::MetersQuery& query) const override {
    ++(query.names_only ? channel_lookups : lookups);
    auto found = store_->meters(query);
    if (query.names_only && begun && !found->empty())
      found->front().channels.push_back({.channel = *begun});
    return found;
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override {
    return store_->add_event(delivery, event);
  }
  Result<std::vector<store::DeliveryRecord>> deliveries(
      const store::DeliveriesQuery& query) const override {
    return store_->deliveries(query);
  }
  Result<void> amend(const store::Amendment& amendment) override {
    return store_->amend(amendment);
  }
  Result<Unit> remember_unit(Unit unit) override { return store_->remember_unit(unit); }
  Result<store::StoreStatus> status(store::StatusOf what) const override {
    return store_->status(what);
  }
  store::StoreTraits traits() const override { return {.few_channels = few}; }

 private:
  std::unique_ptr<store::Store> store_;
};

TEST(Consumption, LooksAMeterUpInFullOnlyWhereDaysDoNotTell) {
  const Counting store({delivery_of(
      1, 1,
      {"A 2019-01-01 60 1x24", "A 2019-02-01 60 1x24", "A 2019-02-01 B1/generation/kWh 30 1x48"})});
  const auto lookups = [&](std::string_view from, std::string_view to, Resolution resolution) {
    store.lookups = 0;
    consumption(store, question(from, to, resolution)).value();
    return store.lookups;
  };
  EXPECT_EQ(lookups("2019-02-01", "2019-02-01", Resolution::interval), 0);
  EXPECT_EQ(lookups("2019-01-01", "2019-12-31", Resolution::day), 0);
  EXPECT_EQ(lookups("2019-01-01", "2019-01-31", Resolution::day), 1);
  EXPECT_EQ(lookups("2020-01-01", "2020-01-31", Resolution::day), 1);
  EXPECT_EQ(lookups("2019-01-01", "2019-12-31", Resolution::interval), 1);
}

TEST(Consumption, AChannelWhoseFirstDayIsBeingLoadedIsNotYetKnown) {
  Counting store({delivery_of(1, 1, {"A 2019-01-01 60 1x24"})});
  store.begun = Channel{.name = "B1"};
  for (const auto resolution : {Resolution::day, Resolution::interval}) {
    const auto answer = consumption(store, question("2019-01-01", "2019-06-30", resolution));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->channels.size(), 1U);
    EXPECT_EQ(answer->channels.front().channel.name, "consumption");
  }
}

/// All channels of a store.
std::shared_ptr<const std::vector<Channel>> channels_of(const store::Store& store) {
  std::set<Channel> channels;
  const auto meters = store.meters({.limit = 1000, .names_only = true});
  for (const auto& meter : meters.value())
    for (const auto& known : meter.channels) channels.insert(known.channel);
  return std::make_shared<const std::vector<Channel>>(channels.begin(), channels.end());
}

TEST(Consumption, InAStoreOfFewChannelsDaysTellWhichOnesTheMeterHas) {
  Counting store({delivery_of(1, 1,
                              {"A 2019-01-01 60 1x24", "A 2019-02-01 60 1x24",
                               "A 2019-02-01 B1/generation/kWh 30 1x48", "B 2019-01-01 60 1x24"})});
  store.few = channels_of(store);
  const auto lookups = [&](ConsumptionQuestion asked, std::string_view channel = "") {
    store.channel_lookups = 0;
    if (!channel.empty()) asked.channel = channel;
    const auto found = consumption(store, asked);
    return fmt::format("{} for {}", store.channel_lookups, found ? found->channels.size() : 0);
  };
  auto year = question("2019-01-01", "2019-12-31", Resolution::day);
  auto day = question("2019-01-01", "2019-01-01", Resolution::interval);
  EXPECT_EQ(lookups(year), "0 for 2");
  EXPECT_EQ(lookups(day), "1 for 2") << "the meter has one more, without days";
  EXPECT_EQ(lookups(day, "consumption"), "0 for 1");
  EXPECT_EQ(lookups(year, "no such"), "1 for 0");
  EXPECT_EQ(lookups(question("2019-01-01", "2019-12-31", Resolution::interval)), "1 for 2")
      << "long: its points are counted before any is made";
  year.meter = meter_of("B");
  EXPECT_EQ(lookups(year), "1 for 1");
  year.meter = meter_of("C");
  EXPECT_EQ(lookups(year), "1 for 0");
  EXPECT_EQ(consumption(store, year).error().code, Errc::not_found);
}

RC_GTEST_PROP(Consumption, InAStoreOfFewChannelsIsTheSame, ()) {
  const auto deliveries = *any_deliveries();
  Counting store(deliveries);
  auto asked = question("2019-01-01", "2019-01-01",
                        *rc::gen::element(Resolution::interval, Resolution::hour, Resolution::day,
                                          Resolution::month));
  asked.meter = meter_of(*rc::gen::element<std::string>("A", "A1", "B", "C"));
  asked.dates.from = *Date::from_days(asked.dates.from.days() + *rc::gen::inRange(-40, 40));
  asked.dates.to = *Date::from_days(asked.dates.from.days() + *rc::gen::inRange(0, 40));
  const auto expected = lines_of(consumption(store, asked));
  store.few = channels_of(store);
  RC_ASSERT(lines_of(consumption(store, asked)) == expected);
}

TEST(DailySum, SumsConsumptionInOneUnit) {
  const DailyCase daily[] = {
      {"nothing known", {"A 2019-01-02 60 1x24"}, "-"},
      {"another meter", {"A1 2019-01-01 60 1x24"}, "-"},
      {"no reading", {"A 2019-01-01 60 -x24"}, "-"},
      {"a sum of zero is known", {"A 2019-01-01 60 0x24"}, "0"},
      {"exact", {"A 2019-01-01 60 0.1x23 0.025"}, "2.325"},
      {"generation is none", {"A 2019-01-01 B1/generation/kWh 60 1x24"}, "-"},
      {"all its channels",
       {"A 2019-01-01 E1/consumption/kWh 60 1x24", "A 2019-01-01 E2/consumption/kWh 30 0.5x48",
        "A 2019-01-01 B1/generation/kWh 60 9x24"},
       "48"},
      {"units are not mixed: that of the first channel",
       {"A 2019-01-01 E1/consumption/Wh 60 1000x24", "A 2019-01-01 E1/consumption/kWh 60 1x24",
        "A 2019-01-01 E2/consumption/Wh 60 1x24"},
       "24024"},
      {"that of the first with a reading",
       {"A 2019-01-01 E1/consumption/Wh 60 -x24", "A 2019-01-01 E2/consumption/kWh 60 1x24"},
       "24"},
  };
  for (const auto& [says, days, expected] : daily) {
    const auto store = store_of({delivery_of(1, 1, days)});
    const auto sum = daily_sum(*store, meter_of("A"), date_of("2019-01-01"));
    ASSERT_TRUE(sum) << says;
    EXPECT_EQ(*sum ? (*sum)->text() : "-", expected) << says;
  }
}

TEST(Consumption, OfAMeterThatIsWithdrawnAltogetherIsKnownAsOfBefore) {
  const auto gone = delivery_of(1, 1, {"A 2019-01-01 60 1x24"});
  const auto store = store_of({gone});
  ASSERT_TRUE(store->add_event(
      gone.delivery.id, {.at = meterline::testing::second(5), .who = "ann", .reason = "no"}));
  for (const auto resolution : {Resolution::interval, Resolution::day, Resolution::month}) {
    auto asked = question("2019-01-01", "2019-12-31", resolution);
    EXPECT_EQ(consumption(*store, asked).error().code, Errc::not_found);
    asked.as_of = meterline::testing::second(4);
    const auto answer = consumption(*store, asked);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->channels.at(0).total.sum->text(), "24");
  }
}

TEST(Consumption, IsToldInTheUnitThatIsAskedFor) {
  const auto store = store_of({delivery_of(
      7, 1,
      {"A 2019-01-01 E/consumption/kWh 60 1500x24", "A 2019-01-01 Q/reactive/kvarh 60 2x24"})});
  auto asked = question("2019-01-01", "2019-01-01", Resolution::day);
  asked.unit = Unit::MWh;
  EXPECT_THAT(lines_of(consumption(*store, asked)),
              ::testing::ElementsAre(::testing::StartsWith("E/consumption/MWh: 36 of 24/24"),
                                     ::testing::StartsWith("2019-01-01: 36 of 24/24"),
                                     ::testing::StartsWith("Q/reactive/kvarh: 48 of 24/24"),
                                     ::testing::StartsWith("2019-01-01: 48 of 24/24")));
}

TEST(Consumption, OfPowerTellsEachReadingAndNoSum) {
  const auto store =
      store_of({delivery_of(7, 1, {"A 2019-01-01 consumption/consumption/kW 60 2x24"})});
  const auto at = [&](Resolution resolution) {
    return must(consumption(*store, question("2019-01-01", "2019-01-01", resolution)))
        .channels.at(0);
  };
  EXPECT_EQ(at(Resolution::interval).series.at(3).total.sum, Sum(2, 0));
  for (const auto resolution : {Resolution::hour, Resolution::day, Resolution::year}) {
    const auto channel = at(resolution);
    EXPECT_EQ(channel.series.at(0).total.sum, std::nullopt);
    EXPECT_EQ(channel.total.sum, std::nullopt);
    EXPECT_EQ(channel.total.readings, 24);
    EXPECT_NE(channel.total.version, std::nullopt);
  }
  EXPECT_EQ(must(daily_sum(*store, meter_of("A"), date_of("2019-01-01"))), std::nullopt);
}

}  // namespace
}  // namespace meterline::query
