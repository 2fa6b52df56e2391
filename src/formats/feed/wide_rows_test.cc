// A day that is written in a random wide layout is read as it was, on days of 23, 24 and 25 hours.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/feed/feed_csv.h"
#include "formats/feed/feed_layout.h"

namespace meterline::formats {
namespace {

constexpr int day_minutes = 1440;

/// How a layout names its columns, and says what they are on a day that has not 24 hours.
enum class Columns { by_start, by_end, by_clock_number, by_number, by_place };
enum class Flags { none, before, after, named };

struct Layout {
  Columns columns = Columns::by_start;
  Flags flags = Flags::none;
  int step = 60;
  char delimiter = ',';
  bool has_comma = false;   ///< In decimals.
  std::string missing;      ///< How no reading is written.
  std::string spring_text;  ///< What stands at a time that the clock left out.
  bool has_total = false;

  bool is_elapsed() const { return columns == Columns::by_number || columns == Columns::by_place; }
  /// The second of two equal hours has columns of its own, with names of their own.
  bool has_again() const { return columns == Columns::by_start || columns == Columns::by_end; }
};

Layout any_layout() {
  Layout layout{
      .columns = *rc::gen::element(Columns::by_start, Columns::by_end, Columns::by_clock_number,
                                   Columns::by_number, Columns::by_place),
      .flags = *rc::gen::element(Flags::none, Flags::before, Flags::after, Flags::named),
      .step = *rc::gen::element(5, 10, 15, 30, 60),
      .delimiter = *rc::gen::element(',', ';', '\t', '|'),
      .has_comma = *rc::gen::arbitrary<bool>(),
      .missing = *rc::gen::element<std::string>("", "-", "null"),
      .spring_text = *rc::gen::element<std::string>("", "0"),
      .has_total = *rc::gen::arbitrary<bool>()};
  layout.has_comma = layout.has_comma && layout.delimiter != ',';
  // Flags of places side by side would be a block of their own.
  if (layout.columns == Columns::by_place && layout.flags == Flags::named)
    layout.flags = Flags::none;
  return layout;
}

std::string toml_of(const Layout& layout) {
  const auto hour = 60 / layout.step;
  std::string name = "columns = \"{n}\"\n";
  std::string flags = "flags = \"{n} Flag\"\n";
  if (layout.has_again()) {
    const auto* const hole = layout.columns == Columns::by_start ? "start" : "end";
    name = fmt::format("columns = \"{{{}}}\"\n", hole);
    flags = fmt::format("flags = \"{{{}}} Flag\"\n", hole);
  }
  if (layout.columns == Columns::by_place)
    name = fmt::format("first = \"1\"\ncount = {}\n", 25 * hour);
  std::string toml = fmt::format(
      "unit = \"kWh\"\nmeter.column = \"Id\"\nstated = {{ column = \"S\", pattern = \"iso\" }}\n"
      "[file]\ndelimiter = \"{}\"\n[numbers]\ndecimal = \"{}\"\nmissing = [\"-\", \"null\"]\n"
      "[quality]\nflags = {{ A = \"actual\", E = \"estimated\", N = \"missing\" }}\n"
      "[wide]\ndate = {{ column = \"Day\", pattern = \"dd/MM/yyyy\" }}\nstep = {}\n{}",
      layout.delimiter == '\t' ? "tab" : std::string(1, layout.delimiter),
      layout.has_comma ? "," : ".", layout.step, name);
  if (layout.flags == Flags::before) toml += "flags = \"before\"\n";
  if (layout.flags == Flags::after) toml += "flags = \"after\"\n";
  if (layout.flags == Flags::named) toml += flags;
  if (layout.has_total) toml += "total = \"Sum\"\n";
  toml += layout.is_elapsed() ? "counts = \"elapsed\"\n" : "autumn = \"extra columns\"\n";
  if (!layout.is_elapsed())
    toml += layout.spring_text.empty() ? "spring = \"empty\"\n" : "spring = \"zero\"\n";
  if (!layout.has_again()) return toml;
  std::string again;
  std::string again_flags;
  for (int i = 0; i < hour; ++i) {
    again += fmt::format("{}\"Again {}\"", i == 0 ? "" : ", ", i);
    again_flags += fmt::format("{}\"Again {} Flag\"", i == 0 ? "" : ", ", i);
  }
  toml += fmt::format("again = [{}]\n", again);
  if (layout.flags == Flags::named) toml += fmt::format("again_flags = [{}]\n", again_flags);
  return toml;
}

/// A column of readings, as the file has it.
struct Cell {
  std::string name;
  std::string value = {};
  std::string flag = {};
};

std::string clock_text(int minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }

/// The columns of the layout, with nothing in them, those of a second hour last.
std::vector<Cell> cells_of(const Layout& layout) {
  const int hour = 60 / layout.step;
  std::vector<Cell> cells;
  for (int i = 0; i < 24 * hour; ++i) {
    const int shown = (i + (layout.columns == Columns::by_end ? 1 : 0)) * layout.step;
    cells.push_back({.name = layout.has_again() ? clock_text(shown) : std::to_string(i + 1)});
  }
  for (int i = 0; i < hour; ++i)
    cells.push_back({.name = layout.has_again() ? fmt::format("Again {}", i)
                                                : std::to_string(24 * hour + i + 1)});
  return cells;
}

/// The place of each slot of the day in cells_of().
std::vector<std::size_t> places_of(const Layout& layout, const ReadingDay& day) {
  std::vector<std::size_t> places;
  const auto clock_columns = static_cast<std::size_t>(day_minutes / layout.step);
  std::vector<bool> is_taken(clock_columns);
  auto again = clock_columns;
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    const auto label = day.zone.label(day.date, static_cast<int>(slot) * layout.step);
    const int shown = std::stoi(label.substr(11, 2)) * 60 + std::stoi(label.substr(14, 2));
    auto place = static_cast<std::size_t>(shown / layout.step);
    if (layout.is_elapsed())
      place = slot;
    else if (is_taken[place])
      place = again++;
    else
      is_taken[place] = true;
    places.push_back(place);
  }
  return places;
}

std::string number_text(const Layout& layout, std::int64_t mantissa) {
  auto text = fmt::format("{}.{:03}", mantissa / 1000, mantissa % 1000);
  if (layout.has_comma) text[text.find('.')] = ',';
  return text;
}

/// Without estimates and notes where the layout has no flags.
ReadingDay any_day(const Layout& layout, TimeZone zone) {
  const auto first = *Date::from_civil({.year = 2022, .month = 1, .day = 1});
  const auto last = *Date::from_civil({.year = 2024, .month = 12, .day = 31});
  const auto odd = zone.odd_days({.from = first, .to = last});
  const bool is_odd = !odd.empty() && *rc::gen::arbitrary<bool>();
  ReadingDay day{.meter = *MeterId::parse("M1"),
                 .channel = {.unit = Unit::kWh},
                 .date = is_odd ? odd[*rc::gen::inRange<std::size_t>(0, odd.size())].date
                                : *Date::from_days(*rc::gen::inRange(first.days(), last.days())),
                 .interval = *IntervalLength::from_minutes(layout.step),
                 .exponent = -3,
                 .stated = Instant::parse("2025-01-01T00:00:00Z"),
                 .zone = zone};
  const auto slots = static_cast<std::size_t>(zone.minutes_of(day.date) / layout.step);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const int kind = slot == 0 ? 0 : *rc::gen::inRange(0, 5);
    const bool is_missing = kind == 4;
    const bool is_estimated = kind == 3 && layout.flags != Flags::none;
    day.mantissas.push_back(is_missing ? 0 : *rc::gen::inRange<std::int64_t>(1, 100'000) * 2 + 1);
    day.qualities.push_back(is_missing     ? Quality::missing
                            : is_estimated ? Quality::estimated
                                           : Quality::actual);
    if (layout.flags != Flags::none && (is_missing || is_estimated))
      append(day.notes, slot, slot + 1, {.flag = is_missing ? "N" : "E"});
  }
  return day;
}

std::string file_of(const Layout& layout, const ReadingDay& day) {
  auto cells = cells_of(layout);
  const auto places = places_of(layout, day);
  std::int64_t sum = 0;
  for (std::size_t slot = 0; slot < places.size(); ++slot) {
    auto& cell = cells[places[slot]];
    const bool is_missing = day.qualities[slot] == Quality::missing;
    cell.value = is_missing ? layout.missing : number_text(layout, day.mantissas[slot]);
    cell.flag = is_missing ? "N" : day.qualities[slot] == Quality::estimated ? "E" : "A";
    sum += day.mantissas[slot];
  }
  const auto clock_columns = static_cast<std::size_t>(day_minutes / layout.step);
  for (std::size_t i = 0; !layout.is_elapsed() && i < clock_columns; ++i)
    if (std::find(places.begin(), places.end(), i) == places.end())
      cells[i].value = layout.spring_text;
  const auto civil = day.date.civil();
  const std::string end(1, layout.delimiter);
  std::string header = "Id" + end + "Day" + end + "S" + end + "Sum";
  std::string row = "M1" + end + fmt::format("{:02}/{:02}/{}", civil.day, civil.month, civil.year) +
                    end + "2025-01-01T00:00:00Z" + end + number_text(layout, sum);
  for (const auto& cell : cells) {
    const auto flag_name = end + cell.name + " Flag";
    const auto flag = end + cell.flag;
    header += (layout.flags == Flags::before ? flag_name : "") + end + cell.name +
              (layout.flags == Flags::after ? flag_name : "");
    row += (layout.flags == Flags::before ? flag : "") + end + cell.value +
           (layout.flags == Flags::after ? flag : "");
  }
  for (const auto& cell : cells) {
    if (layout.flags != Flags::named) break;
    header += end + cell.name + " Flag";
    row += end + cell.flag;
  }
  return header + "\n" + row + "\n";
}

class KeepingSink final : public DaySink {
 public:
  void on_day(const ReadingDay& day, int rejected, const Row& /*row*/) override {
    days.push_back(day);
    rejected_readings += rejected;
  }
  void on_read(const RegisterRead& /*read*/, const Row& /*row*/) override {}
  void on_rejected_row(const Row& /*row*/) override { ++rejected_rows; }
  void on_finding(Finding finding) override { findings.push_back(std::move(finding)); }

  std::vector<ReadingDay> days;
  std::vector<Finding> findings;
  int rejected_readings = 0;
  int rejected_rows = 0;
};

RC_GTEST_PROP(WideFeed, ADayWrittenInARandomLayoutIsReadAsItWas, ()) {
  const auto layout = any_layout();
  const auto zone = *TimeZone::parse(
      *rc::gen::element<std::string>("UTC", "Europe/London", "America/New_York", "+10:00"));
  const auto day = any_day(layout, zone);
  const auto file = file_of(layout, day);
  const auto toml = toml_of(layout);
  RC_LOG() << toml << '\n' << file;
  const auto feed = parse_feed(toml, "test");
  if (!feed) RC_FAIL(feed.error().message);
  const auto opened = open_feed(*feed, {.text = file, .is_last = true}, {.zone = zone});
  if (!opened) RC_FAIL(opened.error().message);
  KeepingSink sink;
  opened->parser->parse({.text = std::string_view(file).substr(opened->bytes), .is_last = true},
                        sink);
  for (const auto& finding : sink.findings) RC_LOG() << finding << '\n';
  RC_ASSERT(sink.findings.empty());
  RC_ASSERT(sink.rejected_rows == 0);
  RC_ASSERT(sink.rejected_readings == 0);
  RC_ASSERT(sink.days.size() == 1U);
  RC_ASSERT(sink.days.front() == day);
}

}  // namespace
}  // namespace meterline::formats
