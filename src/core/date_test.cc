#include "core/date.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace meterline {
namespace {

/// A calendar that knows one thing: which day comes after this one.
CivilDay day_after(CivilDay day) {
  const bool is_leap = (day.year % 4 == 0 && day.year % 100 != 0) || day.year % 400 == 0;
  const int lengths[] = {31, is_leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (day.day < lengths[day.month - 1]) return {day.year, day.month, day.day + 1};
  if (day.month < 12) return {day.year, day.month + 1, 1};
  return {day.year + 1, 1, 1};
}

std::string padded(int number, std::size_t width) {
  std::string text = std::to_string(number);
  return std::string(width - text.size(), '0') + text;
}

std::string iso(CivilDay day) {
  return padded(day.year, 4) + '-' + padded(day.month, 2) + '-' + padded(day.day, 2);
}

TEST(Date, AgreesWithACalendarWalkedDayByDay) {
  CivilDay civil{.year = 1900, .month = 1, .day = 1};
  std::int64_t days = -25'567;  // 1900-01-01, counted from 1970-01-01
  for (Date date = Date::min();; date = date.next(), civil = day_after(civil), ++days) {
    ASSERT_EQ(date.civil(), civil) << iso(civil);
    ASSERT_EQ(date.days(), days) << iso(civil);
    ASSERT_EQ(date.text(), iso(civil));
    ASSERT_EQ(Date::parse(iso(civil)), date) << iso(civil);
    ASSERT_EQ(Date::from_civil(civil), date) << iso(civil);
    ASSERT_EQ(Date::from_days(days), date) << iso(civil);
    if (date == Date::max()) break;
  }
  EXPECT_EQ(iso(civil), "2199-12-31");
}

TEST(Date, CountsFrom1970) {
  EXPECT_EQ(Date().text(), "1970-01-01");
  EXPECT_EQ(Date::parse("2000-03-01")->days(), 11'017);
}

TEST(Date, RefusesDaysThatDoNotExist) {
  for (const char* text : {"2019-02-29", "1900-02-29", "2100-02-29", "2019-02-30", "2019-04-31",
                           "2019-00-10", "2019-13-01", "2019-01-00", "2019-01-32"})
    EXPECT_FALSE(Date::parse(text)) << text;
  for (const char* text : {"2020-02-29", "2000-02-29"}) EXPECT_TRUE(Date::parse(text)) << text;
}

TEST(Date, RefusesWhatLiesOutsideItsRange) {
  EXPECT_EQ(Date::parse("1900-01-01"), Date::min());
  EXPECT_FALSE(Date::parse("1899-12-31"));
  EXPECT_EQ(Date::parse("2199-12-31"), Date::max());
  EXPECT_FALSE(Date::parse("2200-01-01"));
  EXPECT_FALSE(Date::from_days(Date::min().days() - 1));
  EXPECT_FALSE(Date::from_days(Date::max().days() + std::int64_t{1}));
  EXPECT_FALSE(Date::from_days(std::int64_t{1} << 40));
  EXPECT_FALSE(Date::from_civil({.year = 0, .month = 1, .day = 1}));
}

TEST(Date, RefusesEveryOtherSpelling) {
  for (const char* text :
       {"", "2019", "2019-1-1", "2019-01-1", "19-01-01", "2019/01/01", "01-01-2019", "20190101",
        " 2019-01-01", "2019-01-01 ", "2019-01-01T00:00", "+019-01-01", "2019-+1-01", "2019-01--1",
        "2019- 1-01", "12019-01-01", "２０１９-01-01", "2019-01-0a"})
    EXPECT_FALSE(Date::parse(text)) << text;
  EXPECT_FALSE(Date::parse(std::string_view("2019-01-0\0", 10)));
}

RC_GTEST_PROP(Date, ParsesOnlyWhatItWrites, (const std::string& noise)) {
  std::string text = "2019-01-31";
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text.replace(at, 1, noise.substr(0, 2));
  const auto date = Date::parse(text);
  RC_ASSERT((!date || date->text() == text));
}

TEST(Month, WalksTheRangeMonthByMonth) {
  int index = 0;
  for (int year = 1900; year <= 2199; ++year) {
    for (int month = 1; month <= 12; ++month, ++index) {
      const auto first = Date::from_civil({.year = year, .month = month, .day = 1});
      ASSERT_TRUE(first);
      const Month found = Month::of(*first);
      ASSERT_EQ(found.index, index);
      ASSERT_EQ(found.first_day(), *first);
      const auto last = Date::from_days(first->days() + found.days() - 1);
      ASSERT_TRUE(last);
      ASSERT_EQ(Month::of(*last), found);
      ASSERT_EQ(day_after(last->civil()).day, 1);
    }
  }
  EXPECT_EQ(index, 3600);
}

TEST(DateRange, IncludesBothEnds) {
  const auto day = [](const char* text) { return *Date::parse(text); };
  const DateRange january{.from = day("2019-01-01"), .to = day("2019-01-31")};
  EXPECT_EQ(january.size(), 31);
  EXPECT_TRUE(january.contains(january.from));
  EXPECT_TRUE(january.contains(january.to));
  EXPECT_FALSE(january.contains(day("2018-12-31")));
  EXPECT_FALSE(january.contains(day("2019-02-01")));
  EXPECT_EQ((DateRange{.from = january.from, .to = january.from}.size()), 1);
  EXPECT_EQ((DateRange{.from = january.to, .to = january.from}.size()), 0);
  EXPECT_EQ((DateRange{.from = Date::min(), .to = Date::max()}.size()), 109'573);
}

}  // namespace
}  // namespace meterline
