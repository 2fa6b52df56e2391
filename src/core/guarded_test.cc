#include "core/guarded.h"

#include <gtest/gtest.h>

#include <string>

namespace meterline {
namespace {

TEST(Guarded, WhatABridgeThrowsBecomesAnError) {
  const struct {
    const char* thrown;
    Errc code;
    const char* message;
  } cases[] = {
      {"unavailable|no answer", Errc::unavailable, "no answer"},
      {"invalid|no region", Errc::invalid_argument, "no region"},
      {"not_found|s3://b/a|b", Errc::not_found, "s3://b/a|b"},
      {"refused|HTTP 403", Errc::refused, "HTTP 403"},
      {"corrupt|", Errc::corrupt, ""},
      {"broken pipe", Errc::unavailable, "broken pipe"},
      {"", Errc::unavailable, ""},
  };
  for (const auto& [thrown, code, message] : cases) {
    const auto result = guarded([&]() -> int { throw std::runtime_error(thrown); });
    ASSERT_FALSE(result) << thrown;
    EXPECT_EQ(result.error().code, code) << thrown;
    EXPECT_EQ(result.error().message, message);
  }
}

TEST(Guarded, TextThatIsNotUtf8IsRefusedAsSuch) {
  const auto result = guarded([] { throw std::invalid_argument("data for str is not utf-8"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid_argument);
}

TEST(Guarded, ValuesPass) {
  EXPECT_EQ(guarded([] { return 7; }).value(), 7);
  EXPECT_TRUE(guarded([] {}));
}

}  // namespace
}  // namespace meterline
