#include "formats/feed/number.h"

#include <gtest/gtest.h>

namespace meterline::formats {
namespace {

std::string read(std::string_view text, const NumberStyle& style = {}) {
  const auto number = read_number(text, style);
  if (!number) return "-";
  return number->value.text() + (number->is_rounded ? " rounded" : "");
}

TEST(FeedNumber, PlainNumbersAndExponentsAreRead) {
  EXPECT_EQ(read("0.305"), "0.305");
  EXPECT_EQ(read("-2.005"), "-2.005");
  EXPECT_EQ(read("+1.5"), "1.5");
  EXPECT_EQ(read("0E-20"), "0");
  EXPECT_EQ(read("5e-05"), "0.00005");
  EXPECT_EQ(read("1.0E-3"), "0.001");
  EXPECT_EQ(read("1.25E+2"), "125");
  EXPECT_EQ(read("0.30000000000000004"), "0.3 rounded");
  EXPECT_EQ(read("6.91100000000000"), "6.911");
}

TEST(FeedNumber, DecimalsThousandsAndSymbolsAreThoseOfTheStyle) {
  const NumberStyle comma{.decimal = ','};
  EXPECT_EQ(read("0,305", comma), "0.305");
  EXPECT_EQ(read("0.305", comma), "-");
  const NumberStyle english{.thousands = ','};
  EXPECT_EQ(read("1,234.5", english), "1234.5");
  EXPECT_EQ(read("2,345,678", english), "2345678");
  EXPECT_EQ(read("1,23", english), "-");
  EXPECT_EQ(read("12,3456", english), "-");
  EXPECT_EQ(read("1234,567", english), "-");
  const NumberStyle german{.decimal = ',', .thousands = '.'};
  EXPECT_EQ(read("1.234,5", german), "1234.5");
  EXPECT_EQ(read("1.234", german), "1234");
  const NumberStyle dollars{.symbols = "$"};
  EXPECT_EQ(read("$0.45", dollars), "0.45");
  EXPECT_EQ(read("-$ 0.45", dollars), "-0.45");
}

TEST(FeedNumber, WhatIsNoNumberIsNone) {
  EXPECT_FALSE(read_number("9900000000000000010", {}));  // More than a reading may have.
  for (const char* const text : {"", "-", ".", "1.", ".5", "1,234.5", "0,305", "1e", "1e1000", "x",
                                 "1 2", "--1", "12345678901234567890"})
    EXPECT_EQ(read(text), "-") << text;
}

}  // namespace
}  // namespace meterline::formats
