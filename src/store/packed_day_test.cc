#include "store/packed_day.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <sstream>
#include <string>

namespace meterline::store {
namespace {

/// `1 2 - 3e`: a reading a word; `-` is missing, a trailing `e` or `s` is the quality.
ReadingDay day_of(const std::string& words, int minutes = 30, int exponent = 0) {
  ReadingDay day;
  day.interval = *IntervalLength::from_minutes(minutes);
  day.exponent = static_cast<std::int8_t>(exponent);
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    const bool missing = word == "-";
    const char last = word.back();
    day.mantissas.push_back(missing ? 0 : std::stoll(word));
    day.qualities.push_back(missing       ? Quality::missing
                            : last == 'e' ? Quality::estimated
                            : last == 's' ? Quality::substituted
                                          : Quality::actual);
  }
  return day;
}

std::string bytes_of(const ReadingDay& day) {
  std::string packed;
  pack_day(day, packed);
  return packed;
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (!out.empty()) out += ' ';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string repeat(const std::string& word, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += word + ' ';
  return out;
}

TEST(PackedDay, StandsByteForByteAsDocumented) {
  // The worked examples of docs/store.md.
  EXPECT_EQ(hex_of(bytes_of(day_of("5 7 4 4", 30, -3))), "01 0c 03 04 02 33 0a");
  EXPECT_EQ(hex_of(bytes_of(day_of("5 - 4e 4", 60))), "01 0d 00 04 41 04 04 07 06 04 1f 01");
}

TEST(PackedDay, ReadsBackWhatWasPacked) {
  const auto largest = std::to_string(std::numeric_limits<std::int64_t>::max());
  const auto smallest = std::to_string(std::numeric_limits<std::int64_t>::min());
  const ReadingDay days[] = {
      day_of(repeat("0", 48)),
      day_of(repeat("-", 48)),
      day_of(repeat("1 - 2e 3s", 12)),
      day_of(largest + ' ' + smallest + ' ' + largest + " 0", 60, -18),
      day_of(repeat("7", slots_max), 1),
      day_of("-5", 5, -1),
  };
  for (const auto& day : days) {
    ReadingDay back;
    ASSERT_TRUE(unpack_day(bytes_of(day), back)) << day;
    EXPECT_EQ(back, day);
  }
}

TEST(PackedDay, AnOrdinaryDayTakesLittleMoreThanAByteAReading) {
  std::string words;
  for (int i = 0; i < 48; ++i) words += std::to_string(200 + (i * 37) % 120) + ' ';
  EXPECT_LE(bytes_of(day_of(words)).size(), 4U + 48 * 9 / 8);
}

RC_GTEST_PROP(PackedDay, ReadsBackAnyDay, ()) {
  ReadingDay day;
  day.interval = *IntervalLength::from_minutes(*rc::gen::element(1, 5, 10, 15, 30, 60));
  day.exponent = static_cast<std::int8_t>(-*rc::gen::inRange(0, 19));
  const auto slots = *rc::gen::inRange(1, 120);
  const auto bits = *rc::gen::inRange(1, 64);
  for (int i = 0; i < slots; ++i) {
    const auto quality =
        static_cast<Quality>(*rc::gen::weightedElement<int>({{8, 0}, {1, 1}, {1, 2}, {2, 3}}));
    const auto value = *rc::gen::arbitrary<std::int64_t>() >> (64 - bits);
    day.qualities.push_back(quality);
    day.mantissas.push_back(quality == Quality::missing ? 0 : value);
  }
  ReadingDay back;
  RC_ASSERT(unpack_day(bytes_of(day), back).has_value());
  RC_ASSERT(back == day);
}

RC_GTEST_PROP(PackedDay, AnyBytesAreRefusedOrPackTheSameAgain, (std::string bytes)) {
  if (!bytes.empty() && *rc::gen::inRange(0, 4) != 0) bytes[0] = packed_day_format;
  ReadingDay day;
  if (!unpack_day(bytes, day)) return;
  ReadingDay again;
  RC_ASSERT(unpack_day(bytes_of(day), again).has_value());
  RC_ASSERT(again == day);
}

TEST(PackedDay, EveryCutOffDayIsRefused) {
  const auto packed = bytes_of(day_of(repeat("100 - 250e 90s", 12)));
  ReadingDay day;
  for (std::size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(unpack_day(packed.substr(0, size), day)) << size;
  EXPECT_FALSE(unpack_day(packed + '\0', day));
}

TEST(PackedDay, ANewerFormatIsRefused) {
  auto packed = bytes_of(day_of(repeat("1", 48)));
  packed[0] = packed_day_format + 1;
  ReadingDay day;
  const auto result = unpack_day(packed, day);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace meterline::store
