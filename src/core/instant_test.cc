#include "core/instant.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

#include "core/date.h"

namespace meterline {
namespace {

constexpr std::int64_t micros_per_day = 86'400'000'000;

std::string read(std::string_view text) {
  const auto at = Instant::parse(text);
  return at ? at->text() : "refused";
}

TEST(Instant, ReadsRfc3339) {
  EXPECT_EQ(Instant::parse("1970-01-01T00:00:00Z")->micros, 0);
  EXPECT_EQ(Instant::parse("2001-09-09T01:46:40Z")->micros, 1'000'000'000'000'000);
  EXPECT_EQ(read("2019-01-31T06:00:00Z"), "2019-01-31T06:00:00Z");
  EXPECT_EQ(read("2019-01-31T07:00:00.25+01:00"), "2019-01-31T06:00:00.250000Z");
  EXPECT_EQ(read("2019-01-31T00:30:00+10:30"), "2019-01-30T14:00:00Z");
  EXPECT_EQ(read("2019-12-31T20:00:00-05:00"), "2020-01-01T01:00:00Z");
  EXPECT_EQ(read("2019-01-31T23:59:59.999999-00:00"), "2019-01-31T23:59:59.999999Z");
  EXPECT_EQ(read("2019-01-31T06:00:00.123456789Z"), "2019-01-31T06:00:00.123456Z");
  EXPECT_EQ(read("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59.500000Z");
}

TEST(Instant, ReadsADateAsItsLastMicrosecond) {
  EXPECT_EQ(read("2019-01-31"), "2019-01-31T23:59:59.999999Z");
  EXPECT_EQ(read("1900-01-01"), "1900-01-01T23:59:59.999999Z");
  EXPECT_EQ(read("2199-12-31"), "2199-12-31T23:59:59.999999Z");
}

TEST(Instant, RefusesEveryOtherSpelling) {
  for (const char* text : {"",
                           "2019",
                           "2019-01-3",
                           "2019-02-30",
                           "31-01-2019",
                           "2019-01-31T",
                           "2019-01-31Z",
                           "2019-01-31T06",
                           "2019-01-31T06:00",
                           "2019-01-31T06:00Z",
                           "2019-01-31T06:00:00",
                           "2019-01-31 06:00:00Z",
                           "2019-01-31t06:00:00Z",
                           "2019-01-31T06:00:00z",
                           "2019-01-31T6:00:00Z",
                           "2019-01-31T06:0:00Z",
                           "2019-01-31T06:00:0Z",
                           "2019-01-31T24:00:00Z",
                           "2019-01-31T06:60:00Z",
                           "2019-01-31T06:00:60Z",
                           "2019-01-31T-6:00:00Z",
                           "2019-01-31T06:00:00.Z",
                           "2019-01-31T06:00:00,5Z",
                           "2019-01-31T06:00:00.1234567890Z",
                           "2019-01-31T06:00:00+01",
                           "2019-01-31T06:00:00+0100",
                           "2019-01-31T06:00:00+1:00",
                           "2019-01-31T06:00:00+24:00",
                           "2019-01-31T06:00:00+01:60",
                           "2019-01-31T06:00:00 01:00",
                           "2019-01-31T06:00:00+01:00Z",
                           "2019-01-31T06:00:00ZZ",
                           "2019-01-31T06:00:00Z ",
                           " 2019-01-31T06:00:00Z",
                           "2019-01-31T06:00:00UTC",
                           "now"})
    EXPECT_EQ(read(text), "refused") << text;
}

TEST(Instant, RefusesWhatLiesOutsideTheYearsOfADate) {
  EXPECT_EQ(read("1900-01-01T00:00:00Z"), "1900-01-01T00:00:00Z");
  EXPECT_EQ(read("1900-01-01T00:00:00+01:00"), "refused");
  EXPECT_EQ(read("2199-12-31T23:59:59Z"), "2199-12-31T23:59:59Z");
  EXPECT_EQ(read("2199-12-31T23:59:59-01:00"), "refused");
  EXPECT_EQ(read("1899-12-31T23:59:59Z"), "refused");
}

TEST(Instant, EndOfTimeIsLaterThanAllThatCanBeWritten) {
  EXPECT_GT(Instant::end_of_time(), *Instant::parse("2199-12-31"));
}

TEST(Instant, HasATextForEveryValue) {
  EXPECT_EQ(Instant::end_of_time().text(), "day+106751991T04:00:54.775807Z");
  EXPECT_EQ(Instant{std::numeric_limits<std::int64_t>::min()}.text(),
            "day-106751992T19:59:05.224192Z");
}

RC_GTEST_PROP(Instant, ReadsBackWhatItWrote, ()) {
  const Instant at{*rc::gen::inRange<std::int64_t>(Date::min().days() * micros_per_day,
                                                   (Date::max().days() + 1) * micros_per_day)};
  RC_ASSERT(Instant::parse(at.text()) == at);
}

RC_GTEST_PROP(Instant, SortsAsItsTextInWholeSeconds, ()) {
  const auto second = rc::gen::inRange<std::int64_t>(Date::min().days() * std::int64_t{86'400},
                                                     Date::max().days() * std::int64_t{86'400});
  const Instant a{*second * 1'000'000};
  const Instant b{*second * 1'000'000};
  RC_ASSERT((a < b) == (a.text() < b.text()));
}

RC_GTEST_PROP(Instant, AnOffsetMovesIt, ()) {
  const auto hour = *rc::gen::inRange(0, 24);
  const auto minute = *rc::gen::inRange(0, 60);
  const bool is_west = *rc::gen::arbitrary<bool>();
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  const auto offset = std::string(is_west ? "-" : "+") + two(hour) + ':' + two(minute);
  const auto local = Instant::parse("2019-06-15T12:00:00" + offset);
  RC_ASSERT(local.has_value());
  const std::int64_t moved = Instant::parse("2019-06-15T12:00:00Z")->micros - local->micros;
  RC_ASSERT(moved == (is_west ? -1 : 1) * (hour * 60 + minute) * std::int64_t{60'000'000});
}

}  // namespace
}  // namespace meterline
