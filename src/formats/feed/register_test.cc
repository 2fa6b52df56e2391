// Readings that are not the energy of their interval: what registers showed, numbers with a
// factor, and times below a line with their day.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.h"
#include "formats/feed/feed_csv.h"
#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string read(std::string_view toml, std::string_view file) {
  const auto feed = parse_feed(toml, "test");
  if (!feed) return feed.error().message;
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, {});
  if (!opened) return opened.error().message;
  testing::WrittenSink sink;
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  return sink.text();
}

const std::string registers = R"(
zone = "UTC"
unit = "kWh"
meter.column = "Id"
[quality]
column = "Flag"
flags = { A = "actual", E = "estimated" }
[long]
end = { column = "Time", pattern = "yyyy-MM-dd HH:mm" }
step = 60
value = "Index"
register = true
register_digits = 5
)";

TEST(Register, TheDifferenceOfNeighboursIsTheEnergyOfTheIntervalBetweenThem) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 00:00,100.5,A\n"
                 "M1,2024-04-03 01:00,101,A\n"
                 "M1,2024-04-03 02:00,101.25,E\n"
                 "M1,2024-04-03 03:00,102.25,A\n"
                 "M1,2024-04-03 04:00,102.25,A\n"),
            "line 3: M1 2024-04-03 60min kWh: 0.5 0.25estimated 1estimated 0 -*20\n");
}

TEST(Register, AMissingNeighbourLeavesBothIntervalsMissingAndNothingIsSpread) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 00:00,1,A\n"
                 "M1,2024-04-03 01:00,2,A\n"
                 "M1,2024-04-03 02:00,,A\n"
                 "M1,2024-04-03 03:00,9,A\n"
                 "M1,2024-04-03 04:00,10,A\n"
                 "M1,2024-04-03 07:00,90,A\n"
                 "M1,2024-04-03 08:00,92,A\n"),
            "line 3: M1 2024-04-03 60min kWh: 1 -*2 1 -*3 2 -*16\n");
}

TEST(Register, BehindAllNinesItBeginsAgainAtZero) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 00:00,99999.5,A\n"
                 "M1,2024-04-03 01:00,0.25,A\n"),
            "line 3: M1 2024-04-03 60min kWh: 0.75 -*23\n");
}

TEST(Register, AFallThatIsNoNewBeginningIsToldAndNotStored) {
  const auto text = read(registers,
                         "Id,Time,Index,Flag\n"
                         "M1,2024-04-03 00:00,500,A\n"
                         "M1,2024-04-03 01:00,0,A\n"
                         "M1,2024-04-03 02:00,3,A\n");
  EXPECT_EQ(text,
            "line 3, column 3: bad_value [0]\n"
            "line 3: M1 2024-04-03 60min kWh: - 3 -*22\n");
}

TEST(Register, RowsMayGoBackInTimeAndMetersTakeTurns) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 02:00,7,A\n"
                 "M2,2024-04-03 02:00,70,A\n"
                 "M1,2024-04-03 01:00,5,A\n"
                 "M2,2024-04-03 01:00,40,A\n"
                 "M1,2024-04-03 00:00,4,A\n"
                 "M2,2024-04-03 00:00,0,A\n"),
            "line 4: M1 2024-04-03 60min kWh: 1 2 -*22\n"
            "line 5: M2 2024-04-03 60min kWh: 40 30 -*22\n");
}

TEST(Register, AMomentThatComesTwiceIsReadOnceAndALoneOneIsTold) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 00:00,4,A\n"
                 "M1,2024-04-03 00:00,4.0,A\n"
                 "M1,2024-04-03 00:00,5,A\n"
                 "M1,2024-04-03 01:00,6,A\n"
                 "M2,2024-04-03 00:00,1,A\n"),
            "line 4, column 3: bad_value [5]\n"
            "line 4: rejected\n"
            "line 5: M1 2024-04-03 60min kWh: 2 -*23\n"
            "line 6: bad_interval []\n");
}

TEST(Register, RowsOutOfOrderAreToldAndMakeNoEnergy) {
  EXPECT_EQ(read(registers,
                 "Id,Time,Index,Flag\n"
                 "M1,2024-04-03 00:00,4,A\n"
                 "M1,2024-04-03 01:00,5,A\n"
                 "M1,2024-04-03 04:00,9,A\n"
                 "M1,2024-04-03 02:00,6,A\n"),
            "line 5, column 2: not_standard [2024-04-03 02:00]\n"
            "line 3: M1 2024-04-03 60min kWh: 1 -*23\n");
}

TEST(Register, AnotherFactorMakesNoEnergyOfTheDifference) {
  const auto feed = "factor_column = \"Factor\"\n" + registers;
  EXPECT_EQ(read(feed,
                 "Id,Time,Index,Flag,Factor\n"
                 "M1,2024-04-03 00:00,4,A,0.001\n"
                 "M1,2024-04-03 01:00,2004,A,0.001\n"
                 "M1,2024-04-03 02:00,2005,A,40\n"
                 "M1,2024-04-03 03:00,2006,A,40\n"),
            "line 4, column 3: bad_value [2005]\n"
            "line 3: M1 2024-04-03 60min kWh: 2 - 40 -*21\n");
}

/// Whatever is added up, differences give it back, upwards and downwards, over the end of the
/// register, and with any row left out two intervals are missing and all others as before.
RC_GTEST_PROP(Register, GivesBackWhatWasAddedUp, ()) {
  const auto energies = *rc::gen::container<std::vector<int>>(24, rc::gen::inRange(0, 9000));
  const auto begin = *rc::gen::inRange(0, 10'000'000);
  const auto left_out = *rc::gen::inRange(-1, 25);
  const auto is_newest_first = *rc::gen::arbitrary<bool>();
  constexpr int range = 10'000'000;  // Hundredths, of five digits.
  std::vector<std::string> lines;
  int shown = begin;
  for (int hour = 0; hour <= 24; ++hour) {
    const auto date = hour == 24 ? "2024-04-04 00:00"
                                 : "2024-04-03 " + std::string(hour < 10 ? "0" : "") +
                                       std::to_string(hour) + ":00";
    if (hour != left_out) lines.push_back("M1," + date + ',' + Decimal{shown, -2}.text() + ",A\n");
    if (hour < 24) shown = (shown + energies[static_cast<std::size_t>(hour)]) % range;
  }
  if (is_newest_first) std::reverse(lines.begin(), lines.end());
  std::string file = "Id,Time,Index,Flag\n";
  for (const auto& line : lines) file += line;

  struct Sink final : DaySink {
    void on_day(const ReadingDay& day, int rejected, const Row&) override {
      RC_ASSERT(rejected == 0);
      RC_ASSERT(days.empty());
      days.push_back(day);
    }
    void on_read(const RegisterRead&, const Row&) override { RC_FAIL("a register read"); }
    void on_rejected_row(const Row&) override { RC_FAIL("a row was rejected"); }
    void on_finding(Finding) override { RC_FAIL("a finding"); }
    std::vector<ReadingDay> days;
  } sink;
  const auto feed = parse_feed(registers, "test");
  RC_ASSERT(feed.has_value());
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, {});
  RC_ASSERT(opened.has_value());
  opened->parser->parse({.text = std::string_view(file).substr(opened->bytes), .is_last = true},
                        sink);
  RC_ASSERT(sink.days.size() == 1U);
  const auto& day = sink.days.front();
  for (int hour = 0; hour < 24; ++hour) {
    const auto slot = static_cast<std::size_t>(hour);
    const bool is_missing = hour == left_out || hour + 1 == left_out;
    RC_ASSERT((day.qualities[slot] == Quality::missing) == is_missing);
    if (!is_missing)
      RC_ASSERT((Decimal{day.mantissas[slot], day.exponent} == Decimal{energies[slot], -2}));
  }
}

const std::string factors = R"(
zone = "UTC"
unit = "kWh"
factor_column = "CT"
meter.column = "Id"
[long]
start = { column = "Time", pattern = "yyyy-MM-dd HH:mm" }
step = 60
value = "Pulses"
)";

TEST(Factor, MultipliesExactly) {
  EXPECT_EQ(read(factors,
                 "Id,Time,Pulses,CT\n"
                 "M1,2024-04-03 00:00,1.005,80\n"
                 "M1,2024-04-03 01:00,3,0.000001\n"
                 "M1,2024-04-03 02:00,-2,1.5\n"),
            "line 2: M1 2024-04-03 60min kWh: 80.4 0.000003 -3 -*21\n");
  EXPECT_EQ(read("factor = \"0.05\"\n" + factors,
                 "Id,Time,Pulses,CT\n"
                 "M1,2024-04-03 00:00,1.005,80\n"),
            "line 2: M1 2024-04-03 60min kWh: 4.02 -*23\n");
}

TEST(Factor, OfNothingIsNeverTakenAsOne) {
  EXPECT_EQ(read(factors,
                 "Id,Time,Pulses,CT\n"
                 "M1,2024-04-03 00:00,1,\n"
                 "M1,2024-04-03 01:00,1,0\n"
                 "M1,2024-04-03 02:00,1,-4\n"
                 "M1,2024-04-03 03:00,1,x\n"),
            "line 2, column 4: bad_value []\n"
            "line 2: rejected\n"
            "line 3, column 4: bad_value [0]\n"
            "line 3: rejected\n"
            "line 4, column 4: bad_value [-4]\n"
            "line 4: rejected\n"
            "line 5, column 4: bad_value [x]\n"
            "line 5: rejected\n");
}

TEST(Factor, WhatDoesNotFitIsToldAndDecimalsBeyondNineAreRounded) {
  EXPECT_EQ(read(factors,
                 "Id,Time,Pulses,CT\n"
                 "M1,2024-04-03 00:00,999999999999,99999999\n"
                 "M1,2024-04-03 01:00,0.0000015,0.001\n"),
            "line 2, column 3: value_too_large [999999999999]\n"
            "line 2: rejected\n"
            "line 3, column 3: noise_dropped [0.0000015]\n"
            "line 3: M1 2024-04-03 60min kWh: - 0.000000002 -*22\n");
}

TEST(Factor, OfOneChannelIsNotThatOfAnother) {
  const std::string feed = R"(
zone = "UTC"
meter.column = "Id"
unit = "kWh"
factor = 2
[channel]
column = "Kind"
[[channel.of]]
is = "pulses"
factor = "0.5"
[[channel.of]]
is = "energy"
flow = "generation"
[wide]
date = { column = "Day", pattern = "yyyy-MM-dd" }
step = 60
first = 4
count = 24
)";
  std::string ones;
  for (int i = 0; i < 24; ++i) ones += ",3";
  const auto text = read(feed, "Id,Day,Kind,h" + std::string(23, ',') + "h\nM1,2024-04-03,pulses" +
                                   ones + "\nM1,2024-04-03,energy" + ones + "\n");
  EXPECT_THAT(text, HasSubstr("1.5 1.5 1.5"));
  EXPECT_THAT(text, HasSubstr(" 6 6 6"));
}

/// Mean power, a factor and the minutes of a step are rounded once, and only where they must be.
RC_GTEST_PROP(Factor, TimesPowerIsExactWhereItFits, ()) {
  const auto watts = *rc::gen::inRange(0, 1'000'000);
  const auto factor = *rc::gen::inRange(1, 5000);
  const std::string feed =
      "zone = \"UTC\"\nunit = \"W\"\naverage_power = true\nfactor = " + std::to_string(factor) +
      "\nmeter.column = 1\n[long]\nstart = { column = 2, pattern = \"iso\" }\nstep = 15\n"
      "value = 3\n[file]\nheader = \"none\"\n";
  const auto text = read(feed, "M1,2024-04-03T00:00Z," + std::to_string(watts) + "\n");
  const Decimal want{std::int64_t{watts} * factor * 25, -2};
  RC_ASSERT(text.find(": " + want.text() + " -*95\n") != std::string::npos);
}

const std::string nested = R"(
zone = "Europe/Paris"
unit = "W"
average_power = true
[file]
delimiter = ";"
header = ["Heure", "Puissance"]
[long]
date_line = "dd/MM/yyyy"
end = { column = "Heure", pattern = "HH:mm:ss" }
step = 60
value = "Puissance"
repeated = "newest first"
)";

TEST(DateLine, IsTheDayOfTheTimesBelowIt) {
  const auto feed = parse_feed(nested, "test");
  ASSERT_TRUE(feed) << feed.error().message;
  const std::string_view file =
      "Heure;Puissance\n"
      "04/04/2024;;\n"
      "00:00:00;7\n"
      "23:00:00;6\n"
      "03/04/2024\n"
      "00:00:00;5\n"
      "01:00:00;4\n";
  ReadOptions options;
  options.hints.meter = "M1";
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, options);
  ASSERT_TRUE(opened) << opened.error().message;
  testing::WrittenSink sink;
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  EXPECT_EQ(sink.text(),
            "line 3: M1 2024-04-04 60min Wh: -*22 6 7\n"
            "line 6: M1 2024-04-03 60min Wh: 4 -*22 5\n");
}

TEST(DateLine, ATimeAboveAllDaysIsRejected) {
  const auto feed = parse_feed(nested, "test");
  ASSERT_TRUE(feed);
  const std::string_view file = "Heure;Puissance\n01:00:00;7\n";
  ReadOptions options;
  options.hints.meter = "M1";
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, options);
  ASSERT_TRUE(opened);
  testing::WrittenSink sink;
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  EXPECT_EQ(sink.text(), "line 2, column 1: bad_date [01:00:00]\nline 2: rejected\n");
}

/// What a feed may not say is told with its line and column, and what may stand there.
TEST(Register, AWrongDescriptionIsToldWithItsPlace) {
  const std::string start = "zone = \"UTC\"\nunit = \"kWh\"\nmeter.column = 1\n";
  const std::string rows =
      "[long]\nend = { column = 2, pattern = \"iso\" }\nstep = 60\nvalue = 3\n";
  const auto said = [&](const std::string& more) { return read(start + rows + more, ""); };
  EXPECT_THAT(said("register_digits = 5\n"),
              HasSubstr("line 8, column 19: `register_digits` goes with `register = true`"));
  EXPECT_THAT(said("register = true\nregister_digits = 13\n"),
              HasSubstr("`register_digits`: want a whole number from 1 to 12"));
  EXPECT_THAT(said("register = true\nadds_up = true\n"), HasSubstr("`register` goes with none of"));
  EXPECT_THAT(said("date_line = \"dd/MM/yyyy\"\n"), HasSubstr("the time alone"));
  EXPECT_THAT(said("date_line = \"HH:mm\"\n"), HasSubstr("want a pattern of a day"));
  EXPECT_THAT(read("factor = 0.001\n" + start + rows, ""),
              HasSubstr("line 1, column 10: `factor`: want a number over 0"));
  EXPECT_THAT(read("factor = \"-1\"\n" + start + rows, ""), HasSubstr("`factor`: want"));
  EXPECT_THAT(read(start + "[long]\nstart = { column = 2, pattern = \"iso\" }\nstep = 60\n"
                           "value = 3\nregister = true\n",
                   ""),
              HasSubstr("`register` wants `end`"));
}

const std::string half_hours = R"(
zone = "UTC"
unit = "kWh"
meter.column = "Id"
[long]
start = { column = "From", pattern = "iso" }
end = { column = "To", pattern = "iso" }
step = "start to end"
value = "kWh"
)";

std::string clock(int minute) {
  std::string text = "2024-04-03T";
  for (const int part : {minute / 60, minute % 60}) {
    if (text.back() != 'T') text += ':';
    if (part < 10) text += '0';
    text += std::to_string(part);
  }
  return text;
}

std::string ones(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += " 1";
  return text;
}

/// One row of another length, anywhere in the day, is named and costs nothing else.
RC_GTEST_PROP(Stray, OfAnotherIntervalCostsItself, ()) {
  const int at = *rc::gen::inRange(0, 48);
  std::string file = "Id,From,To,kWh\n";
  for (int slot = 0; slot < 47; ++slot) {
    if (slot == at) file += "M1," + clock(slot * 30) + ',' + clock(slot * 30 + 10) + ",99\n";
    file += "M1," + clock(slot * 30) + ',' + clock(slot * 30 + 30) + ",1\n";
  }
  if (at >= 47) file += "M1," + clock(47 * 30) + ',' + clock(47 * 30 + 10) + ",99\n";
  const auto text = read(half_hours, file);
  const auto line = "line " + std::to_string(at + 2);
  RC_ASSERT(text.find(line + ": bad_interval [") != std::string::npos);
  RC_ASSERT(text.find(line + ": rejected\n") != std::string::npos);
  RC_ASSERT(text.find(" 30min kWh:" + ones(47) + " -\n") != std::string::npos);
  RC_ASSERT(text.find("10min") == std::string::npos);
}

/// A meter of quarters among half hours loses its day, and is told, as no quarter is a half hour.
TEST(Stray, ADayOfShorterIntervalsIsNotTakenForOneOfLonger) {
  const std::string feed =
      "zone = \"UTC\"\nunit = \"kWh\"\nmeter.column = 1\n[file]\nheader = \"none\"\n[long]\n"
      "start = { column = 2, pattern = \"iso\" }\nstep = 30\nvalue = 3\n";
  std::string file;
  for (int slot = 0; slot < 48; ++slot) file += "M1," + clock(slot * 30) + ",1\n";
  for (int slot = 0; slot < 96; ++slot) file += "M2," + clock(slot * 15) + ",1\n";
  const auto text = read(feed, file);
  EXPECT_THAT(text, HasSubstr("line 1: M1 2024-04-03 30min kWh:" + ones(48) + "\n"));
  EXPECT_THAT(text, Not(HasSubstr("M2 2024-04-03")));
  EXPECT_THAT(text,
              HasSubstr("line 49: bad_interval [M2,2024-04-03T00:00,1]\nline 49: rejected\n"));
}

}  // namespace
}  // namespace meterline::formats
