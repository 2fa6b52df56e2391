#include "query/tariff.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/result.h"

namespace meterline::query {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view seasonal = R"(
otherwise = "night"
holidays = ["12-25", "2024-04-01"]

[seasons]
winter = "11-01..03-31"
summer = ["04-01..06-30", "07-01..10-31"]

[[rule]]
band = "quiet"
days = ["sun", "holiday"]

[[rule]]
band = "peak"
days = "weekday"
seasons = "winter"
times = ["07:00-11:00", "17:00-20:00"]

[[rule]]
band = "day"
days = ["weekday", "sat"]
times = "07:00-23:00"
)";

/// `00:00 night, 07:00 day`
std::string day_of(const Tariff& tariff, std::string_view date) {
  const auto bands = tariff.bands_of(*Date::parse(date));
  std::string out;
  for (std::size_t minute = 0; minute < clock_minutes; ++minute)
    if (minute == 0 || bands.at(minute) != bands.at(minute - 1))
      out += fmt::format("{}{:02}:{:02} {}", out.empty() ? "" : ", ", minute / 60, minute % 60,
                         tariff.bands().at(bands.at(minute)));
  return out;
}

std::string day_of(std::string_view toml, std::string_view date) {
  const auto tariff = Tariff::parse(toml, "t");
  return tariff ? day_of(*tariff, date) : tariff.error().message;
}

TEST(Tariff, HasABandForEachMinuteOfEachDay) {
  const auto tariff = Tariff::parse(seasonal, "seasonal");
  ASSERT_TRUE(tariff) << tariff.error().message;
  EXPECT_EQ(tariff->name(), "seasonal");
  EXPECT_THAT(tariff->bands(), ::testing::ElementsAre("quiet", "peak", "day", "night"));
  const std::string winter =
      "00:00 night, 07:00 peak, 11:00 day, 17:00 peak, 20:00 day, 23:00 night";
  const std::string summer = "00:00 night, 07:00 day, 23:00 night";
  EXPECT_EQ(day_of(*tariff, "2024-01-15"), winter);         // A Monday.
  EXPECT_EQ(day_of(*tariff, "2024-03-29"), winter);         // A Friday.
  EXPECT_EQ(day_of(*tariff, "2024-11-01"), winter);         // A Friday, the first day of winter.
  EXPECT_EQ(day_of(*tariff, "2024-10-31"), summer);         // A Thursday, the last of summer.
  EXPECT_EQ(day_of(*tariff, "2024-01-13"), summer);         // A Saturday has no peak.
  EXPECT_EQ(day_of(*tariff, "2024-01-14"), "00:00 quiet");  // A Sunday.
  EXPECT_EQ(day_of(*tariff, "2024-04-01"), "00:00 quiet");  // A holiday on a Monday of 2024,
  EXPECT_EQ(day_of(*tariff, "2025-04-01"), summer);         // and of that year only.
  EXPECT_EQ(day_of(*tariff, "2031-12-25"), "00:00 quiet");  // A holiday of every year.
}

TEST(Tariff, AHolidayIsNoWeekday) {
  const std::string rules = "otherwise = 'b'\nholidays = ['05-01']\n[[rule]]\nband = 'a'\ndays = ";
  EXPECT_EQ(day_of(rules + "'wed'", "2024-05-01"), "00:00 b");
  EXPECT_EQ(day_of(rules + "['wed', 'holiday']", "2024-05-01"), "00:00 a");
  EXPECT_EQ(day_of(rules + "'wed'", "2024-05-08"), "00:00 a");
  EXPECT_EQ(day_of("otherwise = 'b'\nholidays = ['05-01']\n[[rule]]\nband = 'a'", "2024-05-01"),
            "00:00 a");
}

TEST(Tariff, TimesMayGoOverMidnightAndSeasonsOverTheYear) {
  const std::string night = "otherwise = 'day'\n[[rule]]\nband = 'night'\ntimes = ";
  EXPECT_EQ(day_of(night + "'22:00-06:00'", "2024-05-01"), "00:00 night, 06:00 day, 22:00 night");
  EXPECT_EQ(day_of(night + "'22:00-24:00'", "2024-05-01"), "00:00 day, 22:00 night");
  EXPECT_EQ(day_of(night + "'22:00-00:00'", "2024-05-01"), "00:00 day, 22:00 night");
  EXPECT_EQ(day_of(night + "'00:00-24:00'", "2024-05-01"), "00:00 night");
  const std::string leap =
      "otherwise = 'a'\n[seasons]\ns = '02-29..03-01'\nd = '12-24'\n[[rule]]\nband = 'b'\nseasons "
      "= ";
  EXPECT_EQ(day_of(leap + "'s'", "2024-02-29"), "00:00 b");
  EXPECT_EQ(day_of(leap + "'s'", "2025-02-28"), "00:00 a");
  EXPECT_EQ(day_of(leap + "'s'", "2025-03-01"), "00:00 b");
  EXPECT_EQ(day_of(leap + "['d', 's']", "2025-12-24"), "00:00 b");
}

TEST(Tariff, TheFirstRuleThatHasATimeCounts) {
  const std::string both =
      "otherwise = 'c'\n[[rule]]\nband = 'a'\ntimes = '06:00-12:00'\n"
      "[[rule]]\nband = 'b'\ntimes = '05:00-13:00'";
  EXPECT_EQ(day_of(both, "2024-05-01"), "00:00 c, 05:00 b, 06:00 a, 12:00 b, 13:00 c");
}

TEST(Tariff, FaultsAreTold) {
  const std::string_view o = "otherwise = 'o'\n";
  const auto fault = [&](const std::string& text, std::string_view start = {}) {
    const auto tariff = Tariff::parse(std::string(start) + text, "t");
    return tariff ? "none" : tariff.error().message;
  };
  EXPECT_EQ(fault(""),
            "tariff t, line 1, column 1: want `otherwise`, the band of all times that no "
            "rule has");
  EXPECT_THAT(fault("otherwise = "), HasSubstr("tariff t, line 1, column "));
  EXPECT_EQ(fault("band = 1", o),
            "tariff t, line 2, column 8: `band` is no key of a tariff: want one of otherwise, "
            "holidays, seasons, rule");
  EXPECT_EQ(fault("otherwise = 'a b'"),
            "tariff t, line 1, column 13: a band is named by 1 to 32 characters of A-Z a-z 0-9 _ - "
            ". :, in quotes");
  EXPECT_EQ(fault("[[rule]]\ntimes = '07:00-23:00'", o),
            "tariff t, line 2, column 1: [[rule]]: want `band`");
  EXPECT_EQ(fault("[[rule]]\nband = 'a'\nhours = 1", o),
            "tariff t, line 4, column 9: `hours` is no key of [[rule]]: want one of band, days, "
            "seasons, times");
  EXPECT_EQ(fault("[[rule]]\nband = 'a'\ndays = ['mon', 'Tue']", o),
            "tariff t, line 4, column 16: want mon, tue, wed, thu, fri, sat, sun, weekday (mon to "
            "fri), weekend or holiday, got \"Tue\"");
  EXPECT_EQ(fault("[[rule]]\nband = 'a'\nseasons = 'winter'", o),
            "tariff t, line 4, column 11: want a season, and [seasons] names none, got \"winter\"");
  EXPECT_THAT(fault("[seasons]\nw = '11-01..03-31'\n[[rule]]\nband = 'a'\nseasons = 'winter'", o),
              HasSubstr("want a season, one of w, got \"winter\""));
  EXPECT_EQ(fault("[seasons]\nw = '11-01..02-30'", o),
            "tariff t, line 3, column 5: want days of the year like 11-01..03-31, both included, "
            "got \"11-01..02-30\"");
  for (const std::string times : {"7:00-23:00", "07:00", "07:00-07:00", "24:00-01:00",
                                  "07:00-24:01", "07:00-23:60", "07.00-23.00", "0x:00-23:00"})
    EXPECT_THAT(fault("[[rule]]\nband = 'a'\ntimes = '" + times + "'", o),
                HasSubstr("line 4, column 9: want times of the day like 07:00-23:00"))
        << times;
  for (const std::string day : {"'2024-02-30'", "'13-01'", "'1-1'", "1", "2024-01-01"})
    EXPECT_THAT(fault("holidays = [" + day + "]", o),
                HasSubstr("line 2, column 13: want a day like 2026-04-03, or of every year like "))
        << day;
  EXPECT_THAT(fault("holidays = '12-25'", o), HasSubstr("`holidays`: want a list"));
  EXPECT_THAT(fault("rule = 1", o), HasSubstr("`rule`: want tables, each under [[rule]]"));
  EXPECT_THAT(fault("seasons = 1", o), HasSubstr("`seasons`: want a table"));
  EXPECT_THAT(fault("[[rule]]\nband = 'a'\ntimes = []", o), HasSubstr("the list is empty"));
  EXPECT_EQ(fault("holidays = []", o), "none");
}

TEST(Tariff, SizesAreLimited) {
  const auto repeated = [](const std::string& text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
  };
  const auto code = [](const std::string& text) {
    const auto tariff = Tariff::parse("otherwise = 'o'\n" + text, "t");
    return tariff ? "none" : tariff.error().message;
  };
  EXPECT_EQ(code("#" + repeated("x", tariff_bytes_max - 20)), "none");
  EXPECT_THAT(code("#" + repeated("x", tariff_bytes_max)), HasSubstr("larger than 65536 bytes"));
  const std::string rule = "[[rule]]\nband = 'a'\n";
  EXPECT_EQ(code(repeated(rule, tariff_rules_max)), "none");
  EXPECT_THAT(code(repeated(rule, tariff_rules_max + 1)), HasSubstr("more than 200 rules"));
  const std::string times = rule + "times = [";
  EXPECT_EQ(code(times + repeated("'01:00-02:00',", tariff_times_max) + "]"), "none");
  EXPECT_THAT(code(times + repeated("'01:00-02:00',", tariff_times_max + 1) + "]"),
              HasSubstr("the list has 25 entries, at most 24 are taken"));
  EXPECT_EQ(code("holidays = [" + repeated("'12-25',", tariff_holidays_max) + "]"), "none");
  EXPECT_THAT(code("holidays = [" + repeated("'12-25',", tariff_holidays_max + 1) + "]"),
              HasSubstr("at most 2000 are taken"));
  std::string bands;
  std::string seasons = "[seasons]\n";
  for (std::size_t i = 0; i < tariff_bands_max; ++i) {
    bands += fmt::format("[[rule]]\nband = 'b{}'\n", i);
    seasons += fmt::format("s{} = '01-01'\n", i);
  }
  EXPECT_THAT(code(bands), HasSubstr("more than 32 bands"));
  EXPECT_EQ(code(seasons), "none");
  EXPECT_THAT(code(seasons + "more = '01-01'"), HasSubstr("`seasons`: more than 32"));
}

}  // namespace
}  // namespace meterline::query
