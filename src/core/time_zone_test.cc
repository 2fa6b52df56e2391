#include "core/time_zone.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace meterline {
namespace {

TimeZone zone_of(std::string_view text) {
  auto zone = TimeZone::parse(text);
  if (!zone) ADD_FAILURE() << zone.error().message;
  return zone.value_or(TimeZone());
}

Date day(std::string_view text) { return Date::parse(text).value(); }

TEST(TimeZone, IsUnknownUnlessItIsSaid) {
  const TimeZone unknown;
  EXPECT_FALSE(unknown.is_known());
  EXPECT_EQ(unknown.text(), "");
  EXPECT_EQ(unknown.minutes_of(day("2024-10-27")), 24 * 60);
  EXPECT_EQ(unknown.label(day("2024-10-27"), 90), "2024-10-27T01:30:00");
}

TEST(TimeZone, IsAnOffset) {
  EXPECT_EQ(zone_of("+10:00"), TimeZone::of_offset(600));
  EXPECT_EQ(zone_of("-03:30"), TimeZone::of_offset(-210));
  EXPECT_EQ(zone_of("UTC"), TimeZone::of_offset(0));
  EXPECT_EQ(zone_of("Z"), TimeZone::of_offset(0));
  EXPECT_EQ(zone_of("-00:00").text(), "UTC");
  const auto market = zone_of("+10:00");
  EXPECT_TRUE(market.is_fixed());
  EXPECT_EQ(market.text(), "+10:00");
  EXPECT_EQ(market.minutes_of(day("2024-10-06")), 24 * 60);
  EXPECT_EQ(market.label(day("2024-10-06"), 1410), "2024-10-06T23:30:00+10:00");
  EXPECT_EQ(zone_of("-03:30").label(day("2024-01-01"), 0), "2024-01-01T00:00:00-03:30");
}

TEST(TimeZone, IsANameOfTheDatabase) {
  const auto london = zone_of("Europe/London");
  EXPECT_FALSE(london.is_fixed());
  EXPECT_EQ(london.text(), "Europe/London");
  EXPECT_EQ(london, zone_of("Europe/London"));
  EXPECT_NE(london, zone_of("Europe/Dublin"));
  EXPECT_EQ(sizeof(TimeZone), sizeof(void*));
}

TEST(TimeZone, RefusesAllElse) {
  for (const std::string text : {"",
                                 "+10",
                                 "10:00",
                                 "+16:00",
                                 "+01:60",
                                 "+1:00",
                                 "+10:00 ",
                                 "europe/london",
                                 "Mars/Olympus",
                                 "localtime",
                                 "posixrules",
                                 "Factory",
                                 "/etc/localtime",
                                 "../zoneinfo/UTC",
                                 "Europe/../UTC",
                                 "posix/Europe/London",
                                 "right/UTC",
                                 "Europe",
                                 "tzdata.zi",
                                 "Fixed/UTC+01:00:00",
                                 "EST5EDT,M3.2.0,M11.1.0",
                                 "libc:localtime"}) {
    const auto zone = TimeZone::parse(text);
    ASSERT_FALSE(zone) << text;
    EXPECT_NE(zone.error().message.find("a name of the tz database like Europe/London"),
              std::string::npos);
  }
  EXPECT_NE(TimeZone::parse("Mars/Olympus").error().message.find("that this machine knows"),
            std::string::npos);
}

TEST(TimeZone, CountsTheMinutesOfADay) {
  const auto london = zone_of("Europe/London");
  EXPECT_EQ(london.minutes_of(day("2024-03-30")), 24 * 60);
  EXPECT_EQ(london.minutes_of(day("2024-03-31")), 23 * 60);
  EXPECT_EQ(london.minutes_of(day("2024-04-01")), 24 * 60);
  EXPECT_EQ(london.minutes_of(day("2024-10-27")), 25 * 60);
  EXPECT_EQ(london.minutes_of(day("2090-03-26")), 23 * 60) << "by the rule that goes on for good";
  EXPECT_EQ(zone_of("Australia/Lord_Howe").minutes_of(day("2024-10-06")), 23 * 60 + 30);
  EXPECT_EQ(zone_of("America/Sao_Paulo").minutes_of(day("2018-11-04")), 23 * 60)
      << "the clock left its midnight out";
  EXPECT_EQ(zone_of("America/Sao_Paulo").minutes_of(day("2018-02-17")), 25 * 60);
  EXPECT_EQ(zone_of("America/Havana").minutes_of(day("2024-11-03")), 25 * 60)
      << "it has two midnights";
  EXPECT_EQ(zone_of("Pacific/Apia").minutes_of(day("2011-12-30")), 0) << "it was left out";
  EXPECT_EQ(zone_of("Australia/Brisbane").minutes_of(day("2024-10-06")), 24 * 60);
}

TEST(TimeZone, ListsOddDays) {
  const auto london = zone_of("Europe/London");
  const auto odd = london.odd_days({.from = day("2024-03-31"), .to = day("2025-03-29")});
  ASSERT_EQ(odd.size(), 2U);
  EXPECT_EQ(odd[0].date, day("2024-03-31"));
  EXPECT_EQ(odd[1].date, day("2024-10-27"));
  EXPECT_EQ(odd[1].minutes, 25 * 60);
  EXPECT_TRUE(london.odd_days({.from = day("2024-04-01"), .to = day("2024-10-26")}).empty());
  EXPECT_TRUE(london.odd_days({.from = day("2024-04-02"), .to = day("2024-04-01")}).empty());
  EXPECT_TRUE(zone_of("+10:00").odd_days({.from = Date::min(), .to = Date::max()}).empty());
}

TEST(TimeZone, LabelsWithTheOffset) {
  const auto london = zone_of("Europe/London");
  const auto autumn = day("2024-10-27");
  EXPECT_EQ(london.label(autumn, 0), "2024-10-27T00:00:00+01:00");
  EXPECT_EQ(london.label(autumn, 60), "2024-10-27T01:00:00+01:00");
  EXPECT_EQ(london.label(autumn, 120), "2024-10-27T01:00:00+00:00");
  EXPECT_EQ(london.label(autumn, 25 * 60 - 30), "2024-10-27T23:30:00+00:00");
  EXPECT_EQ(london.label(day("2024-03-31"), 60), "2024-03-31T02:00:00+01:00");
  EXPECT_EQ(zone_of("America/Sao_Paulo").label(day("2018-11-04"), 0), "2018-11-04T01:00:00-02:00");
}

/// The days of a zone follow one another: none overlaps the next, none leaves time out.
RC_GTEST_PROP(TimeZone, DaysFollowOneAnother, ()) {
  const auto zone = zone_of(*rc::gen::element<std::string>(
      "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
      "America/Havana", "Asia/Gaza", "Africa/Casablanca", "Pacific/Apia", "+05:45", "UTC"));
  const Date first = *Date::from_days(*rc::gen::inRange(0, 40'000));
  std::int64_t minutes = 0;
  Date date = first;
  for (int i = 0; i < 400; ++i, date = date.next()) {
    RC_ASSERT(zone.label(first, static_cast<int>(minutes)) == zone.label(date, 0));
    minutes += zone.minutes_of(date);
  }
}

RC_GTEST_PROP(TimeZone, EveryTimeIsInTheDayThatItsLabelNames, ()) {
  const auto zone = zone_of(*rc::gen::element<std::string>(
      "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
      "America/Havana", "Asia/Gaza", "Atlantic/Azores", "+05:45", "UTC"));
  const Date date = *Date::from_days(*rc::gen::inRange(0, 40'000));
  const auto start = *Instant::parse(zone.label(date, 0));
  const auto end = *Instant::parse(zone.label(date.next(), 0));
  for (const auto at :
       {start, Instant{start.micros + (end.micros - start.micros) / 2}, Instant{end.micros - 1}}) {
    const auto day = zone.day_at(at);
    RC_ASSERT(day.has_value());
    RC_ASSERT(day->date == date);
    RC_ASSERT(day->start == start);
    RC_ASSERT(day->end == end);
  }
}

TEST(TimeZone, NoDayIsBeyondTheCalendar) {
  const auto utc = zone_of("UTC");
  constexpr std::int64_t day_micros = std::int64_t{24} * 3600 * 1'000'000;
  const auto behind = (Date::max().days() + std::int64_t{1}) * day_micros;
  EXPECT_EQ(utc.day_at({behind - 1})->date, Date::max());
  EXPECT_FALSE(utc.day_at({behind}));
  EXPECT_FALSE(utc.day_at({Date::min().days() * day_micros - 1}));
}

TEST(TimeZone, SlotsOfADay) {
  EXPECT_EQ(slots_in(23 * 60, 30), 46);
  EXPECT_EQ(slots_in(25 * 60, 15), 100);
  EXPECT_EQ(slots_in(24 * 60 + 30, 60), 25) << "the last is half an hour long";
  EXPECT_EQ(slots_in(0, 30), 0);
}

TEST(TimeZone, TheDatabaseSaysItsVersion) { EXPECT_EQ(tz_database_version().size(), 5U); }

}  // namespace
}  // namespace meterline
