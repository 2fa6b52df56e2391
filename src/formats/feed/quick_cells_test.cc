// Rows that are read at once are read as cell by cell: a quote in the file makes all of it be read
// so, and nothing else may change.

#include "formats/feed/quick_cells.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "formats/feed/feed_csv.h"
#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

struct Layout {
  std::string flags;  ///< `before`, `after`, or nothing.
  bool has_comma = false;
  bool is_power = false;
};

std::string toml_of(const Layout& layout) {
  std::string toml = "zone = \"Europe/London\"\nmeter.column = \"Id\"\n";
  toml += layout.is_power ? "unit = \"kW\"\naverage_power = true\n" : "unit = \"kWh\"\n";
  toml += "[file]\ndelimiter = \";\"\n[numbers]\nmissing = [\"-\"]\ndecimal = ";
  toml += layout.has_comma ? "\",\"\n" : "\".\"\n";
  toml +=
      "[wide]\ndate = { column = \"Day\", pattern = \"yyyy-MM-dd\" }\nstep = 60\n"
      "columns = \"h{n}\"\n";
  if (!layout.flags.empty())
    toml += "flags = \"" + layout.flags +
            "\"\n[quality]\nflags = { A = \"actual\", OK = \"actual\", E = \"estimated\" }\n";
  return toml;
}

/// Mostly plain cells, so that rows of them are there.
std::string any_cell(char decimal, int odd_cells) {
  if (*rc::gen::inRange(0, 1000) < odd_cells)
    return *rc::gen::element<std::string>("", "-", " 1", "1 ", "+2", "-3", "1e-3", "x", "1.2.3",
                                          "1,2,3", ".5", "5,", "999999999999999999", "0.0000000001",
                                          "12345678901234567890", "0");
  const auto digits = *rc::gen::inRange(0, 5);
  auto text = std::to_string(*rc::gen::inRange(0, 100'000));
  if (digits == 0) return text;
  text += decimal;
  for (int i = 0; i < digits; ++i) text += static_cast<char>('0' + *rc::gen::inRange(0, 10));
  return text;
}

std::string written(std::string_view toml, const std::string& file) {
  const auto feed = parse_feed(toml, "test");
  RC_ASSERT(feed.has_value());
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, {});
  RC_ASSERT(opened.has_value());
  testing::WrittenSink sink;
  opened->parser->parse({.text = std::string_view(file).substr(opened->bytes),
                         .first_line = opened->lines + 1,
                         .is_last = true},
                        sink);
  return sink.text();
}

RC_GTEST_PROP(QuickCells, AreReadAsCellByCell, ()) {
  const Layout layout{.flags = *rc::gen::element<std::string>("", "before", "after"),
                      .has_comma = *rc::gen::arbitrary<bool>(),
                      .is_power = *rc::gen::inRange(0, 4) == 0};
  const int odd_cells = *rc::gen::element(0, 2, 100);
  std::string header = "Id;Day";
  for (int i = 1; i <= 24; ++i) {
    if (layout.flags == "before") header += ";Flag";
    header += ";h" + std::to_string(i);
    if (layout.flags == "after") header += ";Flag";
  }
  const bool has_more = *rc::gen::arbitrary<bool>();
  if (has_more) header += ";More";
  const auto* const line_end = *rc::gen::element("\n", "\r\n");
  std::string rows;
  const int count = *rc::gen::inRange(1, 8);
  for (int row = 0; row < count; ++row) {
    rows += "M1;";
    rows += *rc::gen::element("2024-03-31", "2024-04-03", "2024-04-04", "2024-10-27", "x");
    const int cells = *rc::gen::inRange(0, 40) == 0 ? 23 : 24;
    const auto flag = [&] {
      const bool is_odd = *rc::gen::inRange(0, 1000) < odd_cells;
      return is_odd ? *rc::gen::element<std::string>("E", "", "?", " A", "AA")
                    : *rc::gen::element<std::string>("A", "A", "OK");
    };
    for (int i = 0; i < cells; ++i) {
      if (layout.flags == "before") rows += ';' + flag();
      rows += ';' + any_cell(layout.has_comma ? ',' : '.', odd_cells);
      if (layout.flags == "after") rows += ';' + flag();
    }
    rows += *rc::gen::element("", "", ";", ";;", ";more", ";more;more");
    if (row + 1 < count || *rc::gen::arbitrary<bool>()) rows += line_end;
  }
  const auto toml = toml_of(layout);
  const auto quick = written(toml, header + '\n' + rows);
  const auto slow = written(
      toml, header + '\n' + rows + (rows.ends_with('\n') ? "" : "\n") + "\"M2\";2024-04-05\n");
  const auto last = slow.find("line " + std::to_string(count + 2) + ": too_few_columns");
  RC_ASSERT(last != std::string::npos);
  // Of a row without a line's end it is told that it may be cut off.
  RC_PRE(quick.find("truncated") == std::string::npos);
  RC_ASSERT(quick == slow.substr(0, last));
}

}  // namespace
}  // namespace meterline::formats
