#include "formats/nem13.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "testing/mdff_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr std::string_view header = "100,NEM13,201910021200,MDP1,RET1\n";

std::string said(std::string_view file) { return testing::nem13_says(file, {1'000'000}).text; }

/// The fields of a good 250 record.
std::vector<std::string> fields() {
  return {"250",
          "NMI1",
          "11",
          "R1",
          "11",
          "11",
          "M1",
          "E",
          "100",
          "20190701000000",
          "A",
          "",
          "",
          "150.5",
          "20191001000000",
          "A",
          "",
          "",
          "50.5",
          "kWh",
          "20200101",
          "20191002110000",
          "20191002120000"};
}

/// A file of one record, with these fields instead of its own.
std::string file(const std::map<std::size_t, std::string>& changes = {}) {
  auto changed = fields();
  for (const auto& [at, text] : changes) changed.at(at) = text;
  return std::string(header) + fmt::format("{}\n900\n", fmt::join(changed, ","));
}

constexpr std::string_view plain =
    "line 2: NMI1 11/consumption/kWh|R1|M1 2019-10-01T00:00:00+10:00 150.5 actual "
    "after 2019-07-01T00:00:00+10:00 100 actual counted 50.5 next 2020-01-01 "
    "stated 2019-10-02T01:00:00Z\n";

TEST(Nem13, ReadsARead) { EXPECT_EQ(said(file()), plain); }

TEST(Nem13, TheDirectionGivesTheFlow) {
  EXPECT_THAT(said(file({{7, "I"}})), HasSubstr("11/generation/kWh"));
  EXPECT_THAT(said(file({{7, "e"}})), HasSubstr("11/consumption/kWh"));
  EXPECT_THAT(said(file({{7, "I"}, {19, "KVARH"}})), HasSubstr("11/reactive/kvarh"));
  EXPECT_THAT(said(file({{7, ""}})),
              AllOf(HasSubstr("line 2, column 8: not_standard []"), HasSubstr("11/other/kWh")));
}

TEST(Nem13, FlagsAreClassesAndTheirWordsNotes) {
  EXPECT_THAT(said(file({{15, "E51"}, {16, "53"}, {17, "No access"}})),
              HasSubstr("150.5 estimated E 51 53 No access after"));
  EXPECT_THAT(said(file({{10, "f14"}})), HasSubstr("100 substituted F 14 counted"));
  EXPECT_THAT(said(file({{15, "S14"}})), HasSubstr("150.5 substituted S 14 after"));
  EXPECT_THAT(
      said(file({{17, std::string(note_text_bytes_max + 1, 'x')}})),
      AllOf(HasSubstr("line 2, column 18: notes_dropped"), HasSubstr("150.5 actual after")));
  for (const auto* quality : {"", "V", "X", "A1", "A123"})
    EXPECT_THAT(said(file({{15, quality}})),
                AllOf(HasSubstr("line 2, column 16: bad_record"), HasSubstr("line 2: rejected")));
}

TEST(Nem13, NullDataIsMissingWhateverItSays) {
  EXPECT_THAT(said(file({{15, "N"}, {13, "0"}})),
              AllOf(HasSubstr("2019-10-01T00:00:00+10:00 - missing N after"),
                    Not(HasSubstr("not_standard"))));
  EXPECT_THAT(said(file({{15, "N"}})), HasSubstr("line 2, column 14: not_standard [150.5]"));
}

TEST(Nem13, WhatIsNotToldIsMissing) {
  EXPECT_THAT(said(file({{13, ""}})), HasSubstr("2019-10-01T00:00:00+10:00 - actual after"));
  EXPECT_THAT(said(file({{18, ""}})), Not(HasSubstr("counted")));
  EXPECT_THAT(said(file({{20, ""}, {21, ""}})),
              AllOf(Not(HasSubstr("next")), Not(HasSubstr("stated"))));
  EXPECT_THAT(said(file({{8, ""}, {9, ""}, {10, ""}, {18, ""}})),
              HasSubstr("150.5 actual next 2020-01-01"));
  EXPECT_THAT(said(file({{13, ""}, {18, ""}})), HasSubstr("line 2: bad_record"));
}

TEST(Nem13, WhatIsWrongCostsItsRecordAndNoOther) {
  struct Case {
    std::size_t field;
    std::string text;
    std::string finding;
  };
  const std::vector<Case> cases = {
      {1, "", "line 2, column 2: bad_meter_id []"},
      {1, "7.22E13", "line 2, column 2: bad_meter_id [7.22E13]"},
      {4, "", "line 2, column 5: bad_record []"},
      {4, "a b", "line 2, column 5: bad_record [a b]"},
      {19, "", "line 2, column 20: bad_record []"},
      {19, "V", "line 2, column 20: bad_record [V]"},
      {14, "", "line 2, column 15: bad_date []"},
      {14, "20191301000000", "line 2, column 15: bad_date"},
      {14, "20191001240000", "line 2, column 15: bad_date"},
      {14, "20191001", "line 2, column 15: bad_date"},
      {9, "20190231000000", "line 2, column 10: bad_date"},
      {10, "", "line 2, column 11: bad_record []"},
      {13, "1e5", "line 2, column 14: bad_record [1e5]"},
      {13, "-1", "line 2, column 14: bad_record [-1]"},
      {13, "1234567890123456789", "line 2, column 14: bad_record"},
      {8, "x", "line 2, column 9: bad_record [x]"},
      {18, "-5", "line 2, column 19: bad_record [-5]"},
      {9, "20191001000001", "line 2: bad_record"},
      {3, std::string(65, 'r'), "line 2: bad_record"},
  };
  for (const auto& [field, text, finding] : cases) {
    auto with_another = file({{field, text}});
    with_another.insert(with_another.size() - 4, file({{1, "NMI2"}}).substr(header.size()));
    EXPECT_THAT(said(with_another), AllOf(HasSubstr(finding), HasSubstr("line 2: rejected"),
                                          HasSubstr("line 3: NMI2 11/consumption")))
        << field << ' ' << text;
  }
}

TEST(Nem13, ARecordHasAsManyFieldsAsItNeeds) {
  const auto lines_of = [](std::size_t count, std::string_view tail) {
    auto some = fields();
    some.resize(count);
    return std::string(header) + fmt::format("{}{}", fmt::join(some, ","), tail);
  };
  EXPECT_THAT(said(lines_of(20, "\n900\n")), HasSubstr("counted 50.5\n"));
  EXPECT_THAT(said(lines_of(19, "\n900\n")), HasSubstr("line 2: too_few_columns"));
  EXPECT_THAT(said(lines_of(23, ",,\n900\n")),
              AllOf(HasSubstr("line 2: not_standard [,]"), HasSubstr("line 2: NMI1")));
  EXPECT_THAT(said(lines_of(23, ",x\n900\n")), HasSubstr("line 2: too_many_columns"));
  EXPECT_THAT(said(lines_of(20, "")),
              AllOf(HasSubstr("line 2: truncated"), HasSubstr("line 2: rejected"),
                    HasSubstr("end_missing")))
      << "of a unit that is cut off another one may be left";
  EXPECT_THAT(said(lines_of(23, "")), HasSubstr("line 2: NMI1"));
  EXPECT_THAT(said(lines_of(23, std::string(row_bytes_max, ' ') + "\n900\n")),
              HasSubstr("line 2: row_too_long"));
}

TEST(Nem13, IsLenientAndSaysSo) {
  const auto record = file().substr(header.size());
  EXPECT_THAT(said(record),
              AllOf(HasSubstr("line 1: not_standard [250,"), HasSubstr("line 1: NMI1")));
  EXPECT_THAT(said(file() + file()),
              AllOf(HasSubstr("line 3: not_standard [900]"), HasSubstr("line 5: NMI1")));
  EXPECT_THAT(said(file({{20, "20200101000000"}})),
              AllOf(HasSubstr("line 2, column 21: not_standard"), Not(HasSubstr("next"))));
  EXPECT_THAT(said(file({{21, "2019-10-02"}})),
              AllOf(HasSubstr("line 2, column 22: not_standard"), Not(HasSubstr("stated"))));
  EXPECT_EQ(said(file({{21, " 20191002110000"}, {13, "000150.50"}})), plain);
  EXPECT_THAT(said(file({{9, ""}})),
              AllOf(HasSubstr("line 2, column 9: not_standard [100]"),
                    HasSubstr("line 2, column 19: not_standard [50.5]"), Not(HasSubstr("after"))));
  EXPECT_THAT(
      said(file({{13, "0.12345678949"}})),
      AllOf(HasSubstr("line 2, column 14: noise_dropped"), HasSubstr(" 0.123456789 actual")));
  const auto text = file();
  EXPECT_THAT(said(text.substr(0, text.size() - 4)), HasSubstr("line 2: end_missing"));
}

TEST(Nem13, WhatIsNoRecordIsRejectedAlone) {
  const auto with = [](const std::string& line) {
    return std::string(header) + line + '\n' + file().substr(header.size());
  };
  for (const std::string line : {"200,NMI1,E1,1,E1,N1,M,KWH,30", "hello", "550,N,,A,", "25O,NMI1"})
    EXPECT_THAT(said(with(line)), AllOf(HasSubstr("line 2: bad_record"),
                                        HasSubstr("line 2: rejected"), HasSubstr("line 3: NMI1")))
        << line;
  const auto text = file();
  EXPECT_EQ(said(text.substr(0, text.size() - 4) + "550,N,,A,\n900\n"), plain);
}

TEST(Nem13, TakesLineEndsOfAllKinds) {
  const auto text = file() + file({{1, "NMI2"}});
  for (const std::string_view end : {"\r\n", "\r", "\n\n"}) {
    std::string other;
    for (const char c : text) other += c == '\n' ? std::string(end) : std::string(1, c);
    EXPECT_EQ(testing::nem13_says(other, {7}).reads, testing::nem13_says(text, {1'000'000}).reads);
  }
}

TEST(Nem13, IsKnownByItsFirstRecord) {
  EXPECT_TRUE(is_nem13("100,NEM13,201910021200,MDP1,RET1\n"));
  EXPECT_TRUE(is_nem13("\n 100, nem13 ,x"));
  EXPECT_TRUE(is_nem13(file().substr(header.size())));
  EXPECT_FALSE(is_nem13("100,NEM12,201910021200,MDP1,RET1\n"));
  EXPECT_FALSE(is_nem13("250,A,B\n"));
  EXPECT_FALSE(is_nem13(""));
}

// --- Any reads, written and read back ---

RegisterState any_state(std::int64_t from_minute) {
  RegisterState state;
  state.time = {
      .at = {.micros = *rc::gen::inRange<std::int64_t>(from_minute, 27'000'000) * 60'000'000},
      .offset_minutes = 600};
  state.value = Decimal{.mantissa = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000),
                        .exponent = *rc::gen::inRange<std::int8_t>(-9, 1)};
  const auto flag = *rc::gen::element<std::string>("A", "E", "F", "S", "N");
  Note note{.flag = flag,
            .method = flag == "A" || flag == "N" ? "" : *rc::gen::element<std::string>("", "14"),
            .reason_code = *rc::gen::element<std::string>("", "32"),
            .reason_text = *rc::gen::element<std::string>("", "Mètre changé")};
  state.quality = flag == "E"   ? Quality::estimated
                  : flag == "N" ? Quality::missing
                  : flag == "A" ? Quality::actual
                                : Quality::substituted;
  if (flag == "N") state.value.reset();
  if (note != Note{.flag = "A"}) state.note = note;
  return state;
}

RegisterRead any_read() {
  RegisterRead read;
  read.meter = *MeterId::parse(*rc::gen::element<std::string>("NMI0000001", "6102000000"));
  read.of = {.channel = *rc::gen::element(
                 Channel{.name = "11", .flow = Flow::consumption, .unit = Unit::kWh},
                 Channel{.name = "41", .flow = Flow::generation, .unit = Unit::Wh},
                 Channel{.name = "12", .flow = Flow::reactive, .unit = Unit::kvarh}),
             .id = *rc::gen::element<std::string>("", "1", "R\"2"),
             .serial = *rc::gen::element<std::string>("", "M1")};
  if (*rc::gen::arbitrary<bool>()) {
    read.previous = any_state(0);
    if (*rc::gen::arbitrary<bool>()) read.counted = Decimal{.mantissa = 345, .exponent = -1};
  }
  read.current = any_state(read.previous ? read.previous->time.at.micros / 60'000'000 : 0);
  if (!read.current.value && !read.counted)
    read.current = {.time = read.current.time, .value = Decimal{.mantissa = 7}};
  if (*rc::gen::arbitrary<bool>()) read.next_read = Date::from_days(*rc::gen::inRange(0, 25'000));
  if (*rc::gen::arbitrary<bool>())
    read.stated = Instant{.micros = *rc::gen::inRange<std::int64_t>(0, 1'700'000'000) * 1'000'000};
  return read;
}

std::string time_text(Instant at) {
  const auto local = Instant{.micros = at.micros + std::int64_t{36'000} * 1'000'000}.text();
  std::string digits;
  for (const char c : local.substr(0, 19))
    if ('0' <= c && c <= '9') digits += c;
  return digits;
}

std::string fields_of(const RegisterState& state) {
  const auto& note = state.note;
  return fmt::format("{},{},{}{},{},{}", state.value ? state.value->text() : "",
                     time_text(state.time.at), note.flag.empty() ? "A" : note.flag, note.method,
                     note.reason_code, note.reason_text);
}

std::string record_of(const RegisterRead& read) {
  auto next = read.next_read ? read.next_read->text() : std::string();
  std::erase(next, '-');
  const auto& channel = read.of.channel;
  return fmt::format("250,{},X,{},{},11,{},{},{},{},{},{},{},{},\n", read.meter.text(), read.of.id,
                     channel.name, read.of.serial, channel.flow == Flow::generation ? 'I' : 'E',
                     read.previous ? fields_of(*read.previous) : ",,,,", fields_of(read.current),
                     read.counted ? read.counted->text() : "", text_of(channel.unit), next,
                     read.stated ? time_text(*read.stated) : "");
}

std::vector<RegisterRead> any_reads(std::size_t count_max) {
  return *rc::gen::resize(static_cast<int>(count_max),
                          rc::gen::container<std::vector<RegisterRead>>(rc::gen::exec(any_read)));
}

RC_GTEST_PROP(Nem13, GivesBackTheReadsThatAreWritten, ()) {
  const auto reads = any_reads(6);
  std::string text(header);
  for (const auto& read : reads)
    text += record_of(read) + (reads.size() % 2 == 0 ? "550,N,,A,\n" : "");
  text += "900\n";
  const auto read = testing::nem13_says(text, {*rc::gen::inRange<std::size_t>(1, 1000)});
  RC_ASSERT(read.reads == reads);
  RC_ASSERT(read.text.find("not_standard") == std::string::npos);
}

/// Rows as they are counted by hand; 550 records that stand before the first 250 are rows, too.
std::int64_t rows_of(std::string_view text) {
  std::int64_t rows = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const auto line = text.substr(0, end);
    const auto kind = line.substr(0, std::min<std::size_t>(line.find(','), line.size()));
    const bool is_other = kind == "100" || kind == "550" || kind == "900";
    if (!is_other && line.find_first_not_of(" \t,") != std::string_view::npos) ++rows;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows;
}

RC_GTEST_PROP(Nem13, MutantsLoseNoRowAndSayTheSameHoweverTheyAreCut, ()) {
  std::string text(header);
  for (const auto& read : any_reads(4)) text += record_of(read);
  text += "550,N,,A,\n900\n";
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto count = std::min(*rc::gen::inRange<std::size_t>(0, 12), text.size() - at);
    text.replace(at, count,
                 *rc::gen::element<std::string>("", ",", "\n", "\r", "0", "-", "550,", "\n250,",
                                                "\n900\n", "N", "V", "\"", "\x80", "20190101"));
  }
  const auto whole = testing::nem13_says(text, {text.size() + 1});
  const auto pieces = testing::nem13_says(text, {*rc::gen::inRange<std::size_t>(1, 200), 7});
  RC_ASSERT(whole.text == pieces.text);
  RC_ASSERT(whole.fault.empty());
  RC_ASSERT(whole.rows >= rows_of(text));
}

// --- The examples of the documentation, and a file of others ---

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Nem13Examples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/nem13.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/nem13")) {
    if (entry.path().extension() != ".csv") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_EQ(testing::nem13_says(file, {3}).text, want) << entry.path();
    ++examples;
    if (!entry.path().filename().string().starts_with("doc_")) continue;
    EXPECT_THAT(document, HasSubstr("```text\n" + file + "```\n")) << entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << entry.path();
  }
  EXPECT_GE(examples, 4);
}

}  // namespace
}  // namespace meterline::formats
