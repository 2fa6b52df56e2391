#include "cli/table.h"

#include <gtest/gtest.h>

namespace meterline::cli {
namespace {

TEST(Table, LinesUpItsColumns) {
  Table table({{.title = "meter"}, {.title = "sum", .align = Table::Align::right}, {.title = "x"}});
  table.add({"EE00027", "7", "long last cell"});
  table.add({"A", "1,000", ""});
  EXPECT_EQ(table.text(),
            "meter      sum  x\n"
            "EE00027      7  long last cell\n"
            "A        1,000  \n");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace meterline::cli
