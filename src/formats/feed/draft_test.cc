// What a draft decides, by what, and what it leaves open. Drafts of the shipped feeds' files are
// tested beside these (shipped_feeds_test.cc).

#include "formats/feed/draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "formats/feed/draft_sample.h"
#include "formats/feed/feed_layout.h"

namespace meterline::formats {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

FeedDraft drafted(std::string_view bytes) {
  auto draft = draft_feed(bytes, {.source = "folder/sample.csv"});
  EXPECT_TRUE(draft) << draft.error().message;
  return draft ? *std::move(draft) : FeedDraft();
}

std::vector<std::string> open_keys(const FeedDraft& draft) {
  std::vector<std::string> keys;
  for (const auto& question : draft.open) keys.push_back(question.key);
  return keys;
}

const DraftQuestion& question(const FeedDraft& draft, const std::string& key) {
  static const DraftQuestion none;
  for (const auto& one : draft.open)
    if (one.key == key) return one;
  ADD_FAILURE() << key << " is no question of\n" << draft.toml;
  return none;
}

/// Hours of two days, whose times `write` makes of the day and the hour.
template <class Write>
std::string hours(const std::string& header, Write write) {
  std::string text = header + '\n';
  for (int day = 0; day < 2; ++day)
    for (int hour = 0; hour < 24; ++hour) text += write(day, hour) + '\n';
  return text;
}

std::string clock(int hour) { return (hour < 10 ? "0" : "") + std::to_string(hour) + ":00"; }

std::string long_hours(const std::string& name, const std::string& first, const std::string& second,
                       int shift) {
  return hours("MPAN," + name + ",kWh", [&](int day, int hour) {
    const bool is_next = hour + shift == 24;
    std::string date = day == 0 && !is_next ? first : second;
    if (day == 1 && is_next) date = "03/04/2024";
    return "M1," + date + ' ' + clock((hour + shift) % 24) + ',' + std::to_string(hour) + ".5";
  });
}

TEST(Draft, ADayOverTwelveDecidesWhichNumberIsTheDay) {
  EXPECT_THAT(drafted(long_hours("Start", "13/04/2024", "14/04/2024", 0)).toml,
              HasSubstr("\nstart = { column = \"Start\", pattern = \"dd/MM/yyyy HH:mm\" }\n"));
  EXPECT_THAT(drafted(long_hours("Start", "04/13/2024", "04/14/2024", 0)).toml,
              HasSubstr("\nstart = { column = \"Start\", pattern = \"MM/dd/yyyy HH:mm\" }\n"));
  const auto open = drafted(long_hours("Start", "01/04/2024", "02/04/2024", 0));
  EXPECT_THAT(
      question(open, "long.start").choices,
      ::testing::ElementsAre("start = { column = \"Start\", pattern = \"dd/MM/yyyy HH:mm\" }",
                             "start = { column = \"Start\", pattern = \"MM/dd/yyyy HH:mm\" }"));
  EXPECT_THAT(open.toml, Not(HasSubstr("\nstart = ")));
  EXPECT_THAT(open.toml, HasSubstr("\n#? long.start: "));
}

TEST(Draft, StartOrEndIsSaidByTheNameOrByWholeDaysAndIsOpenWhereTheyDisagree) {
  EXPECT_THAT(drafted(long_hours("Time", "13/04/2024", "14/04/2024", 0)).toml,
              HasSubstr("\nstart = { column = \"Time\""));
  EXPECT_THAT(drafted(long_hours("Time", "13/03/2024", "14/03/2024", 1)).toml,
              HasSubstr("\nend = { column = \"Time\""));
  EXPECT_THAT(open_keys(drafted(long_hours("Start", "13/03/2024", "14/03/2024", 1))),
              Contains("long.start"));
  const std::string few = "MPAN,Time,kWh\nM1,2024-04-03 05:00,1\nM1,2024-04-03 06:00,2\n";
  EXPECT_EQ(question(drafted(few), "long.start").choices.size(), 2U);
}

TEST(Draft, ACommaIsForDecimalsOrThousandsOrOpen) {
  const auto with = [](const std::string& first, const std::string& second) {
    return "MPAN;Start;kWh\nM1;2024-04-03 00:00;" + first + "\nM1;2024-04-03 01:00;" + second +
           '\n';
  };
  EXPECT_THAT(drafted(with("0,125", "1,125")).toml, HasSubstr("\ndecimal = \",\"\n"));
  EXPECT_THAT(drafted(with("1.234,5", "1,125")).toml,
              HasSubstr("\ndecimal = \",\"\nthousands = \".\"\n"));
  EXPECT_THAT(drafted(with("1,234.5", "1,125")).toml,
              HasSubstr("\ndecimal = \".\"\nthousands = \",\"\n"));
  EXPECT_THAT(question(drafted(with("2,125", "1,125")), "numbers.decimal").choices,
              ::testing::ElementsAre("decimal = \",\"", "decimal = \".\"\nthousands = \",\""));
}

TEST(Draft, NumbersThatNeverFallMayBeThoseOfARegister) {
  std::string rises = "MPAN,Start,kWh\n";
  for (int hour = 0; hour < 24; ++hour)
    rises += "M1,2024-04-03T" + clock(hour) + "Z," + std::to_string(100 + hour / 2) + ".5\n";
  const auto draft = drafted(rises);
  EXPECT_THAT(question(draft, "long.value").why, HasSubstr("register"));
  EXPECT_THAT(drafted(rises + "M1,2024-04-04T00:00Z,3\n").toml, HasSubstr("\nvalue = \"kWh\"\n"));
}

TEST(Draft, FlagsAreThoseOfLongCsvOrOpen) {
  const auto draft = drafted(
      "MPAN,Start,kWh,Status\nM1,2024-04-03T00:00Z,1,A\nM1,2024-04-03T01:00Z,2,E\n"
      "M1,2024-04-03T02:00Z,3,Geschat\n");
  EXPECT_THAT(draft.toml,
              AllOf(HasSubstr("\n\"A\" = \"actual\"\n"), HasSubstr("\n\"E\" = \"estimated\"\n")));
  EXPECT_EQ(question(draft, "quality.flags.Geschat").choices.size(), 4U);
}

TEST(Draft, ChannelsThatVocabularyDoesNotHaveAreOpen) {
  const auto rows = [](const std::string& first, const std::string& second) {
    std::string text = "MPAN,Start,Register,kWh\n";
    for (int hour = 0; hour < 5; ++hour)
      for (const auto& name : {first, second})
        text += "M1,2024-04-03T" + clock(hour) + "Z," + name + ",1." + std::to_string(hour) + '\n';
    return text;
  };
  EXPECT_THAT(drafted(rows("import", "export")).toml,
              HasSubstr("\n[channel]\ncolumn = \"Register\"\n[[channel.of]]\nis = \"import\"\n"
                        "flow = \"consumption\"\n[[channel.of]]\nis = \"export\"\n"
                        "flow = \"generation\"\n"));
  EXPECT_THAT(question(drafted(rows("AI", "AE")), "channel").choices.front(),
              HasSubstr("is = \"AI\"\nflow = \"?\""));
}

TEST(Draft, TitlesAndFootersAreToldFromRows) {
  const auto draft = drafted(
      "Portal report\nMPAN: 123\nUOM: kWh\nFrom,03/04/2024,,\n\nDay,Hour,Reading,Note\n"
      "13/04/2024,00:00,1.5,\n13/04/2024,01:00,2.5,\nTotal,,4,\n");
  EXPECT_THAT(draft.toml,
              AllOf(HasSubstr("\ntitle = [\"MPAN\"]\n"), HasSubstr("\nunit = \"kWh\"\n"),
                    HasSubstr("[[rows]]\ncolumn = \"Day\"\ndrop = [\"Total\"]\n")));
}

TEST(Draft, EncodingsAreToldByTheirBytes) {
  const std::string text = "MPAN;Start;kWh\nM1;2024-04-03T00:00Z;1\nM1;2024-04-03T01:00Z;2\n";
  std::string wide;
  for (const char c : text) wide += {c, '\0'};
  EXPECT_THAT(drafted(wide).toml, HasSubstr("\nencoding = \"utf-16le\"\n"));
  EXPECT_THAT(drafted("Z\xE4hler" + text).toml, HasSubstr("\nencoding = \"windows-1252\"\n"));
  EXPECT_THAT(drafted(text).toml, Not(HasSubstr("encoding")));
}

TEST(Draft, ColumnsOfHalfADayAreAQuestion) {
  const auto draft = drafted("MPAN,Day,00:00,00:30,01:00\nM1,13/04/2024,1,2,3\n");
  EXPECT_THAT(open_keys(draft), Contains("wide.columns"));
  EXPECT_THAT(draft.toml, Not(HasSubstr("\ncolumns = ")));
}

TEST(Draft, WhatNeedsNoFeedOrHasNoRowsIsRefused) {
  const auto why = [](std::string_view bytes) {
    const auto draft = draft_feed(bytes, {});
    return draft ? draft->toml : draft.error().message;
  };
  EXPECT_THAT(why("100,NEM12,200402070911,MDA1,Ret1\n200,NMI1,E1,,E1,,,kWh,30,\n"
                  "300,20040201,1,2\n900\n"),
              HasSubstr("nem12"));
  EXPECT_THAT(why("a,b\n1,2\n"), HasSubstr("no line has fields"));
  EXPECT_THAT(why("HDR,X,1\nDET,1\nfoo,2024-01-01,5\n"), HasSubstr("no line has fields"));
  EXPECT_THAT(why("<html><body>sign in</body></html>"), HasSubstr("HTML"));
  EXPECT_THAT(why(""), HasSubstr("empty"));
}

/// Any file whatever: a draft of it is TOML, and no larger than a feed may be.
TEST(Draft, IsAlwaysToml) {
  std::mt19937 random(15);  // NOLINT: the same inputs each time.
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("tests/data/feeds")) {
    if (entry.path().extension() != ".csv") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    files.push_back(text.str().substr(0, 3000));
  }
  constexpr int mutants = 300;
  constexpr std::string_view marks = ",;\"'\n\r\t{}[]#*=\\.:-0123456789AZaz\x01\xE4\x00";
  int drafts = 0;
  for (int i = 0; i < mutants; ++i) {
    auto text = files[random() % files.size()];
    for (auto left = random() % 20; left > 0 && !text.empty(); --left) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, random() % 50);
      else if (random() % 2 == 0)
        text.insert(at, text.substr(random() % text.size(), random() % 50));
      else
        text[at] = marks[random() % marks.size()];
    }
    const auto draft = draft_feed(text, {.source = "a/b\n.csv"});
    if (!draft) continue;
    ++drafts;
    EXPECT_LE(draft->toml.size(), feed_bytes_max);
    const auto feed = parse_feed(draft->toml, "draft");
    if (!feed) {
      EXPECT_THAT(feed.error().message, Not(HasSubstr("rror while parsing"))) << draft->toml;
    }
  }
  EXPECT_GT(drafts, mutants / 2);
}

TEST(Draft, LongTextsOfAFileDoNotStandInIt) {
  const std::string text(20'000, 'x');
  for (const auto& file :
       {"Account: " + text + "9\n" + text + ",Start,kWh\nM1,2024-04-03T00:00Z,1\n",
        "MPAN,Start,kWh,Status\nM1,2024-04-03T00:00Z," + text + ",E\nM1,2024-04-03T01:00Z,1," +
            text + "\nM1,2024-04-03T02:00Z,1,A\n" + text + ",,,\n"})
    EXPECT_LT(drafted(file).toml.size(), 10'000U);
}

TEST(DraftSample, GroupsOfThousandsDoNotBeginWithZero) {
  const auto styles = [](std::vector<std::string_view> texts) {
    std::string found;
    for (const auto& style : number_styles(texts)) {
      found += style.decimal;
      if (style.thousands != '\0') found += style.thousands;
      found += '|';
    }
    return found;
  };
  EXPECT_EQ(styles({"1", "22", "-"}), ".|");
  EXPECT_EQ(styles({"0,125"}), ",|");
  EXPECT_EQ(styles({"2,125"}), ",|.,|");
  EXPECT_EQ(styles({"2.125"}), ".|,.|");
  EXPECT_EQ(styles({"2.125", "0.5"}), ".|");
  EXPECT_EQ(styles({"abc"}), "");
}

}  // namespace
}  // namespace meterline::formats
