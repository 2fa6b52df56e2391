#include "core/register_read.h"

#include <gtest/gtest.h>

namespace meterline {
namespace {

RegisterRead good() {
  return {.meter = *MeterId::parse("A"),
          .of = {.channel = {.name = "11"}, .id = "1", .serial = "M1"},
          .current = {
              .time = {.at = *Instant::parse("2019-10-01T00:00:00+10:00"), .offset_minutes = 600},
              .value = Decimal{.mantissa = 7}}};
}

TEST(ClockTime, IsShownOnItsOwnClock) {
  EXPECT_EQ(good().current.time.text(), "2019-10-01T00:00:00+10:00");
  EXPECT_EQ(good().current.time.date(), *Date::parse("2019-10-01"));
  const ClockTime west{.at = *Instant::parse("2019-10-01T00:00:00Z"), .offset_minutes = -210};
  EXPECT_EQ(west.text(), "2019-09-30T20:30:00-03:30");
  EXPECT_EQ(west.date(), *Date::parse("2019-09-30"));
  EXPECT_EQ((ClockTime{.at = {.micros = -1}}).date(), *Date::parse("1969-12-31"));
}

TEST(RegisterRead, SaysWhyItCannotBeKept) {
  EXPECT_FALSE(fault_of(good()));
  const auto fault = [](const auto& change) {
    auto read = good();
    change(read);
    return std::string(fault_of(read).value_or("none"));
  };
  EXPECT_EQ(fault([](auto& read) { read.of.id.assign(65, 'x'); }),
            "a register id or serial number is too long");
  EXPECT_EQ(fault([](auto& read) { read.of.serial = "a\tb"; }),
            "a register id or serial number is not UTF-8, or has control characters");
  EXPECT_EQ(fault([](auto& read) { read.current.time.at = Instant::end_of_time(); }),
            "a time is out of range");
  EXPECT_EQ(fault([](auto& read) { read.current.time.offset_minutes = 901; }),
            "a time is out of range");
  EXPECT_EQ(fault([](auto& read) { read.current.quality = Quality::missing; }),
            "a value is said to be missing");
  EXPECT_EQ(fault([](auto& read) { read.current.value.reset(); }),
            "there is neither a value nor what was counted");
  EXPECT_EQ(fault([](auto& read) { read.counted = Decimal{}; }),
            "what was counted needs the previous read's time");
  EXPECT_EQ(fault([](auto& read) { read.current.note.flag = "\x01"; }),
            "a note is not UTF-8, or has control characters");
  EXPECT_EQ(fault([](auto& read) {
              read.previous = read.current;
              ++read.previous->time.at.micros;
            }),
            "the previous read is later than the current one");
}

}  // namespace
}  // namespace meterline
