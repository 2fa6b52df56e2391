#include "formats/feed/long_csv.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// With what of a day is not in the words of WrittenSink: channel, flow, zone, notes.
class LongCsvSink final : public testing::WrittenSink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const Row& row) override {
    WrittenSink::on_day(day, rejected_readings, row);
    std::string more = "  " + day.channel.name + ' ';
    more += text_of(day.channel.flow);
    more += ' ';
    more += day.zone.text();
    for (const auto& run : day.notes)
      more += " [" + std::to_string(run.first) + '-' + std::to_string(run.end) + ' ' +
              text_of(run.note) + ']';
    write(more);
  }
};

std::string said(std::string_view file, const ReadHints& hints = {}) {
  const auto opened = open_long_csv({.text = file, .is_last = true},
                                    {.zone = *TimeZone::parse("Europe/London"), .hints = hints});
  if (!opened) return opened.error().message;
  LongCsvSink sink;
  for (const auto& finding : opened->findings) sink.on_finding(finding);
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  return sink.text();
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LongCsvExamples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/long-csv.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/long-csv")) {
    if (entry.path().extension() != ".csv") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_TRUE(is_long_csv(file)) << entry.path();
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_THAT(document, HasSubstr("`" + entry.path().filename().string() + "`"));
    EXPECT_THAT(document, HasSubstr("```text\n" + file + "```\n")) << entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << entry.path();
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

constexpr std::string_view two_readings =
    "line 2: M1 2024-06-01 30min kWh: 1.5 0.25 -*46\n"
    "  consumption consumption Europe/London\n";

TEST(LongCsv, ADayMayStandBesideTimesOfTheDay) {
  EXPECT_EQ(said("Meter,Date,Start Time,End Time,Usage (kWh)\nM1,2024-06-01,00:00,00:29,1.5\n"
                 "M1,2024-06-01,00:30,00:59,0.25\n"),
            two_readings);
  EXPECT_EQ(said("Meter Number,Usage Date,Usage Start Time,Usage End Time,kWh\n"
                 "M1,06/01/2024,12:00 AM,12:30 AM,1.5\nM1,06/01/2024,12:30 AM,1:00 AM,0.25\n",
                 {.dates = "MM/dd/yyyy"}),
            two_readings);
  EXPECT_EQ(said("meter,date,time,kWh\nM1,1/6/2024,12:00:00 am,1.5\nM1,1/6/2024,12:30:00 am,0.25\n",
                 {.stamp = "start", .dates = "dd/MM/yyyy"}),
            two_readings);
}

TEST(LongCsv, UnixTimeIsTakenAsSuchWhereItIsSaid) {
  const std::string seconds = "meter,start,kWh\nM1,1717196400,1.5\nM1,1717198200,0.25\n";
  EXPECT_EQ(said(seconds, {.dates = "epoch"}), two_readings);
  EXPECT_EQ(
      said("meter,start,kWh\nM1,1717196400000,1.5\nM1,1717198200000,0.25\n", {.dates = "epoch"}),
      two_readings);
  EXPECT_THAT(said(seconds), HasSubstr("may be Unix time, in seconds or milliseconds: say so with "
                                       "--dates epoch"));
}

TEST(LongCsv, ACommaIsADecimalOneWhereItCanPartNothingElse) {
  const auto with = [](std::string_view first, std::string_view second) {
    return said(fmt::format("meter;start;kWh\nM1;2024-06-01 00:00;{}\nM1;2024-06-01 00:30;{}\n",
                            first, second));
  };
  EXPECT_EQ(with("1,5", "0,25"), two_readings);
  EXPECT_EQ(with("1,500", "0,250"), two_readings);
  for (const auto& [first, second] : {std::pair{"1,500", "1,250"}, {"1,5", "1.250"}})
    EXPECT_THAT(with(first, second), HasSubstr("column 3: bad_value [1,5"));
}

/// A local time of June 2024, of which the first day is 1.
std::string time_of(int minutes) {
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  constexpr int day = 24 * 60;
  return "2024-06-" + two(minutes / day + 1) + ' ' + two(minutes / 60 % 24) + ':' +
         two(minutes % 60);
}

std::string rows_of(const std::string& meter, int step, int count) {
  std::string rows;
  for (int i = 0; i < count; ++i)
    rows += meter + ',' + time_of(i * step) + ',' + std::to_string(i % 7) + '\n';
  return rows;
}

/// A time between two intervals, anywhere in the file, does not make it one of shorter intervals:
/// it is named, and all other rows are read as without it.
RC_GTEST_PROP(LongCsvStep, AStrayTimeCostsItself, ()) {
  const int step = *rc::gen::element(5, 10, 15, 30, 60);
  const int count = *rc::gen::inRange(6, 200);
  const int before = *rc::gen::inRange(0, count);
  const int stray = before * step + *rc::gen::inRange(1, step);
  const std::string header = "Meter,Start,kWh\n";
  const auto rows = rows_of("M1", step, count);
  std::size_t at = 0;
  for (int i = 0; i <= before; ++i) at = rows.find('\n', at) + 1;
  const auto with = rows.substr(0, at) + "M1," + time_of(stray) + ",9\n" + rows.substr(at);
  const auto text = said(header + with);
  const auto line = "line " + std::to_string(before + 3);
  const auto found =
      line + ", column 2: bad_date [" + time_of(stray) + "]\n" + line + ": rejected\n";
  const auto place = text.find(found);
  RC_ASSERT(place != std::string::npos);
  auto rest = text;
  rest.erase(place, found.size());
  // Days are the same, but for the lines that they begin in.
  const auto without_lines = [](const std::string& all) {
    std::string days;
    for (std::size_t begin = 0; begin < all.size();) {
      const auto end = all.find('\n', begin) + 1;
      const auto colon = all.find(": ", begin);
      days += colon < end ? all.substr(colon, end - colon) : all.substr(begin, end - begin);
      begin = end;
    }
    return days;
  };
  RC_ASSERT(without_lines(rest) == without_lines(said(header + rows)));
}

TEST(LongCsvNames, AReadingMayHaveItsUnitBehindIt) {
  const std::string want = "line 2: M1 2024-06-01 30min ";
  for (const auto& [header, unit] : {std::pair("meter_id,start_datetime,consumption_kwh", "kWh"),
                                     std::pair("NMI,Interval Start Time,Usage (kWh)", "kWh"),
                                     std::pair("Metering Point,Start,Energy [MWh]", "MWh"),
                                     std::pair("MPAN,Period Start,energy-wh", "Wh")})
    EXPECT_THAT(said(std::string(header) + "\nM1,2024-06-01 00:00,1\nM1,2024-06-01 00:30,2\n"),
                HasSubstr(want + unit + ": 1 2 -*46\n"))
        << header;
  EXPECT_EQ(long_role("Cost (kWh)"), LongRole::none);
  EXPECT_EQ(long_role("start kWh"), LongRole::none);
}

TEST(LongCsvStep, WhatTheFileMostlySaysCountsAndGapsAreNoIntervals) {
  std::string rows = "Meter,Start,kWh\nM1,2024-06-01 00:00,1\nM1,2024-06-01 00:10,9\n";
  for (int i = 1; i < 40; ++i)
    if (i % 5 != 0) rows += "M1," + time_of(i * 30) + ",1\n";
  EXPECT_THAT(said(rows), HasSubstr("M1 2024-06-01 30min kWh: 1 1 1 1 1 - 1"));
  // By a few rows, too.
  EXPECT_THAT(said("Meter,Start,kWh\nM1,2024-06-01 00:00,1\nM1,2024-06-01 00:10,9\n"
                   "M1,2024-06-01 00:30,2\nM1,2024-06-01 01:00,3\nM1,2024-06-01 01:30,4\n"),
              HasSubstr("line 2: M1 2024-06-01 30min kWh: 1 2 3 4 -*44\n"));
}

TEST(LongCsvStep, WhereMetersOrTimesDisagreeItIsAskedFor) {
  const std::string header = "Meter,Start,kWh\n";
  EXPECT_THAT(said(header + rows_of("M1", 30, 100) + rows_of("M2", 15, 20)),
              HasSubstr("rows of meter M2 are 15 minutes apart, but 30 apart in the file at large: "
                        "say of how many minutes intervals are with --step"));
  EXPECT_THAT(said(header + rows_of("M1", 30, 100) + rows_of("M2", 60, 20)),
              HasSubstr("rows of meter M2 are 60 minutes apart"));
  std::string mixed = header;
  for (int i = 0; i < 40; ++i)
    mixed += "M1," + time_of(i * 60) + ",1\n" +
             (i % 2 == 0 ? "M1," + time_of(i * 60 + 20) + ",1\n" : std::string());
  EXPECT_THAT(said(mixed), HasSubstr("say of how many minutes intervals are with --step"));
  EXPECT_THAT(said(header + "M1,2024-06-01 00:00,1\nM1,2024-06-01 00:20,1\n"),
              HasSubstr("how long the intervals are is not to be seen"));
}

}  // namespace
}  // namespace meterline::formats
