#include "formats/espi_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace meterline::formats::espi {
namespace {

constexpr const char* march = "360E2000";     // Second Sunday, 2:00.
constexpr const char* november = "B40E2000";  // First Sunday, 2:00.

std::string zone(LocalTime local, const char* preferred = nullptr) {
  const auto known = preferred == nullptr ? TimeZone() : *TimeZone::parse(preferred);
  const auto found = zone_of(local, known);
  return found ? std::string(found->text()) : "none: " + found.error().message;
}

LocalTime at(const char* offset, const char* start = march, const char* end = november) {
  return {.tz_offset = offset, .dst_offset = "3600", .dst_start = start, .dst_end = end};
}

TEST(EspiClock, NamesZonesThatChangeAsTheRulesSay) {
  EXPECT_EQ(zone(at("-18000")), "America/New_York");
  EXPECT_EQ(zone(at("-21600")), "America/Chicago");
  EXPECT_EQ(zone(at("-25200", "360e2000", "b40e2000")), "America/Denver");
  EXPECT_EQ(zone(at("-28800")), "America/Los_Angeles");
  EXPECT_EQ(zone(at("-12600")), "America/St_Johns");
  // Last Sunday of March and October.
  EXPECT_EQ(zone(at("0", "3E0E1000", "AE0E2000")), "Europe/London");
  EXPECT_EQ(zone(at("3600", "3E0E2000", "AE0E3000")), "Europe/Berlin");
  // First Sunday of October and April: the year begins in summer.
  EXPECT_EQ(zone(at("36000", "A40E2000", "440E3000")), "Australia/Sydney");
}

TEST(EspiClock, TakesRulesByTheDayOfTheMonth) {
  // On or after the 8th of March and the 1st of November, a Sunday: the same days.
  EXPECT_EQ(zone(at("-18000", "328E2000", "B21E2000")), "America/New_York");
  EXPECT_THAT(zone(at("-18000", "308E2000", "B21E2000")), ::testing::StartsWith("none: no zone"))
      << "the 8th, whatever day of the week that is";
}

TEST(EspiClock, PrefersAZoneThatIsNamedIfItHasThatClock) {
  EXPECT_EQ(zone(at("-18000"), "America/Toronto"), "America/Toronto");
  EXPECT_EQ(zone(at("-18000"), "America/Chicago"), "America/New_York");
  EXPECT_EQ(zone({.tz_offset = "-25200"}, "America/Phoenix"), "America/Phoenix");
  EXPECT_EQ(zone({.tz_offset = "-25200"}, "America/Denver"), "-07:00");
}

TEST(EspiClock, WithoutDaylightSavingIsAnOffset) {
  for (const LocalTime& local :
       {LocalTime{.tz_offset = "-25200"},
        LocalTime{.tz_offset = "-25200", .dst_offset = "0", .dst_start = march},
        LocalTime{.tz_offset = "-25200",
        .dst_offset = "3600",
        .dst_start = "FFFFFFFF",
        .dst_end = "FFFFFFFF"}})
    EXPECT_EQ(zone(local), "-07:00");
  EXPECT_EQ(zone({.tz_offset = "0"}), "UTC");
  EXPECT_EQ(zone({.tz_offset = "20700"}), "+05:45");
}

TEST(EspiClock, NothingIsGuessedOfOtherRules) {
  EXPECT_THAT(zone(at("-18000", "340E2000")), ::testing::StartsWith("none: no zone"))
      << "the first Sunday of March";
  EXPECT_THAT(zone(at("-18000", "360E3000")), ::testing::StartsWith("none: no zone"))
      << "an hour later";
  EXPECT_THAT(zone(at("-7200")), ::testing::StartsWith("none: no zone"));
  for (const auto* rule :
       {"", "00000000", "360E2", "D60E2000", "361F8000", "3600200G", "360E20001"})
    EXPECT_THAT(zone(at("-18000", rule)), ::testing::StartsWith("none: dstStartRule")) << rule;
  for (const auto* offset : {"", "x", "30", "-18000.0", "999999"})
    EXPECT_THAT(zone(at(offset)), ::testing::StartsWith("none: tzOffset")) << offset;
  auto local = at("-18000");
  local.dst_offset = "3601";
  EXPECT_THAT(zone(local), ::testing::StartsWith("none: dstOffset"));
}

}  // namespace
}  // namespace meterline::formats::espi
