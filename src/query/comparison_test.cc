#include "query/comparison.h"

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

DateRange range_of(std::string_view from, std::string_view to) {
  return {.from = *Date::parse(from), .to = *Date::parse(to)};
}

std::string text_of(const Result<DateRange>& range) {
  return range ? range->from.text() + ".." + range->to.text() : range.error().message;
}

TEST(RangeAgainst, KnowsThePeriodToCompareWith) {
  struct Case {
    std::string_view from;
    std::string_view to;
    std::string_view year_before;
    std::string_view weeks_52_before;
    std::string_view period_before;
  };
  for (const auto& [from, to, year, weeks, period] :
       std::vector<Case>{{"2024-05-06", "2024-05-12", "2023-05-06..2023-05-12",
                          "2023-05-08..2023-05-14", "2024-04-29..2024-05-05"},
                         {"2024-02-29", "2024-03-01", "2023-02-28..2023-03-01",
                          "2023-03-02..2023-03-03", "2024-02-27..2024-02-28"},
                         // Whole months are compared with whole months.
                         {"2025-02-01", "2025-02-28", "2024-02-01..2024-02-29",
                          "2024-02-03..2024-03-01", "2025-01-01..2025-01-31"},
                         {"2024-01-01", "2024-12-31", "2023-01-01..2023-12-31",
                          "2023-01-02..2024-01-02", "2023-01-01..2023-12-31"},
                         {"2024-03-01", "2024-04-30", "2023-03-01..2023-04-30",
                          "2023-03-03..2023-05-02", "2024-01-01..2024-02-29"},
                         {"2024-03-02", "2024-03-31", "2023-03-02..2023-03-31",
                          "2023-03-04..2023-04-02", "2024-02-01..2024-03-01"}}) {
    const auto dates = range_of(from, to);
    EXPECT_EQ(text_of(range_against(dates, Against::year_before)), year) << from;
    EXPECT_EQ(text_of(range_against(dates, Against::weeks_52_before)), weeks) << from;
    EXPECT_EQ(text_of(range_against(dates, Against::period_before)), period) << from;
  }
  const auto first = range_of("1900-01-01", "1900-01-31");
  const auto later = range_of("1900-03-02", "1900-12-31");
  for (const auto against :
       {Against::year_before, Against::weeks_52_before, Against::period_before}) {
    EXPECT_THAT(text_of(range_against(first, against)),
                ::testing::HasSubstr("would begin before 1900-01-01"));
    EXPECT_FALSE(range_against(later, against));
    EXPECT_THAT(text_of(range_against(range_of("2024-02-01", "2024-01-01"), against)),
                ::testing::HasSubstr("`to` (2024-01-01) is before `from` (2024-02-01)"));
    EXPECT_EQ(parse_against(query::text_of(against)), against);
  }
  EXPECT_FALSE(parse_against("year"));
}

std::string text_of(const std::optional<Sum>& sum) { return sum ? sum->text() : "-"; }

std::string lines_of(const Result<Comparison>& answer) {
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& [channel, total, against, difference, percent] : answer->channels)
    out += fmt::format("{}/{}: {} of {}/{} by {}, {} of {}/{} by {}: {}, {} %\n", channel.name,
                       text_of(channel.unit), text_of(total.total.sum), total.total.readings,
                       total.total.expected, total.meters, text_of(against.total.sum),
                       against.total.readings, against.total.expected, against.meters,
                       text_of(difference), text_of(percent));
  return out;
}

class Compare : public ::testing::Test {
 protected:
  void load_days(const std::vector<std::string>& days) {
    must(load(*store_, delivery_of(number_, static_cast<std::uint8_t>(number_), days)));
    ++number_;
  }
  std::string ask(std::optional<std::string_view> meter, std::string_view day,
                  std::string_view against, std::optional<Unit> unit = {}) const {
    CompareQuestion asked{
        .dates = range_of(day, day), .against = range_of(against, against), .unit = unit};
    if (meter) asked.meter = *MeterId::parse(*meter);
    return lines_of(compare(*store_, asked));
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  int number_ = 1;
};

TEST_F(Compare, TellsTheDifferenceAndThePercent) {
  load_days({"A 2024-05-01 60 1.5x23 -", "A 2023-05-01 60 1x24", "A 2024-05-02 60 0x24",
             "A 2024-05-03 60 -1x24"});
  EXPECT_EQ(ask("A", "2024-05-01", "2023-05-01"),
            "consumption/kWh: 34.5 of 23/24 by 0, 24 of 24/24 by 0: 10.5, 43.75 %\n");
  EXPECT_EQ(ask("A", "2023-05-01", "2024-05-01"),
            "consumption/kWh: 24 of 24/24 by 0, 34.5 of 23/24 by 0: -10.5, -30.434783 %\n");
  EXPECT_EQ(ask("A", "2023-05-01", "2024-05-01", Unit::MWh),
            "consumption/MWh: 0.024 of 24/24 by 0, 0.0345 of 23/24 by 0: -0.0105, -30.434783 %\n");
  // Nothing is by how many percent more than 0 it is; of less than that the size counts.
  EXPECT_EQ(ask("A", "2023-05-01", "2024-05-02"),
            "consumption/kWh: 24 of 24/24 by 0, 0 of 24/24 by 0: 24, - %\n");
  EXPECT_EQ(ask("A", "2023-05-01", "2024-05-03"),
            "consumption/kWh: 24 of 24/24 by 0, -24 of 24/24 by 0: 48, 200 %\n");
  // What is missing is no 0.
  EXPECT_EQ(ask("A", "2023-05-01", "2022-05-01"),
            "consumption/kWh: 24 of 24/24 by 0, - of 0/24 by 0: -, - %\n");
  EXPECT_THAT(ask("B", "2023-05-01", "2022-05-01"), ::testing::HasSubstr("meter B is not known"));
}

TEST_F(Compare, OfAllMetersTogether) {
  load_days({"A 2024-05-01 60 1x24", "A 2023-05-01 60 1x24", "B 2023-05-01 60 2x24",
             "C 2024-05-01 E1/generation/kWh 60 1x24", "D 2024-05-01 P/consumption/kW 60 1x24",
             "D 2023-05-01 P/consumption/kW 60 1x24"});
  EXPECT_EQ(ask({}, "2024-05-01", "2023-05-01"),
            "E1/kWh: 24 of 24/24 by 1, - of 0/0 by 0: -, - %\n"
            "P/kW: - of 24/24 by 1, - of 24/24 by 1: -, - %\n"
            "consumption/kWh: 24 of 24/24 by 1, 72 of 48/48 by 2: -48, -66.666667 %\n");
  EXPECT_EQ(ask({}, "2021-05-01", "2020-05-01"), "");
}

TEST_F(Compare, IsAskedAsOfATime) {
  load_days({"A 2024-05-01 60 1x24", "A 2023-05-01 60 1x24"});
  load_days({"A 2024-05-01 60 2x24"});
  CompareQuestion asked{.meter = *MeterId::parse("A"),
                        .dates = range_of("2024-05-01", "2024-05-01"),
                        .against = range_of("2023-05-01", "2023-05-01"),
                        .as_of = meterline::testing::second(1)};
  EXPECT_THAT(lines_of(compare(*store_, asked)), ::testing::HasSubstr(": 0, 0 %"));
  asked.as_of.reset();
  EXPECT_THAT(lines_of(compare(*store_, asked)), ::testing::HasSubstr(": 24, 100 %"));
}

}  // namespace
}  // namespace meterline::query
