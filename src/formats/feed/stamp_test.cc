#include "formats/feed/stamp.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>
#include <string>

namespace meterline::formats {
namespace {

/// What a text means by a pattern; `-` when it is none.
std::string read(std::string_view pattern, std::string_view text) {
  const auto parsed = StampPattern::parse(pattern);
  if (!parsed) return "no pattern";
  const auto stamp = parsed->read(text);
  if (!stamp) return "-";
  std::ostringstream out;
  out << *stamp;
  return out.str();
}

TEST(Stamp, EachPatternReadsItsTexts) {
  EXPECT_EQ(read("dd/MM/yyyy", "03/04/2024"), "2024-04-03 00:00:00");
  EXPECT_EQ(read("MM/dd/yyyy", "03/04/2024"), "2024-03-04 00:00:00");
  EXPECT_EQ(read("dd/MM/yy", "3/4/24"), "2024-04-03 00:00:00");
  EXPECT_EQ(read("dd.MM.yyyy HH:mm", "29.10.2023 02:45"), "2023-10-29 02:45:00");
  EXPECT_EQ(read("yyyyMMdd", "20240405"), "2024-04-05 00:00:00");
  EXPECT_EQ(read("dd MMM yyyy HH:mm:ss", "26 Aug 2019 00:30:00"), "2019-08-26 00:30:00");
  EXPECT_EQ(read("dd MMM yyyy", "26 august 2019"), "2019-08-26 00:00:00");
  EXPECT_EQ(read("MM/dd/yyyy hh:mm:ss a", "09/04/2024 12:00:00 AM"), "2024-09-04 00:00:00");
  EXPECT_EQ(read("MM/dd/yyyy hh:mm:ss a", "09/04/2024 12:30:00 pm"), "2024-09-04 12:30:00");
  EXPECT_EQ(read("iso", "2025-10-26T01:00:00+01:00"), "2025-10-26 01:00:00 offset 60");
  EXPECT_EQ(read("iso", "2025-10-26 01:00Z"), "2025-10-26 01:00:00 offset 0");
  EXPECT_EQ(read("iso", "2026-03-29T00:15:00.000-03:30"), "2026-03-29 00:15:00 offset -210");
  EXPECT_EQ(read("epoch", "1700000000"), "2023-11-14 22:13:20 offset 0");
  EXPECT_EQ(read("epoch", "1700000000999"), "2023-11-14 22:13:20 offset 0");
  EXPECT_EQ(read("dd/MM/yyyy HH:mm", "03/04/2024 24:00"), "2024-04-03 24:00:00");
  EXPECT_EQ(read("yyyy-MM-dd HH:mm[:ss]", "2024-04-03 01:30"), "2024-04-03 01:30:00");
  EXPECT_EQ(read("yyyy-MM-dd HH:mm[:ss]", "2024-04-03 01:30:15"), "2024-04-03 01:30:15");
  EXPECT_EQ(read("yyyy-MM-dd HH:mm:ss*", "2012-10-12 00:30:00.0000000"), "2012-10-12 00:30:00");
}

TEST(Stamp, NothingElseIsRead) {
  EXPECT_EQ(read("dd/MM/yyyy", "2024-04-03"), "-");
  EXPECT_EQ(read("dd/MM/yyyy", "31/04/2024"), "-");
  EXPECT_EQ(read("dd/MM/yyyy", "03/04/24"), "-");
  EXPECT_EQ(read("dd/MM/yyyy", "03/04/2024 "), "-");
  EXPECT_EQ(read("yyyyMMdd", "2024405"), "-");
  EXPECT_EQ(read("dd/MM/yyyy HH:mm", "03/04/2024 24:01"), "-");
  EXPECT_EQ(read("dd/MM/yyyy HH:mm", "03/04/2024 01:60"), "-");
  EXPECT_EQ(read("MM/dd/yyyy hh:mm a", "09/04/2024 13:00 PM"), "-");
  EXPECT_EQ(read("MM/dd/yyyy hh:mm a", "09/04/2024 00:00 AM"), "-");
  EXPECT_EQ(read("iso", "2025-10-26"), "-");
  EXPECT_EQ(read("iso", "2025-10-26T01:00:00+1"), "-");
  EXPECT_EQ(read("epoch", "17e9"), "-");
  for (const char* const pattern : {"iso", "epoch", "yyyyMMdd", "dd MMM yyyy", "HH:mm[:ss]"})
    EXPECT_EQ(read(pattern, ""), "-") << pattern;
}

/// A pattern with an optional end has no places known beforehand, so it is read part by part.
RC_GTEST_PROP(Stamp, PlacesThatAreKnownChangeNothing, ()) {
  const auto pattern = *rc::gen::element<std::string>(
      "yyyy-MM-dd HH:mm", "dd/MM/yy", "yyyyMMdd", "HHmmss", "dd.MM.yyyy HH:mm:ss", "MM/dd/yyyyTHH");
  std::string text;
  for (const char part : pattern) {
    const bool is_digit = part != ' ' && std::string("yMdHms").find(part) != std::string::npos;
    const int odd = *rc::gen::inRange(0, 60);
    if (odd == 0) continue;
    text += is_digit ? static_cast<char>('0' + *rc::gen::inRange(0, odd == 1 ? 10 : 3)) : part;
    if (odd == 2) text += *rc::gen::element(' ', '0', '-', '/', 'x');
    if (odd == 3) text.back() = *rc::gen::element(' ', ':', '.', 'x', '-');
  }
  RC_CLASSIFY(read(pattern, text) != "-", "read");
  RC_ASSERT(read(pattern, text) == read(pattern + "[!]", text));
}

/// Texts of few days and times, some of them wrong.
RC_GTEST_PROP(Stamp, AKnownDayChangesNothing, ()) {
  const auto pattern = StampPattern::parse(*rc::gen::element<std::string>(
      "yyyy-MM-dd HH:mm", "dd.MM.yyyy HH:mm:ss", "yyyyMMddHHmm", "HH:mm dd.MM.yyyy", "yyyy-MM-dd",
      "HH:mm", "MM/dd/yyyy hh:mm a", "iso"));
  const auto other = StampPattern::parse("MM-dd-yyyy HH:mm");
  RC_ASSERT(pattern && other);
  StampPattern::KnownDay known;
  for (int i = 0; i < 20; ++i) {
    const auto text = *rc::gen::element<std::string>(
        "2024-01-01 00:30", "2024-01-01 24:00", "2024-01-01 24:30", "2024-01-01 aa:00",
        "2024-02-30 00:30", "2024-1-10  00:00", "2024-01-01", "01.02.2024 10:00:00",
        "01.02.2024 10:00:59", "02.01.2024 10:00:60", "202401010030", "202402300030",
        "10:00 01.02.2024", "00:30", "01/02/2024 10:00 AM", "01-02-2024 10:00", "");
    const auto& asked = *rc::gen::inRange(0, 4) == 0 ? *other : *pattern;
    RC_ASSERT(asked.read(text, known) == asked.read(text));
  }
}

TEST(Stamp, APatternThatMeansNothingIsRefused) {
  for (const char* const pattern : {"", "dd/QQ/yyyy", "[dd", "yyyy]", "* dd", "ss", "dd[:ss]x"})
    EXPECT_EQ(read(pattern, ""), "no pattern") << pattern;
}

}  // namespace
}  // namespace meterline::formats
