#include "formats/meter_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/meter_id.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;

/// `code: text` of the objection; empty when the id is taken.
std::string said(std::string_view text) {
  const auto objection = objection_to_meter(text);
  if (!objection) return "";
  return std::string(text_of(objection->code)) + ": " + std::string(objection->wanted);
}

TEST(MeterText, TakesIdsThatOnlyLookAlike) {
  for (const char* id :
       {"9900000000017", "EE00027", "E1", "7E", "E13", "12E13", "00123E45", "7.22", "1.0.1",
        "9900000000017.01", "a.0", "Total1", "Summer", "7E1234", "SUM-1", "1:0", "TOTALLY"})
    EXPECT_EQ(said(id), "") << id;
}

TEST(MeterText, NamesWhatASpreadsheetDidToAnId) {
  for (const char* id : {"7.22E13", "7.22E+13", "2,31282E+13", "7.22e+13", "7E13", "1E5"}) {
    EXPECT_THAT(said(id), HasSubstr("bad_meter_id: the id was turned into a number in scientific"));
    EXPECT_TRUE(is_no_meter(id));
  }
  for (const char* id : {"9900000000017.0", "1.00", "27,0"}) {
    EXPECT_THAT(said(id), HasSubstr("bad_meter_id: the id was turned into a decimal number"));
    EXPECT_TRUE(is_no_meter(id));
  }
  EXPECT_THAT(said("'10000000000000012"), HasSubstr("bad_meter_id: a leading apostrophe"));
}

TEST(MeterText, KnowsTheNamesOfSums) {
  for (const char* name :
       {"Total", "TOTAL", "total", "Grand Total", "GrandTotal", "grand_total", "Sum", "Totals:"}) {
    EXPECT_THAT(said(name), HasSubstr("summary_row: ")) << name;
    EXPECT_TRUE(is_no_meter(name)) << name;
  }
}

TEST(MeterText, SaysWhatAnIdIs) {
  for (const char* id : {"", "EE 1", "EE/1", "Zähler"})
    EXPECT_THAT(said(id), HasSubstr("want 1 to 64 of"));
}

/// The quick reader asks these two, the careful one the other.
TEST(MeterText, AllAgree) {
  for (const char* id : {"7.22E13", "7.22", "1.0", "Total", "EE1", "", "a b", "'1", "1,0"})
    EXPECT_EQ(said(id).empty(), MeterId::parse(id).has_value() && !is_no_meter(id)) << id;
}

}  // namespace
}  // namespace meterline::formats
