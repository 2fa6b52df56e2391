#include "api/parameters.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace meterline::api {
namespace {

std::string path_of(std::string_view path) {
  const auto segments = decode_path(path);
  return segments ? fmt::format("{}", fmt::join(*segments, "|")) : "refused";
}

TEST(Path, IsSplitAndThenDecodedOnce) {
  EXPECT_EQ(path_of("/"), "");
  EXPECT_EQ(path_of("/v1/meters"), "v1|meters");
  EXPECT_EQ(path_of("/v1/meters/"), "v1|meters|");
  EXPECT_EQ(path_of("/a%2Fb/%25%32%35"), "a/b|%25");
  EXPECT_EQ(path_of("/a+b"), "a+b");
}

TEST(Path, WithABadEncodingIsRefused) {
  for (const char* path : {"/%", "/%2", "/%zz", "/a%/b", "/%+1", "/%-1"})
    EXPECT_EQ(path_of(path), "refused") << path;
}

TEST(Target, LosesSchemeAndHost) {
  EXPECT_EQ(split_target("http://localhost:8080/v1/meters?a=b").path, "/v1/meters");
  EXPECT_EQ(split_target("http://localhost?a=b").path, "/");
  EXPECT_EQ(split_target("http://localhost?a=b").query, "a=b");
  EXPECT_EQ(split_target("http://localhost").path, "/");
  EXPECT_EQ(split_target("/x?a=http://b/c?d").query, "a=http://b/c?d");
}

/// The value of `a` in a query; `-` when it has none.
std::string value_of(std::string_view query) {
  const auto parameters = Parameters::parse(query);
  if (!parameters) return "refused";
  const auto value = parameters->find("a");
  if (!value) return value.error().message;
  return value->value_or("-");
}

TEST(Query, IsDecodedOnceWithPlusAsBlank) {
  EXPECT_EQ(value_of(""), "-");
  EXPECT_EQ(value_of("a"), "");
  EXPECT_EQ(value_of("a="), "");
  EXPECT_EQ(value_of("&b=2&&a=1+2%2B3&"), "1 2+3");
  EXPECT_EQ(value_of("a=b=c"), "b=c");
  EXPECT_EQ(value_of("%61=%2561"), "%61");
  EXPECT_EQ(value_of("A=1"), "-");
}

TEST(Query, RefusesBadEncodingsAndRepeats) {
  EXPECT_EQ(value_of("b=%"), "refused");
  EXPECT_EQ(value_of("b%4=1"), "refused");
  EXPECT_EQ(value_of("a=1&a=1"), "a is given more than once");
  EXPECT_EQ(value_of("a=1&%61=2"), "a is given more than once");
}

std::string objection(std::string_view query) {
  const auto result = Parameters::parse(query)->allow_only({"from", "to"});
  return result ? "" : result.error().message;
}

TEST(Query, NamesTheParametersItKnows) {
  EXPECT_EQ(objection("from=1&to=2"), "");
  EXPECT_EQ(objection("from=1&til=2"), "unknown parameter \"til\": known are from, to");
  EXPECT_EQ(objection("to=1&to=2"), "to is given more than once");
  EXPECT_EQ(Parameters::parse("x=1")->allow_only({}).error().message,
            "unknown parameter \"x\": it takes none");
}

std::string limit_of(std::string_view query) {
  const auto limit = page_limit(*Parameters::parse(query));
  return limit ? std::to_string(*limit) : limit.error().message;
}

TEST(Limit, IsAPageSize) {
  EXPECT_EQ(limit_of(""), "100");
  EXPECT_EQ(limit_of("limit=1"), "1");
  EXPECT_EQ(limit_of("limit=1000"), "1000");
  for (const std::string text : {"0", "1001", "-1", "", "1x", "0x1", "99999999999999999999", " 1"})
    EXPECT_EQ(limit_of("limit=" + percent_encode(text)),
              fmt::format("limit: want a number from 1 to 1000, got \"{}\"", text));
}

TEST(DayFirst, IsTheFirstCustomersDate) {
  EXPECT_EQ(parse_day_first("31-01-2019"), Date::parse("2019-01-31"));
  EXPECT_EQ(parse_day_first("29-02-2020"), Date::parse("2020-02-29"));
  for (const char* text : {"", "2019-01-31", "31-02-2019", "1-1-2019", "31/01/2019", "31-01-19",
                           "31-01-2019 ", "31.01.2019", "01-31-2019", "+1-01-2019"})
    EXPECT_EQ(parse_day_first(text), std::nullopt) << text;
}

RC_GTEST_PROP(Encoding, IsUndoneByDecoding, (const std::string& text)) {
  const auto parameters = Parameters::parse("a=" + percent_encode(text));
  RC_ASSERT(parameters.has_value());
  RC_ASSERT(parameters->find("a").value() == text);
}

RC_GTEST_PROP(Encoding, OfAnythingIsReadOrRefused, (const std::string& text)) {
  static_cast<void>(decode_path("/" + text));
  static_cast<void>(Parameters::parse(text));
}

}  // namespace
}  // namespace meterline::api
