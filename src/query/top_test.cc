#include "query/top.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "query/consumption.h"
#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;

std::unique_ptr<store::Store> store_of(const std::vector<std::string>& days) {
  auto store = store::make_memory_store();
  must(load(*store, delivery_of(7, 1, days)));
  return store;
}

TopQuestion question(std::string_view from, std::string_view to) {
  return {.dates = {.from = *Date::parse(from), .to = *Date::parse(to)},
          .channel = {},
          .flow = {},
          .as_of = {}};
}

std::string lines_of(const Result<Top>& answer) {
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& [channel, meters, listed] : answer->channels) {
    out += fmt::format("{}/{}: {}\n", channel.name, text_of(channel.unit), meters);
    for (const auto& meter : listed)
      out += fmt::format("{} {} of {}, {} days\n", meter.meter.text(), meter.sum->text(),
                         meter.readings, meter.days);
  }
  return out;
}

TEST(Top, ListsTheHighestOrTheLowestFirstAndEqualOnesById) {
  const auto store =
      store_of({"A 2019-01-01 60 0.5x24", "A 2019-02-01 60 1x24", "B 2019-01-01 60 1.5x24",
                "C 2019-01-01 60 3x12 -x12", "D 2019-01-01 60 -x24", "E 2019-03-01 60 9x24",
                "B 2019-01-01 G/generation/kWh 60 2x24", "B 2019-01-01 P/other/kW 60 2x24"});
  auto asked = question("2019-01-01", "2019-02-28");
  EXPECT_EQ(lines_of(top(*store, asked)),
            "G/kWh: 1\nB 48 of 24, 1 days\n"
            "consumption/kWh: 3\n"
            "A 36 of 48, 2 days\nB 36 of 24, 1 days\nC 36 of 12, 0 days\n");
  asked.order = TopOrder::lowest;
  asked.limit = 1;
  asked.flow = Flow::consumption;
  asked.dates.to = *Date::parse("2019-01-31");
  asked.unit = Unit::MWh;
  EXPECT_EQ(lines_of(top(*store, asked)), "consumption/MWh: 3\nA 0.012 of 24, 1 days\n");
}

TEST(Top, RefusesWhatCannotBeAnswered) {
  const auto store = store_of({"A 2019-01-01 60 1x24"});
  EXPECT_THAT(lines_of(top(*store, question("2019-01-02", "2019-01-01"))),
              ::testing::HasSubstr("is before `from`"));
  EXPECT_EQ(top(*store, question("1900-01-01", "1990-01-01")).error().code, Errc::too_large);
}

/// Each meter's sum is that of its own consumption, and none that is not listed comes before.
RC_GTEST_PROP(Top, AgreesWithWhatEachMeterUsed, ()) {
  const auto store = store::make_memory_store();
  for (const auto& each : *any_deliveries()) must(load(*store, each));
  auto asked = question("2018-12-20", "2019-03-10");
  asked.limit = 1000;
  const auto answer = must(top(*store, asked));
  for (const auto& channel : answer.channels) {
    for (const auto& meter : channel.listed) {
      const auto used = must(consumption(*store, {.meter = meter.meter,
                                                  .dates = asked.dates,
                                                  .resolution = Resolution::year,
                                                  .channel = channel.channel.name,
                                                  .flow = channel.channel.flow,
                                                  .as_of = {}}));
      const auto same =
          std::find_if(used.channels.begin(), used.channels.end(),
                       [&](const auto& one) { return one.channel == channel.channel; });
      RC_ASSERT(same != used.channels.end());
      RC_ASSERT(same->total.sum == meter.sum);
      RC_ASSERT(same->total.readings == meter.readings);
    }
    RC_ASSERT(std::is_sorted(channel.listed.begin(), channel.listed.end(),
                             [](const TopMeter& a, const TopMeter& b) {
                               return std::stod(a.sum->text()) > std::stod(b.sum->text());
                             }));
  }
}

}  // namespace
}  // namespace meterline::query
