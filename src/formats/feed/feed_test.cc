// Feeds that are described here, line by line, and properties of all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/decimal.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/shipped_feeds.h"
#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

/// What is read of `file` by a feed, in the words of WrittenSink; or why it is refused.
std::string read(std::string_view toml, std::string_view file, const ReadOptions& options = {}) {
  const auto feed = parse_feed(toml, "test");
  if (!feed) return feed.error().message;
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, options);
  if (!opened) return opened.error().message;
  testing::WrittenSink sink;
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  return sink.text();
}

const std::string hours = R"(
zone = "Europe/London"
unit = "kWh"
meter.column = "Id"
[quality]
column = "Flag"
flags = { A = "actual", E = "estimated" }
[long]
start = { column = "Time", pattern = "yyyy-MM-dd HH:mm" }
step = 60
value = "kWh"
repeated = "file order"
)";

TEST(Feed, ReadingsOfADayMakeOneDayAndABadRowCostsItself) {
  EXPECT_EQ(read(hours,
                 "Id,Time,kWh,Flag\n"
                 "M1,2024-04-03 00:00,1,A\n"
                 "M1,2024-04-03 01:00,x,A\n"
                 "M1,2024-04-03 01:30,2,A\n"
                 "M1,2024-04-03 02:00,2.5,E\n"),
            "line 3, column 3: bad_value [x]\n"
            "line 3: rejected\n"
            "line 4, column 2: bad_date [2024-04-03 01:30]\n"
            "line 4: rejected\n"
            "line 2: M1 2024-04-03 60min kWh: 1 - 2.5estimated -*21\n");
}

TEST(Feed, LettersBeyondAsciiStandInQuotesOrComments) {
  EXPECT_THAT(read("\uFEFF# Zähler\ntitle = \"Zähler\"\n", ""),
              ::testing::HasSubstr("want one of [wide]"));
  for (const std::string_view stray :
       {"flags = { Målt = 1 }\n", "title = \"a\\\\\"é\n", "title = '''a'b'''é\n",
        "title = 0[\"é\"]\n", "é = 1\n", "\u2603", "title =\u00e9\n"})
    EXPECT_THAT(read(stray, ""), ::testing::HasSubstr("feed test, line 1, column ")) << stray;
}

TEST(Feed, AnUnknownFlagIsKeptAsEstimatedAndTold) {
  EXPECT_THAT(read(hours, "Id,Time,kWh,Flag\nM1,2024-04-03 00:00,1,?\n"),
              ::testing::HasSubstr("line 2, column 4: unknown_flag [?]\n"));
}

TEST(Feed, ARepeatedTimeWithAnotherReadingMakesAnotherDay) {
  const auto text = read(hours,
                         "Id,Time,kWh,Flag\n"
                         "M1,2024-04-03 00:00,1,A\n"
                         "M1,2024-04-03 00:00,2,A\n"
                         "M1,2024-04-03 00:00,2,A\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(Feed, RegistersAddUpWhereTheFeedSaysSo) {
  const auto text = read(
      R"(
unit = "kWh"
zone = "UTC"
meter.column = "Id"
[long]
start = { column = "Time", pattern = "iso" }
step = 60
value = "kWh"
adds_up = true
)",
      "Id,Time,kWh\nM1,2024-04-03T00:00,1\nM1,2024-04-03T01:00,2\nM1,2024-04-03T00:00,0.25\n");
  EXPECT_THAT(text, ::testing::HasSubstr(": 1.25 2 -*22"));
}

const std::string totals = R"(
unit = "kWh"
zone = "UTC"
meter.column = 2
[file]
header = "none"
[[rows]]
column = 1
keep = ["DET"]
[totals]
rows = { record = "TRL", column = 2 }
sum = { record = "TRL", column = 3 }
[long]
start = { column = 3, pattern = "iso" }
step = 60
value = 4
)";

TEST(Feed, TotalsOfARecordAreChecked) {
  const std::string rows = "HDR,1\nDET,M1,2024-04-03T00:00,1.5\nDET,M1,2024-04-03T01:00,2\n";
  const auto day = "line 2: M1 2024-04-03 60min kWh: 1.5 2 -*22\n";
  EXPECT_THAT(read(totals, rows + "TRL,2,3.50\n"),
              ::testing::AllOf(::testing::HasSubstr(day),
                               ::testing::Not(::testing::HasSubstr("file_total_differs"))));
  EXPECT_THAT(read(totals, rows + "TRL,3,3.5\n"),
              ::testing::AllOf(::testing::HasSubstr(day),
                               ::testing::HasSubstr("line 4: file_total_differs [3]\n")));
  EXPECT_THAT(read(totals, rows + "TRL,2,3.4\n"),
              ::testing::HasSubstr("line 4: file_total_differs [3.4]\n"));
  EXPECT_THAT(read(totals, rows + "TRL,x,3.5\n"),
              ::testing::HasSubstr("line 4: file_total_differs [x]\n"));
  EXPECT_THAT(read(totals, rows), ::testing::HasSubstr("line 4: file_total_differs []\n"));
}

TEST(Feed, ATitleWithTheSumIsCheckedWhereItIs) {
  const auto toml = [](const std::string& shape) {
    return "unit = \"kWh\"\nzone = \"UTC\"\nmeter.column = \"Id\"\n[totals]\nsum = \"Total "
           "Usage\"\n" +
           shape;
  };
  const auto rows = toml(
      "[long]\nstart = { column = \"Time\", pattern = \"iso\" }\nstep = 60\nvalue = \"kWh\"\n");
  const std::string file = "Id,Time,kWh\nM1,2024-04-03T00:00,-1\nM1,2024-04-03T01:00,2.5\n";
  const auto differs = ::testing::HasSubstr("line 1: file_total_differs [1.6]\n");
  EXPECT_THAT(read(rows, "Total Usage: 1.6\n" + file), differs);
  EXPECT_THAT(read(rows, "Total Usage: 1.500\n" + file),
              ::testing::Not(::testing::HasSubstr("file_total")));
  EXPECT_THAT(read(rows, file), ::testing::Not(::testing::HasSubstr("file_total")));
  const auto columns = toml(
      "[wide]\ndate = { column = \"Day\", pattern = \"yyyy-MM-dd\" }\nstep = 60\n"
      "columns = \"{start}\"\n");
  const std::string wide = "Id,Day,0:00,1:00\nM1,2024-04-03,-1,2.5\n";
  EXPECT_THAT(read(columns, "Total Usage,1.6\n" + wide), differs);
  EXPECT_THAT(read(columns, "Total Usage,1.5\n" + wide),
              ::testing::Not(::testing::HasSubstr("file_total")));
}

TEST(Feed, AWrongTotalIsTold) {
  const auto why = [](const std::string& line) { return read("[totals]\n" + line + "\n", ""); };
  EXPECT_THAT(why("sum = 3"), ::testing::HasSubstr("want the name of a title in quotes, or"));
  EXPECT_THAT(why("rows = { record = \"TRL\" }"), ::testing::HasSubstr("want `record`, the first"));
  EXPECT_THAT(why("rows = { record = \"TRL\", line = 1 }"), ::testing::HasSubstr("no key of rows"));
}

TEST(Feed, ReadingsByTheirSignAreOfTwoChannels) {
  const auto text = read(
      R"(
unit = "kWh"
zone = "UTC"
meter.column = "Id"
[channel]
negative = { flow = "generation" }
[long]
start = { column = "Time", pattern = "iso" }
step = 60
value = "kWh"
)",
      "Id,Time,kWh\nM1,2024-04-03T00:00,1\nM1,2024-04-03T01:00,-2\n");
  EXPECT_THAT(text, ::testing::HasSubstr(": 1 0 -*22"));
  EXPECT_THAT(text, ::testing::HasSubstr(": 0 2 -*22"));
}

/// A day of hours by the clock, of which `autumn` says what becomes of the one that comes twice.
std::string folded(const std::string& autumn, std::string_view day, std::string_view second = "") {
  std::string toml =
      "unit = \"kWh\"\nzone = \"Europe/London\"\nmeter.column = \"Id\"\n[wide]\n"
      "date = { column = \"Day\", pattern = \"dd/MM/yyyy\" }\nstep = 60\n"
      "columns = \"{start}\"\n" +
      autumn;
  std::string header = "Id,Day";
  std::string row = "M1," + std::string(day);
  for (int hour = 0; hour < 24; ++hour) {
    header += "," + std::to_string(hour) + ":00";
    row += hour == 1 ? ",5" : ",1";
  }
  if (!second.empty()) {
    header += ",Again";
    row += "," + std::string(second);
  }
  return read(toml, header + "\n" + row + "\n");
}

TEST(Feed, TheAutumnHourIsWhereTheFeedSays) {
  const std::string_view day = "27/10/2024";
  EXPECT_THAT(folded("autumn = \"sum\"", day),
              ::testing::HasSubstr(": 1 2.5estimated 2.5estimated 1 1"));
  EXPECT_THAT(folded("autumn = \"first only\"", day), ::testing::HasSubstr(": 1 5 - 1 1"));
  EXPECT_THAT(folded("autumn = \"second only\"", day), ::testing::HasSubstr(": 1 - 5 1 1"));
  EXPECT_THAT(folded("again = [\"Again\"]\nautumn = \"extra columns\"", day, "7"),
              ::testing::HasSubstr(": 1 5 7 1 1"));
  EXPECT_THAT(folded("", day), ::testing::HasSubstr("time_comes_twice [5]"));
}

TEST(Feed, TheSpringHourHasNoReading) {
  EXPECT_THAT(folded("", "31/03/2024"), ::testing::HasSubstr("other_zone [5]"));
}

TEST(Feed, TwoRowsOfAnExtraHourOnADayThatHasNoneAreRejected) {
  EXPECT_THAT(folded("again = [\"Again\"]\nautumn = \"extra columns\"", "03/04/2024", "7"),
              ::testing::HasSubstr("readings_without_column [7]"));
}

TEST(Feed, MeanPowerBecomesEnergyExactly) {
  const auto text = read(
      R"(
unit = "kW"
average_power = true
zone = "UTC"
meter.column = "Id"
[long]
start = { column = "Time", pattern = "iso" }
step = 15
value = "P"
)",
      "Id,Time,P\nM1,2024-04-03T00:00,0.5\nM1,2024-04-03T00:15,0.001\n");
  EXPECT_THAT(text, ::testing::HasSubstr("kWh"));
  EXPECT_THAT(text, ::testing::HasSubstr(": 0.125 0.00025 -*94"));
}

/// Counts what a reader says, and checks that it can be kept.
class CountingSink final : public DaySink {
 public:
  void on_day(const ReadingDay& day, int rejected, const Row& row) override {
    ASSERT_EQ(static_cast<int>(day.mantissas.size()), row.slots);
    ASSERT_EQ(day.mantissas.size(), day.qualities.size());
    ASSERT_FALSE(fault_of(day.notes, day.mantissas.size()));
    std::int64_t found = 0;
    for (const auto quality : day.qualities) found += quality == Quality::missing ? 0 : 1;
    ASSERT_LE(rejected, row.slots - found);
    readings += found;
  }
  void on_read(const RegisterRead&, const Row&) override {}
  void on_rejected_row(const Row&) override { ++rejected_rows; }
  void on_finding(Finding) override { ++findings; }

  std::int64_t readings = 0;
  std::int64_t rejected_rows = 0;
  std::int64_t findings = 0;
};

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A file of a shipped feed, as text.
std::string sample_of(const FeedLayout& feed) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator("tests/data/feeds/" + feed.name))
    if (entry.path().extension() == ".csv")
      Utf8Maker(feed.encoding.value_or(Encoding::utf8)).add(text_of_file(entry.path()), text);
  return text;
}

RC_GTEST_PROP(Feed, AMutantOfAFileBreaksNothingAndNoRowIsRejectedWithoutAFinding, ()) {
  static const auto* const samples = [] {
    auto* const all = new std::vector<std::pair<const FeedLayout*, std::string>>;
    for (const auto& feed : shipped_feeds()) all->emplace_back(&feed, sample_of(feed));
    return all;
  }();
  const auto& [feed, sample] = (*samples)[*rc::gen::inRange<std::size_t>(0, samples->size())];
  std::string mutant = sample.substr(0, *rc::gen::inRange<std::size_t>(1, sample.size()));
  for (int change = *rc::gen::inRange(1, 8); change > 0; --change) {
    constexpr std::string_view bytes = "0123456789.,;:\"\n\r -+eE=/\t\xC3";
    mutant[*rc::gen::inRange<std::size_t>(0, mutant.size())] =
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())];
  }
  mutant.erase(0, mutant.find_first_not_of("\r\n"));
  if (mutant.empty()) return;
  const auto opened = open_feed(*feed, {.text = mutant, .is_last = true},
                                {.source = "ExportData_M_x.csv", .hints = {}});
  if (!opened) return;
  CountingSink sink;
  opened->parser->parse({.text = std::string_view(mutant).substr(opened->bytes), .is_last = true},
                        sink);
  RC_ASSERT(sink.findings >= sink.rejected_rows);
}

/// A long feed of one of several layouts, and how it writes a reading.
struct Style {
  char delimiter;
  bool is_end;
  bool has_comma;
  int step;
};

RC_GTEST_PROP(Feed, ReadingsWrittenInARandomLayoutAreReadAsTheyWere, ()) {
  const Style style{.delimiter = *rc::gen::elementOf(std::string(",;\t|")),
                    .is_end = *rc::gen::arbitrary<bool>(),
                    .has_comma = *rc::gen::arbitrary<bool>(),
                    .step = *rc::gen::elementOf(std::vector<int>{5, 10, 15, 30, 60})};
  const auto zone = *TimeZone::parse(
      *rc::gen::elementOf(std::vector<std::string>{"UTC", "Europe/London", "America/New_York"}));
  const auto date = *Date::from_days(*rc::gen::inRange(19'000, 20'000));
  if (style.has_comma && style.delimiter == ',') return;
  std::string toml = "unit = \"kWh\"\nmeter.column = \"Id\"\n[file]\ndelimiter = \"";
  toml += style.delimiter == '\t' ? std::string("tab") : std::string(1, style.delimiter);
  toml += "\"\n[numbers]\ndecimal = \"";
  toml += style.has_comma ? "," : ".";
  toml +=
      "\"\n[quality]\ncolumn = \"Q\"\nflags = { A = \"actual\", E = \"estimated\", N = "
      "\"missing\" }\n[stated]\ncolumn = \"S\"\npattern = \"iso\"\n[long]\nstep = " +
      std::to_string(style.step) + "\nvalue = \"V\"\n" + (style.is_end ? "end" : "start") +
      " = { column = \"T\", pattern = \"iso\" }\n";
  ReadingDay day{.meter = *MeterId::parse("M1"),
                 .channel = {.unit = Unit::kWh},
                 .date = date,
                 .interval = *IntervalLength::from_minutes(style.step),
                 .exponent = -3,
                 .stated = Instant::parse("2025-01-01T00:00:00Z"),
                 .zone = zone};
  std::string file = "Id_T_V_Q_S\n";
  const int slots = zone.minutes_of(date) / style.step;
  for (int slot = 0; slot < slots; ++slot) {
    const auto mantissa = *rc::gen::inRange<std::int64_t>(0, 100'000);
    const int kind = *rc::gen::inRange(0, 4);
    const bool is_missing = kind == 3;
    day.mantissas.push_back(is_missing ? 0 : mantissa);
    day.qualities.push_back(is_missing  ? Quality::missing
                            : kind == 2 ? Quality::estimated
                                        : Quality::actual);
    if (kind >= 2)
      append(day.notes, static_cast<std::size_t>(slot), static_cast<std::size_t>(slot) + 1,
             {.flag = is_missing ? "N" : "E"});
    const int minute = (slot + (style.is_end ? 1 : 0)) * style.step;
    auto value =
        std::to_string(mantissa / 1000) + "." + std::to_string(1000 + mantissa % 1000).substr(1);
    if (style.has_comma) value[value.find('.')] = ',';
    const auto label =
        minute < zone.minutes_of(date) ? zone.label(date, minute) : zone.label(date.next(), 0);
    file += "M1_" + label + "_" + (is_missing ? std::string() : value) + "_" +
            (is_missing  ? "N"
             : kind == 2 ? "E"
                         : "A") +
            "_2025-01-01T00:00:00Z\n";
  }
  std::replace(file.begin(), file.end(), '_', style.delimiter);
  const auto feed = parse_feed(toml, "test");
  RC_ASSERT(feed.has_value());
  class KeepingSink final : public DaySink {
   public:
    void on_day(const ReadingDay& read, int, const Row&) override { days.push_back(read); }
    void on_read(const RegisterRead&, const Row&) override {}
    void on_rejected_row(const Row&) override { days.clear(); }
    void on_finding(Finding) override {}
    std::vector<ReadingDay> days;
  };
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, {.zone = zone});
  RC_ASSERT(opened.has_value());
  KeepingSink sink;
  opened->parser->parse({.text = std::string_view(file).substr(opened->bytes), .is_last = true},
                        sink);
  RC_ASSERT(sink.days.size() == 1U);
  RC_ASSERT(sink.days.front() == day);
}

}  // namespace
}  // namespace meterline::formats
