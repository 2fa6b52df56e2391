// The small words of the domain: ids, channels, units, intervals, qualities, findings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/channel.h"
#include "core/delivery.h"
#include "core/finding.h"
#include "core/meter_id.h"
#include "core/reading_day.h"

namespace meterline {
namespace {

TEST(MeterId, TakesWhatMeteredPointsAreCalled) {
  for (const char* text : {"EE00027", "6305123456", "a", "A-b_c.d:9", "0", "-", "..", "NMI:4103"}) {
    const auto meter = MeterId::parse(text);
    ASSERT_TRUE(meter) << text;
    EXPECT_EQ(meter->text(), text);
  }
  EXPECT_TRUE(MeterId::parse(std::string(64, 'x')));
}

TEST(MeterId, RefusesEverythingElse) {
  for (const char* text : {"", " ", "EE 27", "EE00027 ", " EE00027", "EE/27", "EE\\27", "EE,27",
                           "\"EE27\"", "EE27\n", "EE27\t", "Zähler1", "１２３", "EE+27", "EE@27"})
    EXPECT_FALSE(MeterId::parse(text)) << text;
  EXPECT_FALSE(MeterId::parse(std::string(65, 'x')));
  EXPECT_FALSE(MeterId::parse(std::string_view("EE\0", 3)));
}

TEST(MeterId, CaseCounts) { EXPECT_NE(MeterId::parse("ee1"), MeterId::parse("EE1")); }

RC_GTEST_PROP(MeterId, KeepsItsTextOrIsRefused, (const std::string& text)) {
  const auto meter = MeterId::parse(text);
  RC_ASSERT((!meter || meter->text() == text));
  RC_ASSERT((!meter || is_meter_id_text(text)));
}

TEST(Unit, IsReadInAnyCaseAndWrittenInOne) {
  EXPECT_EQ(parse_unit("kWh"), Unit::kWh);
  EXPECT_EQ(parse_unit("KWH"), Unit::kWh);
  EXPECT_EQ(parse_unit("kwh"), Unit::kWh);
  EXPECT_EQ(text_of(Unit::unknown), "");
}

TEST(Unit, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"", " ", "m", "kWh ", "J", "kWhh", "k"})
    EXPECT_FALSE(parse_unit(text)) << text;
}

TEST(Unit, EveryNameIsReadBackAndListedForHelp) {
  std::string names;
  for (int i = 1; i <= static_cast<int>(last_unit); ++i) {
    const auto unit = static_cast<Unit>(i);
    EXPECT_EQ(parse_unit(text_of(unit)), unit);
    names += (names.empty() ? "" : ", ") + std::string(text_of(unit));
  }
  EXPECT_EQ(names + ", unknown", unit_choices);
}

TEST(Flow, EveryNameIsReadBack) {
  for (const Flow flow : {Flow::consumption, Flow::generation, Flow::reactive, Flow::other})
    EXPECT_EQ(parse_flow(text_of(flow)), flow);
  for (const char* text : {"", "Consumption", "export", "consumption "})
    EXPECT_FALSE(parse_flow(text)) << text;
}

TEST(Channel, DiffersByNameFlowAndUnit) {
  const Channel plain;
  EXPECT_EQ(plain, (Channel{"consumption", Flow::consumption, Unit::unknown}));
  EXPECT_NE(plain, (Channel{"consumption", Flow::consumption, Unit::kWh}));
  EXPECT_NE(plain, (Channel{"consumption", Flow::generation, Unit::unknown}));
  EXPECT_NE(plain, (Channel{"E1", Flow::consumption, Unit::unknown}));
}

TEST(IntervalLength, IsOneOfSix) {
  std::string legal;
  for (int minutes = -60; minutes <= 1500; ++minutes) {
    const auto interval = IntervalLength::from_minutes(minutes);
    if (!interval) continue;
    EXPECT_EQ(interval->minutes(), minutes);
    EXPECT_LE(interval->slots_per_day(), slots_max);
    legal += std::to_string(minutes) + ':' + std::to_string(interval->slots_per_day()) + ' ';
  }
  EXPECT_EQ(legal, "1:1440 5:288 10:144 15:96 30:48 60:24 ");
}

TEST(Quality, EachHasItsName) {
  EXPECT_EQ(text_of(Quality::actual), "actual");
  EXPECT_EQ(text_of(Quality::substituted), "substituted");
  EXPECT_EQ(text_of(Quality::estimated), "estimated");
  EXPECT_EQ(text_of(Quality::missing), "missing");
}

TEST(ReadingDay, IsPrintedForPeople) {
  std::ostringstream out;
  out << ReadingDay{.meter = *MeterId::parse("EE1"),
                    .channel = {},
                    .date = *Date::parse("2019-01-31"),
                    .interval = *IntervalLength::from_minutes(60),
                    .exponent = -2,
                    .mantissas = {150, 0, 7},
                    .qualities = {Quality::actual, Quality::missing, Quality::estimated}};
  EXPECT_EQ(out.str(), "EE1 consumption/consumption/ 2019-01-31 60min 1.5 - 0.07e");
}

/// Stores hold them.
TEST(FindingCode, KeepsItsNumber) {
  constexpr std::array names = {"bad_value",      "value_too_large", "bad_meter_id",
                                "bad_date",       "too_few_columns", "too_many_columns",
                                "bad_quoting",    "row_too_long",    "truncated",
                                "repeated",       "column_ignored",  "summary_row",
                                "noise_dropped",  "ambiguous_row",   "readings_without_column",
                                "other_unit",     "total_differs",   "readings_ignored",
                                "flags_ignored",  "unit_ignored",    "delivery_in_future",
                                "older_delivery", "unit_differs"};
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(text_of(static_cast<FindingCode>(i)), names.at(i));
}

TEST(Unit, IsChosenByName) {
  EXPECT_EQ(parse_unit_choice("Unknown"), Unit::unknown);
  EXPECT_EQ(parse_unit_choice("KWH"), Unit::kWh);
  for (const auto text : {"", "none", "kWs", "unknown "})
    EXPECT_EQ(parse_unit_choice(text), std::nullopt) << text;
  for (int number = 0; number <= static_cast<int>(last_unit); ++number) {
    const auto unit = static_cast<Unit>(number);
    EXPECT_EQ(parse_unit_choice(choice_text(unit)), unit);
    EXPECT_NE(unit_choices.find(choice_text(unit)), std::string_view::npos);
  }
}

TEST(Unit, OfOneQuantityAreKeptInOne) {
  for (int number = 0; number <= static_cast<int>(last_unit); ++number) {
    const auto unit = static_cast<Unit>(number);
    const auto [kept, exponent] = kept_unit(unit);
    EXPECT_EQ(kept_unit(kept).kept, kept) << text_of(unit);
    EXPECT_EQ(kept_unit(kept).exponent, 0);
    EXPECT_EQ(adds_up(kept), adds_up(unit));
    EXPECT_EQ(adds_up(unit),
              unit == Unit::unknown || unit == Unit::m3 || text_of(unit).back() == 'h')
        << text_of(unit);
    std::string prefix = exponent == -3 ? "" : exponent == 3 ? "M" : "k";
    if (unit == Unit::unknown || unit == Unit::m3) prefix = "";
    const auto name = std::string(text_of(kept));
    EXPECT_EQ(text_of(unit),
              kept == Unit::unknown || kept == Unit::m3 ? name : prefix + name.substr(1));
  }
  EXPECT_EQ(parse_unit("m³"), Unit::m3);
}

/// The table of codes in the documentation is the one of the program, row by row.
TEST(FindingCode, EachIsDocumentedAsItIs) {
  std::vector<std::string> documented;
  std::ifstream in("docs/findings.md");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("| `")) documented.push_back(line);

  ASSERT_EQ(documented.size(), finding_codes_count);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < finding_codes_count; ++i) {
    const auto& kind = kind_of(static_cast<FindingCode>(i));
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    const auto start = "| `" + std::string(kind.name) + "` | " + std::string(text_of(kind.scope)) +
                       " | " + std::string(text_of(kind.severity)) + " | ";
    EXPECT_THAT(documented[i], ::testing::StartsWith(start));
  }
}

TEST(Excerpt, EscapesWhatATerminalWouldActOn) {
  EXPECT_EQ(excerpt_of(""), "");
  EXPECT_EQ(excerpt_of("EE 27,1.5"), "EE 27,1.5");
  EXPECT_EQ(excerpt_of("a\tb\r\nc"), "a\\x09b\\x0D\\x0Ac");
  EXPECT_EQ(excerpt_of("\x1B[2J\x7F"), "\\x1B[2J\\x7F");
  EXPECT_EQ(excerpt_of(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(excerpt_of("\xC2\x9B"), "\\xC2\\x9B");  // U+009B begins a terminal's commands.
}

TEST(Excerpt, KeepsUtf8AndEscapesWhatIsNone) {
  EXPECT_EQ(excerpt_of("１２ ½ €  𝟙"), "１２ ½ €  𝟙");
  EXPECT_EQ(excerpt_of("\xFF"), "\\xFF");
  EXPECT_EQ(excerpt_of("\xC0\xAF"), "\\xC0\\xAF");                    // Overlong `/`.
  EXPECT_EQ(excerpt_of("\xE2\x82"), "\\xE2\\x82");                    // Cut short.
  EXPECT_EQ(excerpt_of("\xED\xA0\x80"), "\\xED\\xA0\\x80");           // Half of a surrogate pair.
  EXPECT_EQ(excerpt_of("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // Beyond Unicode.
}

TEST(Excerpt, IsClippedBetweenCharacters) {
  EXPECT_EQ(excerpt_of(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(excerpt_of(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(excerpt_of(std::string(79, 'x') + "€"), std::string(79, 'x') + "...");
  EXPECT_EQ(excerpt_of(std::string(78, 'x') + "\n"), std::string(78, 'x') + "...");
}

RC_GTEST_PROP(Excerpt, IsShortAndPrintable, (const std::string& text)) {
  const auto excerpt = excerpt_of(text + text + text);
  RC_ASSERT(excerpt.size() <= excerpt_bytes_max + 3);
  RC_ASSERT(std::all_of(excerpt.begin(), excerpt.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }));
  RC_ASSERT(excerpt_of(excerpt.substr(0, 79)).substr(0, 70) == excerpt.substr(0, 70));
}

TEST(DeliveryId, IsThirtyTwoHexadecimalDigits) {
  const std::string text = "00112233445566778899aabbccddeeff";
  const auto id = DeliveryId::parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->bytes[0], 0x00);
  EXPECT_EQ(id->bytes[15], 0xFF);
  EXPECT_EQ(id->text(), text);
  EXPECT_EQ(DeliveryId::parse("00112233445566778899AABBCCDDEEFF"), id);
}

TEST(DeliveryId, RefusesEverythingElse) {
  for (const char* text :
       {"", "0011", "00112233445566778899aabbccddeef", "00112233445566778899aabbccddeeff0",
        "00112233445566778899aabbccddeefg", "0x112233445566778899aabbccddeeff",
        "-0112233445566778899aabbccddeeff", "+0112233445566778899aabbccddeeff",
        " 0112233445566778899aabbccddeeff", "0 112233445566778899aabbccddeeff"})
    EXPECT_FALSE(DeliveryId::parse(text)) << text;
}

RC_GTEST_PROP(DeliveryId, IsReadBack, ()) {
  DeliveryId id;
  for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  RC_ASSERT(DeliveryId::parse(id.text()) == id);
}

TEST(Version, OrdersByStatedThenOriginThenReceivedThenContent) {
  ContentHash content{};
  content[0] = 0x01;
  content[7] = 0xFF;
  content[8] = 0x77;  // Beyond the tie.
  EXPECT_EQ(tie_of(content), 0x0100'0000'0000'00FFU);

  const Version early{.stated = {1}, .tie = 9};
  EXPECT_LT(early, (Version{.stated = {2}, .tie = 0}));
  EXPECT_LT(early, (Version{.stated = {1}, .tie = 10}));
  EXPECT_LT(early, (Version{.stated = {1}, .received = {1}, .tie = 0}));
  EXPECT_LT((Version{.stated = {1}, .received = {9}}), (Version{.stated = {2}, .received = {3}}));
  EXPECT_LT((Version{.stated = {1}, .origin = Origin::estimate, .received = {9}}), early)
      << "any source wins over an estimate that looked at what states the same";
}

TEST(Delivery, ItsVersionIsItsTimesAndContent) {
  Delivery delivery;
  delivery.delivered_at = {42};
  delivery.received_at = {50};
  delivery.content[7] = 3;
  EXPECT_EQ(delivery.version(), (Version{.stated = {42}, .received = {50}, .tie = 3}));
}

TEST(DeliveryState, EachHasItsName) {
  EXPECT_EQ(text_of(DeliveryState::stored), "stored");
  EXPECT_EQ(text_of(DeliveryState::refused), "refused");
  EXPECT_EQ(text_of(DeliveryState::skipped), "skipped");
  EXPECT_EQ(text_of(DeliveryState::failed), "failed");
}

}  // namespace
}  // namespace meterline
