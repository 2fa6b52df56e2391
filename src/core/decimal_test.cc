#include "core/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace meterline {
namespace {

// The reference: arithmetic on digits as taught at school, over strings.

/// Digits without sign and point, and where the point stands.
struct Written {
  bool negative = false;
  std::string digits;
  std::size_t decimals = 0;
};

Written written(std::string text) {
  Written w;
  w.negative = text.starts_with('-');
  if (w.negative) text.erase(0, 1);
  const auto point = text.find('.');
  if (point != std::string::npos) {
    w.decimals = text.size() - point - 1;
    text.erase(point, 1);
  }
  w.digits = text;
  return w;
}

std::string without_leading_zeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return digits;
}

/// Both of the same length.
std::string add_digits(const std::string& a, const std::string& b) {
  std::string out;
  int carry = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int sum = (a[i] - '0') + (b[i] - '0') + carry;
    out.insert(out.begin(), static_cast<char>('0' + sum % 10));
    carry = sum / 10;
  }
  return carry == 0 ? out : '1' + out;
}

/// Both of the same length, a >= b.
std::string subtract_digits(const std::string& a, const std::string& b) {
  std::string out;
  int borrow = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int difference = (a[i] - '0') - (b[i] - '0') - borrow;
    borrow = difference < 0 ? 1 : 0;
    out.insert(out.begin(), static_cast<char>('0' + difference + 10 * borrow));
  }
  return out;
}

/// The shortest plain form.
std::string shortest(const Written& w) {
  std::string digits = w.digits;
  if (digits.size() <= w.decimals) digits.insert(0, w.decimals + 1 - digits.size(), '0');
  std::string whole = without_leading_zeros(digits.substr(0, digits.size() - w.decimals));
  std::string fraction = digits.substr(digits.size() - w.decimals);
  while (fraction.ends_with('0')) fraction.pop_back();
  const std::string out = fraction.empty() ? whole : whole + '.' + fraction;
  return w.negative && out != "0" ? '-' + out : out;
}

/// Gives both the same number of digits and of decimals.
void align(Written& a, Written& b) {
  const auto decimals = std::max(a.decimals, b.decimals);
  a.digits.append(decimals - a.decimals, '0');
  b.digits.append(decimals - b.decimals, '0');
  a.decimals = b.decimals = decimals;
  const auto size = std::max(a.digits.size(), b.digits.size());
  a.digits.insert(0, size - a.digits.size(), '0');
  b.digits.insert(0, size - b.digits.size(), '0');
}

std::string add_texts(const std::string& a_text, const std::string& b_text) {
  Written a = written(a_text);
  Written b = written(b_text);
  align(a, b);
  if (a.negative == b.negative)
    return shortest({a.negative, add_digits(a.digits, b.digits), a.decimals});
  if (a.digits < b.digits) std::swap(a, b);
  return shortest({a.negative, subtract_digits(a.digits, b.digits), a.decimals});
}

/// What the reference itself says, so that it can be trusted.
TEST(ReferenceAddition, IsSchoolArithmetic) {
  EXPECT_EQ(add_texts("1.20", "0.305"), "1.505");
  EXPECT_EQ(add_texts("999", "1"), "1000");
  EXPECT_EQ(add_texts("-0.5", "0.25"), "-0.25");
  EXPECT_EQ(add_texts("1", "-1.000"), "0");
  EXPECT_EQ(add_texts("-7", "-5"), "-12");
}

rc::Gen<std::string> digits_text(int digits_min, int digits_max) {
  return rc::gen::mapcat(rc::gen::inRange(digits_min, digits_max + 1), [](int count) {
    return rc::gen::container<std::string>(static_cast<std::size_t>(count),
                                           rc::gen::inRange<char>('0', '9' + 1));
  });
}

/// Plain decimals of 1-18 digits.
rc::Gen<std::string> plain_decimal() {
  return rc::gen::map(rc::gen::tuple(rc::gen::arbitrary<bool>(), digits_text(1, decimal_digits_max),
                                     rc::gen::inRange(0, decimal_digits_max)),
                      [](const std::tuple<bool, std::string, int>& parts) {
                        auto [negative, text, decimals] = parts;
                        const auto point = static_cast<int>(text.size()) - decimals;
                        if (decimals > 0 && point > 0)
                          text.insert(static_cast<std::size_t>(point), 1, '.');
                        return negative ? '-' + text : text;
                      });
}

TEST(Decimal, ReadsPlainDecimals) {
  struct Case {
    const char* text;
    std::int64_t mantissa;
    int exponent;
  };
  for (const Case& c :
       {Case{"0", 0, 0}, Case{"12", 12, 0}, Case{"-3", -3, 0}, Case{"0.305", 305, -3},
        Case{"1.50", 150, -2}, Case{"007", 7, 0}, Case{"-0", 0, 0}, Case{"-0.0", 0, -1},
        Case{"0.00", 0, -2}, Case{"999999999999999999", 999'999'999'999'999'999, 0},
        Case{"-0.00000000000000001", -1, -17}}) {
    const auto decimal = Decimal::parse(c.text);
    ASSERT_TRUE(decimal) << c.text;
    EXPECT_EQ(decimal->mantissa, c.mantissa) << c.text;
    EXPECT_EQ(decimal->exponent, c.exponent) << c.text;
  }
}

TEST(Decimal, RefusesEverythingElse) {
  for (const char* text : {"",
                           "-",
                           ".",
                           "-.",
                           ".5",
                           "-.5",
                           "5.",
                           "+5",
                           "--5",
                           "-+5",
                           "5-",
                           "1,5",
                           "1.2.3",
                           "1..2",
                           "1e5",
                           "1E5",
                           "0x10",
                           "NaN",
                           "nan",
                           "inf",
                           "-inf",
                           " 5",
                           "5 ",
                           "1 000",
                           "1_000",
                           "１２",
                           "٣",
                           "½",
                           "5kWh",
                           "1000000000000000000",
                           "-1000000000000000000",
                           "0000000000000000000",
                           "0.000000000000000000",
                           "12345678.12345678901"})
    EXPECT_FALSE(Decimal::parse(text)) << text;
  EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)));
}

RC_GTEST_PROP(Decimal, WritesTheShortestFormOfWhatItRead, ()) {
  const auto text = *plain_decimal();
  const auto decimal = Decimal::parse(text);
  RC_ASSERT(decimal.has_value());
  RC_ASSERT(decimal->text() == shortest(written(text)));
  RC_ASSERT(Decimal::parse(decimal->text()) == decimal);
}

RC_GTEST_PROP(Decimal, ReadsNothingThatIsNotPlain, (const std::string& noise)) {
  const bool is_plain = noise.find_first_not_of("0123456789.-") == std::string::npos;
  RC_ASSERT((is_plain || !Decimal::parse(noise)));
}

TEST(Decimal, ComparesByValue) {
  EXPECT_EQ((Decimal{1500, -3}), (Decimal{15, -1}));
  EXPECT_EQ((Decimal{0, -3}), (Decimal{0, 0}));
  EXPECT_FALSE((Decimal{1500, -3}) == (Decimal{1500, -2}));
}

RC_GTEST_PROP(Decimal, IsEqualWhereItIsWrittenTheSame, ()) {
  const auto any = [] {
    const auto mantissa = *rc::gen::inRange<std::int64_t>(-30, 31);
    const auto zeros = *rc::gen::element<std::int64_t>(1, 10, 1000);
    const auto exponent = *rc::gen::inRange(-4, 1);
    return Decimal{.mantissa = mantissa * zeros, .exponent = static_cast<std::int8_t>(exponent)};
  };
  const auto a = any();
  const auto b = any();
  RC_ASSERT((a == b) == (a.text() == b.text()));
}

TEST(Decimal, WritesEveryMantissa) {
  EXPECT_EQ((Decimal{std::numeric_limits<std::int64_t>::min(), -18}.text()),
            "-9.223372036854775808");
  EXPECT_EQ((Decimal{std::numeric_limits<std::int64_t>::max(), 0}.text()), "9223372036854775807");
  EXPECT_EQ((Decimal{5, -18}.text()), "0.000000000000000005");
}

RC_GTEST_PROP(Sum, AgreesWithAdditionOfDecimalStrings, ()) {
  Sum sum;
  std::string want = "0";
  for (const auto& text : *rc::gen::container<std::vector<std::string>>(plain_decimal())) {
    RC_ASSERT(sum.add(*Decimal::parse(text)).has_value());
    want = add_texts(want, text);
  }
  RC_ASSERT(sum.text() == want);
}

RC_GTEST_PROP(Sum, IsTheSameInAnyOrder, ()) {
  const auto texts = *rc::gen::container<std::vector<std::string>>(plain_decimal());
  const auto half = texts.size() / 2;
  Sum forward;
  Sum front;
  Sum back;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto value = *Decimal::parse(texts[i]);
    RC_ASSERT(forward.add(value).has_value());
    RC_ASSERT((i < half ? front : back).add(value).has_value());
  }
  RC_ASSERT(back.add(front).has_value());
  RC_ASSERT(back == forward);
}

constexpr Int128 largest = (((Int128{1} << 126) - 1) << 1) + 1;
constexpr Int128 least = -largest - 1;
const std::string largest_text = "170141183460469231731687303715884105727";

TEST(Sum, WritesItsLargestAndItsLeast) {
  EXPECT_EQ(Sum(largest, 0).text(), largest_text);
  EXPECT_EQ(Sum(least, 0).text(), "-170141183460469231731687303715884105728");
  EXPECT_EQ(Sum(least, -18).text(), "-170141183460469231731.687303715884105728");
}

TEST(Sum, ReachesItsLargestAndRefusesOneMore) {
  Sum sum(largest - 1, 0);
  ASSERT_TRUE(sum.add(Decimal{1, 0}));
  EXPECT_EQ(sum.text(), largest_text);
  const auto refused = sum.add(Decimal{1, 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
  EXPECT_EQ(sum.text(), largest_text);  // Unchanged.

  Sum low(least + 1, 0);
  ASSERT_TRUE(low.add(Decimal{-1, 0}));
  EXPECT_FALSE(low.add(Decimal{-1, 0}));
}

TEST(Sum, RefusesWhatCannotShareItsDecimals) {
  Sum sum(largest, 0);
  EXPECT_FALSE(sum.add(Decimal{1, -1}));
  Sum small(1, -18);
  EXPECT_FALSE(small.add(Sum(largest, 0)));
  EXPECT_EQ(small.text(), "0.000000000000000001");
}

TEST(Sum, HoldsWhatItsHeaderPromises) {
  const std::int64_t whole = 999'999'999'999'999'999;
  Sum sum;
  ASSERT_TRUE(sum.add(Decimal{1, -17}));
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(sum.add(Decimal{whole, 0}));
  EXPECT_EQ(sum.text(), "999999999999999999000.00000000000000001");

  const Int128 readings = Int128{10'000'000'000} * 10'000'000'000;
  Sum many(readings * whole, 0);
  EXPECT_EQ(many.text(), "99999999999999999900000000000000000000");
}

/// Never a wrong total: near the limit it is the reference's sum, or an error.
RC_GTEST_PROP(Sum, IsRightOrAnErrorNearItsLimit, ()) {
  const auto near = [] {
    const auto distance = *rc::gen::inRange<std::int64_t>(0, 1'000);
    const auto divisor = *rc::gen::element<std::int64_t>(1, 2, 10, 1'000'000'000'000);
    const Int128 size = largest / divisor - distance;
    return *rc::gen::arbitrary<bool>() ? -size : size;
  };
  const int exponent_a = *rc::gen::inRange(-18, 1);
  const int exponent_b = *rc::gen::inRange(-18, 1);
  Sum a(near(), exponent_a);
  const Sum b(near(), exponent_b);
  const std::string before = a.text();
  const bool is_added = a.add(b).has_value();
  RC_ASSERT(a.text() == (is_added ? add_texts(before, b.text()) : before));

  Written total = written(add_texts(before, b.text()));
  const auto decimals = static_cast<std::size_t>(-std::min(exponent_a, exponent_b));
  total.digits.append(decimals - total.decimals, '0');
  total.digits = without_leading_zeros(total.digits);
  const bool is_too_long = total.digits.size() > largest_text.size() ||
                           (total.digits.size() == largest_text.size() &&
                            total.digits > "170141183460469231731687303715884105728");
  RC_ASSERT(!(is_added && is_too_long));
  if (exponent_a == exponent_b && !is_added) RC_ASSERT(total.digits > largest_text);
}

}  // namespace
}  // namespace meterline
