#include "query/portfolio.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
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

TEST(Portfolio, IsToldInTheUnitThatIsAskedFor) {
  const auto store = store_of({delivery_of(
      7, 1,
      {"A 2019-01-01 E/consumption/kWh 60 1500x24", "B 2019-01-01 E/consumption/kWh 60 1x24"})});
  auto asked = question("2019-01-01", "2019-01-01", Resolution::week);
  asked.unit = Unit::MWh;
  const auto lines = lines_of(portfolio(*store, asked));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines, ::testing::Each(::testing::HasSubstr(": 36.024 of 48/48")));
  EXPECT_THAT(lines, ::testing::Each(::testing::HasSubstr("average 18.012")));
  EXPECT_THAT(lines.front(), ::testing::StartsWith("E/consumption/MWh"));
}

}  // namespace
}  // namespace meterline::query
