// The fast parser against the naive one, which reads like the rules: on any file, whatever the
// pieces it comes in, both must say the same, to the last bit.
#include "testing/wide_csv_twins.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "testing/wide_csv_texts.h"

namespace meterline::formats {
namespace {

using meterline::testing::fast_says;
using meterline::testing::naive_says;

/// Mostly small, so that every place is cut sooner or later.
std::vector<std::size_t> piece_sizes() {
  return *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(
      rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 8), rc::gen::inRange<std::size_t>(1, 300),
                     rc::gen::just<std::size_t>(100'000))));
}

RC_GTEST_PROP(WideCsvTwins, AgreeOnGeneratedFiles, ()) {
  const auto file = *meterline::testing::wide_csv_text();
  const auto want = naive_says(file);
  RC_CLASSIFY(want == "refused");
  RC_ASSERT(fast_says(file, piece_sizes()) == want);
}

RC_GTEST_PROP(WideCsvTwins, AgreeOnMutatedFiles, ()) {
  const auto file = *meterline::testing::mutated_wide_csv_text();
  const auto want = naive_says(file);
  RC_CLASSIFY(want == "refused");
  RC_ASSERT(fast_says(file, piece_sizes()) == want);
}

RC_GTEST_PROP(WideCsvTwins, AgreeOnAnyBytes, (const std::string& noise)) {
  RC_ASSERT(fast_says(noise, {1}) == naive_says(noise));
  const auto file = "Meter,Date,0:00,6:00,7:00\n" + noise;
  RC_ASSERT(fast_says(file, piece_sizes()) == naive_says(file));
}

/// Rows that end near row_bytes_max, with something delicate at the limit.
class NearTheLimit : public ::testing::TestWithParam<int> {
 protected:
  /// `start`, filled up to `bytes`, then `end`.
  static std::string filled(const std::string& start, std::size_t bytes, const std::string& end) {
    return start + std::string(bytes - start.size(), 'x') + end;
  }
};

TEST_P(NearTheLimit, TwinsAgree) {
  const auto limit =
      static_cast<std::size_t>(static_cast<std::int64_t>(row_bytes_max) + GetParam());
  // The last sizes stop at the limit and then go on byte by byte.
  const std::vector<std::vector<std::size_t>> ways = {
      {1'000'000}, {50'000}, {row_bytes_max + 1}, {row_bytes_max, 1, 1, 1, 1, 1, 1}};
  for (const std::string end : {"\n", "\r\n", "\r", ""}) {
    for (const std::string& row :
         {filled("EE1,2019-01-01,", limit, ""), filled("EE1,\"", limit - 1, "\""),
          filled("EE1,\"\r\n", limit - 1, "\""), filled("EE1,\"", limit - 2, "\"\""),
          filled("EE1,\"\"\"a\n\",", limit - 1, ","), filled("EE1,\"\n\",", limit - 3, ",\""),
          filled("EE1,\"\n\",", limit, ",\"a\""), filled("EE1,\"", limit, ""),
          filled("EE1,", limit, ",\"open"), filled("\"a\nEE1,", limit, "")}) {
      const std::string file =
          "Meter,Date,0:00,1:00\n" + row + end + "EE2,2019-01-02,1,2\nEE3,2019-01-03,\"3\",4\n";
      const auto want = naive_says(file);
      for (const auto& sizes : ways)
        ASSERT_TRUE(fast_says(file, sizes) == want)
            << row.substr(0, 20) << " in pieces of " << sizes.front();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WideCsv, NearTheLimit, ::testing::Range(-1, 3));

TEST(WideCsvTwins, AgreeWhereADifferenceWasFound) {
  for (const std::string rows : {",2019-01-01,1,2\n", "EE1,2019-01-01,1,2\n,2019-01-01,1,2\n"})
    EXPECT_EQ(fast_says("Meter,Date,0:00,12:00\n" + rows, {1}),
              naive_says("Meter,Date,0:00,12:00\n" + rows));
  std::string file = "Meter,Date";
  for (int hour = 0; hour < 24; ++hour) file += ',' + std::to_string(hour) + ":00";
  file += "\n,2019-01-01" + std::string(24, ',') + '\n';  // No meter id in the first row.
  EXPECT_EQ(fast_says(file, {100}), naive_says(file));
}

}  // namespace
}  // namespace meterline::formats
