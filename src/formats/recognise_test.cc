#include "formats/recognise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;

std::string said(std::string_view head) {
  const auto known = recognise(head);
  if (known) return std::string(known->format->name) + ' ' + std::to_string(known->byte_order_mark);
  EXPECT_EQ(known.error().code, Errc::refused);
  return known.error().message;
}

/// A text as UTF-16 of ASCII.
std::string utf16(std::string_view text, bool is_little_endian) {
  std::string out;
  for (const char c : text) out += is_little_endian ? std::string{c, '\0'} : std::string{'\0', c};
  return out;
}

TEST(Recognise, KnowsText) {
  EXPECT_EQ(said("Meter,Date,0:00,0:30\n"), "wide-csv 0");
  EXPECT_EQ(said("\r\n\nMeter,Date\t"), "wide-csv 0");
  EXPECT_EQ(said("Zähler"), "wide-csv 0");
}

/// The header's own refusal then explains what is missing.
TEST(Recognise, TakesAnyTextForWideCsv) {
  EXPECT_EQ(said("hello\n"), "wide-csv 0");
  EXPECT_EQ(said(" "), "wide-csv 0");
}

TEST(Recognise, KnowsNem12) {
  for (const std::string_view head :
       {"100,NEM12,202501271200,MDP1,RET1\n", "\r\n100, nem12 ,,\n", "100,NEM12\n",
        "\n200,NMI0000052,E1,E1,E1,N1,52,KWH,5,\r\n300,20250126,0.001", "200,A\r300,1"})
    EXPECT_EQ(said(head), "nem12 0") << head;
  for (const std::string_view head :
       {"200,Meter,Date\n1", "100,200,300", "100,NEM,1", "100,NEM121"})
    EXPECT_EQ(said(head), "wide-csv 0") << head;
  EXPECT_EQ(reader_number("nem12"), 1U);
}

TEST(Recognise, KnowsNem13) {
  const std::string record = "250,NMI1,11,1,11,11,M,E,1,2,A,,,1,2,A,,,1,kWh";
  for (const auto& head :
       {std::string("100,NEM13,201910021200,MDP1,RET1\n"), std::string("\r\n100, nem13 ,,\n"),
        record, '\n' + record + ",20200101\n"})
    EXPECT_EQ(said(head), "nem13 0") << head;
  for (const auto& head : {std::string("100,NEM131"), std::string("250,Meter,Date\n1"),
                           std::string("250,A\n") + record, "2" + record})
    EXPECT_EQ(said(head), "wide-csv 0") << head;
  EXPECT_EQ(reader_number("nem13"), 1U);
}

TEST(Recognise, KnowsGreenButton) {
  for (const std::string_view head :
       {"<?xml version=\"1.0\"?>\n<feed><UsagePoint xmlns=\"http://naesb.org/espi\">",
        "\r\n <ns0:feed xmlns:ns0='http://www.w3.org/2005/Atom'>",
        "<?xml version=\"1.0\"?><!DOCTYPE feed><feed xmlns=\"http://www.w3.org/2005/Atom\">"})
    EXPECT_EQ(said(head), "green-button 0") << head;
  EXPECT_EQ(said("\xEF\xBB\xBF<feed xmlns=\"http://www.w3.org/2005/Atom\">"), "green-button 3");
  EXPECT_THAT(said("<html><a href=\"http://naesb.org/espi\">"), HasSubstr("HTML page"));
  EXPECT_THAT(said("<?xml version=\"1.0\"?>\n<Readings>"), HasSubstr("this is XML"));
  EXPECT_EQ(said("Meter,http://naesb.org/espi\n"), "wide-csv 0");
  EXPECT_EQ(reader_number("green-button"), 2U);
}

TEST(Recognise, KnowsAseXml) {
  for (const std::string_view head :
       {"<?xml version=\"1.0\"?>\n<ase:aseXML xmlns:ase=\"urn:aseXML:r38\">", "\n <aseXML>",
        "<MeterDataNotification><CSVIntervalData>"})
    EXPECT_EQ(said(head), "asexml 0") << head;
  EXPECT_THAT(said("<html><p>urn:aseXML:r38"), HasSubstr("HTML page"));
  EXPECT_EQ(reader_number("asexml"), 1U);
  EXPECT_EQ(said("\"100\",\"NEM12\",\"202501271200\",\"MDP1\",\"RET1\"\n"), "mdff-loose 0");
  EXPECT_EQ(reader_number("mdff-loose"), 1U);
}

TEST(Recognise, LeavesOutAByteOrderMark) {
  EXPECT_EQ(said("\xEF\xBB\xBFMeter,Date,0:00\n"), "wide-csv 3");
  EXPECT_EQ(said("\xEF\xBBMeter"), "wide-csv 0");
}

TEST(Recognise, RefusesAnEmptyFile) {
  for (const char* head : {"", "\n", "\r\n\r\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF\r\n"})
    EXPECT_THAT(said(head), HasSubstr("empty"));
}

TEST(Recognise, RefusesUtf16ByName) {
  for (const bool is_little_endian : {true, false})
    EXPECT_THAT(said(utf16("Meter,Date,0:00\n", is_little_endian)), HasSubstr("UTF-16"));
  EXPECT_THAT(said("\xFF\xFEM"), HasSubstr("UTF-16"));
  EXPECT_THAT(said("\xFE\xFF"), HasSubstr("UTF-16"));
}

TEST(Recognise, RefusesBinaryContent) {
  EXPECT_THAT(said(std::string_view("PK\3\4\0\0\0\0", 8)), HasSubstr("binary"));
  EXPECT_THAT(said(std::string_view("Meter,Date\n\0", 12)), HasSubstr("binary"));
  EXPECT_THAT(said("\x1B[1mMeter"), HasSubstr("binary"));
}

TEST(Recognise, CallsWhatIsNoCsvByItsName) {
  EXPECT_THAT(said("\xEF\xBB\xBF<html>"), HasSubstr("HTML page"));
  EXPECT_THAT(said(std::string_view("\xD0\xCF\x11\xE0\0\0", 6)), HasSubstr("Excel workbook"));
}

TEST(Recognise, LooksNoFurtherThanItSays) {
  const std::string text(recognise_bytes, 'x');
  EXPECT_EQ(said(text + '\1'), "wide-csv 0");
  EXPECT_THAT(said(text.substr(1) + '\1'), HasSubstr("binary"));
}

}  // namespace
}  // namespace meterline::formats
