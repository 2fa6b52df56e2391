#include "cli/keep.h"

#include <gtest/gtest.h>

namespace meterline::cli {
namespace {

TEST(Keep, ReadsDurationsInDays) {
  EXPECT_EQ(parse_days("--for", "90d").value(), 90);
  EXPECT_EQ(parse_days("--for", "2w").value(), 14);
  EXPECT_EQ(parse_days("--for", "7y").value(), 2555);
  for (const auto* text : {"", "d", "0d", "-1d", "90", "90m", "1.5y", "999999999y", "7y "})
    EXPECT_EQ(parse_days("--for", text).error().code, Errc::invalid_argument) << text;
}

}  // namespace
}  // namespace meterline::cli
