#include "query/time_of_use.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "query/consumption.h"
#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;

const Tariff& night_and_day() {
  static const auto tariff = must(Tariff::parse(
      "otherwise = 'night'\n[[rule]]\nband = 'day'\ntimes = '07:00-23:00'", "night-and-day"));
  return tariff;
}

std::unique_ptr<store::Store> store_of(const std::vector<std::string>& days) {
  auto store = store::make_memory_store();
  must(load(*store, delivery_of(7, 1, days)));
  return store;
}

TimeOfUseQuestion question(std::string_view from, std::string_view to,
                           std::string_view resolution = "total",
                           const Tariff& tariff = night_and_day()) {
  return {.meter = *MeterId::parse("A"),
          .dates = {.from = *Date::parse(from), .to = *Date::parse(to)},
          .tariff = tariff,
          .resolution = *BandResolution::parse(resolution)};
}

std::string text_of(const TimeOfUse& answer, const std::vector<BandTotal>& bands) {
  std::string out;
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const auto& [total, straddling] = bands[i];
    out += fmt::format("{}{} {} of {}/{}", i == 0 ? "" : ", ", answer.question.tariff.bands()[i],
                       total.sum ? total.sum->text() : "-", total.readings, total.expected);
    if (straddling > 0) out += fmt::format(" ({} straddle)", straddling);
  }
  return out;
}

std::string lines_of(const Result<TimeOfUse>& answer) {
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& channel : answer->channels) {
    for (const auto& point : channel.series)
      out += point.day.text() + ": " + text_of(*answer, point.bands) + '\n';
    out += fmt::format("{}: {}\n", channel.channel.name, text_of(*answer, channel.bands));
  }
  return out;
}

TEST(TimeOfUse, SumsByTheBandInWhichAnIntervalBegins) {
  const auto store = store_of({"A 2024-05-01 30 1x14 10x32 100x2", "A 2024-05-02 60 0.5x7 2x16 -"});
  EXPECT_EQ(lines_of(time_of_use(*store, question("2024-05-01", "2024-05-02", "day"))),
            "2024-05-01: day 320 of 32/32, night 214 of 16/16\n"
            "2024-05-02: day 32 of 16/16, night 3.5 of 7/8\n"
            "consumption: day 352 of 48/48, night 217.5 of 23/24\n");
}

TEST(TimeOfUse, SpansAreCutOffWhereTheQuestionBegins) {
  const auto store = store_of({"A 2024-01-31 60 1x24", "A 2024-02-01 60 1x24"});
  EXPECT_EQ(lines_of(time_of_use(*store, question("2024-01-31", "2024-02-01", "month"))),
            "2024-01-31: day 16 of 16/16, night 8 of 8/8\n"
            "2024-02-01: day 16 of 16/16, night 8 of 8/8\n"
            "consumption: day 32 of 32/32, night 16 of 16/16\n");
}

TEST(TimeOfUse, ClocksThatChange) {
  // In London the clock shows 01:00 to 02:00 twice on the one day, and not at all on the other.
  const auto edges =
      must(Tariff::parse("otherwise = 'rest'\n[[rule]]\nband = 'one'\ntimes = '01:00-02:00'\n"
                         "[[rule]]\nband = 'two'\ntimes = '02:00-03:00'",
                         "edges"));
  const auto store = store_of({"A 2024-10-27 60 1 2 4 8 16x21 zone:Europe/London",
                               "A 2024-03-31 60 1 2 4x21 zone:Europe/London",
                               "A 2024-03-30 60 1 2 4 8x21 zone:Europe/London"});
  const auto ask = [&](std::string_view day) {
    return lines_of(time_of_use(*store, question(day, day, "total", edges)));
  };
  EXPECT_EQ(ask("2024-10-27"), "consumption: one 6 of 2/2, two 8 of 1/1, rest 337 of 22/22\n");
  EXPECT_EQ(ask("2024-03-31"), "consumption: one - of 0/0, two 2 of 1/1, rest 85 of 22/22\n");
  EXPECT_EQ(ask("2024-03-30"), "consumption: one 2 of 1/1, two 4 of 1/1, rest 169 of 22/22\n");
  // Days of which nothing is stored have the hours of their zone as well.
  EXPECT_EQ(lines_of(time_of_use(*store, question("2024-10-27", "2024-10-28", "day", edges))),
            "2024-10-27: one 6 of 2/2, two 8 of 1/1, rest 337 of 22/22\n"
            "2024-10-28: one - of 0/1, two - of 0/1, rest - of 0/22\n"
            "consumption: one 6 of 2/3, two 8 of 1/2, rest 337 of 22/44\n");
}

TEST(TimeOfUse, IntervalsThatReachIntoAnotherBandAreTold) {
  const auto half_past = must(Tariff::parse(
      "otherwise = 'night'\n[[rule]]\nband = 'day'\ntimes = '06:30-22:45'", "half-past"));
  const auto store = store_of({"A 2024-05-01 60 1x24", "A 2024-05-02 30 1x48",
                               "A 2024-05-03 60 1x6 - 1x17", "A 2024-05-04 15 1x96"});
  const auto ask = [&](std::string_view day) {
    return lines_of(time_of_use(*store, question(day, day, "total", half_past)));
  };
  EXPECT_EQ(ask("2024-05-01"),
            "consumption: day 16 of 16/16 (1 straddle), night 8 of 8/8 (1 straddle)\n");
  EXPECT_EQ(ask("2024-05-02"), "consumption: day 33 of 33/33 (1 straddle), night 15 of 15/15\n");
  EXPECT_EQ(ask("2024-05-03"), "consumption: day 16 of 16/16 (1 straddle), night 7 of 7/8\n");
  EXPECT_EQ(ask("2024-05-04"), "consumption: day 65 of 65/65, night 31 of 31/31\n");
}

TEST(TimeOfUse, TellsInAUnitAndNoSumsOfPower) {
  const auto store = store_of({"A 2024-05-01 60 1x24", "A 2024-05-01 P/consumption/kW 60 1x24"});
  auto asked = question("2024-05-01", "2024-05-01");
  asked.unit = Unit::MWh;
  EXPECT_EQ(lines_of(time_of_use(*store, asked)),
            "P: day - of 16/16, night - of 8/8\n"
            "consumption: day 0.016 of 16/16, night 0.008 of 8/8\n");
}

TEST(TimeOfUse, RefusesWhatItCannotAnswer) {
  const auto store = store_of({"B 2024-05-01 60 1x24"});
  EXPECT_EQ(time_of_use(*store, question("2024-05-01", "2024-05-01")).error().code,
            Errc::not_found);
  EXPECT_THAT(lines_of(time_of_use(*store, question("2024-05-02", "2024-05-01"))),
              ::testing::HasSubstr("is before `from`"));
  EXPECT_EQ(time_of_use(*store, question("1950-01-01", "2024-05-01")).error().code,
            Errc::too_large);
  for (const char* text : {"hour", "interval", "", "months"})
    EXPECT_FALSE(BandResolution::parse(text)) << text;
}

TEST(TimeOfUse, AnswersAreLimited) {
  std::string bands = "otherwise = 'o'\n";
  for (int i = 0; i < 30; ++i) bands += fmt::format("[[rule]]\nband = 'b{}'\n", i);
  const auto many = must(Tariff::parse(bands, "many"));
  const auto store = store_of({"A 2024-05-01 60 1x24"});
  EXPECT_THAT(lines_of(time_of_use(*store, question("2010-01-01", "2024-05-01", "day", many))),
              ::testing::HasSubstr("more than 120000 sums of bands"));
  EXPECT_TRUE(time_of_use(*store, question("2010-01-01", "2024-05-01", "month", many)));
}

/// A tariff of a few bands whose edges are anywhere.
rc::Gen<std::string> any_tariff() {
  return rc::gen::exec([] {
    const auto minute = [] { return *rc::gen::inRange(0, 1440); };
    const auto clock = [](int at) { return fmt::format("{:02}:{:02}", at / 60, at % 60); };
    std::string text =
        "otherwise = 'rest'\nholidays = ['01-01', '2019-01-07']\n"
        "[seasons]\nyule = '12-20..01-06'\n";
    const int rules = *rc::gen::inRange(0, 4);
    for (int i = 0; i < rules; ++i) {
      const int from = minute();
      const int to = (from + *rc::gen::inRange(1, 1440)) % 1440;
      text += fmt::format("[[rule]]\nband = 'b{}'\ntimes = '{}-{}'\ndays = '{}'\n", i % 2,
                          clock(from), clock(to),
                          *rc::gen::element<std::string>("weekday", "weekend", "holiday", "tue"));
      if (*rc::gen::inRange(0, 2) == 0) text += "seasons = 'yule'\n";
    }
    return text;
  });
}

RC_GTEST_PROP(TimeOfUse, BandsTogetherAreTheTotal, ()) {
  const auto tariff = must(Tariff::parse(*any_tariff(), "any"));
  auto store = store::make_memory_store();
  for (const auto& delivery : *meterline::testing::any_deliveries()) must(load(*store, delivery));
  for (const char* resolution : {"day", "week", "month", "total"}) {
    const auto asked = question("2018-12-25", "2019-01-20", resolution, tariff);
    const auto plain =
        consumption(*store, {.meter = asked.meter,
                             .dates = asked.dates,
                             .resolution = asked.resolution.span.value_or(Resolution::year)});
    const auto answer = time_of_use(*store, asked);
    RC_ASSERT(answer.has_value() == plain.has_value());
    if (!answer) return;
    RC_ASSERT(answer->channels.size() == plain->channels.size());
    for (std::size_t i = 0; i < plain->channels.size(); ++i) {
      const auto& one = answer->channels[i];
      const auto& want = plain->channels[i];
      RC_ASSERT(one.channel == want.channel);
      RC_ASSERT(one.total == want.total);
      if (!asked.resolution.span) continue;
      RC_ASSERT(one.series.size() == want.series.size());
      for (std::size_t point = 0; point < want.series.size(); ++point) {
        Total together;
        for (const auto& band : one.series[point].bands) must(together.add(band.total));
        RC_ASSERT(one.series[point].day == want.series[point].day);
        RC_ASSERT(together == want.series[point].total);
      }
    }
  }
}

}  // namespace
}  // namespace meterline::query
