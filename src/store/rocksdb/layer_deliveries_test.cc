#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "store/rocksdb/month.h"

namespace meterline::store::rocksdb {
namespace {

using Numbers = std::vector<std::uint32_t>;

std::string bytes_of(const Numbers& numbers) {
  std::string bytes;
  put_deliveries(numbers, bytes);
  return bytes;
}

/// Empty when the bytes are refused or not used up.
std::optional<Numbers> numbers_of(std::string_view bytes, std::size_t count) {
  const std::vector<char> exact(bytes.begin(), bytes.end());  // A sanitizer sees its end.
  std::string_view left(exact.data(), exact.size());
  LayerDeliveries read;
  if (!read.take(left, count) || !left.empty()) return std::nullopt;
  Numbers numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(read.at(i));
  EXPECT_EQ(numbers, read.only() ? Numbers(count, *read.only()) : numbers);
  return numbers;
}

struct Case {
  std::string says;
  Numbers numbers;
  std::string bytes;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.says; }
};

class Layer : public ::testing::TestWithParam<Case> {};

TEST_P(Layer, HasItsDeliveriesInTheFewestBytes) {
  const auto& [says, numbers, bytes] = GetParam();
  EXPECT_EQ(bytes_of(numbers), bytes);
  EXPECT_EQ(numbers_of(bytes, numbers.size()), std::optional(numbers));
}

const Case cases[] = {
    {"one day", {7}, "\x1c"},
    {"one delivery", {7, 7, 7}, "\x1c"},
    {"a delivery a day", {7, 8, 9}, "\x1d"},
    {"backwards", {9, 8, 7}, "\x26\x01\x01"},
    {"one left out", {7, 8, 10}, "\x1e\x02\x04"},
    {"one twice", {7, 7, 8}, {"\x1e\x00\x02", 3}},
    {"up to the last number", {UINT32_MAX - 1, UINT32_MAX}, "\xf9\xff\xff\xff\x3f"},
};

INSTANTIATE_TEST_SUITE_P(LayerDeliveries, Layer, ::testing::ValuesIn(cases));

TEST(LayerDeliveries, DamagedOnesAreRefused) {
  EXPECT_FALSE(numbers_of("", 1));
  EXPECT_FALSE(numbers_of("\x1f", 1)) << "no such mode";
  EXPECT_FALSE(numbers_of("\x1e", 2)) << "a step is cut off";
  EXPECT_FALSE(numbers_of("\x02\x01", 2)) << "below the first number";
  EXPECT_FALSE(numbers_of("\xf9\xff\xff\xff\x3f", 3)) << "rising beyond the last number";
  EXPECT_FALSE(numbers_of("\xfe\xff\xff\xff\x3f\x02", 2)) << "a step beyond the last number";
  EXPECT_FALSE(numbers_of("\xfc\xff\xff\xff\x7f", 1)) << "a first number that is none";
}

RC_GTEST_PROP(LayerDeliveries, ReadBackWhatWasWritten, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, month_days_max + 1);
  const auto numbers = *rc::gen::container<Numbers>(
      count,
      rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 3), rc::gen::arbitrary<std::uint32_t>()));
  RC_ASSERT(numbers_of(bytes_of(numbers), count) == std::optional(numbers));
}

RC_GTEST_PROP(LayerDeliveries, AnyBytesAreReadOrRefused, (const std::string& bytes)) {
  numbers_of(bytes, *rc::gen::inRange<std::size_t>(1, month_days_max + 1));
}

}  // namespace
}  // namespace meterline::store::rocksdb
