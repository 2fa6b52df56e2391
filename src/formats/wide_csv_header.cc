// The header of a wide CSV: what each column is, and which day the times make up.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.h"
#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/header_hint.h"
#include "formats/wide_csv.h"

namespace meterline::formats {
namespace {

/// So many columns of one name are not the labels of rows.
constexpr int same_names_of_flags_min = 3;
constexpr std::size_t names_shown_max = 8;

constexpr std::string_view expected_header =
    "want a header like `Meter,Date,0:00,0:30,...,23:30` (a column for each interval's start)";

struct TimeColumn {
  int minute;
  std::size_t column;
};

/// `H:mm` or `HH:mm` as minutes of the day, up to 24:00.
std::optional<int> parse_time(std::string_view text) {
  const auto colon = text.find(':');
  if (colon < 1 || colon > 2 || text.size() != colon + 3) return std::nullopt;
  int parts[2] = {0, 0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == colon) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    int& part = parts[i < colon ? 0 : 1];
    part = part * 10 + (text[i] - '0');
  }
  const int minute = parts[0] * 60 + parts[1];
  if (parts[1] > 59 || minute > 24 * 60) return std::nullopt;
  return minute;
}

std::string time_text(int minute) { return fmt::format("{}:{:02}", minute / 60, minute % 60); }

tl::unexpected<Error> refuse(const std::string& reason) {
  return fail(Errc::refused, fmt::format("header: {}; {}", reason, expected_header));
}

Result<std::vector<Field>> header_fields(std::string_view header) {
  if (header.size() > row_bytes_max)
    return refuse(fmt::format("the first row is longer than {} bytes", row_bytes_max));
  if (first_row(header).state != RowState::unended) return refuse("a quote is not closed");
  std::vector<Field> fields;
  const auto count = split_fields(header, header_columns_max, fields);
  if (count > header_columns_max)
    return refuse(fmt::format("{} columns, at most {}", count, header_columns_max));
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].bad_quoting) return refuse(fmt::format("bad quoting in column {}", i + 1));
  // A delimiter at the end makes no column.
  while (fields.size() > 1 && fields.back().text.empty()) fields.pop_back();
  return fields;
}

/// The column of this name. `refused` when there is none or more than one.
Result<std::size_t> named_column(const std::vector<Field>& fields, std::string_view name) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!same_letters(fields[i].text, name)) continue;
    if (found)
      return refuse(fmt::format("column `{}` stands twice, as {} and {}", name, *found + 1, i + 1));
    found = i;
  }
  if (!found) return refuse(fmt::format("no column `{}`", name));
  return *found;
}

/// Columns named by the ends of intervals, of which the last wraps to midnight: the first time is
/// one step after midnight, and 0:00 stands last. The sums of days would come out right, and every
/// reading one step late. `times` are in the order of their columns.
Result<void> check_starts(const std::vector<TimeColumn>& times, IntervalLength interval) {
  if (times.front().minute != interval.minutes() || times.back().minute != 0) return {};
  return refuse(
      fmt::format("the times begin with {} and end with 0:00, so they name the ends of intervals, "
                  "but columns are named by their start",
                  time_text(times.front().minute)));
}

/// The interval that the times make up: their smallest gap.
Result<IntervalLength> interval_of(std::vector<TimeColumn> times) {
  std::sort(times.begin(), times.end(),
            [](const TimeColumn& a, const TimeColumn& b) { return a.minute < b.minute; });
  if (!times.empty() && times.back().minute == 24 * 60)
    return refuse("`24:00` is an interval's end, but columns are named by their start");
  if (times.size() < 2)
    return refuse(fmt::format("{} columns with a time of day, at least 2", times.size()));
  int gap = 24 * 60;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i].minute == times[i - 1].minute)
      return refuse(fmt::format("the time {} stands twice", time_text(times[i].minute)));
    gap = std::min(gap, times[i].minute - times[i - 1].minute);
  }
  const auto interval = IntervalLength::from_minutes(gap);
  if (!interval)
    return refuse(
        fmt::format("times {} minutes apart; an interval has 1, 5, 10, 15, 30 or 60", gap));
  for (const auto& time : times)
    if (time.minute % gap != 0)
      return refuse(fmt::format("the time {} is not on the grid of {} minutes that the others make",
                                time_text(time.minute), gap));
  return *interval;
}

/// What each column that is left out holds. A name that stands many times, beside each reading, is
/// that of their flags.
std::vector<ColumnKind> kinds_of(const std::vector<Field>& fields,
                                 const std::vector<std::size_t>& left_out, Unit unit) {
  std::map<std::string_view, int> counts;
  for (const auto i : left_out) ++counts[fields[i].text];
  std::vector<ColumnKind> kinds(fields.size(), ColumnKind::other);
  for (const auto i : left_out) {
    const std::string_view name = fields[i].text;
    const auto kind = column_kind(name, unit);
    const bool may_be_flag =
        kind == ColumnKind::flag || kind == ColumnKind::label || kind == ColumnKind::other;
    const bool is_flag = !name.empty() && may_be_flag && counts[name] >= same_names_of_flags_min;
    kinds[i] = is_flag ? ColumnKind::slot_flag : kind;
  }
  return kinds;
}

std::string_view holds_text(FindingCode code) {
  switch (code) {
    case FindingCode::readings_ignored:
      return "these seem to hold readings or registers, and are left out; a row with a reading of "
             "an interval that the times do not have is rejected";
    case FindingCode::flags_ignored:
      return "these seem to say how good readings are, and are left out: every reading counts as "
             "actual";
    case FindingCode::unit_ignored:
      return "these seem to name units, and are left out: readings are stored without a unit, so "
             "name it for the load (--unit)";
    default:
      return "these are no times of day, and are left out";
  }
}

/// `a`, `b` and so on, so many that they can be read.
std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < names_shown_max; ++i)
    text += fmt::format("{}`{}`", i == 0 ? "" : ", ", names[i]);
  if (names.size() > names_shown_max)
    text += fmt::format(" and {} more", names.size() - names_shown_max);
  return text;
}

}  // namespace

/// Lists the columns that are left out by what is done with them, and tells of them, once for each
/// code, at the first column that has it.
std::vector<Finding> WideCsv::sort_out(const std::vector<std::size_t>& left_out) {
  std::map<FindingCode, std::vector<std::size_t>> told;
  for (const auto i : left_out) {
    const auto kind = kinds_[i];
    if (const auto code = told_as(kind, unit_)) told[*code].push_back(i);
    if (kind == ColumnKind::slot || kind == ColumnKind::unit) checked_.push_back(i);
    if (kind == ColumnKind::total) totals_.push_back(i);
    if (!may_be_label(kind)) continue;
    labels_.push_back(i);
    if (labels_.size() <= labels_max)
      label_names_.push_back(fmt::format("`{}`", names_[i]));
    else
      label_names_.back() = "one of the last";
  }
  std::vector<Finding> findings;
  for (const auto& [code, columns] : told) {
    std::vector<std::string> names;
    for (const auto i : columns) names.push_back(names_[i]);
    findings.push_back({.line = 1,
                        .column = static_cast<int>(columns.front()) + 1,
                        .code = code,
                        .text = fmt::format("{}: {}", holds_text(code), names_text(names)),
                        .excerpt = names.front()});
  }
  return findings;
}

Result<WideCsvHeader> WideCsv::create(std::string_view header, Unit unit, TimeZone zone) {
  METERLINE_TRY(const auto fields, header_fields(header));
  METERLINE_TRY(const auto meter_at, named_column(fields, "Meter"));
  METERLINE_TRY(const auto date_at, named_column(fields, "Date"));

  WideCsv parser;
  parser.unit_ = unit;
  parser.zone_ = zone;
  parser.columns_.assign(fields.size(), column_ignored);
  parser.columns_[meter_at] = column_meter;
  parser.columns_[date_at] = column_date;

  parser.names_.reserve(fields.size());
  for (const auto& field : fields) parser.names_.push_back(excerpt_of(field.text));
  std::vector<TimeColumn> times;
  std::vector<std::size_t> left_out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i == meter_at || i == date_at) continue;
    if (const auto minute = parse_time(fields[i].text))
      times.push_back({.minute = *minute, .column = i});
    else
      left_out.push_back(i);
  }
  METERLINE_TRY(parser.interval_, interval_of(times));
  METERLINE_CHECK(check_starts(times, parser.interval_));
  parser.kinds_ = kinds_of(fields, left_out, unit);
  auto findings = parser.sort_out(left_out);

  for (const auto& time : times)
    parser.columns_[time.column] = time.minute / parser.interval_.minutes();

  bool in_order = meter_at == 0 && date_at == 1 &&
                  fields.size() == static_cast<std::size_t>(parser.interval_.slots_per_day()) + 2;
  for (std::size_t i = 2; in_order && i < fields.size(); ++i)
    in_order = parser.columns_[i] == static_cast<int>(i) - 2;
  parser.is_plain_ = in_order;
  return WideCsvHeader{.parser = std::move(parser), .findings = std::move(findings)};
}

/// A refusal of the header tells what was seen there.
Result<Opened> open_wide_csv(const Piece& first, const ReadOptions& options) {
  const auto row = first_row(first.text);
  auto header = WideCsv::create(row.text, options.unit.value_or(Unit::unknown), options.zone);
  if (!header) {
    const auto& [code, message] = header.error();
    const auto hint = header_hint(first.text, first.first_line);
    return fail(code, hint.empty() ? message : message + "; " + hint);
  }
  Opened opened{.parser = std::make_unique<WideCsv>(std::move(header->parser)),
                .recognised_by = fmt::format(
                    "line {} is a header with `Meter`, `Date` and times of day", first.first_line),
                .needs_unit = true,
                .bytes = row.bytes,
                .lines = row.lines,
                .findings = std::move(header->findings)};
  for (auto& finding : opened.findings) finding.line += first.first_line - 1;
  return opened;
}

}  // namespace meterline::formats
