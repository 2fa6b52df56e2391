#include "formats/plain_row.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "core/decimal.h"
#include "testing/wide_csv_twins.h"

namespace meterline::formats {
namespace {

/// Whether this processor has what the reader needs, by its own word: a reader that gave up where
/// it need not fails here.
bool reads_rows() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
         __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

/// Reads one row that is followed by others, and checks that it reads it as a decimal parser does,
/// or not at all. Returns whether it reads it.
bool reads(const std::vector<std::string>& fields, const std::string& line_end = "\n") {
  const std::string text = fmt::format("{}", fmt::join(fields, ","));
  const std::string more = text + line_end + std::string(100, '7');
  std::vector<std::int64_t> mantissas(fields.size() + 1, -1);
  const auto row = read_plain_row(more.data(), more.data() + more.size(),
                                  std::span(mantissas).first(fields.size()));
  EXPECT_EQ(mantissas.back(), -1) << "wrote behind the readings";
  if (row.end == nullptr || (*row.end != '\n' && *row.end != '\r')) return false;
  EXPECT_EQ(row.end - more.data(), static_cast<std::ptrdiff_t>(text.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = Decimal::parse(fields[i]);
    EXPECT_TRUE(value) << "took `" << fields[i] << "` for a number";
    if (!value) return true;
    EXPECT_EQ(-value->exponent, row.decimals) << fields[i];
    EXPECT_EQ(value->mantissa, mantissas[i]) << fields[i];
  }
  return true;
}

std::string number(int digits_max, int decimals) {
  const auto digits = *rc::gen::inRange(decimals + 1, digits_max + 1);
  std::string text;
  for (int i = 0; i < digits; ++i) {
    if (decimals > 0 && i == digits - decimals) text += '.';
    text += static_cast<char>('0' + *rc::gen::inRange(0, 10));
  }
  return text;
}

RC_GTEST_PROP(PlainRow, ReadsRowsOfItsFormAsADecimalParserDoes, ()) {
  const auto decimals = *rc::gen::inRange(0, 7);
  const auto digits_max = *rc::gen::inRange(decimals + 1, 9);
  std::vector<std::string> fields(*rc::gen::inRange<std::size_t>(1, 300));
  for (auto& field : fields) field = number(digits_max, decimals);
  const auto line_end = *rc::gen::element<std::string>("\n", "\r", "\r\n");
  RC_ASSERT(reads(fields, line_end) == reads_rows());
}

/// The same rows by the way that every processor has: a row too near the end of its piece to be
/// read here, and on a processor that lacks what this needs, all of them.
RC_GTEST_PROP(PlainRow, IsReadTheSameByThePortableReader, ()) {
  const auto decimals = *rc::gen::inRange(0, 7);
  std::vector<std::string> fields(4);
  for (auto& field : fields) field = number(8, decimals);
  const auto readings = fmt::format("{}\n", fmt::join(fields, ","));
  std::vector<std::int64_t> mantissas(fields.size());
  const auto* at = readings.data();
  RC_ASSERT(read_plain_row(at, at + readings.size(), mantissas).end == nullptr);
  const auto lone = "Meter,Date,0:00,1:00,2:00,3:00\nEE1,2019-01-01," + readings;
  const auto followed = lone + "EE2,2019-01-01," + readings + "EE3,2019-01-01," + readings;
  for (const auto& file : {lone, followed}) {
    const auto want = meterline::testing::naive_says(file);
    RC_ASSERT(want != "refused");
    RC_ASSERT(meterline::testing::fast_says(file, {file.size()}) == want);
  }
}

RC_GTEST_PROP(PlainRow, NeverTakesAnotherRowForOneOfItsForm, ()) {
  std::vector<std::string> fields(*rc::gen::inRange<std::size_t>(2, 100), "12.5");
  auto& odd = fields[*rc::gen::inRange<std::size_t>(0, fields.size())];
  odd =
      *rc::gen::element<std::string>("", "-1.5", "125", "12.50", ".5", "5.", "1.2.", "..5", "1,2.5",
                                     "12.5 ", " 12.5", "+2.5", "x2.5", "12.x", "1e.5", "\"2.5\"",
                                     "123456789.5", "12/5", "12:5", "\xB2.5", "\n12.5", "12\n.5");
  RC_ASSERT(!reads(fields));
}

TEST(PlainRow, LeavesRowsOfOtherLengthsAlone) {
  EXPECT_FALSE(reads({"1,2", "3"}));
  EXPECT_FALSE(reads({"1\n2", "3"}));
  EXPECT_FALSE(reads({"1", "2"}, ","));
  EXPECT_FALSE(reads({"1", "123456789"}));
  EXPECT_FALSE(reads({"1", "2"}, ""));
}

TEST(PlainRow, LooksAtNothingBehindTheEnd) {
  const std::string row = "1,2,3\n";
  for (std::size_t bytes = 0; bytes <= row.size(); ++bytes) {
    const std::vector<char> exact(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(bytes));
    std::vector<std::int64_t> mantissas(3);
    EXPECT_EQ(read_plain_row(exact.data(), exact.data() + bytes, mantissas).end, nullptr);
  }
}

}  // namespace
}  // namespace meterline::formats
