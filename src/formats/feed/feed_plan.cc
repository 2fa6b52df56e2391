// Finds the header of a file and the columns that a feed names, once for each file.

#include "formats/feed/feed_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "core/finding.h"
#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/feed/feed_fields.h"
#include "formats/feed/wildcard.h"
#include "formats/meter_text.h"

namespace meterline::formats {
namespace {

constexpr int day_minutes = 24 * 60;

using Line = std::vector<std::string>;

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  constexpr std::size_t names_max = 12;
  for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i)
    list += fmt::format("{}`{}`", i == 0 ? "" : ", ", excerpt_of(names[i]));
  if (names.size() > names_max) list += fmt::format(" and {} more", names.size() - names_max);
  return list;
}

void replace(std::string& text, std::string_view word, std::string_view by) {
  if (const auto at = text.find(word); at != std::string::npos) text.replace(at, word.size(), by);
}

/// `Name,value`, `Name: value` or `Name : value`.
std::optional<std::string> title_in(const Line& line, std::string_view name) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::string_view field = line[i];
    if (field.size() < name.size() || !is_same_word(field.substr(0, name.size()), name)) continue;
    auto rest = without_blanks_around(field.substr(name.size()));
    if (rest.starts_with(':'))
      rest = without_blanks_around(rest.substr(1));
    else if (!rest.empty())
      continue;
    if (!rest.empty()) return std::string(rest);
    if (i + 1 < line.size() && !line[i + 1].empty()) return line[i + 1];
  }
  return std::nullopt;
}

class Planner {
 public:
  Planner(const FeedLayout& layout, const Piece& first, const ReadOptions& options)
      : layout_(layout), first_(first), options_(options) {}

  Result<FeedOpened> plan();

 private:
  Result<void> find_header();
  bool is_header(const Line& line) const;
  std::vector<std::string> names_needed() const;
  Result<int> find(const ColumnRef& ref);
  Result<int> find_if_given(const ColumnRef& ref);
  Result<StampPlan> find(const StampColumns& stamp);
  Result<void> plan_rows();
  Result<void> plan_meter();
  Result<MeterId> meter_of(std::string_view text) const;
  std::optional<std::string> title(std::string_view name) const;
  TotalPlan total(const SaidTotal& said) const;
  std::optional<std::string> text_below(std::string_view name) const;
  Result<void> plan_wide();
  Result<void> plan_cells();
  std::optional<int> index_of(const std::string& pattern, std::string_view name) const;
  Result<void> plan_long();
  Result<void> plan_values();
  void plan_flags();
  void note_used(int column);
  bool is_whole_header_known() const;

  const FeedLayout& layout_;
  const Piece& first_;
  const ReadOptions& options_;
  FeedOpened opened_;
  FeedPlan& plan_ = opened_.plan;
  std::vector<Line> titles_;
  std::vector<std::int64_t> title_lines_;
  std::set<int> used_;
};

std::vector<std::string> Planner::names_needed() const {
  if (!layout_.header.empty()) return layout_.header;
  std::vector<std::string> names;
  const auto add = [&](const ColumnRef& ref) {
    if (!ref.name.empty()) names.push_back(ref.name);
  };
  const auto add_all = [&](const StampColumns& stamp) {
    for (const auto& column : stamp.columns) add(column);
  };
  add(layout_.meter.column);
  add(layout_.unit_column);
  add(layout_.factor_column);
  add(layout_.channel_column);
  add_all(layout_.stated);
  if (layout_.wide) {
    add_all(layout_.wide->date);
    add(layout_.wide->first);
    add(layout_.wide->total);
  }
  if (const auto& rows = layout_.rows_of_readings) {
    for (const auto* const stamp : {&rows->start, &rows->end, &rows->date}) add_all(*stamp);
    add(rows->period);
    for (const auto& value : rows->values) add(value.column);
  }
  return names;
}

bool Planner::is_header(const Line& line) const {
  const auto needed = names_needed();
  return std::all_of(needed.begin(), needed.end(), [&](const std::string& name) {
    return std::any_of(line.begin(), line.end(),
                       [&](const std::string& field) { return fits(name, field); });
  });
}

Result<void> Planner::find_header() {
  plan_.delimiter = layout_.delimiter;
  auto rest = first_.text;
  std::int64_t line = first_.first_line;
  int looked = 0;
  const auto go_on = [&](const RawRow& row) {
    rest.remove_prefix(row.bytes);
    line += row.lines;
  };
  if (!rest.empty()) {
    const auto row = first_row(rest);
    if (const auto said = delimiter_said(row.text)) {
      plan_.delimiter = *said;
      go_on(row);
    }
  }
  const auto take_rest = [&] {
    opened_.bytes = first_.text.size() - rest.size();
    opened_.lines = line - first_.first_line;
  };
  if (!layout_.has_header) {
    take_rest();
    return {};
  }
  for (; !rest.empty() && looked < header_lines_max; ++looked) {
    const auto row = first_row(rest);
    FeedFields fields(plan_.delimiter);
    const bool is_split = fields.split(row.text.substr(0, row_bytes_max));
    Line texts(fields.all().begin(), fields.all().end());
    const bool is_it = layout_.header_line > 0 ? line == layout_.header_line : is_header(texts);
    title_lines_.push_back(line);
    go_on(row);
    if (is_split && is_it && texts.size() <= header_fields_max) {
      while (!texts.empty() && texts.back().empty()) texts.pop_back();
      plan_.names = std::move(texts);
      take_rest();
      return {};
    }
    titles_.push_back(std::move(texts));
  }
  if (layout_.header_line > 0)
    return fail(Errc::refused, fmt::format("by the feed {}, line {} is the header, but the file "
                                           "has none that can be read",
                                           layout_.name, layout_.header_line));
  return fail(Errc::refused,
              fmt::format("no line of the first {} has the columns that the feed {} wants by `{}`: "
                          "{}; the first line has {}",
                          header_lines_max, layout_.name, plan_.delimiter, list_of(names_needed()),
                          titles_.empty() ? "none" : list_of(titles_.front())));
}

void Planner::note_used(int column) {
  if (column == no_column) return;
  used_.insert(column);
  plan_.columns_needed = std::max(plan_.columns_needed, column + 1);
}

Result<int> Planner::find(const ColumnRef& ref) {
  if (ref.place > 0) {
    if (layout_.has_header && static_cast<std::size_t>(ref.place) > plan_.names.size())
      return fail(Errc::refused, fmt::format("the feed {} wants column {}, but the header has {}",
                                             layout_.name, ref.place, plan_.names.size()));
    note_used(ref.place - 1);
    return ref.place - 1;
  }
  int seen = 0;
  for (std::size_t i = 0; i < plan_.names.size(); ++i) {
    if (!fits(ref.name, plan_.names[i]) || ++seen < ref.nth) continue;
    note_used(static_cast<int>(i));
    return static_cast<int>(i);
  }
  return fail(Errc::refused, fmt::format("the feed {} wants a column {}; the header has {}",
                                         layout_.name, ref.text(), list_of(plan_.names)));
}

Result<int> Planner::find_if_given(const ColumnRef& ref) {
  return ref.is_given() ? find(ref) : Result<int>(no_column);
}

Result<StampPlan> Planner::find(const StampColumns& stamp) {
  StampPlan plan{.pattern = stamp.pattern};
  for (const auto& column : stamp.columns) {
    METERLINE_TRY(const int place, find(column));
    plan.columns.push_back(place);
  }
  return plan;
}

std::optional<std::string> Planner::title(std::string_view name) const {
  for (const auto& line : titles_)
    if (auto value = title_in(line, name)) return value;
  return std::nullopt;
}

TotalPlan Planner::total(const SaidTotal& said) const {
  if (!said.is_given()) return {};
  TotalPlan plan{.record = said.record, .column = said.column - 1};
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    const auto& line = titles_[i];
    const auto place = static_cast<std::size_t>(std::max(plan.column, 0));
    const auto value = said.title.empty()
                           ? (!line.empty() && line.front() == said.record && place < line.size()
                                  ? std::optional(line[place])
                                  : std::nullopt)
                           : title_in(line, said.title);
    if (!value) continue;
    plan.said = *value;
    plan.line = title_lines_[i] - first_.first_line - opened_.lines;
    break;
  }
  return plan;
}

std::optional<std::string> Planner::text_below(std::string_view name) const {
  for (std::size_t i = 0; i + 1 < titles_.size(); ++i)
    for (std::size_t column = 0; column < titles_[i].size(); ++column)
      if (fits(name, titles_[i][column]) && column < titles_[i + 1].size())
        return titles_[i + 1][column];
  return std::nullopt;
}

Result<MeterId> Planner::meter_of(std::string_view text) const {
  std::string cleaned;
  for (const char c : text)
    if (c != ' ' && c != '\t') cleaned += c;
  if (cleaned.starts_with('\'')) cleaned.erase(0, 1);
  if (const auto objection = objection_to_meter(cleaned))
    return fail(Errc::refused,
                fmt::format("the meter `{}`: {}", excerpt_of(text), objection->wanted));
  return *MeterId::parse(cleaned);
}

Result<void> Planner::plan_meter() {
  const auto& meter = layout_.meter;
  plan_.removes_blanks = layout_.removes_blanks;
  if (meter.column.is_given()) {
    if (!options_.hints.meter.empty())
      return fail(Errc::invalid_argument,
                  fmt::format("the file says itself in {} which meter a row is of: leave out "
                              "--meter",
                              meter.column.text()));
    METERLINE_TRY(plan_.meter_column, find(meter.column));
    return {};
  }
  if (!options_.hints.meter.empty()) {
    METERLINE_TRY(plan_.meter, meter_of(options_.hints.meter));
    return {};
  }
  std::string found;
  for (const auto& name : meter.titles) {
    const auto value = title(name);
    if (!value)
      return fail(Errc::refused,
                  fmt::format("no line above the header names the meter as `{}`; say it with "
                              "--meter (meter= for an upload)",
                              name));
    found += (found.empty() ? "" : "-") + *value;
  }
  if (!meter.title_below.empty()) found = text_below(meter.title_below).value_or("");
  if (!meter.file_name.empty()) {
    const auto name = options_.source.substr(options_.source.rfind('/') + 1);
    found = captured(meter.file_name, name).value_or("");
  }
  if (!found.empty()) {
    METERLINE_TRY(plan_.meter, meter_of(found));
    return {};
  }
  if (!meter.column_name.empty()) return {};
  return fail(Errc::refused,
              "the file does not say which meter it is of; say it with --meter (meter= for an "
              "upload)");
}

Result<void> Planner::plan_rows() {
  for (const auto& filter : layout_.rows) {
    METERLINE_TRY(const int column, find(filter.column));
    plan_.filters.push_back(
        {.column = column, .action = filter.action, .patterns = filter.patterns});
  }
  METERLINE_TRY(plan_.unit_column, find_if_given(layout_.unit_column));
  METERLINE_TRY(plan_.factor_column, find_if_given(layout_.factor_column));
  METERLINE_TRY(plan_.channel_column, find_if_given(layout_.channel_column));
  const bool has_flags =
      std::any_of(plan_.names.begin(), plan_.names.end(),
                  [&](const std::string& name) { return fits(layout_.flag_column.name, name); });
  if (has_flags || !layout_.may_lack_flags) {
    METERLINE_TRY(plan_.flag_column, find_if_given(layout_.flag_column));
  }
  METERLINE_TRY(plan_.stated, find(layout_.stated));
  plan_.sum = total(layout_.sum);
  plan_.rows_count = total(layout_.rows_count);
  return {};
}

void Planner::plan_flags() {
  for (const auto& flag : layout_.flags) {
    FlagPlan made{.flag = flag.flag, .quality = flag.quality};
    const Note note{.flag = flag.flag};
    const bool is_said = flag.quality != Quality::actual && !fault_of(note);
    if (is_said) made.note = note;
    if (flag.flag == "*")
      plan_.other_flag = std::move(made);
    else
      plan_.flags.push_back(std::move(made));
  }
}

/// Which interval a column is of, by its name.
std::optional<int> Planner::index_of(const std::string& pattern, std::string_view name) const {
  std::string hole = pattern;
  const bool has_start = hole.find("{start}") != std::string::npos;
  const bool has_end = hole.find("{end}") != std::string::npos;
  replace(hole, "{start}", "{}");
  replace(hole, "{end}", has_start ? "*" : "{}");
  replace(hole, "{n}", "{}");
  const auto text = captured(hole, name);
  if (!text) return std::nullopt;
  const int step = layout_.wide->step;
  if (!has_start && !has_end) {
    const auto number = interval_number(*text);
    return number ? std::optional(*number - 1) : std::nullopt;
  }
  const auto minute = interval_minute(without_blanks_around(*text));
  if (!minute || *minute % step != 0) return std::nullopt;
  if (has_start) return *minute / step;
  return (*minute == 0 ? day_minutes : *minute) / step - 1;
}

Result<void> Planner::plan_cells() {
  const auto& wide = *layout_.wide;
  using Flags = WideLayout::Flags;
  const bool is_paired = wide.flags == Flags::before || wide.flags == Flags::after;
  if (wide.named == WideLayout::Named::place) {
    METERLINE_TRY(const int first, find(wide.first));
    METERLINE_TRY(const int flags_first, find_if_given(wide.flags_first));
    for (int i = 0; i < wide.count; ++i)
      plan_.cells.push_back({.column = first + i * (is_paired ? 2 : 1),
                             .flag = flags_first == no_column ? no_column : flags_first + i,
                             .index = i});
  } else {
    for (std::size_t i = 0; i < plan_.names.size(); ++i)
      if (const auto index = index_of(wide.columns, plan_.names[i]))
        plan_.cells.push_back({.column = static_cast<int>(i), .index = *index});
  }
  for (auto& cell : plan_.cells) {
    if (is_paired) cell.flag = cell.column + (wide.flags == Flags::after ? 1 : -1);
    if (wide.flags != Flags::named) continue;
    for (std::size_t i = 0; i < plan_.names.size(); ++i)
      if (index_of(wide.flag_columns, plan_.names[i]) == cell.index)
        cell.flag = static_cast<int>(i);
    if (cell.flag == no_column)
      return fail(Errc::refused, fmt::format("the feed {} wants a column `{}` for interval {}",
                                             layout_.name, wide.flag_columns, cell.index + 1));
  }
  for (std::size_t i = 0; i < wide.again.size(); ++i) {
    CellPlan cell{.index = static_cast<int>(i)};
    METERLINE_TRY(cell.column, find(wide.again[i]));
    if (is_paired) cell.flag = cell.column + (wide.flags == Flags::after ? 1 : -1);
    if (i < wide.again_flags.size()) {
      METERLINE_TRY(cell.flag, find(wide.again_flags[i]));
    }
    plan_.again.push_back(cell);
  }
  const auto is_before = [](const CellPlan& a, const CellPlan& b) { return a.index < b.index; };
  std::sort(plan_.cells.begin(), plan_.cells.end(), is_before);
  for (const auto* const cells : {&plan_.cells, &plan_.again})
    for (const auto& cell : *cells) {
      note_used(cell.column);
      note_used(cell.flag);
    }
  return {};
}

Result<void> Planner::plan_wide() {
  if (!layout_.wide) return {};
  plan_.wide = layout_.wide;
  plan_.step = layout_.wide->step;
  METERLINE_TRY(plan_.date, find(layout_.wide->date));
  METERLINE_TRY(plan_.total, find_if_given(layout_.wide->total));
  METERLINE_CHECK(plan_cells());
  const auto slots = static_cast<std::size_t>(day_minutes / plan_.step);
  const auto extras_max = static_cast<std::size_t>(slots_max / plan_.step) + slots / 24;
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::refused,
                fmt::format("by the feed {}, intervals of {} minutes have {} columns, but {}",
                            layout_.name, plan_.step, slots, what));
  };
  if (plan_.cells.empty() || plan_.cells.size() > extras_max)
    return wrong(fmt::format("{} are named so", plan_.cells.size()));
  // Of columns that are counted none may be absent, or all behind it would be shifted; a time that
  // has no column is missing.
  const bool is_counted = plan_.wide->named == WideLayout::Named::number ||
                          plan_.wide->named == WideLayout::Named::place;
  if (is_counted && plan_.cells.size() < slots)
    return wrong(fmt::format("only {} are named so", plan_.cells.size()));
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    const bool is_twice = i > 0 && plan_.cells[i].index == plan_.cells[i - 1].index;
    if (is_twice || (is_counted && plan_.cells[i].index != static_cast<int>(i)))
      return wrong(fmt::format("number {} is not there, or twice", i + 1));
  }
  const auto last = static_cast<std::size_t>(plan_.columns_needed);
  if (layout_.has_header && last > plan_.names.size())
    return wrong(fmt::format("the header ends after {}", plan_.names.size()));
  const bool is_extra_again = plan_.wide->autumn == WideLayout::Autumn::extra &&
                              plan_.wide->counts == WideLayout::Counts::clock &&
                              plan_.again.empty();
  if (!is_extra_again) return {};
  // Columns beyond those of the clock are the second of two equal hours.
  const auto extra =
      std::find_if(plan_.cells.begin(), plan_.cells.end(),
                   [&](const CellPlan& cell) { return cell.index >= static_cast<int>(slots); });
  plan_.again.assign(extra, plan_.cells.end());
  plan_.cells.erase(extra, plan_.cells.end());
  return {};
}

Result<void> Planner::plan_values() {
  for (const auto& value : layout_.rows_of_readings->values) {
    ValuePlan plan{.measured = value.measured};
    METERLINE_TRY(plan.flag, find_if_given(value.flag));
    const auto& pattern = layout_.meter.column_name;
    if (pattern.empty() || !plan_.meter.text().empty()) {
      METERLINE_TRY(plan.column, find(value.column));
      plan_.values.push_back(std::move(plan));
      continue;
    }
    // Each column that fits is that of a meter.
    for (std::size_t i = 0; i < plan_.names.size(); ++i) {
      const auto id = captured(pattern, plan_.names[i]);
      if (!id || !fits(value.column.name, plan_.names[i])) continue;
      METERLINE_TRY(plan.meter, meter_of(*id));
      plan.column = static_cast<int>(i);
      note_used(plan.column);
      plan_.values.push_back(plan);
    }
    if (plan_.values.empty())
      return fail(Errc::refused, fmt::format("no column is named like `{}`; the header has {}",
                                             pattern, list_of(plan_.names)));
  }
  return {};
}

Result<void> Planner::plan_long() {
  const auto& rows = layout_.rows_of_readings;
  if (!rows) return {};
  plan_.rows = rows;
  plan_.step = rows->step_from == LongLayout::Step::minutes ? rows->step : 0;
  METERLINE_TRY(plan_.start, find(rows->start));
  METERLINE_TRY(plan_.end, find(rows->end));
  METERLINE_TRY(plan_.date, find(rows->date));
  METERLINE_TRY(plan_.period, find_if_given(rows->period));
  METERLINE_TRY(plan_.step_column, find_if_given(rows->step_column));
  return plan_values();
}

bool Planner::is_whole_header_known() const {
  for (std::size_t i = 0; i < plan_.names.size(); ++i) {
    if (used_.contains(static_cast<int>(i)) || plan_.names[i].empty()) continue;
    const bool is_other =
        std::any_of(layout_.other.begin(), layout_.other.end(),
                    [&](const std::string& other) { return fits(other, plan_.names[i]); });
    if (!is_other) return false;
  }
  return true;
}

Result<FeedOpened> Planner::plan() {
  METERLINE_CHECK(find_header());
  plan_.has_unquoted_decimals = layout_.has_unquoted_decimals;
  plan_.numbers = layout_.numbers;
  plan_.missing = layout_.missing;
  plan_.measured = layout_.measured;
  plan_.channels = layout_.channels;
  plan_.negative = layout_.negative;
  plan_.zone = layout_.zone.is_known() ? layout_.zone : options_.zone;
  plan_.clock = layout_.clock;
  METERLINE_CHECK(plan_rows());
  METERLINE_CHECK(plan_meter());
  plan_flags();
  METERLINE_CHECK(plan_wide());
  METERLINE_CHECK(plan_long());
  const auto says_unit = [](const auto& part) { return part.measured.unit.has_value(); };
  const bool is_said =
      layout_.measured.unit || plan_.unit_column != no_column ||
      (!plan_.channels.empty() &&
       std::all_of(plan_.channels.begin(), plan_.channels.end(), says_unit)) ||
      (!plan_.values.empty() && std::all_of(plan_.values.begin(), plan_.values.end(), says_unit));
  opened_.needs_unit = !is_said;
  plan_.unit = layout_.measured.unit.value_or(options_.unit.value_or(Unit::unknown));
  if (plan_.needs_whole_file() && !first_.is_last)
    return fail(
        Errc::refused,
        fmt::format("by the feed {}, a reading or a total depends on other rows, and such a "
                    "file may have up to {} MiB: split it by meter",
                    layout_.name, piece_bytes_max >> 20));
  opened_.is_whole_header_known = is_whole_header_known();
  return std::move(opened_);
}

}  // namespace

std::optional<char> delimiter_said(std::string_view line) {
  std::string text;
  for (const char c : line)
    if (c != '"') text += c;
  constexpr std::string_view start = "sep=";
  if (text.size() < start.size() + 1 || !is_same_word(text.substr(0, start.size()), start))
    return std::nullopt;
  const char said = text[start.size()];
  const auto rest = text.find_first_not_of(",;", start.size() + 1);
  return rest == std::string::npos ? std::optional(said) : std::nullopt;
}

std::optional<int> interval_minute(std::string_view text) {
  std::vector<int> numbers;
  std::size_t digits_max = 0;
  for (std::size_t at = 0; at < text.size();) {
    int value = 0;
    std::size_t digits = 0;
    for (; at < text.size() && '0' <= text[at] && text[at] <= '9' && digits < 5; ++at, ++digits)
      value = value * 10 + (text[at] - '0');
    if (digits == 0) return std::nullopt;
    digits_max = std::max(digits_max, digits);
    numbers.push_back(value);
    if (at == text.size()) break;
    if (text[at] != ':' && text[at] != '_' && text[at] != '.') return std::nullopt;
    if (++at == text.size()) return std::nullopt;
  }
  if (numbers.size() == 1 && digits_max == 4) numbers = {numbers[0] / 100, numbers[0] % 100};
  if (numbers.size() < 2 || numbers.size() > 3 || numbers[1] > 59 || numbers[0] > 25)
    return std::nullopt;
  if (numbers.size() == 3 && numbers[2] != 0) return std::nullopt;
  return numbers[0] * 60 + numbers[1];
}

std::optional<int> interval_number(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value < 1)
    return std::nullopt;
  return value;
}

bool FeedPlan::needs_whole_file() const {
  const bool stops = std::any_of(filters.begin(), filters.end(), [](const FilterPlan& filter) {
    return filter.action == RowFilter::Action::stop;
  });
  if (stops || sum.is_given() || rows_count.is_given()) return true;
  if (!rows) return false;
  const bool is_local = zone.is_known() && !zone.is_fixed() && !clock.is_known();
  const bool is_by_order = rows->repeated != LongLayout::Repeated::refused;
  const bool has_neighbours = rows->adds_up || rows->has_longer_steps || rows->is_register;
  return has_neighbours || rows->date_line.has_value() || (is_local && is_by_order);
}

Result<FeedOpened> plan_feed(const FeedLayout& layout, const Piece& first,
                             const ReadOptions& options) {
  return Planner(layout, first, options).plan();
}

}  // namespace meterline::formats
