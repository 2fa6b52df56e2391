// How Green Button is read from its XML, whatever way it is written: by expat and by the quick
// reader alike.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/decimal.h"
#include "formats/espi_feed.h"
#include "formats/green_button.h"
#include "testing/green_button_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t second_micros = 1'000'000;

/// How a file is written.
struct Style {
  std::string prefix = "espi:";
  std::string gap;       ///< Between elements.
  std::string end;       ///< In an end tag, where blanks may stand.
  bool is_late = false;  ///< What tells of readings comes behind them.
};

std::string element(const Style& style, std::string_view name, std::string_view content) {
  return fmt::format("{3}<{0}{1}>{2}</{0}{1}{4}>", style.prefix, name, content, style.gap,
                     style.end);
}

struct Links {
  std::string_view self;
  std::string_view up;
  std::string_view related;
};

std::string entry(const Style& style, const Links& links, std::string_view content,
                  std::string_view more = "") {
  return fmt::format(
      "{4}<a:entry><a:link href=\"http://h/{0}\" rel=\"self\"/><a:link rel='up' "
      "href='{1}'></a:link>"
      "<a:link rel=\"related\" href=\"/{2}\"/>{4}<a:content>{3}{4}</a:content>{5}</a:entry>",
      links.self, links.up, links.related, content, style.gap, more);
}

std::string feed(const Style& style, std::string_view entries) {
  const auto name =
      style.prefix.empty() ? "" : ":" + style.prefix.substr(0, style.prefix.size() - 1);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{0}<a:feed "
      "xmlns:a=\"http://www.w3.org/2005/Atom\" xmlns{1}=\"http://naesb.org/espi\">{2}{0}</a:feed>",
      style.gap, name, entries);
}

struct Kind {
  std::string_view channel;
  Flow flow;
  Unit unit;
  int direction;
  int uom;
};
constexpr std::array kinds = {
    Kind{"consumption", Flow::consumption, Unit::Wh, 1, 72},
    Kind{"generation", Flow::generation, Unit::Wh, 19, 72},
    Kind{"net", Flow::other, Unit::Wh, 4, 72},
    Kind{"reactive-consumption", Flow::reactive, Unit::varh, 1, 73},
    Kind{"power-consumption", Flow::consumption, Unit::W, 1, 38},
};

struct ZoneRule {
  std::string_view zone;
  std::string_view tz_offset;
  std::string_view start;
  std::string_view end;
};
constexpr std::array zones = {
    ZoneRule{"America/New_York", "-18000", "360E2000", "B40E2000"},
    ZoneRule{"America/Los_Angeles", "-28800", "360E2000", "B40E2000"},
    ZoneRule{"Europe/London", "0", "3E0E1000", "AE0E2000"},
    ZoneRule{"Australia/Sydney", "36000", "A40E2000", "440E3000"},
    ZoneRule{"-07:00", "-25200", "FFFFFFFF", "FFFFFFFF"},
};

/// Readings of one channel of a point.
struct Written {
  Kind kind;
  int multiplier = 0;
  std::vector<ReadingDay> days;
};

ReadingDay any_day(const Kind& kind, TimeZone zone, int multiplier) {
  ReadingDay day;
  day.meter = *MeterId::parse("P123");
  day.channel = {.name = std::string(kind.channel), .flow = kind.flow, .unit = kind.unit};
  day.zone = zone;
  day.interval = *IntervalLength::from_minutes(*rc::gen::element(5, 10, 15, 30, 60));
  // Days of changes of the clock come as often as others.
  const auto first = *Date::from_civil({.year = 2015, .month = 1, .day = 1});
  const auto last = *Date::from_civil({.year = 2030, .month = 12, .day = 31});
  const auto odd = zone.odd_days({.from = first, .to = last});
  day.date = !odd.empty() && *rc::gen::arbitrary<bool>()
                 ? odd[*rc::gen::inRange<std::size_t>(0, odd.size())].date
                 : *Date::from_days(*rc::gen::inRange(first.days(), last.days()));
  const auto slots =
      static_cast<std::size_t>(slots_in(zone.minutes_of(day.date), day.interval.minutes()));
  day.exponent = static_cast<std::int8_t>(std::min(multiplier, 0));
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1 << 20);
  const std::int64_t factor = multiplier > 0 ? 1000 : 1;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const auto number = static_cast<std::int64_t>((seed * (slot + 1) * 2654435761U) % 100'000);
    day.mantissas.push_back((kind.direction == 4 ? number - 50'000 : number) * factor);
  }
  day.qualities.assign(slots, Quality::actual);
  if (*rc::gen::arbitrary<bool>())
    day.stated = Instant{*rc::gen::inRange<std::int64_t>(0, 1'700'000'000) * second_micros};
  for (std::size_t at = 0; at < slots && *rc::gen::inRange(0, 3) != 0;) {
    const auto end = *rc::gen::inRange(at + 1, slots + 1);
    const auto [code, quality] =
        *rc::gen::element(std::pair("0", Quality::actual), std::pair("19", Quality::actual),
                          std::pair("8", Quality::estimated), std::pair("7", Quality::substituted),
                          std::pair("", Quality::missing));
    const bool has_note = std::string_view(code) != "0" && quality != Quality::missing;
    if (has_note) append(day.notes, at, end, {.flag = code});
    for (; at < end; ++at) {
      day.qualities[at] = quality;
      if (quality == Quality::missing) day.mantissas[at] = 0;
    }
  }
  return day;
}

std::string block_of(const Style& style, const ReadingDay& day, int multiplier) {
  const auto start =
      day.zone.day_at(*Instant::parse(day.zone.label(day.date, 0)))->start.micros / second_micros;
  const int step = day.interval.minutes() * 60;
  std::string text;
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    if (day.qualities[slot] == Quality::missing) continue;
    const auto* const note = note_at(day.notes, slot);
    std::string inside =
        note == nullptr ? ""
                        : element(style, "ReadingQuality", element(style, "quality", note->flag));
    const auto at = start + static_cast<std::int64_t>(slot) * step;
    inside += element(style, "timePeriod",
                      element(style, "duration", std::to_string(step)) +
                          element(style, "start", std::to_string(at)));
    const auto value = multiplier > 0 ? day.mantissas[slot] / 1000 : day.mantissas[slot];
    text += element(style, "IntervalReading",
                    inside + element(style, "value", fmt::format("{}", value)));
  }
  return element(style, "IntervalBlock", text);
}

std::string file_of(const Style& style, const ZoneRule& zone, const std::vector<Written>& all) {
  std::string first = entry(style, {"UsagePoint/P123", "", ""}, element(style, "UsagePoint", ""));
  first +=
      entry(style, {"L/1", "", "UsagePoint/P123"},
            element(style, "LocalTimeParameters",
                    element(style, "dstEndRule", zone.end) + element(style, "dstOffset", "3600") +
                        element(style, "dstStartRule", zone.start) +
                        element(style, "tzOffset", zone.tz_offset)));
  std::string second;
  int number = 0;
  for (const auto& written : all) {
    ++number;
    const auto type = fmt::format("ReadingType/{}", number);
    const auto reading = fmt::format("UsagePoint/P123/MeterReading/{}", number);
    first += entry(
        style, {type, "", ""},
        element(style, "ReadingType",
                element(style, "commodity", "1") +
                    element(style, "flowDirection", std::to_string(written.kind.direction)) +
                    element(style, "powerOfTenMultiplier", std::to_string(written.multiplier)) +
                    element(style, "uom", std::to_string(written.kind.uom))));
    first += entry(style, {reading, "UsagePoint/P123/MeterReading", type},
                   element(style, "MeterReading", ""));
    int blocks = 0;
    for (const auto& day : written.days)
      second += entry(
          style,
          {fmt::format("{}/IntervalBlock/{}", reading, ++blocks), reading + "/IntervalBlock", ""},
          block_of(style, day, written.multiplier),
          day.stated ? fmt::format("<a:updated>{}</a:updated>", day.stated->text()) : "");
  }
  return feed(style, style.is_late ? second + first : first + second);
}

Style any_style() {
  return {.prefix = *rc::gen::element<std::string>("espi:", "", "ns0:"),
          .gap = *rc::gen::element<std::string>("", "\n", "\r\n\t", "\r", " <!-- 1/1/2025 -->\n"),
          .end = *rc::gen::element<std::string>("", " "),
          .is_late = *rc::gen::arbitrary<bool>()};
}

std::vector<Written> any_readings(TimeZone zone) {
  std::vector<Written> all;
  for (const auto& kind : kinds) {
    if (*rc::gen::inRange(0, 3) == 0) continue;
    Written written{.kind = kind, .multiplier = *rc::gen::element(0, 3, -3)};
    const int count = *rc::gen::inRange(1, 4);
    for (int i = 0; i < count; ++i) {
      auto day = any_day(kind, zone, written.multiplier);
      const bool is_like = written.days.empty() || (day.interval == written.days[0].interval &&
                                                    day.date > written.days.back().date);
      const bool has_any = std::any_of(day.qualities.begin(), day.qualities.end(),
                                       [](Quality quality) { return quality != Quality::missing; });
      if (is_like && has_any) written.days.push_back(std::move(day));
    }
    if (!written.days.empty()) all.push_back(std::move(written));
  }
  return all;
}

/// Days with what is said of a channel in one order, whatever the order of channels.
std::vector<ReadingDay> sorted(std::vector<ReadingDay> days) {
  std::stable_sort(days.begin(), days.end(), [](const ReadingDay& a, const ReadingDay& b) {
    return std::pair(a.channel, a.date) < std::pair(b.channel, b.date);
  });
  return days;
}

bool are_alike(const ReadingDay& a, const ReadingDay& b) {
  bool alike = a.meter == b.meter && a.channel == b.channel && a.date == b.date &&
               a.zone == b.zone && a.interval == b.interval && a.stated == b.stated &&
               a.notes == b.notes && a.qualities == b.qualities;
  for (std::size_t slot = 0; alike && slot < a.mantissas.size(); ++slot)
    alike = Decimal{a.mantissas[slot], a.exponent} == Decimal{b.mantissas[slot], b.exponent};
  return alike;
}

RC_GTEST_PROP(GreenButtonXml, GivesBackTheDaysThatAreWritten, ()) {
  const auto rule = *rc::gen::elementOf(zones);
  const auto zone = *TimeZone::parse(rule.zone);
  const auto all = any_readings(zone);
  std::vector<ReadingDay> want;
  for (const auto& written : all) want.insert(want.end(), written.days.begin(), written.days.end());
  want = sorted(std::move(want));
  const auto text = file_of(any_style(), rule, all);
  const auto read =
      testing::green_button_says(text, {*rc::gen::inRange<std::size_t>(1, text.size() + 2)});
  RC_ASSERT(read.fault.empty());
  const auto days = sorted(read.days);
  RC_ASSERT(days.size() == want.size());
  for (std::size_t i = 0; i < days.size(); ++i) RC_ASSERT(are_alike(days[i], want[i]));
  RC_ASSERT(read.findings.size() == (want.empty() ? 1U : 0U));
}

/// An end tag with a blank is none of the quick reader's: expat reads the same of it.
RC_GTEST_PROP(GreenButtonXml, ExpatAndTheQuickReaderSayTheSame, ()) {
  const auto rule = *rc::gen::elementOf(zones);
  auto style = any_style();
  style.end = "";
  auto quick = file_of(style, rule, any_readings(*TimeZone::parse(rule.zone)));
  for (int i = *rc::gen::inRange(0, 8); i > 0; --i) {
    const auto at =
        quick.find("<" + style.prefix + "value>", *rc::gen::inRange<std::size_t>(0, quick.size()));
    if (at == std::string::npos) continue;
    quick.insert(at + style.prefix.size() + 7,
                 *rc::gen::element<std::string>("-", ".", "0", " ", "x", "12345678901234567",
                                                "&#49;", "<!-- -->", "1.25", "<b/>"));
  }
  std::string slow;
  const std::string tag = "</" + style.prefix + "IntervalReading";
  for (std::size_t from = 0;;) {
    const auto at = quick.find(tag, from);
    slow += quick.substr(from, at - from);
    if (at == std::string::npos) break;
    slow += tag + ' ';
    from = at + tag.size();
  }
  RC_ASSERT(testing::green_button_says(slow, {1'000'000}).text() ==
            testing::green_button_says(quick, {1'000'000}).text());
}

RC_GTEST_PROP(GreenButtonXml, MutantsSayTheSameHoweverTheyAreCut, ()) {
  const auto rule = *rc::gen::elementOf(zones);
  auto text = file_of(any_style(), rule, any_readings(*TimeZone::parse(rule.zone)));
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto count = std::min(*rc::gen::inRange<std::size_t>(0, 12), text.size() - at);
    text.replace(at, count,
                 *rc::gen::element<std::string>("", "0", "-", "\r", "\n", "<", ">", "&amp;", "]]>",
                                                "<!--", "-->", "\x80", "<espi:IntervalReading>",
                                                "</espi:IntervalBlock>", "<![CDATA[", "\"", "/"));
  }
  const auto whole = testing::green_button_says(text, {text.size() + 1});
  const auto pieces = testing::green_button_says(text, {*rc::gen::inRange<std::size_t>(1, 200), 7});
  RC_ASSERT(whole.text() == pieces.text());
  RC_ASSERT(whole.fault.empty());
}

// --- What is no good XML ---

std::string one_day(std::string_view more = "", const Style& style = {}) {
  const auto zone = *TimeZone::parse("UTC");
  ReadingDay day{.date = *Date::parse("2025-01-01"),
                 .interval = *IntervalLength::from_minutes(60),
                 .mantissas = std::vector<std::int64_t>(24, 5),
                 .qualities = std::vector<Quality>(24, Quality::actual),
                 .zone = zone};
  auto text =
      file_of(style, {"UTC", "0", "FFFFFFFF", "FFFFFFFF"}, {{.kind = kinds[0], .days = {day}}});
  text.insert(text.find("</a:feed>"), more);
  return text;
}

std::string said(std::string_view text) {
  const auto read = testing::green_button_says(text, {1'000'000'000});
  std::string all = read.text();
  for (const auto& finding : read.findings)
    if (finding.code == FindingCode::broken_off) all += finding.text + '\n';
  return all;
}

TEST(GreenButtonXml, WhatIsBeforeAFaultIsRead) {
  const auto broken = one_day("\n  <b></c>\n<x>");
  EXPECT_THAT(said(broken), AllOf(HasSubstr("2025-01-01 60min Wh: 5 5"),
                                  HasSubstr("line 2, column 8: broken_off []"),
                                  HasSubstr("no well-formed XML: mismatched tag")));
  const auto whole = one_day("", {.gap = "\n"});
  const auto cut = whole.substr(0, whole.find("<espi:value>", whole.size() / 2));
  EXPECT_THAT(said(cut), AllOf(HasSubstr("bad_block []"), HasSubstr("rejected"),
                               HasSubstr("broken_off"), Not(HasSubstr("60min"))));
  EXPECT_THAT(said(whole.substr(0, whole.rfind("</a:feed>"))),
              AllOf(HasSubstr("60min Wh: 5"), HasSubstr("broken_off")));
}

TEST(GreenButtonXml, WhatFollowsTheEndIsToldWhereTheFeedEndsHoweverTheFileIsCut) {
  const auto text = one_day() + "z<?xml version='1.0'?>\n<x/>";
  const auto whole = testing::green_button_says(text, {text.size()});
  ASSERT_EQ(whole.findings.size(), 1U);
  EXPECT_EQ(whole.findings[0].code, FindingCode::broken_off);
  EXPECT_THAT(whole.findings[0].text, HasSubstr("something follows the end of the feed"));
  for (std::size_t cut = text.rfind("</a:feed>"); cut < text.size(); ++cut)
    EXPECT_EQ(testing::green_button_says(text, {cut, 1}).text(), whole.text()) << cut;
}

TEST(GreenButtonXml, WhatIsNoXmlIsToldWhereItBeginsHoweverTheFileIsCut) {
  for (const std::string_view text :
       {std::string_view("\'\0\0>ts7", 7), std::string_view("\n <a b"),
        std::string_view("\n<!-- -- -->\n")})
    for (std::size_t cut = 1; cut <= text.size(); ++cut)
      EXPECT_EQ(testing::green_button_says(text, {cut, 1}).text(),
                testing::green_button_says(text, {text.size()}).text())
          << text;
}

TEST(GreenButtonXml, ColumnsCountWhatTheQuickReaderTook) {
  const auto text = one_day();
  const auto at = text.rfind("</espi:IntervalBlock>");
  auto broken = text;
  broken.insert(at, "&");
  const auto read = testing::green_button_says(broken, {1'000'000});
  ASSERT_EQ(read.findings.size(), 2U);
  EXPECT_EQ(read.findings[1].line, 1);
  // Expat tells of the place behind the `&`, as it wants a name there.
  EXPECT_EQ(read.findings[1].column, static_cast<int>(at) + 2);
}

TEST(GreenButtonXml, DoctypesAreRefused) {
  const auto feed_at = one_day().find("<a:feed");
  for (const std::string_view doctype :
       {"<!DOCTYPE feed>", "<!DOCTYPE feed SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>"}) {
    auto text = one_day();
    text.insert(feed_at, doctype);
    EXPECT_THAT(said(text),
                AllOf(HasSubstr("broken_off"), HasSubstr("DTD"), Not(HasSubstr("min"))));
  }
  EXPECT_THAT(said(one_day("<b>&nobody;</b>")), HasSubstr("undefined entity"));
}

TEST(GreenButtonXml, WhatInputControlsHasALimit) {
  std::string deep;
  for (std::size_t i = 0; i < xml_depth_max; ++i) deep += "<b>";
  EXPECT_THAT(said(one_day(deep)), HasSubstr("more than 64 elements"));
  std::string names;
  for (std::size_t i = 0; i < xml_names_max; ++i) names += fmt::format("<n{}/>", i);
  EXPECT_THAT(said(one_day(names)), HasSubstr("more than 4096 names"));
  const std::string comment(2 << 20, 'x');
  const auto long_token = one_day("<!--" + comment + "-->");
  const auto read = testing::green_button_says(long_token, {1 << 16});
  ASSERT_FALSE(read.findings.empty());
  EXPECT_THAT(read.findings.back().text, HasSubstr("longer than 1048576 bytes"));
  std::string links = "<a:entry>";
  for (std::size_t i = 0; i <= espi::links_max; ++i)
    links += "<a:link rel=\"related\" href=\"x\"/>";
  EXPECT_THAT(said(one_day(links)), HasSubstr("more than 10000 links"));
  EXPECT_THAT(said(one_day("<a:entry><a:link rel=\"self\" href=\"" + std::string(2000, 'x') +
                           "\"/></a:entry>")),
              HasSubstr("not_standard [xxx"));
}

TEST(GreenButtonXml, ReadsTheEncodingThatItNames) {
  for (const std::string_view encoding : {"ISO-8859-1", "windows-1252", "US-ASCII"}) {
    auto text = one_day();
    text.replace(text.find("UTF-8"), 5, encoding);
    if (encoding != "US-ASCII") text.insert(text.find("<a:entry>"), "<a:title>Z\xE4hler</a:title>");
    EXPECT_THAT(said(text), AllOf(HasSubstr("60min Wh: 5 5"), Not(HasSubstr("broken_off"))));
  }
  for (const std::string_view wide : {"UTF-16", "utf-16LE", "ISO-10646-UCS-2"}) {
    auto text = one_day("", {.gap = "\n"});
    const auto plain = said(text);
    text.replace(text.find("UTF-8"), 5, wide);
    EXPECT_EQ(said(text), plain) << "its bytes were made UTF-8 before";
    EXPECT_EQ(testing::green_button_says(text, {1, 3}).text(), plain);
  }
  auto other = one_day();
  other.replace(other.find("UTF-8"), 5, "EBCDIC");
  EXPECT_THAT(said(other), HasSubstr("unknown encoding"));
  const auto plain = one_day();
  std::string wide = "\xFF\xFE";
  auto utf16 = plain;
  utf16.replace(utf16.find("UTF-8"), 5, "UTF-16");
  for (const char c : utf16) wide += std::string{c, '\0'};
  EXPECT_EQ(said(wide), said(plain));
  EXPECT_THAT(said(one_day("<b>\x80</b>")), HasSubstr("not well-formed (invalid token)"));
}

TEST(GreenButtonXml, ElementsCountByTheirNamespace) {
  auto other = one_day();
  other.replace(other.find("http://naesb.org/espi"), 21, "http://naesb.org/ispe");
  EXPECT_THAT(said(other), AllOf(HasSubstr("resource_ignored"),
                                 HasSubstr("line 1: bad_block []\nline 1: rejected\n")));
  const auto foreign = one_day(
      "<a:entry><a:content><IntervalBlock xmlns=\"urn:x\"><espi:value>1"
      "</espi:value></IntervalBlock></a:content></a:entry>");
  EXPECT_THAT(said(foreign), HasSubstr("resource_ignored"));
}

}  // namespace
}  // namespace meterline::formats
