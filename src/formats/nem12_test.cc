#include "formats/nem12.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.h"
#include "testing/mdff_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

std::string said(std::string_view file) { return testing::nem12_says(file, {1'000'000}).text; }

/// 48 values of a day.
std::string values(std::string_view value = "1.5") {
  std::string text;
  for (int slot = 0; slot < 48; ++slot) text += ',' + std::string(value);
  return text;
}

/// A file of one block: its 200 record's length and unit, and what follows.
std::string file(std::string_view rows, std::string_view head = "200,NMI1,E1,1,E1,N1,M,KWH,30,") {
  return "100,NEM12,202501271200,MDP1,RET1\n" + std::string(head) + '\n' + std::string(rows) +
         "900\n";
}

std::string day(std::string_view date, std::string_view tail, std::string_view value = "1.5") {
  return "300," + std::string(date) + values(value) + ',' + std::string(tail) + '\n';
}

std::string readings(std::string_view value = "1.5", int count = 48) {
  std::string text;
  for (int slot = 0; slot < count; ++slot) text += ' ' + std::string(value);
  return text;
}

TEST(Nem12, ReadsADay) {
  EXPECT_EQ(said(file(day("20250126", "A,,,20250127101112,20250127101500"))),
            "line 3: NMI1 2025-01-26 30min kWh:" + readings() +
                "\n  E1 consumption stated 2025-01-27T00:11:12Z\n");
}

TEST(Nem12, TellsOfTheDeviceAndItsRegister) {
  const auto facts = [](std::string_view register_id, std::string_view serial) {
    const auto head = fmt::format("200,NMI1,E1,{},E1,N1,{},KWH,30,", register_id, serial);
    const auto read = testing::nem12_says(file(day("20250126", "A,,,,"), head), {1'000'000});
    EXPECT_EQ(read.days.size(), 1U);
    return std::pair(read.days.at(0).facts, read.text);
  };
  EXPECT_EQ(facts("1", " M-7 ").first, (ChannelFacts{.serial = "M-7", .register_id = "1"}));
  EXPECT_EQ(facts("", "").first, std::nullopt);
  const auto [none, told] = facts("1", std::string(100, 'x'));
  EXPECT_EQ(none, std::nullopt);
  EXPECT_THAT(told, HasSubstr("line 2: not_standard [xxx"));
}

TEST(Nem12, TheSuffixGivesTheFlow) {
  for (const auto& [suffix, flow] :
       {std::pair("E1", "consumption"), std::pair("B2", "generation"), std::pair("Q1", "reactive"),
        std::pair("K1", "reactive"), std::pair("N1", "other")})
    EXPECT_THAT(said(file(day("20250126", "A"), fmt::format("200,NMI1,X,1,{},,,kvarh,30", suffix))),
                EndsWith(fmt::format("\n  {} {}\n", suffix, flow)));
}

TEST(Nem12, TakesUnitsInAnyCase) {
  for (const auto& [unit, name] : {std::pair("KWH", "kWh"), std::pair("wh", "Wh"),
                                   std::pair("MWH", "MWh"), std::pair("kVArh", "kvarh")})
    EXPECT_THAT(said(file(day("20250126", "A"), fmt::format("200,NMI1,X,1,E1,,,{},30", unit))),
                HasSubstr(fmt::format("30min {}:", name)));
}

TEST(Nem12, TakesEveryLengthOfIntervals) {
  for (const int minutes : {1, 5, 10, 15, 30}) {
    std::string row = "300,20250126";
    for (int slot = 0; slot < 1440 / minutes; ++slot) row += ",2";
    EXPECT_THAT(said(file(row + ",A,,,,\n", fmt::format("200,NMI1,X,1,E1,,,kWh,{},", minutes))),
                HasSubstr(fmt::format("{}min kWh:{}\n", minutes, readings("2", 1440 / minutes))));
  }
  for (const auto* length : {"60", "0", "", "7", "x", "030x"})
    EXPECT_THAT(said(file(day("20250126", "A"), fmt::format("200,NMI1,X,1,E1,,,kWh,{},", length))),
                HasSubstr("line 2: bad_block"));
}

TEST(Nem12, FlagsAreClassesAndTheirWordsNotes) {
  EXPECT_THAT(said(file(day("20250126", "S14,32,Meter changed"))),
              HasSubstr("1.5substituted\n  E1 consumption [0-48 S 14 32 Meter changed]\n"));
  EXPECT_THAT(said(file(day("20250126", "f52"))),
              HasSubstr("1.5substituted\n  E1 consumption [0-48 F 52]"));
  EXPECT_THAT(said(file(day("20250126", "E52"))), HasSubstr("1.5estimated\n"));
  EXPECT_THAT(said(file(day("20250126", "A,79,Power outage"))),
              HasSubstr(" 1.5\n  E1 consumption [0-48 A 79 Power outage]\n"));
}

TEST(Nem12, NullDataIsMissingWhateverItSays) {
  EXPECT_EQ(said(file(day("20250126", "N", "0"))),
            "line 3: NMI1 2025-01-26 30min kWh: -*48\n  E1 consumption [0-48 N]\n");
  EXPECT_THAT(said(file(day("20250126", "N", "3"))), HasSubstr("line 3: not_standard [N]"));
  EXPECT_THAT(said(file(day("20250126", "N", ""))), Not(HasSubstr("not_standard")));
}

TEST(Nem12, EventsGiveTheQualityOfPartsOfADay) {
  EXPECT_EQ(said(file(day("20250126", "V") + "400,1,20,F14,76,\n400,21,24,A,,\n400,25,48,N\n" +
                      day("20250127", "A"))),
            "line 6: not_standard [N]\n"
            "line 3: NMI1 2025-01-26 30min kWh:" +
                readings("1.5substituted", 20) + readings("1.5", 4) +
                " -*24\n  E1 consumption [0-20 F 14 76] [24-48 N]\n"
                "line 7: NMI1 2025-01-27 30min kWh:" +
                readings() + "\n  E1 consumption\n")
      << "a value that is flagged N";
}

TEST(Nem12, EventsCoverTheDayWithoutGapOrOverlap) {
  for (const std::string_view events :
       {"", "400,1,47,A\n", "400,2,48,A\n", "400,1,20,A\n400,22,48,A\n",
        "400,1,20,A\n400,20,48,A\n", "400,1,49,A\n", "400,0,48,A\n", "400,1,48,V\n", "400,1,48\n",
        "400,1,48,X\n"})
    EXPECT_THAT(said(file(day("20250126", "V") + std::string(events) + day("20250127", "A"))),
                ::testing::AllOf(HasSubstr("bad_record"), HasSubstr("line 3: rejected"),
                                 HasSubstr("2025-01-27")))
        << events;
}

TEST(Nem12, EventsOfADayThatAsksForNoneCountForWhatTheyName) {
  EXPECT_THAT(said(file(day("20250126", "A") + "400,3,4,E51,1,late\n")),
              ::testing::AllOf(HasSubstr("line 4: not_standard"),
                               HasSubstr(": 1.5 1.5 1.5estimated 1.5estimated 1.5 "),
                               HasSubstr("[2-4 E 51 1 late]")));
}

TEST(Nem12, ARowWithTheWrongNumberOfValuesIsRejectedAlone) {
  const auto text = said(file(day("20250125", "A") + "300,20250126" + values() + ",7,A,,,\n" +
                              "300,20250127,1,2,A,,,\n300,20250128,V,,,20250129000000,\n" +
                              "300,20250129" + values() + "\n" + "300,20250130" + values() +
                              ",Z\n" + day("20250231", "A") + day("20250201", "A")));
  for (const std::string_view part :
       {"line 4: too_many_columns", "line 5: too_few_columns", "line 6: too_few_columns",
        "line 7: too_few_columns", "line 8, column 51: bad_record [Z]",
        "line 9, column 2: bad_date", "line 3: NMI1", "line 10: NMI1"})
    EXPECT_THAT(text, HasSubstr(std::string(part)));
}

TEST(Nem12, AValueThatIsNoneCostsItself) {
  const auto row =
      "300,20250126,NaN,-1,1e5,,12345678901234567890," + values().substr(4 * 5 + 1) + ",A\n";
  EXPECT_THAT(said(file(row)), ::testing::AllOf(HasSubstr("line 3, column 3: bad_value [NaN]"),
                                                HasSubstr("line 3, column 4: bad_value [-1]"),
                                                HasSubstr("line 3, column 5: bad_value [1e5]"),
                                                HasSubstr("line 3, column 7: value_too_large"),
                                                HasSubstr("line 3: not_standard"),
                                                HasSubstr(": -*5 1.5"), HasSubstr("(4 rejected)")));
}

TEST(Nem12, AFaultInItsStructureCostsTheBlock) {
  const std::string good = "200,NMI2,E1,1,E1,N1,M,KWH,30,\n" + day("20250126", "A");
  for (const std::string_view head :
       {"200,NMI1,E1,1,E1,N1,M,V,30,", "200,NMI1,E1,1,E1,N1,M,,30,", "200,NMI1,E1,1,,N1,M,KWH,30,",
        "200,,E1,1,E1,N1,M,KWH,30,", "200,NMI1", "200,7.22E13,E1,1,E1,N1,M,KWH,30"}) {
    const auto text = said(file(day("20250126", "A") + day("20250127", "A") + good, head));
    EXPECT_THAT(text,
                ::testing::AllOf(HasSubstr("line 2: bad_block"), HasSubstr("line 3: rejected"),
                                 HasSubstr("line 4: rejected"), HasSubstr("line 6: NMI2")))
        << head;
  }
  for (const std::string line : {"250,NMI1,x", "30O,20250126", "hello", "400,1,48,A"}) {
    const auto text = said(file(line + '\n' + day("20250126", "A") + good));
    EXPECT_THAT(text, ::testing::AllOf(HasSubstr("line 3: bad_block"),
                                       HasSubstr("line 4: rejected"), HasSubstr("line 6: NMI2")))
        << line;
  }
}

TEST(Nem12, ARowThatIsNobodysIsRejected) {
  const auto text = said("100,NEM12,1,A,B\n" + day("20250126", "A") + "hello\n900\n");
  EXPECT_THAT(text, ::testing::AllOf(HasSubstr("line 2: bad_record"), HasSubstr("line 2: rejected"),
                                     HasSubstr("line 3: rejected")));
}

TEST(Nem12, IsLenientAndSaysSo) {
  const std::string block = "200,NMI1,E1,1,E1,N1,M,KWH,30,\n" + day("20250126", "A");
  EXPECT_THAT(said(block + "900\n"), HasSubstr("line 1: not_standard [200,"));
  EXPECT_THAT(said("100,NEM12,1,A,B\n" + block), HasSubstr("line 3: end_missing"));
  for (const std::string_view tail : {"900\n900\n", "900\n\n100,NEM12,1,A,B\n900\n"})
    EXPECT_THAT(said("100,NEM12,1,A,B\n" + block + std::string(tail)),
                HasSubstr("line 4: not_standard [900]"));
  EXPECT_THAT(said("100,NEM12,1,A,B\n" + block + "900\n" + block + "900\n"),
              ::testing::AllOf(HasSubstr("line 4: not_standard [900]"), HasSubstr("line 6: NMI1")));
  EXPECT_THAT(said(file("300,20250126" + values() + ",A,,,20250127000000,,,\n")),
              HasSubstr("line 3: not_standard [,]"));
  EXPECT_THAT(said(file(day("20250126", "A,,,2025"))), HasSubstr("line 3: not_standard [2025]"));
  EXPECT_EQ(said(file(day("20250126", "A") + "500,S,RETNSRVCEORD1,20250127120000,\n")),
            said(file(day("20250126", "A"))));
}

TEST(Nem12, ALastRowThatIsCutIsTruncated) {
  EXPECT_THAT(said("100,NEM12,1,A,B\n200,NMI1,E1,1,E1,N1,M,KWH,30,\n300,20250126,1,2,3"),
              ::testing::AllOf(HasSubstr("line 3: truncated"), HasSubstr("end_missing")));
}

TEST(Nem12, TakesLineEndsOfAllKinds) {
  const auto text = file(day("20250126", "V") + "400,1,48,E52,,\n" + day("20250127", "A"));
  for (const std::string_view end : {"\r\n", "\r", "\n\n"}) {
    std::string other;
    for (const char c : text) other += c == '\n' ? std::string(end) : std::string(1, c);
    EXPECT_EQ(testing::nem12_says(other, {7}).days, testing::nem12_says(text, {1'000'000}).days);
  }
}

// --- Any days, written and read back ---

ReadingDay any_day() {
  ReadingDay day;
  day.meter = *MeterId::parse(*rc::gen::element<std::string>("NMI0000001", "6102000000"));
  day.interval = *IntervalLength::from_minutes(*rc::gen::element(1, 5, 10, 15, 30));
  day.channel =
      *rc::gen::element(Channel{.name = "E1", .flow = Flow::consumption, .unit = Unit::kWh},
                        Channel{.name = "B1", .flow = Flow::generation, .unit = Unit::Wh},
                        Channel{.name = "Q1", .flow = Flow::reactive, .unit = Unit::kvarh});
  if (*rc::gen::arbitrary<bool>())
    day.facts = {.serial = *rc::gen::element<std::string>("", "METER1"), .register_id = "E1"};
  day.date = *Date::from_days(*rc::gen::inRange(10'000, 25'000));
  const auto slots = static_cast<std::size_t>(day.interval.slots_per_day());
  const int decimals = *rc::gen::inRange(0, 10);
  day.exponent = static_cast<std::int8_t>(-decimals);
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1 << 20);
  for (std::size_t slot = 0; slot < slots; ++slot)
    day.mantissas.push_back(
        static_cast<std::int64_t>((seed * (slot + 1) * 2654435761U) % 1'000'000));
  day.qualities.assign(slots, Quality::actual);
  if (*rc::gen::arbitrary<bool>())
    day.stated = Instant{.micros = *rc::gen::inRange<std::int64_t>(0, 1'700'000'000) * 1'000'000};
  for (std::size_t at = 0; at < slots && *rc::gen::inRange(0, 3) != 0;) {
    const auto end = *rc::gen::inRange(at + 1, slots + 1);
    const auto flag = *rc::gen::element<std::string>("A", "E", "F", "S", "N");
    const Note note{
        .flag = flag,
        .method = flag == "A" || flag == "N" ? "" : *rc::gen::element<std::string>("", "14"),
        .reason_code = *rc::gen::element<std::string>("", "32"),
        .reason_text = *rc::gen::element<std::string>("", "Mètre changé")};
    const bool is_plain = note == Note{.flag = "A"};
    if (!is_plain) append(day.notes, at, end, note);
    for (; at < end; ++at) {
      if (flag == "N") day.mantissas[at] = 0;
      day.qualities[at] = flag == "E"   ? Quality::estimated
                          : flag == "N" ? Quality::missing
                          : flag == "A" ? Quality::actual
                                        : Quality::substituted;
    }
  }
  return day;
}

std::string record_of(const ReadingDay& day) {
  auto date = day.date.text();
  std::erase(date, '-');
  std::string text = fmt::format("200,{},X,{},{},N1,{},{},{},\n300,{}", day.meter.text(),
                                 day.facts ? day.facts->register_id : "", day.channel.name,
                                 day.facts ? day.facts->serial : "", text_of(day.channel.unit),
                                 day.interval.minutes(), date);
  const auto slots = day.mantissas.size();
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const auto digits = fmt::format("{:010}", day.mantissas[slot]);
    const auto decimals = static_cast<std::size_t>(-day.exponent);
    text += ',' + (decimals == 0 ? std::to_string(day.mantissas[slot])
                                 : digits.substr(0, digits.size() - decimals) + '.' +
                                       digits.substr(digits.size() - decimals));
  }
  std::string stated;
  if (day.stated) {
    const auto local =
        Instant{.micros = day.stated->micros + std::int64_t{36'000} * 1'000'000}.text();
    for (const char c : local.substr(0, 19))
      if ('0' <= c && c <= '9') stated += c;
  }
  text += fmt::format(",{},,,{},\n", day.notes.empty() ? 'A' : 'V', stated);
  const auto event = [&](std::size_t first, std::size_t end, const Note& note) {
    if (first < end)
      text += fmt::format("400,{},{},{}{},{},{}\n", first + 1, end, note.flag, note.method,
                          note.reason_code, note.reason_text);
  };
  std::size_t at = 0;
  for (const auto& run : day.notes) {
    event(at, run.first, {.flag = "A"});
    event(run.first, run.end, run.note);
    at = run.end;
  }
  if (!day.notes.empty()) event(at, slots, {.flag = "A"});
  return text;
}

bool are_alike(const ReadingDay& a, const ReadingDay& b) {
  bool alike = a.meter == b.meter && a.channel == b.channel && a.date == b.date &&
               a.interval == b.interval && a.stated == b.stated && a.notes == b.notes &&
               a.facts == b.facts && a.qualities == b.qualities;
  for (std::size_t slot = 0; alike && slot < a.mantissas.size(); ++slot)
    alike = Decimal{a.mantissas[slot], a.exponent} == Decimal{b.mantissas[slot], b.exponent};
  return alike;
}

RC_GTEST_PROP(Nem12, GivesBackTheDaysThatAreWritten, ()) {
  const auto days = *rc::gen::resize(4, rc::gen::container<std::vector<ReadingDay>>(rc::gen::resize(
                                            rc::kNominalSize, rc::gen::exec(any_day))));
  std::string text = "100,NEM12,202501271200,MDP1,RET1\n";
  for (const auto& day : days) text += record_of(day);
  text += "900\n";
  const auto read = testing::nem12_says(text, {*rc::gen::inRange<std::size_t>(1, 5000)});
  RC_ASSERT(read.days.size() == days.size());
  for (std::size_t i = 0; i < days.size(); ++i) RC_ASSERT(are_alike(read.days[i], days[i]));
  RC_ASSERT(read.text.find("not_standard") == std::string::npos);
}

/// Rows as they are counted by hand.
std::int64_t rows_of(std::string_view text) {
  std::int64_t rows = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const auto line = text.substr(0, end);
    const auto kind = line.substr(0, std::min<std::size_t>(line.find(','), line.size()));
    const bool is_other = kind == "100" || kind == "200" || kind == "500" || kind == "900";
    const bool is_blank = line.find_first_not_of(" \t,") == std::string_view::npos;
    if (!is_blank && !is_other && kind != "400") ++rows;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows;
}

RC_GTEST_PROP(Nem12, MutantsLoseNoRowAndSayTheSameHoweverTheyAreCut, ()) {
  std::string text = "100,NEM12,202501271200,MDP1,RET1\n";
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    auto day = any_day();
    while (day.interval.minutes() < 15) day = any_day();
    text += record_of(day);
  }
  text += "900\n";
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto count = std::min(*rc::gen::inRange<std::size_t>(0, 12), text.size() - at);
    text.replace(at, count,
                 *rc::gen::element<std::string>("", ",", "\n", "\r", "0", "-", "400,", "\n200,",
                                                "\n300,", "\n900\n", "N", "V", "\"", "\x80"));
  }
  const auto whole = testing::nem12_says(text, {text.size() + 1});
  const auto pieces = testing::nem12_says(text, {*rc::gen::inRange<std::size_t>(1, 200), 7});
  RC_ASSERT(whole.text == pieces.text);
  RC_ASSERT(whole.fault.empty());
  // A 400 record outside of a block is a row, too; one inside is none.
  RC_ASSERT(whole.rows >= rows_of(text));
}

// --- The examples of the documentation, and files of others ---

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Nem12Examples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/nem12.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/nem12")) {
    if (entry.path().extension() != ".csv") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_EQ(testing::nem12_says(file, {3}).text, want) << entry.path();
    ++examples;
    if (!entry.path().filename().string().starts_with("doc_")) continue;
    EXPECT_THAT(document, HasSubstr("```text\n" + file + "```\n")) << entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << entry.path();
  }
  EXPECT_GE(examples, 9);
}

}  // namespace
}  // namespace meterline::formats
