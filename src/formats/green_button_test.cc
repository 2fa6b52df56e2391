#include "formats/green_button.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/espi.h"
#include "testing/green_button_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

using Links = std::vector<std::pair<std::string, std::string>>;

std::string entry(std::string_view content, const Links& links, std::string_view more = "") {
  std::string text = "<entry>";
  for (const auto& [rel, href] : links)
    text += fmt::format("<link rel=\"{}\" href=\"{}\"/>", rel, href);
  return text + fmt::format("<content>{}</content>{}</entry>\n", content, more);
}

std::string feed(std::string_view entries) {
  return fmt::format(
      "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:espi=\"http://naesb.org/espi\">\n{}"
      "</feed>\n",
      entries);
}

std::string said(std::string_view file, std::string_view zone = "") {
  const auto known = zone.empty() ? TimeZone() : *TimeZone::parse(zone);
  const auto read = testing::green_button_says(file, {1'000'000'000}, known);
  EXPECT_EQ(read.fault, "");
  EXPECT_EQ(testing::green_button_says(file, {7, 100}, known).text(), read.text());
  return read.text();
}

std::string point(std::string_view id = "P123", std::string_view content = "<espi:UsagePoint/>") {
  return entry(content, {{"self", fmt::format("/UsagePoint/{}", id)}});
}
std::string clock(std::string_view up = "") {
  return entry(
      "<espi:LocalTimeParameters><espi:dstEndRule>B40E2000</espi:dstEndRule><espi:dstOffset>3600"
      "</espi:dstOffset><espi:dstStartRule>360E2000</espi:dstStartRule><espi:tzOffset>-18000"
      "</espi:tzOffset></espi:LocalTimeParameters>",
      {{"self", "/LocalTimeParameters/1"}, {"up", std::string(up)}});
}
std::string meter_reading(std::string_view id = "1", std::string_view type = "1",
                          std::string_view of = "P123") {
  return entry("<espi:MeterReading/>",
               {{"self", fmt::format("/UsagePoint/{}/MeterReading/{}", of, id)},
                {"up", fmt::format("/UsagePoint/{}/MeterReading", of)},
                {"related", fmt::format("/ReadingType/{}", type)}});
}
std::string type(std::string_view id = "1", int flow = 1, int length = 3600,
                 std::string_view more = "") {
  return entry(fmt::format("<espi:ReadingType><espi:accumulationBehaviour>4"
                           "</espi:accumulationBehaviour><espi:commodity>1</espi:commodity>"
                           "<espi:flowDirection>{}</espi:flowDirection><espi:intervalLength>{}"
                           "</espi:intervalLength><espi:uom>72</espi:uom>{}</espi:ReadingType>",
                           flow, length, more),
               {{"self", fmt::format("/ReadingType/{}", id)}});
}

std::string reading(std::int64_t start, std::string_view value, int length = 3600,
                    std::string_view more = "") {
  return fmt::format(
      "<espi:IntervalReading><espi:timePeriod><espi:duration>{}</espi:duration><espi:start>{}"
      "</espi:start></espi:timePeriod><espi:value>{}</espi:value>{}</espi:IntervalReading>",
      length, start, value, more);
}
std::string readings(std::int64_t start, int count, std::string_view value = "5",
                     int length = 3600) {
  std::string text;
  for (int i = 0; i < count; ++i) text += reading(start + i * length, value, length);
  return text;
}
std::string block(std::string_view content, std::string_view reading_id = "1",
                  std::string_view updated = "", std::string_view of = "P123") {
  const auto up = fmt::format("/UsagePoint/{}/MeterReading/{}/IntervalBlock", of, reading_id);
  return entry(fmt::format("<espi:IntervalBlock>{}</espi:IntervalBlock>", content),
               {{"self", up + "/1"}, {"up", up}},
               updated.empty() ? "" : fmt::format("<updated>{}</updated>", updated));
}

constexpr std::int64_t hour = 3600;
constexpr std::int64_t january = 1735707600;  // 2025-01-01 in New York.
constexpr std::int64_t march_9 = 1741496400;  // 2025-03-09, a day of 23 hours.
constexpr std::int64_t nov_2 = 1762056000;    // 2025-11-02, a day of 25 hours.

std::string before() { return point() + clock() + meter_reading() + type(); }
std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(GreenButton, ReadsADay) {
  EXPECT_EQ(said(feed(before() + block(readings(january, 24), "1", "2025-01-02T06:00:00Z"))),
            "line 6: P123 2025-01-01 60min Wh:" + repeated(" 5", 24) +
                "\n  consumption consumption America/New_York stated 2025-01-02T06:00:00Z\n");
}

TEST(GreenButton, DaysOfAChangeOfTheClockHaveTheIntervalsThatTheyHad) {
  const auto text = said(
      feed(before() + block(readings(march_9, 23 + 24)) + block(readings(nov_2, 25 + 24, "6"))));
  EXPECT_THAT(text, AllOf(HasSubstr("2025-03-09 60min Wh:" + repeated(" 5", 23) + "\n"),
                          HasSubstr("2025-03-10 60min Wh:" + repeated(" 5", 24) + "\n"),
                          HasSubstr("2025-11-02 60min Wh:" + repeated(" 6", 25) + "\n"),
                          HasSubstr("2025-11-03 60min Wh:" + repeated(" 6", 24) + "\n")));
}

TEST(GreenButton, BlocksOfUtcDaysFillLocalOnes) {
  // Each is a day of UTC, which begins at 19:00.
  const auto utc = january - 5 * hour;
  EXPECT_EQ(said(feed(before() + block(readings(utc, 24, "1"), "1", "2025-01-02T00:00:00Z") +
                      block(readings(utc + 24 * hour, 24, "2"), "1", "2025-01-03T00:00:00Z"))),
            "line 6: P123 2024-12-31 60min Wh: -*19" + repeated(" 1", 5) +
                "\n  consumption consumption America/New_York stated 2025-01-02T00:00:00Z\n"
                "line 6: P123 2025-01-01 60min Wh:" +
                repeated(" 1", 19) + repeated(" 2", 5) +
                "\n  consumption consumption America/New_York stated 2025-01-03T00:00:00Z\n"
                "line 7: P123 2025-01-02 60min Wh:" +
                repeated(" 2", 19) +
                " -*5\n  consumption consumption America/New_York stated 2025-01-03T00:00:00Z\n");
}

TEST(GreenButton, ADayStatesTheTimeOfItsOwnBlocks) {
  const auto text =
      said(feed(before() + block(readings(january, 24), "1", "2025-01-09T00:00:00Z") +
                block(readings(january + 24 * hour, 24), "1", "2025-01-03T00:00:00Z") +
                block(readings(january + 48 * hour, 24), "1", "2025-01-04T00:00:00Z")));
  for (const auto* want :
       {"2025-01-01 60min Wh:{}9T", "2025-01-02 60min Wh:{}3T", "2025-01-03 60min Wh:{}4T"})
    EXPECT_THAT(text, HasSubstr(fmt::format(
                          fmt::runtime(want),
                          repeated(" 5", 24) +
                              "\n  consumption consumption America/New_York stated 2025-01-0")));
}

TEST(GreenButton, WhatIsSaidAgainIsARowOfItsOwn) {
  EXPECT_EQ(
      said(feed(before() + block(readings(january, 2, "1")) + block(readings(january, 1, "2")))),
      "line 6: P123 2025-01-01 60min Wh: 1 1 -*22\n  consumption consumption "
      "America/New_York\nline 7: P123 2025-01-01 60min Wh: 2 -*23\n  consumption consumption "
      "America/New_York\n");
}

TEST(GreenButton, EntriesComeInAnyOrder) {
  std::vector<std::string> parts = {point(), clock(), meter_reading(), type(),
                                    block(readings(january, 24))};
  std::sort(parts.begin(), parts.end());
  std::string want;
  do {
    std::string text;
    for (const auto& part : parts) text += part;
    auto read = said(feed(text));
    read.erase(0, read.find(':'));  // The line.
    if (want.empty()) want = read;
    EXPECT_EQ(read, want) << text;
  } while (std::next_permutation(parts.begin(), parts.end()));
  EXPECT_THAT(want, HasSubstr("P123 2025-01-01 60min Wh: 5 5"));
}

TEST(GreenButton, LinksLeadFromEitherSide) {
  const auto day = block(readings(january, 24));
  const auto want = said(feed(point() + clock() + meter_reading() + type() + day));
  const auto reading = entry("<espi:MeterReading/>", {{"self", "/r/7"}, {"up", "/r"}});
  const auto of_reading =
      entry("<espi:MeterReading/>",
            {{"self", "/r/7"}, {"up", "/r"}, {"related", "/b"}, {"related", "/ReadingType/1"}});
  const auto of_point =
      entry("<espi:UsagePoint/>", {{"self", "/UsagePoint/P123"}, {"related", "/r/7"}});
  const auto of_block = entry(
      "<espi:IntervalBlock>" + readings(january, 24) + "</espi:IntervalBlock>", {{"self", "/b"}});
  EXPECT_EQ(said(feed(of_point + clock() + of_reading + type() + of_block)), want) << "related";
  const auto typed = entry(
      "<espi:ReadingType><espi:flowDirection>1</espi:flowDirection><espi:uom>72</espi:uom>"
      "</espi:ReadingType>",
      {{"self", "/t"}, {"up", "/UsagePoint/P123/MeterReading/1"}});
  const auto plain = entry("<espi:MeterReading/>", {{"self", "/UsagePoint/P123/MeterReading/1"}});
  EXPECT_EQ(said(feed(point() + clock() + plain + typed + day)), want) << "up, and by the path";
  const auto inside = entry(
      "<espi:MeterReading><espi:ReadingType><espi:flowDirection>1</espi:flowDirection><espi:uom>72"
      "</espi:uom></espi:ReadingType></espi:MeterReading>",
      {{"self", "/UsagePoint/P123/MeterReading/1"}});
  EXPECT_EQ(said(feed(point() + clock() + inside + "\n" + day)), want) << "inside";
  EXPECT_THAT(said(feed(of_point + clock() + reading + type() + type("2", 19) + of_block)),
              AllOf(HasSubstr("bad_block"), HasSubstr("rejected")))
      << "nothing relates them";
}

TEST(GreenButton, SeveralPointsAreSeveralMeters) {
  const auto text = said(feed(before() + point("Q456") + meter_reading("1", "1", "Q456") +
                              block(readings(january, 24, "1")) +
                              block(readings(january, 24, "2"), "1", "", "Q456")));
  EXPECT_THAT(text, AllOf(HasSubstr("P123 2025-01-01 60min Wh: 1"),
                          HasSubstr("Q456 2025-01-01 60min Wh: 2")));
}

TEST(GreenButton, ReadingsOfOtherKindsAreOtherChannels) {
  const auto text =
      said(feed(before() + type("2", 19) + type("3", 4) + meter_reading("2", "2") +
                meter_reading("3", "3") + block(readings(january, 24, "1")) +
                block(readings(january, 24, "2"), "2") + block(readings(january, 24, "-3"), "3")));
  EXPECT_THAT(text,
              AllOf(HasSubstr(" 1 1\n  consumption consumption"),
                    HasSubstr(" 2 2\n  generation generation"), HasSubstr(" -3 -3\n  net other")));
}

TEST(GreenButton, AnotherKindInAChannelThatIsTakenIsLeftOut) {
  const auto text = said(
      feed(before() + type("2", 1, 900) + meter_reading("2", "2") + block(readings(january, 24)) +
           block(readings(january, 4, "1", 900), "2") + block(readings(january + 24 * hour, 24))));
  EXPECT_THAT(text, AllOf(HasSubstr("line 9: series_ignored"), HasSubstr("line 9: rejected"),
                          HasSubstr("2025-01-01 60min"), HasSubstr("2025-01-02 60min")));
  // Another MeterReading of the same kind is more of it.
  EXPECT_THAT(said(feed(before() + meter_reading("2") + block(readings(january, 2, "1")) +
                        block(readings(january + 2 * hour, 2, "2"), "2"))),
              HasSubstr("Wh: 1 1 2 2 -*20\n"));
}

TEST(GreenButton, TheMultiplierScales) {
  for (const auto& [power, want] :
       {std::pair("3", " 5000 "), std::pair("-3", " 0.005 "), std::pair("0", " 5 ")})
    EXPECT_THAT(said(feed(point() + clock() + meter_reading() +
                          type("1", 1, 3600,
                               fmt::format("<espi:powerOfTenMultiplier>{}"
                                           "</espi:powerOfTenMultiplier>",
                                           power)) +
                          block(readings(january, 24)))),
                HasSubstr(want));
  const auto inside = "<espi:powerOfTenMultiplier>3</espi:powerOfTenMultiplier>";
  EXPECT_THAT(said(feed(before() + block(reading(january, "5", 3600, inside)))),
              AllOf(HasSubstr("Wh: 5000 "), Not(HasSubstr("not_standard"))));
  EXPECT_THAT(said(feed(before() +
                        block(reading(january, "5", 3600, inside) + reading(january + hour, "5")))),
              HasSubstr("Wh: 5000 5000 "))
      << "one that says nothing says nothing else";
  const auto big =
      said(feed(point() + clock() + meter_reading() +
                type("1", 1, 3600, "<espi:powerOfTenMultiplier>12</espi:powerOfTenMultiplier>") +
                block(readings(january, 1, "123456789012345678"))));
  EXPECT_THAT(big, AllOf(HasSubstr("value_too_large"), HasSubstr("(1 rejected)")));
  const auto small =
      said(feed(point() + clock() + meter_reading() +
                type("1", 1, 3600, "<espi:powerOfTenMultiplier>-12</espi:powerOfTenMultiplier>") +
                block(readings(january, 1, "1500"))));
  EXPECT_THAT(small, AllOf(HasSubstr("noise_dropped"), HasSubstr("Wh: 0.000000002 ")));
}

TEST(GreenButton, QualitiesAreClassesAndNotes) {
  const auto quality = [](std::string_view code) {
    return fmt::format("<espi:ReadingQuality><espi:quality>{}</espi:quality></espi:ReadingQuality>",
                       code);
  };
  EXPECT_THAT(said(feed(before() + block(reading(january, "1", 3600, quality("0")) +
                                         reading(january + hour, "2", 3600, quality("8")) +
                                         reading(january + 2 * hour, "3", 3600, quality("7")) +
                                         reading(january + 3 * hour, "4", 3600,
                                                 quality("0") + quality("12"))))),
              HasSubstr("Wh: 1 2estimated 3substituted 4estimated -*20\n  consumption consumption "
                        "America/New_York [1-2 8] [2-3 7] [3-4 12]\n"));
  EXPECT_THAT(said(feed(before() + block(reading(january, "1", 3600, quality("good"))))),
              AllOf(HasSubstr("not_standard [good]"), HasSubstr("1substituted")));
  EXPECT_THAT(
      said(feed(point() + clock() + meter_reading() +
                type("1", 1, 3600, "<espi:defaultQuality>8</espi:defaultQuality>") +
                block(reading(january, "1") + reading(january + hour, "2", 3600, quality("0"))))),
      HasSubstr("Wh: 1estimated 2 -*22\n"));
}

TEST(GreenButton, AReadingWithoutTimeFollowsTheOneBefore) {
  const auto value = [](int number) {
    return fmt::format("<espi:IntervalReading><espi:value>{}</espi:value></espi:IntervalReading>",
                       number);
  };
  const auto interval = fmt::format(
      "<espi:interval><espi:duration>7200</espi:duration><espi:start>{}</espi:start>"
      "</espi:interval>",
      january + hour);
  EXPECT_THAT(said(feed(before() + block(interval + value(1) + value(2)))),
              HasSubstr("Wh: - 1 2 -*21\n"));
  EXPECT_THAT(said(feed(before() + block(value(1)))), HasSubstr("bad_interval"));
}

TEST(GreenButton, WhatIsNoReadingCostsItself) {
  const auto text = said(feed(
      before() + block(reading(january, "x") + reading(january + hour, "") +
                       reading(january + 2 * hour, "1.5") + reading(january + 3 * hour + 60, "7") +
                       reading(january + 4 * hour, "8", 900) + reading(january + 5 * hour, "9"))));
  EXPECT_THAT(text, AllOf(HasSubstr("bad_value [x]"), HasSubstr("Wh: -*2 1.5 -*2 9 -*18 (1 rej")));
  EXPECT_NE(text.find("bad_interval"), text.rfind("bad_interval")) << "two of them";
  EXPECT_THAT(said(feed(before() + block(reading(99'999'999'999, "1")))),
              HasSubstr("bad_interval"));
}

TEST(GreenButton, IntervalsOfADayOrLongerAreWhatARegisterCounted) {
  const auto text = said(feed(point() + clock() + meter_reading() + type("1", 1, 86400) +
                              block(reading(january, "24500", 86400) +
                                    reading(january + 24 * hour, "700000", 30 * 86400))));
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("P123 consumption/consumption/Wh|1| 2025-01-02T00:00:00-05:00 - actual after "
                      "2025-01-01T00:00:00-05:00 - actual counted 24500\n"),
            HasSubstr("2025-02-01T00:00:00-05:00 - actual after 2025-01-02T00:00:00-05:00 - actual "
                      "counted 700000")));
  // In summer the clock is another.
  EXPECT_THAT(said(feed(point() + clock() + meter_reading() + type("1", 1, 86400) +
                        block(reading(march_9, "1", 23 * 3600)))),
              HasSubstr("2025-03-10T00:00:00-04:00 - actual after 2025-03-09T00:00:00-05:00"));
}

TEST(GreenButton, WithoutAClockTheOptionSettlesIt) {
  const auto file = feed(point() + meter_reading() + type() + block(readings(january, 24)));
  EXPECT_EQ(said(file),
            "line 5: zone_unknown [UsagePoint/P123/MeterReading/1/IntervalBlock/1]\n"
            "line 5: rejected\n");
  EXPECT_THAT(said(file, "America/New_York"), HasSubstr("2025-01-01 60min Wh: 5 5"));
  EXPECT_THAT(said(file, "UTC"), AllOf(HasSubstr("2025-01-01 60min Wh: -*5 5"),
                                       HasSubstr("2025-01-02 60min Wh: 5 5 5 5 5 -*19")));
}

TEST(GreenButton, AClockThatIsNoneIsSettledByTheOption) {
  auto file = feed(before() + block(readings(january, 24)));
  file.replace(file.find("360E2000"), 8, "340E2000");
  EXPECT_THAT(said(file), AllOf(HasSubstr("zone_unknown"), HasSubstr("rejected")));
  EXPECT_THAT(said(file, "America/Havana"),
              AllOf(HasSubstr("not_standard [UsagePoint/P123]"), HasSubstr("America/Havana")));
}

TEST(GreenButton, TheClockOfAnotherPointIsNotTaken) {
  const auto linked = entry("<espi:UsagePoint/>",
                            {{"self", "/UsagePoint/P123"}, {"related", "/LocalTimeParameters/2"}});
  EXPECT_THAT(said(feed(linked + clock() + meter_reading() + type() + block(readings(january, 1)))),
              HasSubstr("zone_unknown"));
  EXPECT_THAT(said(feed(point() + clock("/UsagePoint/P123") + meter_reading() + type() +
                        block(readings(january, 1)))),
              HasSubstr("America/New_York"));
}

TEST(GreenButton, AMeterIdThatIsNoneRejectsItsBlocks) {
  const std::string id(70, 'x');
  EXPECT_THAT(said(feed(point(id) + clock() + meter_reading("1", "1", id) + type() +
                        block(readings(january, 24), "1", "", id))),
              AllOf(HasSubstr("bad_meter_id [xxx"), HasSubstr("rejected")));
}

// --- What no link relates ---

std::string alone(std::string_view entries, std::string_view meter, std::string_view zone = "") {
  const auto known = zone.empty() ? TimeZone() : *TimeZone::parse(zone);
  const auto read = testing::green_button_says(entries, {1'000'000'000}, known, std::string(meter));
  EXPECT_EQ(testing::green_button_says(entries, {7, 100}, known, std::string(meter)).text(),
            read.text());
  std::string text = read.text();
  for (const auto& finding : read.findings) text += finding.text + '\n';
  return text;
}
/// A resource without links.
std::string loose(std::string_view content) { return entry(content, {}); }
std::string loose_type(int flow = 1) {
  return loose(
      fmt::format("<espi:ReadingType><espi:flowDirection>{}</espi:flowDirection>"
                  "<espi:uom>72</espi:uom></espi:ReadingType>",
                  flow));
}
std::string loose_block(std::string_view value = "5") {
  return loose("<espi:IntervalBlock>" + readings(january, 24, value) + "</espi:IntervalBlock>");
}

TEST(GreenButton, WhatNoLinkRelatesIsOfTheOnlyOneOfItsKind) {
  const auto want = "P123 2025-01-01 60min Wh:" + repeated(" 5", 24);
  EXPECT_THAT(said(feed(point() + clock() + loose_type() + loose_block())), HasSubstr(want));
  EXPECT_THAT(said(feed(loose_block() + loose_type() + clock() + point())), HasSubstr(want));
  const auto reading = loose("<espi:MeterReading/>");
  EXPECT_THAT(said(feed(point() + clock() + reading + loose_type() + loose_block())),
              HasSubstr(want));
  EXPECT_THAT(said(feed(point() + clock() + loose_type() + loose_type(19) + loose_block())),
              AllOf(HasSubstr("bad_block"), HasSubstr("rejected"), Not(HasSubstr("60min"))));
  EXPECT_THAT(said(feed(point() + point("Q456") + clock() + loose_type() + loose_block())),
              AllOf(HasSubstr("bad_block"), HasSubstr("rejected"), Not(HasSubstr("60min"))));
  EXPECT_THAT(said(feed(point() + clock() + reading + reading + loose_type() + loose_block())),
              HasSubstr("bad_block"));
  EXPECT_THAT(said(feed(point() + clock() + loose_type() + block(readings(january, 24), "9"))),
              HasSubstr("bad_block"))
      << "it names a MeterReading that is not there";
}

TEST(GreenButton, TheOptionNamesAMeterThatNeitherLinkNorTitleNames) {
  const auto nameless = loose("<espi:UsagePoint/>");
  const auto rest = clock() + loose_type() + loose_block();
  for (const auto& points : {std::string(), nameless}) {
    EXPECT_THAT(alone(feed(points + rest), "M-7"), HasSubstr("M-7 2025-01-01 60min Wh: 5 5"));
    EXPECT_THAT(alone(feed(points + rest), ""),
                AllOf(HasSubstr("bad_meter_id"), HasSubstr("say it with --meter"),
                      HasSubstr("rejected"), Not(HasSubstr("60min"))));
  }
  EXPECT_THAT(alone(feed(nameless + nameless + rest), "M-7"),
              AllOf(HasSubstr("rejected"), Not(HasSubstr("60min"))));
  const auto linked = [](int number) {
    return entry("<espi:UsagePoint/>", {{"related", fmt::format("/r/{}", number)}}) +
           entry("<espi:MeterReading/>", {{"self", fmt::format("/r/{}", number)},
                                          {"related", "/ReadingType/1"},
                                          {"related", fmt::format("/b/{}", number)}}) +
           entry("<espi:IntervalBlock>" + readings(january, 24) + "</espi:IntervalBlock>",
                 {{"self", fmt::format("/b/{}", number)}});
  };
  EXPECT_THAT(alone(feed(type() + clock() + linked(1)), "M-7"), HasSubstr("M-7 2025-01-01"));
  EXPECT_THAT(alone(feed(type() + clock() + linked(1) + linked(2)), "M-7"),
              AllOf(HasSubstr("the file has 2 UsagePoints that neither a link nor a title names"),
                    Not(HasSubstr("60min"))));
  auto cut = feed(nameless + rest);
  cut.erase(cut.find("</feed>"));
  EXPECT_THAT(alone(cut, "M-7"), AllOf(HasSubstr("broken_off"), Not(HasSubstr("60min"))))
      << "another may have come";
  cut = feed(type() + clock() + linked(1));
  cut.erase(cut.find("</feed>"));
  EXPECT_THAT(alone(cut, "M-7"), AllOf(HasSubstr("the file breaks off, so"), HasSubstr("rejected"),
                                       Not(HasSubstr("60min"))));
  EXPECT_THAT(alone(feed(before() + block(readings(january, 24))), "M-7"),
              AllOf(HasSubstr("bad_meter_id [P123]"), HasSubstr("leave out --meter"),
                    Not(HasSubstr("60min"))));
  EXPECT_EQ(open_green_button({.text = "<feed/>"}, {.hints = {.meter = "a b"}}).error().code,
            Errc::refused);
}

TEST(GreenButton, ResourcesMayStandWithoutAFeed) {
  const std::string head = "<?xml version=\"1.0\"?>\n";
  const std::string space = " xmlns:espi=\"http://naesb.org/espi\"";
  const auto with_space = [&](std::string text) { return text.insert(text.find('>'), space); };
  const auto in = [](std::string_view text) {
    const auto from = text.find("<content>") + 9;
    return std::string(text.substr(from, text.find("</content>") - from));
  };
  const auto batch = head + with_space("<batch>") + in(clock()) + in(loose_type()) + "\n" +
                     in(loose_block()) + "\n" + in(loose("<espi:UsagePoint/>")) + "</batch>";
  EXPECT_EQ(alone(batch, "M-7"), "line 3: M-7 2025-01-01 60min Wh:" + repeated(" 5", 24) +
                                     "\n  consumption consumption America/New_York\n");
  const auto block_only = head + with_space(in(loose_block()));
  EXPECT_THAT(alone(block_only, "M-7", "UTC"),
              AllOf(HasSubstr("bad_block"), HasSubstr("no MeterReading with a ReadingType")))
      << "nothing says what its readings are";
  EXPECT_THAT(alone(head + with_space("<espi:UsagePoint></espi:UsagePoint>"), "M-7"),
              HasSubstr("has no IntervalBlock"));
  const auto whole = head + "<entry xmlns=\"http://www.w3.org/2005/Atom\"" + space + '>' +
                     "<content>" + in(loose_type()) + "</content><content>" + in(loose_block()) +
                     "</content></entry>";
  EXPECT_THAT(alone(whole, "M-7", "UTC"), HasSubstr("M-7 2025-01-01 60min Wh: -*5 5"));
}

TEST(GreenButton, ResourcesWithoutReadingsAreToldOfOnce) {
  const auto summary = entry("<espi:UsageSummary/>", {{"self", "/UsageSummary/1"}});
  const auto text = said(feed(before() + summary + summary + block(readings(january, 24))));
  EXPECT_EQ(text.find("resource_ignored"), text.rfind("resource_ignored"));
  EXPECT_THAT(text, HasSubstr("line 6: resource_ignored [UsageSummary/1]"));
  EXPECT_THAT(said(feed(before())), HasSubstr("line 1: bad_block []")) << "no readings at all";
}

TEST(GreenButton, MoreReadingsThanAreHeldAreRejectedByName) {
  std::string many;
  const auto held = espi::readings_held_max / 2 + 1;
  many.reserve(held * 100);
  for (std::size_t i = 0; i < held; ++i)
    many += "<espi:IntervalReading><espi:value>1</espi:value></espi:IntervalReading>\n";
  const auto interval =
      fmt::format("<espi:interval><espi:start>{}</espi:start></espi:interval>", january);
  const auto text = feed(point() + clock() + meter_reading() + block(interval + many) +
                         block(interval + many) + type());
  const auto read = testing::green_button_says(text, {1 << 18});
  EXPECT_THAT(read.text(), HasSubstr("bad_block"));
  EXPECT_EQ(read.rejected_slots, static_cast<std::int64_t>(held));
  std::int64_t kept = 0;
  for (const auto& day : read.days)
    kept += std::count(day.qualities.begin(), day.qualities.end(), Quality::actual);
  EXPECT_EQ(kept, static_cast<std::int64_t>(held)) << "the first block";
}

// --- The examples of the documentation, and files of others ---

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(GreenButtonExamples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/green-button.md");
  int examples = 0;
  for (const auto& file_entry : fs::directory_iterator("tests/data/green-button")) {
    if (file_entry.path().extension() != ".xml") continue;
    const auto file = content_of(file_entry.path());
    const auto want = content_of(fs::path(file_entry.path()).replace_extension(".txt"));
    EXPECT_EQ(said(file), want) << file_entry.path();
    ++examples;
    if (!file_entry.path().filename().string().starts_with("doc_")) continue;
    EXPECT_THAT(document, HasSubstr("```xml\n" + file + "```\n")) << file_entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << file_entry.path();
  }
  EXPECT_GE(examples, 7);
}

}  // namespace
}  // namespace meterline::formats
