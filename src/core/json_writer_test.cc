#include "core/json_writer.h"

#include <gtest/gtest.h>

namespace meterline {
namespace {

std::string written(std::string_view text) { return JsonWriter().value(text).take(); }

TEST(JsonWriter, PlacesCommas) {
  JsonWriter json;
  json.begin_object().member("a", 1).key("b").begin_array();
  json.value(2).begin_object().end_object().begin_object().member("c", 3).end_object();
  json.begin_array().end_array().end_array().member("d", std::string_view("e")).end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"b":[2,{},{"c":3},[]],"d":"e"})");
}

TEST(JsonWriter, WritesSumsExactlyAndTheUnknownAsNull) {
  const Sum long_sum(static_cast<Int128>(12'345'678'901'234'567) * 1'000'000'000'000, -6);
  JsonWriter json;
  json.begin_array().value(long_sum).value(Sum(-305, -3)).value(std::optional<Sum>());
  json.value(std::optional<Sum>(Sum(0, -2))).end_array();
  EXPECT_EQ(json.take(), "[12345678901234567000000,-0.305,null,0]");
}

TEST(JsonWriter, EscapesText) {
  EXPECT_EQ(written("a\"b\\c/\n\t"), R"("a\"b\\c/\n\u0009")");
  EXPECT_EQ(written(std::string_view("\0\x7F", 2)), R"("\u0000\u007f")");
  EXPECT_EQ(written("Z\u00e4hler \u20ac \U0001F50C"), "\"Z\u00e4hler \u20ac \U0001F50C\"");
}

TEST(JsonWriter, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(written("a\xFFz"), "\"a\uFFFDz\"");
  EXPECT_EQ(written("\xC3"), "\"\uFFFD\"");
  EXPECT_EQ(written("\xC0\xAF"), "\"\uFFFD\uFFFD\"");            // Overlong.
  EXPECT_EQ(written("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");  // A surrogate.
  EXPECT_EQ(written("\xF4\x90\x80\x80").size(), 2 + 4 * std::string_view("\uFFFD").size());
}

}  // namespace
}  // namespace meterline
