#include "formats/reading_text.h"

#include <gtest/gtest.h>

#include <string>

namespace meterline::formats {
namespace {

/// What is read, `~` before what was rounded; `none` when nothing is.
std::string said(std::string_view text) {
  const auto reading = parse_reading(text);
  if (!reading) return "none";
  return (reading->is_rounded ? "~" : "") + reading->value.text();
}

TEST(ReadingText, IsExactUpToNineDecimals) {
  EXPECT_EQ(said("120.5"), "120.5");
  EXPECT_EQ(said("-0.123456789"), "-0.123456789");
  EXPECT_EQ(said("123456789.123456789"), "123456789.123456789");
  EXPECT_EQ(said("999999999999999999"), "999999999999999999");
}

TEST(ReadingText, DropsWhatBinaryNumbersLeaveBehind) {
  EXPECT_EQ(said("0.30000000000000004"), "~0.3");
  EXPECT_EQ(said("0.250999999999318"), "~0.251");
  EXPECT_EQ(said("0.070000000000000007"), "~0.07");
  EXPECT_EQ(said("-0.30000000000000004"), "~-0.3");
  EXPECT_EQ(said("0.00000000000000000000000000001"), "~0");
}

TEST(ReadingText, RoundsHalfAwayFromZero) {
  EXPECT_EQ(said("0.1234567894"), "~0.123456789");
  EXPECT_EQ(said("0.1234567895"), "~0.12345679");
  EXPECT_EQ(said("-0.1234567895"), "~-0.12345679");
  EXPECT_EQ(said("0.12345678949999999"), "~0.123456789");
  EXPECT_EQ(said("999999999.9999999999"), "~1000000000");
  EXPECT_EQ(said("-0.0000000005"), "~-0.000000001");
}

TEST(ReadingText, ZerosAreNoNoise) {
  EXPECT_EQ(said("0.300000000000"), "0.3");
  EXPECT_EQ(said("0.000000000000000000"), "0");
}

TEST(ReadingText, RefusesWhatIsNoPlainDecimal) {
  for (const char* text : {"", "-", "1.", ".5", "1e5", "0.3000000000000000x", "0.30000000000 1",
                           "1234567890.1234567890", "1.2.3", "0.12345678.90", "+1"})
    EXPECT_EQ(said(text), "none") << text;
}

}  // namespace
}  // namespace meterline::formats
