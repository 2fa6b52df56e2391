#include "formats/plain_row.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "core/decimal.h"

namespace meterline::formats {
namespace {

/// Whether this processor has what the reader needs: it then knows the plainest row of all.
bool reads_rows() {
  const std::string text = "1\n" + std::string(100, '\n');
  std::vector<std::int64_t> mantissas(1);
  return read_plain_row(text.data(), text.data() + text.size(), mantissas).end != nullptr;
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
  if (row.end == nullptr) return false;
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
