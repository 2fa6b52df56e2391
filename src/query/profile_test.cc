#include "query/profile.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;

std::unique_ptr<store::Store> store_of(const std::vector<std::string>& days) {
  auto store = store::make_memory_store();
  must(load(*store, delivery_of(7, 1, days)));
  return store;
}

ConsumptionQuestion question(std::string_view from, std::string_view to,
                             Resolution resolution = Resolution::hour) {
  return {.meter = *MeterId::parse("A"),
          .dates = {.from = *Date::parse(from), .to = *Date::parse(to)},
          .resolution = resolution,
          .channel = {},
          .flow = {},
          .as_of = {}};
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? value->text() : "-";
}

std::string lines_of(const Result<Profile>& answer) {
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& channel : answer->channels) {
    out += fmt::format("average {} of {}, load factor {}\n", text_of(channel.all.average),
                       channel.all.count, text_of(channel.load_factor));
    for (const auto* extreme : {&channel.peak, &channel.lowest})
      if (*extreme)
        out += fmt::format("{}+{} {}\n", (*extreme)->day.text(), (*extreme)->minute,
                           text_of((*extreme)->total.sum));
    for (const auto& [minute, weekday, weekend] : channel.points)
      if (minute < 180)
        out += fmt::format("{}: {} of {}, {} of {}\n", minute, text_of(weekday.average),
                           weekday.count, text_of(weekend.average), weekend.count);
  }
  return out;
}

TEST(Profile, WeekdaysAndWeekendsHaveMeansOfWholeHours) {
  // A Thursday to a Sunday; half an hour of Friday is missing, another hour of Saturday.
  const auto store = store_of({"A 2019-01-03 30 1x48", "A 2019-01-04 30 - 5 2x46",
                               "A 2019-01-05 30 3x2 -x2 3x44", "A 2019-01-06 30 4 5x47"});
  EXPECT_EQ(lines_of(profile(*store, question("2019-01-03", "2019-01-06"))),
            "average 5.5 of 94, load factor 0.55\n"
            "2019-01-06+60 10\n"
            "2019-01-03+0 2\n"
            "0: 2 of 1, 7.5 of 2\n"
            "60: 3 of 2, 10 of 1\n"
            "120: 3 of 2, 8 of 2\n");
}

TEST(Profile, AnHourThatTheClockShowsTwiceIsBoth) {
  const auto store = store_of({"A 2024-10-27 60 1 2 3 4x22 zone:Europe/London"});
  EXPECT_THAT(lines_of(profile(*store, question("2024-10-27", "2024-10-27"))),
              ::testing::EndsWith("0: - of 0, 1 of 1\n"
                                  "60: - of 0, 2.5 of 2\n"
                                  "120: - of 0, 4 of 1\n"));
}

TEST(Profile, IntervalsMustBeOfOneLength) {
  const auto store = store_of({"A 2019-01-03 30 1x48", "A 2019-01-04 60 2x24"});
  const auto asked = question("2019-01-03", "2019-01-04", Resolution::interval);
  EXPECT_THAT(lines_of(profile(*store, asked)),
              ::testing::HasSubstr("intervals of 30 and 60 minutes in that time: ask by hour"));
  EXPECT_THAT(lines_of(profile(*store, question("2019-01-03", "2019-01-03", Resolution::interval))),
              ::testing::HasSubstr("30: 1 of 1, - of 0\n"));
  EXPECT_THAT(lines_of(profile(*store, question("2019-01-03", "2019-01-04"))),
              ::testing::HasSubstr("0: 2 of 2, - of 0\n"));
}

TEST(Profile, OfPowerIsOfIntervalsOnly) {
  const auto store = store_of({"A 2019-01-03 E/consumption/kW 30 1x24 3x24"});
  EXPECT_EQ(lines_of(profile(*store, question("2019-01-03", "2019-01-03"))),
            "average - of 0, load factor -\n");
  EXPECT_THAT(lines_of(profile(*store, question("2019-01-03", "2019-01-03", Resolution::interval))),
              ::testing::StartsWith("average 2 of 48, load factor 0.666667\n2019-01-03+720 3\n"));
}

TEST(Profile, RefusesDaysAndUnknownMeters) {
  const auto store = store_of({"B 2019-01-03 30 1x48"});
  EXPECT_EQ(lines_of(profile(*store, question("2019-01-03", "2019-01-03", Resolution::week))),
            "a profile is of hours or intervals, not of week");
  EXPECT_EQ(profile(*store, question("2019-01-03", "2019-01-03")).error().code, Errc::not_found);
}

}  // namespace
}  // namespace meterline::query
