#include "query/base_load.h"

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

std::string base_of(const std::vector<std::string>& days, std::string_view from,
                    std::string_view to) {
  const auto store = store::make_memory_store();
  must(load(*store, delivery_of(7, 1, days)));
  const auto answer = base_load(
      *store, {.meter = *MeterId::parse("A"), .dates = {*Date::parse(from), *Date::parse(to)}});
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& channel : answer->channels)
    out += fmt::format("{}: {} {} of {} days, {} intervals\n", channel.channel.name,
                       channel.base ? channel.base->text() : "-", base_unit(channel.channel.unit),
                       channel.days, channel.intervals);
  return out;
}

TEST(BaseLoad, IsTheSecondSmallestOfTheHalfHoursOfADay) {
  EXPECT_EQ(base_of({"A 2024-05-01 30 5x20 0.01 0.2 5x26"}, "2024-05-01", "2024-05-01"),
            "consumption: 0.4 kW of 1 days, 48 intervals\n");
}

TEST(BaseLoad, IsOfTheRankThatTheIntervalsOfADayHave) {
  // The smallest of 24, the second of 48, the third of 96, and the 36th of 1,440.
  EXPECT_EQ(base_of({"A 2024-05-01 60 3 2 4x22"}, "2024-05-01", "2024-05-01"),
            "consumption: 2 kW of 1 days, 24 intervals\n");
  EXPECT_EQ(base_of({"A 2024-05-01 15 0.1 0.2 0.3 0.4x93"}, "2024-05-01", "2024-05-01"),
            "consumption: 1.2 kW of 1 days, 96 intervals\n");
  EXPECT_EQ(base_of({"A 2024-05-01 1 0.01x35 0.02 0.03x1404"}, "2024-05-01", "2024-05-01"),
            "consumption: 1.2 kW of 1 days, 1440 intervals\n");
}

TEST(BaseLoad, IsTheMeanOfCompleteDays) {
  const std::vector<std::string> days = {"A 2024-05-01 60 1x24", "A 2024-05-02 60 0x23 -",
                                         "A 2024-05-04 30 0.25x48", "A 2024-05-05 60 2x24"};
  EXPECT_EQ(base_of(days, "2024-05-01", "2024-05-05"),
            "consumption: 1.166667 kW of 3 days, 96 intervals\n");
  EXPECT_EQ(base_of(days, "2024-05-02", "2024-05-03"),
            "consumption: - kW of 0 days, 0 intervals\n");
}

TEST(BaseLoad, ComparesReadingsOfUnequalDecimals) {
  EXPECT_EQ(base_of({"A 2024-05-01 60 10 0.5 -0.25 1.125x21"}, "2024-05-01", "2024-05-01"),
            "consumption: -0.25 kW of 1 days, 24 intervals\n");
}

TEST(BaseLoad, IsTheReadingWhereThatIsPower) {
  EXPECT_EQ(base_of({"A 2024-05-01 P/consumption/kW 30 1.5 1x47",
                     "A 2024-05-01 V/consumption/m3 30 1x48"},
                    "2024-05-01", "2024-05-01"),
            "P: 1 kW of 1 days, 48 intervals\nV: 2 m3/h of 1 days, 48 intervals\n");
}

TEST(BaseLoad, OfAnUnknownMeterIsAnError) {
  EXPECT_THAT(base_of({"B 2024-05-01 60 1x24"}, "2024-05-01", "2024-05-01"),
              ::testing::HasSubstr("meter A is not known"));
}

}  // namespace
}  // namespace meterline::query
