#include "query/total.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <set>
#include <string>

namespace meterline::query {
namespace {

Sum sum_of(std::string_view text) {
  const auto value = Decimal::parse(text);
  EXPECT_TRUE(value) << text;
  return {value->mantissa, value->exponent};
}

struct AverageCase {
  std::string sum;
  std::int64_t count;
  std::string expected;
  friend std::ostream& operator<<(std::ostream& out, const AverageCase& c) {
    return out << c.sum << '/' << c.count;
  }
};

class Average : public ::testing::TestWithParam<AverageCase> {};

TEST_P(Average, IsRoundedHalfToEvenToSixDecimals) {
  const auto average = average_of(sum_of(GetParam().sum), GetParam().count);
  ASSERT_TRUE(average) << average.error().message;
  EXPECT_EQ(average->text(), GetParam().expected);
}

const AverageCase averages[] = {
    {"0", 3, "0"},
    {"6", 3, "2"},
    {"10", 3, "3.333333"},
    {"-10", 3, "-3.333333"},
    {"20", 3, "6.666667"},
    {"-20", 3, "-6.666667"},
    {"0.000001", 2, "0"},
    {"0.000003", 2, "0.000002"},
    {"0.000005", 2, "0.000002"},
    {"-0.000005", 2, "-0.000002"},
    {"0.0000005", 1, "0"},
    {"0.0000015", 1, "0.000002"},
    {"0.00000050000000001", 1, "0.000001"},
    {"0.00000249999999999", 1, "0.000002"},
    {"0.00000001", 1, "0"},
    {"1.5", 4, "0.375"},
    {"999999999999999999", 7, "142857142857142857"},
    {"1", 9'223'372'036'854'775'807, "0"},
};

INSTANTIATE_TEST_SUITE_P(Sums, Average, ::testing::ValuesIn(averages));

TEST(AverageOf, SaysWhenItDoesNotFit) {
  const auto average = average_of(Sum(~Int128{0} ^ (Int128{1} << 127), 0), 1);
  ASSERT_FALSE(average);
  EXPECT_EQ(average.error().code, Errc::too_large);
}

/// The rounded value is at most half a millionth from the exact one: |2(sum - avg * n)| <= n.
RC_GTEST_PROP(AverageOf, IsTheNearestMillionth, ()) {
  const auto mantissa = *rc::gen::arbitrary<std::int64_t>();
  const auto count = *rc::gen::inRange<std::int64_t>(1, 1'000'000);
  const auto average = average_of(Sum(mantissa, -9), count);
  RC_ASSERT(average.has_value());
  const Int128 rest = 2 * (mantissa - average->mantissa() * 1000 * count);
  RC_ASSERT(average->exponent() == -6);
  RC_ASSERT((rest < 0 ? -rest : rest) <= Int128{count} * 1000);
}

TEST(ResolutionText, IsReadAsItIsWritten) {
  for (const auto resolution :
       {Resolution::interval, Resolution::hour, Resolution::day, Resolution::week,
        Resolution::month, Resolution::quarter, Resolution::year})
    EXPECT_EQ(parse_resolution(text_of(resolution)), resolution);
  for (const char* refused : {"", "Day", "days", "weeks", "day ", "minute"})
    EXPECT_FALSE(parse_resolution(refused)) << refused;
}

struct SpanCase {
  std::string date;
  Resolution resolution;
  std::string expected;
};

TEST(SpanStart, IsCutOffAtTheStartOfTheQuestion) {
  const SpanCase cases[] = {
      {"2019-03-20", Resolution::day, "2019-03-20"},
      {"2019-03-20", Resolution::month, "2019-03-01"},
      {"2019-03-20", Resolution::year, "2019-01-01"},
      {"2018-11-20", Resolution::month, "2018-11-15"},
      {"2018-11-20", Resolution::year, "2018-11-15"},
      {"2018-11-15", Resolution::day, "2018-11-15"},
      {"2199-12-31", Resolution::year, "2199-01-01"},
      {"2019-03-18", Resolution::week, "2019-03-18"},  // A Monday.
      {"2019-03-24", Resolution::week, "2019-03-18"},
      {"2018-12-31", Resolution::week, "2018-12-31"},
      {"2018-11-18", Resolution::week, "2018-11-15"},
      {"2019-03-31", Resolution::quarter, "2019-01-01"},
      {"2019-04-01", Resolution::quarter, "2019-04-01"},
      {"2018-12-31", Resolution::quarter, "2018-11-15"},
  };
  const Date from = *Date::parse("2018-11-15");
  for (const auto& [date, resolution, expected] : cases)
    EXPECT_EQ(span_start(*Date::parse(date), resolution, from).text(), expected);
}

/// As many spans as days have starts of their own.
RC_GTEST_PROP(SpansIn, CountsThoseThatDatesLieIn, ()) {
  const auto from = *Date::from_days(*rc::gen::inRange(-25'567, 84'000));
  const auto last = std::min(from.days() + *rc::gen::inRange(0, 900), Date::max().days());
  const DateRange dates{.from = from, .to = *Date::from_days(last)};
  for (const auto resolution : {Resolution::day, Resolution::week, Resolution::month,
                                Resolution::quarter, Resolution::year}) {
    std::set<Date> starts;
    for (auto day = from.days(); day <= dates.to.days(); ++day)
      starts.insert(span_start(*Date::from_days(day), resolution, from));
    RC_ASSERT(spans_in(dates, resolution) == static_cast<std::int64_t>(starts.size()));
  }
}

TEST(Convert, IsExactWithinAQuantityAndNothingElse) {
  const auto converted = [](std::string_view text, Unit to) {
    std::optional<Sum> sum = sum_of(text);
    const auto done = convert(sum, Unit::kWh, to);
    return done ? sum->text() : done.error().message;
  };
  EXPECT_EQ(converted("1234.5", Unit::MWh), "1.2345");
  EXPECT_EQ(converted("-0.000000001", Unit::MWh), "-0.000000000001");
  EXPECT_EQ(converted("0.000000001", Unit::Wh), "0.000001");
  EXPECT_EQ(converted("1234", Unit::Wh), "1234000");
  EXPECT_EQ(converted("7", Unit::kWh), "7");
  std::optional<Sum> none;
  EXPECT_TRUE(convert(none, Unit::kWh, Unit::Wh));
  EXPECT_FALSE(none);
  std::optional<Sum> all(Sum(~Int128{0} ^ (Int128{1} << 127), 0));
  EXPECT_EQ(convert(all, Unit::kWh, Unit::Wh).error().code, Errc::too_large);
  std::optional<Sum> fine(Sum(1, -17));
  EXPECT_EQ(convert(fine, Unit::kWh, Unit::MWh).error().code, Errc::too_large);
  EXPECT_EQ(told_unit(Unit::kWh, Unit::MWh), Unit::MWh);
  EXPECT_EQ(told_unit(Unit::kvarh, Unit::MWh), Unit::kvarh);
  EXPECT_EQ(told_unit(Unit::m3, Unit::Wh), Unit::m3);
  EXPECT_EQ(told_unit(Unit::unknown, Unit::Wh), Unit::unknown);
  EXPECT_EQ(told_unit(Unit::kWh, std::nullopt), Unit::kWh);
}

store::DayTotal day_total(std::string_view sum, std::int64_t readings, std::int64_t micros) {
  store::DayTotal total;
  total.sum = sum_of(sum);
  total.readings = readings;
  total.expected = 48;
  total.quality = {.actual = readings, .substituted = 0, .estimated = 0, .missing = 48 - readings};
  total.version = {.stated = {micros}, .tie = 0};
  return total;
}

TEST(TotalAdd, OnlyADayWithReadingsGivesSumAndVersion) {
  Total total;
  ASSERT_TRUE(total.add(day_total("0", 0, 9)));
  EXPECT_FALSE(total.sum);
  EXPECT_FALSE(total.version);
  ASSERT_TRUE(total.add(day_total("1.5", 40, 5)));
  ASSERT_TRUE(total.add(day_total("0.25", 48, 3)));
  total.add_missing(48);
  EXPECT_EQ(total.sum->text(), "1.75");
  EXPECT_EQ(total.version->stated.micros, 5);
  EXPECT_EQ(total.readings, 88);
  EXPECT_EQ(total.expected, 4 * 48);
  EXPECT_EQ(total.quality.missing, total.expected - total.readings);
}

TEST(TotalAdd, SaysWhenTheSumDoesNotFitAndStaysAsItWas) {
  Total total;
  auto day = day_total("1", 48, 1);
  day.sum = Sum(~Int128{0} ^ (Int128{1} << 127), 0);
  ASSERT_TRUE(total.add(day));
  const Total before = total;
  const auto added = total.add(day);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::too_large);
  EXPECT_EQ(total, before);
}

}  // namespace
}  // namespace meterline::query
