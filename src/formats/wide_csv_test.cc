#include "formats/wide_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv_rows.h"
#include "testing/wide_csv_twins.h"
#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Everything the parser says about a file; see WrittenSink.
std::string said(std::string_view file) {
  meterline::testing::WrittenSink sink;
  const auto parsed = meterline::testing::parse_in_pieces(file, {1'000'000}, Unit::unknown, sink);
  return parsed ? sink.text() : "refused: " + parsed.error().message + '\n';
}

/// Each case: the text of a file, then everything the parser says about it.
void check(std::string_view file, std::string_view want,
           std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  EXPECT_EQ(said(file), want);
}

/// The same for rows under a header of two hours.
void check_rows(std::string_view rows, std::string_view want,
                std::source_location at = std::source_location::current()) {
  check("Meter,Date,0:00,1:00\n" + std::string(rows), want, at);
}

/// A header that is refused, and a part of the reason.
void check_refused(std::string_view header, std::string_view reason,
                   std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  const auto text = said(header);
  EXPECT_THAT(text, ::testing::StartsWith("refused: "));
  EXPECT_THAT(text, HasSubstr(reason));
  EXPECT_EQ(said(std::string(header) + "\nEE1,2019-01-01,1,2\n"), text);
}

/// `Meter,Date` and a column for every interval of the day.
std::string full_header(int minutes) {
  std::string header = "Meter,Date";
  for (int minute = 0; minute < 24 * 60; minute += minutes)
    header += fmt::format(",{}:{:02}", minute / 60, minute % 60);
  return header + '\n';
}

// --- The header ---

TEST(WideCsvHeader, MakesADayOfEveryInterval) {
  for (const int minutes : {1, 5, 10, 15, 30, 60}) {
    const int slots = 24 * 60 / minutes;
    std::string row = "EE1,2019-01-01";
    std::string readings;
    for (int slot = 0; slot < slots; ++slot) {
      row += fmt::format(",{}", slot);
      readings += fmt::format(" {}", slot);
    }
    check(full_header(minutes) + row + '\n',
          fmt::format("line 2: EE1 2019-01-01 {}min:{}\n", minutes, readings));
  }
}

TEST(WideCsvHeader, RefusesOtherIntervals) {
  check_refused("Meter,Date,0:00,2:00", "120 minutes apart");
  check_refused("Meter,Date,0:00,0:20,0:40", "20 minutes apart");
  check_refused("Meter,Date,0:00,0:02", "2 minutes apart");
}

TEST(WideCsvHeader, TakesTimesInTwoSpellings) {
  check("Meter,Date,00:00,01:00\nEE1,2019-01-01,1,2\n", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check("Meter,Date,0:00,01:00\nEE1,2019-01-01,1,2\n", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check_refused("Meter,Date,0:00,00:00,1:00", "0:00 stands twice");
}

TEST(WideCsvHeader, TakesNamesInAnyCaseQuotedOrWithBlanks) {
  check("METER,date,0:00,1:00\nEE1,2019-01-01,1,2\n", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check("\"Meter\", Date , \"0:00\",1:00\t\nEE1,2019-01-01,1,2\n",
        "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
}

TEST(WideCsvHeader, TakesColumnsInAnyOrder) {
  check("23:00,Date,0:00,Meter,22:00\n1,2019-01-01,2,EE1,3\n",
        "line 2: EE1 2019-01-01 60min: 2 -*21 3 1\n");
}

TEST(WideCsvHeader, LeavesOutColumnsThatAreNoTime) {
  check("Note,Meter,Date,0:00,1:00,Site\nx,EE1,2019-01-01,1,2,3\n",
        "line 1, column 1: column_ignored [Note]\n"
        "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check("Meter,,Date,0:00,1:00\n", "line 1, column 2: column_ignored []\n");
  check("Meter,Date,0:00,1:00,0.00\n", "line 1, column 5: column_ignored [0.00]\n");
  for (const std::string name : {"0:0", "000:00", "1:60", "25:00", "24:30", "0:00:00"})
    check("Meter,Date,0:00,1:00," + name + '\n',
          "line 1, column 5: readings_ignored [" + name + "]\n");
}

/// The findings of a header, with their texts.
std::string told(std::string_view header, Unit unit) {
  const auto read = WideCsv::create(header, unit);
  EXPECT_TRUE(read);
  std::string text;
  for (const auto& finding : read->findings)
    text += std::string(text_of(finding.code)) + ": " + finding.text + '\n';
  return text;
}

TEST(WideCsvHeader, TellsOnceOfAllColumnsThatSeemToHoldTheSame) {
  const std::string header =
      "Meter,Date,Units,Site,Register,0:00,0:00 Flag,1:00,1:00 Flag,Time Change 1,Max kW,Total";
  EXPECT_EQ(
      told(header, Unit::kWh),
      "column_ignored: these are no times of day, and are left out: `Site`, `Register`\n"
      "readings_ignored: these seem to hold readings or registers, and are left out; a row "
      "with a reading of an interval that the times do not have is rejected: `Time Change 1`, "
      "`Max kW`\n"
      "flags_ignored: these seem to say how good readings are, and are left out: every "
      "reading counts as actual: `0:00 Flag`, `1:00 Flag`\n");
  EXPECT_THAT(told(header, Unit::unknown), HasSubstr("unit_ignored: these seem to name units"));
  std::string many = "Meter,Date,0:00,1:00";
  for (int i = 0; i < 10; ++i) many += ",Type";
  EXPECT_THAT(told(many, Unit::kWh), ::testing::StartsWith("flags_ignored: "));
  EXPECT_THAT(told(many, Unit::kWh), HasSubstr("`Type` and 2 more\n"));
}

TEST(WideCsvHeader, TimesLeftOutAreMissingReadings) {
  check("Meter,Date,0:00,23:00,1:00\nEE1,2019-01-01,1,2,3\n",
        "line 2: EE1 2019-01-01 60min: 1 3 -*21 2\n");
}

TEST(WideCsvHeader, NeedsMeterAndDateOnce) {
  check_refused("Date,0:00,1:00", "no column `Meter`");
  check_refused("Meter,0:00,1:00", "no column `Date`");
  check_refused("Meter,Date,meter,0:00,1:00", "column `Meter` stands twice");
  check_refused("Meter,Date,0:00,1:00,DATE", "column `Date` stands twice");
  check_refused("hello", "no column `Meter`");
}

TEST(WideCsvHeader, NeedsARegularGridOfTimes) {
  check_refused("Meter,Date", "0 columns with a time");
  check_refused("Meter,Date,0:00", "1 columns with a time");
  check_refused("Meter,Date,0:00,0:30,0:45,1:05", "not on the grid");
  check_refused("Meter,Date,0:15,0:45", "not on the grid");
  check_refused("Meter,Date,1:00,2:00,24:00", "`24:00` is an interval's end");
}

/// The times from the first start on, `minutes` apart, the one of midnight last.
std::string wrapped_header(int minutes) {
  std::string header = "Meter,Date";
  for (int minute = minutes; minute <= 24 * 60; minute += minutes)
    header += fmt::format(",{:02}:{:02}", minute / 60 % 24, minute % 60);
  return header;
}

TEST(WideCsvHeader, RefusesTimesOfEndsThatWrapToMidnight) {
  for (const int minutes : {5, 15, 30, 60}) {
    const auto reason = fmt::format(
        "the times begin with {}:{:02} and end with 0:00, so they name the ends of intervals",
        minutes / 60, minutes % 60);
    EXPECT_THAT(said(wrapped_header(minutes)), HasSubstr(reason));
    EXPECT_THAT(said(wrapped_header(minutes) + ",Total"), HasSubstr(reason));
  }
  check_refused("Meter,Date,1:00,0:00", "name the ends of intervals");
  check_refused("0:15,Meter,0:30,Date,0:45,0:00", "name the ends of intervals");
  check("Meter,Date,1:00,0:00,2:00\nEE1,2019-01-01,1,2,3\n",
        "line 2: EE1 2019-01-01 60min: 2 1 3 -*21\n");
  check("Meter,Date,2:00,1:00,0:00\nEE1,2019-01-01,1,2,3\n",
        "line 2: EE1 2019-01-01 60min: 3 2 1 -*21\n");
}

TEST(WideCsvHeader, HasLimits) {
  const std::string start = "Meter,Date,0:00,1:00";
  const std::string most = start + std::string(header_columns_max - 4, ',');
  EXPECT_THAT(said(most + "x\n"), HasSubstr("line 1, column 5: column_ignored []\n"));
  check_refused(most + ',', "4097 columns, at most 4096");
  check_refused(start + ',' + std::string(row_bytes_max, 'x'), "longer than 131072 bytes");
}

TEST(WideCsvHeader, NeedsGoodQuoting) {
  check_refused("Meter,Da\"te,0:00,1:00", "bad quoting in column 2");
  check_refused("Meter,\"Date\"x,0:00,1:00", "bad quoting in column 2");
  check_refused("Meter,Date,0:00,\"1:00", "a quote is not closed");
}

TEST(WideCsvHeader, MayStandBelowEmptyLines) {
  check("\r\n\nMeter,Date,0:00,1:00\nEE1,2019-01-01,1,2\n",
        "line 4: EE1 2019-01-01 60min: 1 2 -*22\n");
  check(" \nMeter,Date,0:00,1:00\n", said(" "));  // A blank is a header, though no good one.
}

TEST(WideCsvHeader, MayStandAlone) {
  check("Meter,Date,0:00,1:00", "");
  check("Meter,Date,0:00,1:00\n\n", "");
}

// --- Lines ---

TEST(WideCsv, TakesAnyLineEnds) {
  check(
      "\xEF\xBB\xBFMeter,Date,0:00,1:00\r\nEE1,2019-01-01,1,2\rEE2,2019-01-01,3,4\nEE3,2019-01-01,"
      "5,6",
      "line 2: EE1 2019-01-01 60min: 1 2 -*22\n"
      "line 3: EE2 2019-01-01 60min: 3 4 -*22\n"
      "line 4: EE3 2019-01-01 60min: 5 6 -*22\n");
}

TEST(WideCsv, CountsEmptyLinesAndLinesInsideQuotes) {
  check_rows("\n\r\n\"EE1\",2019-01-01,\"1\n\",2\nEE2,2019-01-01,3,4\n",
             "line 4, column 3: bad_value [1\\x0A]\n"
             "line 4: EE1 2019-01-01 60min: - 2 -*22 (1 rejected)\n"
             "line 6: EE2 2019-01-01 60min: 3 4 -*22\n");
}

TEST(WideCsv, ALineOfBlanksIsARow) {
  check_rows(" \n", "line 2: too_few_columns [ ]\nline 2: rejected\n");
}

TEST(WideCsv, RejectsARowThatTheFileEndsIn) {
  check_rows("EE1,2019-01-01,1", "line 2: truncated [EE1,2019-01-01,1]\nline 2: rejected\n");
  check_rows("EE1,2019-01-01,1,\"2",
             "line 2: truncated [EE1,2019-01-01,1,\"2]\nline 2: rejected\n");
  check_rows("EE1,2019-01-01,1\n",
             "line 2: too_few_columns [EE1,2019-01-01,1]\nline 2: rejected\n");
}

TEST(WideCsv, TakesALastRowWithAllColumns) {
  check_rows("EE1,2019-01-01,1,2", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check_rows("EE1,2019-01-01,1,", "line 2: EE1 2019-01-01 60min: 1 -*23\n");
}

TEST(WideCsv, RejectsAnOverlongRow) {
  const std::string longest = "EE1,2019-01-01,1," + std::string(row_bytes_max - 18, ' ') + '2';
  ASSERT_EQ(longest.size(), row_bytes_max);
  check_rows(longest + "\n", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check_rows(' ' + longest + "\nEE2,2019-01-01,3,4\n",
             "line 2: row_too_long [ EE1,2019-01-01,1," + std::string(62, ' ') +
                 "...]\nline 2: rejected\nline 3: EE2 2019-01-01 60min: 3 4 -*22\n");
}

// --- Rows ---

TEST(WideCsv, RejectsARowWithBadQuoting) {
  check_rows("\"EE1\",\"2019-01-01\",\"1\",\"2\"\n", "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
  check_rows("EE1,2019-01-01,1\",2\n", "line 2, column 3: bad_quoting [1\"]\nline 2: rejected\n");
  check_rows("EE1,2019-01-01,\"1\"2,\"3\"4\n",
             "line 2, column 3: bad_quoting [1]\nline 2: rejected\n");
}

TEST(WideCsv, AnUnclosedQuoteCostsItsLineOnly) {
  check_rows("EE1,2019-01-01,\"1,2\nEE2,2019-01-01,3,4\n",
             "line 2: bad_quoting [EE1,2019-01-01,\"1,2]\n"
             "line 2: rejected\n"
             "line 3: EE2 2019-01-01 60min: 3 4 -*22\n");
}

TEST(WideCsv, RejectsARowWithTooFewOrTooManyColumns) {
  check_rows("EE1,2019-01-01,1\nEE2,2019-01-01,1,2,3\nEE3,2019-01-01,1,2\n",
             "line 2: too_few_columns [EE1,2019-01-01,1]\n"
             "line 2: rejected\n"
             "line 3: too_many_columns [EE2,2019-01-01,1,2,3]\n"
             "line 3: rejected\n"
             "line 4: EE3 2019-01-01 60min: 1 2 -*22\n");
}

TEST(WideCsv, ADelimiterAtTheEndCostsNothing) {
  const std::string day = "line 2: EE1 2019-01-01 60min: 1 2 -*22\n";
  check_rows("EE1,2019-01-01,1,2,\n", day);
  check_rows("EE1,2019-01-01,1,2,, ,\"\"\n", day);
  check_rows("EE1,2019-01-01,1,2,", day);
  check("Meter,Date,0:00,1:00,\nEE1,2019-01-01,1,2\n", day);
  check("Meter,Date,0:00,1:00,, \nEE1,2019-01-01,1,2,\n", day);
  std::string values;
  std::string readings;
  for (int hour = 0; hour < 24; ++hour) values += ",1", readings += " 1";
  check(full_header(60) + "EE1,2019-01-01" + values + ",\nEE1,2019-01-02" + values + '\n',
        "line 2: EE1 2019-01-01 60min:" + readings + "\nline 3: EE1 2019-01-02 60min:" + readings +
            '\n');
}

TEST(WideCsv, SomethingBehindTheLastColumnIsStillTooMuch) {
  check_rows("EE1,2019-01-01,1,2,,3\n",
             "line 2: too_many_columns [EE1,2019-01-01,1,2,,3]\nline 2: rejected\n");
  check("Meter,Date,0:00,1:00,\nEE1,2019-01-01,1,2,3\n",
        "line 2: too_many_columns [EE1,2019-01-01,1,2,3]\nline 2: rejected\n");
  check("Meter,Date,0:00,1:00,\nEE1,2019-01-01,1\n",
        "line 2: too_few_columns [EE1,2019-01-01,1]\nline 2: rejected\n");
}

TEST(WideCsv, RejectsARowWithABadMeterId) {
  check_rows("EE-1.a_b:C,2019-01-01,1,2\n", "line 2: EE-1.a_b:C 2019-01-01 60min: 1 2 -*22\n");
  for (const std::string meter : {"", "EE 1", "EE/1", "Zähler"})
    check_rows(meter + ",2019-01-01,1,2\n",
               "line 2, column 1: bad_meter_id [" + meter + "]\nline 2: rejected\n");
}

TEST(WideCsv, RejectsIdsThatASpreadsheetSpoiltAndSumsOfRows) {
  std::string values;
  for (int hour = 0; hour < 24; ++hour) values += ",1";
  for (const std::string meter : {"7.22E13", "7.22E+13", "\"2,31282E+13\"", "17.0", "'17"}) {
    const auto excerpt = meter.starts_with('"') ? meter.substr(1, meter.size() - 2) : meter;
    const auto want = "line 2, column 1: bad_meter_id [" + excerpt + "]\nline 2: rejected\n";
    check_rows(meter + ",2019-01-01,1,2\n", want);
    check(full_header(60) + meter + ",2019-01-01" + values + '\n', want);
  }
  for (const std::string name : {"Total", "GRAND TOTAL", "sum"}) {
    const auto want = "line 2, column 1: summary_row [" + name + "]\nline 2: rejected\n";
    check_rows(name + ",,1,2\n", want);
    check(full_header(60) + name + ",2019-01-01" + values + '\n', want);
  }
}

/// The quick reader keeps the meter of the row before.
TEST(WideCsv, RejectsAnEmptyMeterIdInAFullDayToo) {
  const std::string values(24, ',');
  check(full_header(60) + ",2019-01-01" + values + "\nEE1,2019-01-01" + values + "\n,2019-01-01" +
            values + '\n',
        "line 2, column 1: bad_meter_id []\n"
        "line 2: rejected\n"
        "line 3: EE1 2019-01-01 60min: -*24\n"
        "line 4, column 1: bad_meter_id []\n"
        "line 4: rejected\n");
}

TEST(WideCsv, RejectsARowWithABadDate) {
  check_rows("EE1,2020-02-29,1,2\n", "line 2: EE1 2020-02-29 60min: 1 2 -*22\n");
  for (const std::string date :
       {"", "2019-02-29", "01-01-2019", "2019-1-1", "2019/01/01", "20190101", "2200-01-01"})
    check_rows("EE1," + date + ",1,2\n",
               "line 2, column 2: bad_date [" + date + "]\nline 2: rejected\n");
}

TEST(WideCsv, SaysOnlyTheFirstThingThatIsWrongWithARow) {
  check_rows("EE 1,x,1\n", "line 2: too_few_columns [EE 1,x,1]\nline 2: rejected\n");
  check_rows("EE 1,x,y,z\n", "line 2, column 1: bad_meter_id [EE 1]\nline 2: rejected\n");
  check_rows("EE1,x,y,z\n", "line 2, column 2: bad_date [x]\nline 2: rejected\n");
  check_rows("EE1,x,1,\"2\"3\n", "line 2, column 4: bad_quoting [2]\nline 2: rejected\n");
}

// --- Cells ---

TEST(WideCsv, TakesPlainDecimals) {
  check_rows("EE1,2019-01-01,12,-3\nEE1,2019-01-02,0.305, 1.20\t\nEE1,2019-01-03,\" 7 \",-0\n",
             "line 2: EE1 2019-01-01 60min: 12 -3 -*22\n"
             "line 3: EE1 2019-01-02 60min: 0.305 1.2 -*22\n"
             "line 4: EE1 2019-01-03 60min: 7 0 -*22\n");
}

TEST(WideCsv, ABadValueCostsThatReadingOnly) {
  for (const std::string cell : {"NaN", "1e5", "0x10", "１２", "٣", "+1", ".5", "5.", "-", "1 000",
                                 "null", "--1", "1.2.3", "5kWh"})
    check_rows("EE1,2019-01-01," + cell + ",2\n",
               "line 2, column 3: bad_value [" + cell +
                   "]\nline 2: EE1 2019-01-01 60min: - 2 -*22 (1 rejected)\n");
  check_rows("EE1,2019-01-01,\"1,5\",2\n",
             "line 2, column 3: bad_value [1,5]\n"
             "line 2: EE1 2019-01-01 60min: - 2 -*22 (1 rejected)\n");
}

TEST(WideCsv, AnEmptyCellIsMissingAndNoFinding) {
  check_rows("EE1,2019-01-01,,2\nEE1,2019-01-02, \t,\"\"\n",
             "line 2: EE1 2019-01-01 60min: - 2 -*22\n"
             "line 3: EE1 2019-01-02 60min: -*24\n");
}

TEST(WideCsv, TakesEighteenDigitsAndNotNineteen) {
  check_rows("EE1,2019-01-01,999999999999999999,-9\n",
             "line 2: EE1 2019-01-01 60min: 999999999999999999 -9 -*22\n");
  check_rows("EE1,2019-01-01,1000000000000000000,0.000000000000000000\n",
             "line 2, column 3: value_too_large [1000000000000000000]\n"
             "line 2: EE1 2019-01-01 60min: - 0 -*22 (1 rejected)\n");
  check_rows("EE1,2019-01-01,1000000000000000000x,2\n",
             "line 2, column 3: bad_value [1000000000000000000x]\n"
             "line 2: EE1 2019-01-01 60min: - 2 -*22 (1 rejected)\n");
}

TEST(WideCsv, AReadingMustFitBesideTheDecimalsOfItsRow) {
  check_rows("EE1,2019-01-01,92233720368547758,0.01\n",
             "line 2: EE1 2019-01-01 60min: 92233720368547758 0.01 -*22\n");
  check_rows("EE1,2019-01-01,92233720368547759,0.01\n",
             "line 2, column 3: value_too_large [92233720368547759]\n"
             "line 2: EE1 2019-01-01 60min: - 0.01 -*22 (1 rejected)\n");
}

TEST(WideCsv, NoiseOfOneReadingCostsNoOther) {
  const std::string day =
      "line 2, column 3: noise_dropped [0.30000000000000004]\n"
      "line 2: EE1 2019-01-01 60min: 0.3 120.5 -*22\n";
  check_rows("EE1,2019-01-01,0.30000000000000004,120.5\n", day);
  check_rows("EE1,2019-01-01,0.250999999999318,0.070000000000000007\n",
             "line 2, column 3: noise_dropped [0.250999999999318]\n"
             "line 2, column 4: noise_dropped [0.070000000000000007]\n"
             "line 2: EE1 2019-01-01 60min: 0.251 0.07 -*22\n");
  check_rows("EE1,2019-01-01,0.123456789,1.000000000000\n",
             "line 2: EE1 2019-01-01 60min: 0.123456789 1 -*22\n");
  std::string values;
  std::string readings;
  for (int hour = 1; hour < 24; ++hour) values += ",120.5", readings += " 120.5";
  check(full_header(60) + "EE1,2019-01-01,0.30000000000000004" + values + '\n',
        "line 2, column 3: noise_dropped [0.30000000000000004]\n"
        "line 2: EE1 2019-01-01 60min: 0.3" +
            readings + '\n');
}

TEST(WideCsv, TellsOfCellsInTheOrderOfTheirColumns) {
  check("2:00,Meter,1:00,Date\n1e5,EE1,,2019-01-01\nx,EE1,y,2019-01-02\n",
        "line 2, column 1: bad_value [1e5]\n"
        "line 2: EE1 2019-01-01 60min: -*24 (1 rejected)\n"
        "line 3, column 1: bad_value [x]\n"
        "line 3, column 3: bad_value [y]\n"
        "line 3: EE1 2019-01-02 60min: -*24 (2 rejected)\n");
}

TEST(WideCsv, LooksNotAtColumnsLeftOut) {
  check("Meter,Date,0:00,1:00,Note\nEE1,2019-01-01,1,2,NaN\n",
        "line 1, column 5: column_ignored [Note]\n"
        "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
}

/// Those that would make the day short in silence are the exception.
TEST(WideCsv, RejectsARowWithAReadingThatNoColumnTakes) {
  const std::string header = "Meter,Date,0:00,1:00,Time Change 1 Cons,Time Change 2 Cons\n";
  const std::string told = "line 1, column 5: readings_ignored [Time Change 1 Cons]\n";
  check(header + "EE1,2024-10-27,1,2,,0.6\nEE1,2024-10-28,1,2,,\nEE1,2024-10-29,1,2,0.000,-\n",
        told +
            "line 2, column 6: readings_without_column [0.6]\n"
            "line 2: rejected\n"
            "line 3: EE1 2024-10-28 60min: 1 2 -*22\n"
            "line 4: EE1 2024-10-29 60min: 1 2 -*22\n");
}

/// As check(), for a file that is loaded as kWh.
void check_in_kwh(std::string_view file, std::string_view want,
                  std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  meterline::testing::WrittenSink sink;
  ASSERT_TRUE(meterline::testing::parse_in_pieces(file, {1000}, Unit::kWh, sink));
  EXPECT_EQ(sink.text(), want);
}

TEST(WideCsv, RejectsARowOfAnotherUnit) {
  check_in_kwh(
      "Meter,Units,Date,0:00,1:00\nEE1,kWh,2019-01-01,1,2\nEE2,Wh,2019-01-01,1,2\n"
      "EE3,,2019-01-01,1,2\n",
      "line 2: EE1 2019-01-01 60min kWh: 1 2 -*22\n"
      "line 3, column 2: other_unit [Wh]\n"
      "line 3: rejected\n"
      "line 4: EE3 2019-01-01 60min kWh: 1 2 -*22\n");
  check("Meter,Units,Date,0:00,1:00\nEE1,Wh,2019-01-01,1,2\n",
        "line 1, column 2: unit_ignored [Units]\n"
        "line 2: EE1 2019-01-01 60min: 1 2 -*22\n");
}

TEST(WideCsv, ChecksATotalExactly) {
  const std::string header = "Meter,Date,0:00,1:00,2:00,Total kWh\n";
  const std::string day = "EE1 2019-01-01 60min: 0.1 0.2 0.04 -*21\n";
  for (const std::string total : {"0.34", "0.3400", "0.34000000000000002", "", "n/a"})
    check(header + "EE1,2019-01-01,0.1,0.2,0.04," + total + '\n', "line 2: " + day);
  for (const std::string total : {"0.35", "0.3", "-0.34", "0", "0.340000001"})
    check(header + "EE1,2019-01-01,0.1,0.2,0.04," + total + '\n',
          "line 2, column 6: total_differs [" + total + "]\nline 2: " + day);
  check(header + "EE1,2019-01-01,,,,1\n",
        "line 2, column 6: total_differs [1]\nline 2: EE1 2019-01-01 60min: -*24\n");
  check(header + "EE1,2019-01-01,1,x,3,6\n",
        "line 2, column 4: bad_value [x]\n"
        "line 2, column 6: total_differs [6]\n"
        "line 2: EE1 2019-01-01 60min: 1 - 3 -*21 (1 rejected)\n");
}

TEST(WideCsv, GivesEachDayTheUnitOfTheFile) {
  meterline::testing::WrittenSink sink;
  ASSERT_TRUE(meterline::testing::parse_in_pieces("Meter,Date,0:00,1:00\nEE1,2019-01-01,1,2\n", {1},
                                                  Unit::MWh, sink));
  EXPECT_EQ(sink.text(), "line 2: EE1 2019-01-01 60min MWh: 1 2 -*22\n");
}

TEST(WideCsv, CountsThePhysicalLinesOfAPiece) {
  const auto csv = WideCsv::create("Meter,Date,0:00,1:00", Unit::kWh);
  ASSERT_TRUE(csv);
  const auto lines = [&](std::string_view piece) {
    meterline::testing::WrittenSink sink;
    return csv->parser.parse({.text = piece}, sink);
  };
  EXPECT_EQ(lines("a\n\r\n\"b\nc\"\rd\n"), 5);
  EXPECT_EQ(lines("a\nb"), 1);
  EXPECT_EQ(lines(std::string(row_bytes_max + 1, 'x')), 1);  // The rest is dropped.
  EXPECT_EQ(lines('"' + std::string(row_bytes_max, 'x')), 1);
  EXPECT_EQ(lines(""), 0);
}

// --- The examples of the documentation ---

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A file as the documentation shows it.
std::string block(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  return "```text\n" + text + "```\n";
}

TEST(WideCsvExamples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/wide-csv.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/wide-csv")) {
    if (entry.path().extension() != ".csv") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_THAT(document, HasSubstr("`" + entry.path().filename().string() + "`"));
    EXPECT_THAT(document, HasSubstr(block(file))) << entry.path();
    EXPECT_THAT(document, HasSubstr(block(want))) << entry.path();
    ++examples;
  }
  EXPECT_EQ(examples, 6);
}

}  // namespace
}  // namespace meterline::formats
