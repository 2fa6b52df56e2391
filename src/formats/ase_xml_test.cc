#include "formats/ase_xml.h"

#include <fmt/format.h>
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

#include "testing/mdff_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr std::string_view around = "line 1: not_standard []\n";

testing::MdffSaid read(std::string_view file) {
  auto whole = testing::ase_xml_says(file, {1'000'000'000});
  EXPECT_EQ(whole.fault, "");
  EXPECT_EQ(testing::ase_xml_says(file, {7, 100}).text, whole.text);
  return whole;
}
std::string said(std::string_view file) { return read(file).text; }

std::string message(std::string_view notifications) {
  return fmt::format(
      "<?xml version=\"1.0\"?>\n<ase:aseXML xmlns:ase=\"urn:aseXML:r38\"><Header><From>MDP1</From>"
      "</Header><Transactions>\n{}</Transactions></ase:aseXML>\n",
      notifications);
}
std::string notification(std::string_view csv, std::string_view element = "CSVIntervalData") {
  return fmt::format(
      "<Transaction><MeterDataNotification><{0}>{1}</{0}></MeterDataNotification></Transaction>\n",
      element, csv);
}

std::string day(std::string_view date, int count = 48) {
  auto text = fmt::format("300,{}", date);
  for (int slot = 0; slot < count; ++slot) text += ",1.5";
  return text + ",A,,,20250127101112,\n";
}
std::string csv(std::string_view days, std::string_view nmi = "NMI1") {
  return fmt::format("100,NEM12,202501271200,MDP1,RET1\n200,{},E1,1,E1,N1,M,KWH,30,\n{}900", nmi,
                     days);
}
std::string readings() {
  std::string text;
  for (int slot = 0; slot < 48; ++slot) text += " 1.5";
  return text + "\n  E1 consumption stated 2025-01-27T00:11:12Z\n";
}

TEST(AseXml, ReadsTheCsvByTheLinesOfTheMessage) {
  EXPECT_EQ(said(message(notification(csv(day("20250126"))))),
            fmt::format("{}line 5: NMI1 2025-01-26 30min kWh:{}", around, readings()));
}

TEST(AseXml, TextInACdataSectionIsTheSameText) {
  for (const std::string_view gap : {"", "\n", "\r\n    "})
    EXPECT_EQ(said(message(notification(
                  fmt::format("{0}<![CDATA[{0}{1}\n]]>{0}", gap, csv(day("20250126")))))),
              fmt::format("{}line {}: NMI1 2025-01-26 30min kWh:{}", around, gap.empty() ? 5 : 7,
                          readings()))
        << gap;
}

TEST(AseXml, LineEndsMayBeWrittenAsReferences) {
  auto text = csv(day("20250126"));
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 6)
    text.insert(at, "&#xD;");
  EXPECT_EQ(said(message(notification(text))),
            fmt::format("{}line 5: NMI1 2025-01-26 30min kWh:{}", around, readings()));
}

TEST(AseXml, EachElementIsAFileOfItsOwn) {
  const auto one = notification(csv(day("20250126")));
  const auto text = said(message(one + notification(csv(day("20250125", 47), "NMI2")) +
                                 notification("") + notification(csv(day("20250124"), "NMI3"))));
  EXPECT_THAT(text,
              AllOf(HasSubstr("line 5: NMI1 2025-01-26"), HasSubstr("line 9: too_few_columns"),
                    HasSubstr("line 9: rejected"), HasSubstr("line 14: NMI3 2025-01-24"),
                    Not(HasSubstr("900")), Not(HasSubstr("end_missing"))));
}

TEST(AseXml, WhatACsvLacksIsToldByItsLine) {
  auto text = csv(day("20250126"));
  text.erase(0, text.find('\n') + 1);
  text.erase(text.rfind("900"));
  EXPECT_EQ(said(message(notification(text))),
            fmt::format("{}line 3: not_standard [200,NMI1,E1,1,E1,N1,M,KWH,30,]\n"
                        "line 4: NMI1 2025-01-26 30min kWh:{}line 4: end_missing []\n",
                        around, readings()));
}

TEST(AseXml, ConsumptionDataIsNem13) {
  const auto row =
      "250,NMI1,11,01,11,11,METER1,E,10.5,20250101000000,A,,,20.5,20250201000000,A,,,10,kWh,,,";
  const auto read_text = read(message(notification(
      fmt::format("100,NEM13,202501271200,MDP1,RET1\n{}\n900", row), "CSVConsumptionData")));
  EXPECT_EQ(read_text.reads.size(), 1U);
  EXPECT_EQ(read_text.rows, 1);
  EXPECT_THAT(read_text.text, HasSubstr("line 4: NMI1"));
}

TEST(AseXml, AMessageThatBreaksOffIsReadUpToThere) {
  const auto whole = message(notification(csv(day("20250126") + day("20250127"))));
  const auto in_row = said(whole.substr(0, whole.find("300,20250127") + 30));
  EXPECT_THAT(in_row, AllOf(HasSubstr("line 5: NMI1 2025-01-26"), HasSubstr("line 5: end_missing"),
                            HasSubstr("line 6, column 31: broken_off"), Not(HasSubstr("rejected"))))
      << "half a row is none, and told by the finding of the file";
  const auto unclosed = said(whole.substr(0, whole.find("900</CSV") + 3) + "\n");
  EXPECT_THAT(unclosed, AllOf(HasSubstr("line 6: NMI1 2025-01-27"), Not(HasSubstr("end_missing")),
                              HasSubstr("line 8, column 1: broken_off")));
  const auto behind = said(whole + "<more/>");
  EXPECT_THAT(behind, AllOf(HasSubstr("line 6: NMI1 2025-01-27"), HasSubstr("broken_off")));
}

TEST(AseXml, EntitiesAndTypeDeclarationsAreNotRead) {
  const auto text = message(notification(csv("&days;" + day("20250126"))));
  EXPECT_THAT(said(text),
              AllOf(HasSubstr("line 5, column 1: broken_off"), Not(HasSubstr("2025-01-26"))));
  auto declared = text;
  declared.insert(declared.find('\n') + 1, "<!DOCTYPE x [<!ENTITY days \"300\">]>");
  EXPECT_THAT(said(declared),
              AllOf(HasSubstr("line 2, column 13: broken_off"), EndsWith("line 1: rejected\n")));
}

TEST(AseXml, AMessageWithoutCsvIsARejectedRow) {
  EXPECT_EQ(said(message("")), fmt::format("{}line 1: bad_block []\nline 1: rejected\n", around));
  EXPECT_EQ(said(message(notification(" \n "))),
            fmt::format("{}line 1: bad_block []\nline 1: rejected\n", around));
}

TEST(AseXml, CsvIsTextOnly) {
  const auto text = said(message(notification(csv(day("20250126") + "<b/>" + day("20250127")))));
  EXPECT_THAT(text, AllOf(HasSubstr("2025-01-26"), HasSubstr("line 6, column 1: broken_off"),
                          Not(HasSubstr("NMI1 2025-01-27"))));
}

TEST(AseXml, IsKnownByItsContent) {
  EXPECT_TRUE(is_ase_xml(message("")));
  EXPECT_TRUE(is_ase_xml("\n <aseXML>"));
  EXPECT_TRUE(is_ase_xml("<MeterDataNotification><CSVIntervalData>"));
  EXPECT_FALSE(is_ase_xml("100,NEM12 <aseXML>"));
  EXPECT_FALSE(is_ase_xml("<feed xmlns=\"http://www.w3.org/2005/Atom\">"));
}

/// The records of a NEM12 file read alike with a message around them, by other lines.
RC_GTEST_PROP(AseXmlProperty, SaysOfRecordsWhatNem12Says, ()) {
  std::string days;
  const auto count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    days += day(fmt::format("202501{:02}", *rc::gen::inRange(1, 33)), *rc::gen::inRange(46, 49));
    if (*rc::gen::inRange(0, 4) == 0) days += *rc::gen::element("400,1,48,A\n", "500,O\n", "7,x\n");
  }
  const auto plain = csv(days) + '\n';
  const bool is_cdata = *rc::gen::arbitrary<bool>();
  const auto size = static_cast<std::size_t>(*rc::gen::inRange(1, 200));
  const auto wrapped =
      message(notification(is_cdata ? "<![CDATA[\n" + plain + "]]>" : "\n" + plain));
  // Three lines stand before the records.
  const auto want = testing::nem12_says("\n\n\n" + plain, {1'000'000});
  const auto got = testing::ase_xml_says(wrapped, {size});
  RC_ASSERT(got.fault.empty());
  RC_ASSERT(got.text == std::string(around) + want.text);
}

RC_GTEST_PROP(AseXmlProperty, SurvivesMutants, ()) {
  auto text = message(notification(csv(day("20250126") + day("20250127"))) +
                      notification("<![CDATA[" + csv(day("20250125")) + "]]>"));
  const auto changes = *rc::gen::inRange(1, 6);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = std::min(*rc::gen::inRange<std::size_t>(0, 40), text.size() - at);
    text.replace(at, length,
                 *rc::gen::element<std::string>("", "<", ">", "&", ",", "\n", "]]>", "900", "\x01",
                                                "<![CDATA[", "</CSVIntervalData>", "-1"));
  }
  const auto whole = testing::ase_xml_says(text, {text.size() + 1});
  const auto pieces =
      testing::ase_xml_says(text, {static_cast<std::size_t>(*rc::gen::inRange(1, 90))});
  RC_ASSERT(whole.fault.empty());
  RC_ASSERT(pieces.text == whole.text);
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(AseXmlExamples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/nem12.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/nem12")) {
    if (entry.path().extension() != ".xml") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_THAT(document, HasSubstr("```xml\n" + file + "```\n")) << entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << entry.path();
    ++examples;
  }
  EXPECT_EQ(examples, 1);
}

}  // namespace
}  // namespace meterline::formats
