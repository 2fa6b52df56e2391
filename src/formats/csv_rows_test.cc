#include "formats/csv_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace meterline::formats {
namespace {

/// Line ends made visible.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
  return out;
}

std::string rows_of(std::string_view text) {
  constexpr std::string_view states[] = {"", " unended", " unclosed", " unclosed_last"};
  std::string out;
  while (!text.empty()) {
    const auto row = first_row(text);
    out += '[' + shown(row.text) + ']' + std::to_string(row.lines);
    out += states[static_cast<std::size_t>(row.state)];
    out += '\n';
    text.remove_prefix(row.bytes);
  }
  return out;
}

std::string fields_of(std::string_view row) {
  std::vector<Field> fields;
  split_fields(row, 100, fields);
  std::string out;
  for (const auto& field : fields)
    out += '[' + shown(field.text) + ']' + (field.bad_quoting ? "bad" : "");
  return out;
}

/// Each case: a text, then its rows: [text]physical lines, and the state unless it is whole.
void check_rows(std::string_view text, std::string_view want,
                std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  EXPECT_EQ(rows_of(text), want);
}

/// Each case: a row, then its fields.
void check_fields(std::string_view row, std::string_view want,
                  std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  EXPECT_EQ(fields_of(row), want);
}

TEST(FirstRow, EndsAtAnyLineEnd) {
  check_rows("a,1\nb,2\n", "[a,1]1\n[b,2]1\n");
  check_rows("a,1\r\nb,2\r\n", "[a,1]1\n[b,2]1\n");
  check_rows("a,1\rb,2\r", "[a,1]1\n[b,2]1\n");
  check_rows("a\n\r\nb\r\rc\n\rd", "[a]1\n[]1\n[b]1\n[]1\n[c]1\n[]1\n[d]0 unended\n");
}

TEST(FirstRow, OfALastLineWithoutLineEnd) {
  check_rows("a,1", "[a,1]0 unended\n");
  check_rows("a,\"1\n2\"", "[a,\"1\\n2\"]1 unended\n");
}

TEST(FirstRow, GoesOnInsideQuotes) {
  check_rows("\"a\nb\",1\nc\n", "[\"a\\nb\",1]2\n[c]1\n");
  check_rows("\"a\r\nb\rc\",1\r\nd\n", "[\"a\\r\\nb\\rc\",1]3\n[d]1\n");
  check_rows("x, \t\"a\nb\"\ny\n", "[x, \t\"a\\nb\"]2\n[y]1\n");
  check_rows("\"a\"\"\n\"\"b\"\nc\n", "[\"a\"\"\\n\"\"b\"]2\n[c]1\n");
}

TEST(FirstRow, TakesAQuoteElsewhereForText) {
  check_rows("5\"\nb\"\n", "[5\"]1\n[b\"]1\n");
  check_rows("\"a\"b\"\nc\n", "[\"a\"b\"]1\n[c]1\n");
  check_rows("a \"b\nc\n", "[a \"b]1\n[c]1\n");
}

TEST(FirstRow, WithAnUnclosedQuoteIsOneLine) {
  check_rows("a,\"b\nc,1\nd,2\n", "[a,\"b]1 unclosed\n[c,1]1\n[d,2]1\n");
  check_rows("a,\"b", "[a,\"b]0 unclosed_last\n");
  check_rows("\"a\"\"\n", "[\"a\"\"]1 unclosed\n");
}

TEST(FirstRow, LooksForAClosingQuoteAsFarAsTheLimit) {
  const std::string inside(row_bytes_max - 3, 'x');
  const std::string closed = "\"\n" + inside + "\"";
  ASSERT_EQ(closed.size(), row_bytes_max);
  EXPECT_EQ(first_row(closed + '\n').lines, 2);
  EXPECT_EQ(first_row(closed + '\n').state, RowState::whole);

  const std::string beyond = "\"\nx" + inside + "\"\n";
  EXPECT_EQ(first_row(beyond).text, "\"");
  EXPECT_EQ(first_row(beyond).state, RowState::unclosed);
}

TEST(FirstRow, IsNotQuotedBeyondTheLimit) {
  const std::string start = "\"a\nb\"," + std::string(row_bytes_max, 'x');
  const std::string text = start + ",\"c\nd\"\n";
  const auto row = first_row(text);
  EXPECT_EQ(row.text, start + ",\"c");
  EXPECT_EQ(row.state, RowState::whole);
  EXPECT_EQ(row.lines, 2);
}

TEST(SplitFields, AtCommas) {
  check_fields("", "[]");
  check_fields("a", "[a]");
  check_fields("a,b,,d,", "[a][b][][d][]");
  check_fields(" a ,\tb c\t,  ", "[a][b c][]");
}

TEST(SplitFields, TakesQuotesAway) {
  check_fields("\"a\",\"b,c\",\"\"", "[a][b,c][]");
  check_fields("\"a\"\"b\",\"\"\"\"", "[a\"b][\"]");
  check_fields(" \"a\" ,\t\"b\"\t", "[a][b]");
  check_fields("\" a \",\"\tb\"", "[a][b]");
  check_fields("\"a\nb\"", "[a\\nb]");
}

TEST(SplitFields, TellsOfBadQuoting) {
  check_fields("5\",a\"b,c", "[5\"]bad[a\"b]bad[c]");
  check_fields("\"a\"b,\"c\" \"d\",e", "[a]bad[c]bad[e]");
  check_fields("a,\"b,c", "[a][b,c]bad");
}

TEST(SplitFields, CountsButDoesNotKeepTooMany) {
  std::vector<Field> fields;
  EXPECT_EQ(split_fields("a,b,c,d", 2, fields), 4U);
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[1].text, "b");
}

/// `x*100` for a long run of x.
std::string shortened(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto end = std::min(text.find_first_not_of('x', i), text.size());
    if (end - i < 10) {
      out += text[i++];
      continue;
    }
    out += "x*" + std::to_string(end - i);
    i = end;
  }
  return out;
}

/// The pieces that come when the text is fed in parts, with `|` behind each; `.` for a feed
/// that gave none.
std::string pieces_of(const std::vector<std::string>& feeds, Cut cut = {}) {
  RowCutter cutter(cut);
  std::string out;
  TextBuffer piece;
  for (const auto& feed : feeds) {
    cutter.append(feed);
    const auto before = out.size();
    while (cutter.next(piece)) out += shown(piece.text()) + '|';
    if (out.size() == before) out += '.';
  }
  cutter.finish();
  while (cutter.next(piece)) out += shown(piece.text()) + '|';
  return shortened(out);
}

TEST(RowCutter, GivesWholeRowsOnly) {
  EXPECT_EQ(pieces_of({"a\nb\nc"}), "a\\nb\\n|c|");
  EXPECT_EQ(pieces_of({"a", "b", "\n", "c\n"}), "..ab\\n|c\\n|");
  EXPECT_EQ(pieces_of({}), "");
  EXPECT_EQ(pieces_of({""}), ".");
}

TEST(RowCutter, KeepsCrAndLfTogether) {
  EXPECT_EQ(pieces_of({"a\r", "\nb\r", "c"}), ".a\\r\\n|b\\r|c|");
  EXPECT_EQ(pieces_of({"a\r"}), ".a\\r|");
}

TEST(RowCutter, DoesNotCutInsideQuotes) {
  EXPECT_EQ(pieces_of({"a\n\"b\n", "c\"", "\nd"}), "a\\n|.\"b\\nc\"\\n|d|");
  EXPECT_EQ(pieces_of({"\"a\"", "\"\n\"\n"}), ".\"a\"\"\\n\"\\n|");
  EXPECT_EQ(pieces_of({"a,\"b\n", "c\n"}), "..a,\"b\\nc\\n|");  // Never closed: known at the end.
}

TEST(RowCutter, GivesTheStartOfAnOverlongRowAlone) {
  const std::string start(row_bytes_max + 1, 'x');
  EXPECT_EQ(pieces_of({"a\n" + start + "yes", "t\nb\n"}), "a\\n|x*131073|b\\n|");
  EXPECT_EQ(pieces_of({start, "r", "est", "\r", "\nb\n"}), ".x*131073|..b\\n|");
  EXPECT_EQ(pieces_of({start + "r", "est\rb\n"}), "x*131073|b\\n|");
  EXPECT_EQ(pieces_of({start + "r", "est"}), "x*131073|.");
}

TEST(RowCutter, TakesTheLongestLegalRowForWhole) {
  const std::string row(row_bytes_max, 'x');
  EXPECT_EQ(pieces_of({row, "\n"}), ".x*131072\\n|");
  EXPECT_EQ(pieces_of({row + "\r", "\nb\n"}), ".x*131072\\r\\nb\\n|");
  EXPECT_EQ(pieces_of({row + "\r", "b\n"}), ".x*131072\\rb\\n|");
}

constexpr Cut at_b = {.has_quotes = false, .first_row = "b,"};

TEST(RowCutter, CutsBeforeRowsThatBeginSo) {
  EXPECT_EQ(pieces_of({"a\nb,1\nc\nb,2\nc\n", "c\nb,", "3\r", "\nc"}, at_b),
            "a\\nb,1\\nc\\n|..b,2\\nc\\nc\\n|b,3\\r\\nc|");
  EXPECT_EQ(pieces_of({"b,1\n", "c\n", "xb,\n"}, at_b), "...b,1\\nc\\nxb,\\n|");
  EXPECT_EQ(pieces_of({"a,\"\nb,1\n\"\n"}, at_b), "a,\"\\n|b,1\\n\"\\n|");
}

/// Text is not held back without end for a row that does not come.
TEST(RowCutter, CutsAnywhereWhereAPieceWouldBeTooLong) {
  RowCutter cutter(at_b);
  TextBuffer piece;
  const std::string row = std::string(100'000, 'c') + '\n';
  for (std::size_t fed = 0; !cutter.next(piece); fed += row.size()) {
    ASSERT_LE(fed, piece_bytes_max + row.size());
    cutter.append(row);
  }
  EXPECT_GE(piece.text().size(), piece_bytes_max);
  const std::string overlong(row_bytes_max + 1, 'x');
  EXPECT_EQ(pieces_of({"b,\nc\n" + overlong + "y", "z\nb,2\n"}, at_b),
            "b,\\nc\\n|x*131073|.b,2\\n|");
}

TEST(RowCutter, CutsAnywhereWhereRowsCountForNothing) {
  RowCutter cutter({.has_quotes = false, .is_anywhere = true});
  TextBuffer piece;
  cutter.append(std::string(row_bytes_max * 3, 'x') + "\nab");
  EXPECT_TRUE(cutter.next(piece));
  EXPECT_EQ(piece.text().size(), row_bytes_max * 3 + 2) << "but for the last byte";
  EXPECT_FALSE(cutter.next(piece));
  cutter.finish();
  EXPECT_TRUE(cutter.next(piece)) << "so that there is a last piece";
  EXPECT_EQ(piece.text(), "b");
  EXPECT_EQ(cutter.buffered(), 0U);
}

RC_GTEST_PROP(RowCutter, LosesNothingAndKeepsOrder, ()) {
  const auto texts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab,\"\"\n\r "))));
  const bool has_quotes = *rc::gen::arbitrary<bool>();
  const auto unquoted = *rc::gen::element(Cut{.has_quotes = false, .first_row = "a"},
                                          Cut{.has_quotes = false, .is_anywhere = true});
  RowCutter cutter(has_quotes ? Cut{} : unquoted);
  std::string all;
  std::string given;
  std::string rows;
  TextBuffer piece;
  const auto take = [&] {
    while (cutter.next(piece)) {
      given += piece.text();
      rows += rows_of(piece.text());
    }
  };
  for (const auto& text : texts) {
    all += text;
    cutter.append(text);
    take();
  }
  cutter.finish();
  take();
  RC_ASSERT(given == all);
  RC_ASSERT(!has_quotes || rows == rows_of(all));
  RC_ASSERT(cutter.buffered() == 0U);
}

}  // namespace
}  // namespace meterline::formats
