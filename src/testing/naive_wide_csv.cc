#include "testing/naive_wide_csv.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/decimal.h"
#include "core/try.h"
#include "formats/column_kind.h"
#include "formats/csv_rows.h"
#include "formats/recognise.h"
#include "formats/wide_csv.h"

namespace meterline::testing {
namespace {

using formats::ColumnKind;
using formats::header_columns_max;
using formats::row_bytes_max;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string trimmed(std::string text) {
  while (!text.empty() && is_blank(text.front())) text.erase(text.begin());
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  return text;
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// --- Is it text at all? ---

/// What is no CSV, or begins with a record that no wide CSV begins with.
bool is_foreign(std::string_view text) {
  for (const char* start : {"\xD0\xCF\x11\xE0", "%PDF-", "SQLite format 3", "PAR1", "BZh",
                            "\xFD"
                            "7zXZ",
                            "7z\xBC\xAF", "Rar!"})
    if (text.starts_with(start)) return true;
  std::string squeezed;  // Without blanks and line ends.
  std::string lines = "\n";
  for (const char c : text) {
    if (c != ' ' && c != '\t' && !is_line_end(c)) squeezed += c;
    lines += is_line_end(c) ? '\n' : c;
  }
  while (!text.empty() && (is_blank(text.front()) || is_line_end(text.front())))
    text.remove_prefix(1);
  if (text.size() >= 2 && text[0] == '<') {
    const char next = lower_case(std::string(text.substr(1, 1)))[0];
    if (('a' <= next && next <= 'z') || next == '?' || next == '!') return true;
  }
  for (const char* start : {"{\"", "{}", "[{", "[[", "[\""})
    if (squeezed.starts_with(start)) return true;
  const auto has_line = [&](const std::string& start) {
    return lines.find('\n' + start) != std::string::npos;
  };
  const auto is_version = [&](const char* wanted) {
    if (!text.starts_with("100,")) return false;
    const std::string_view name = text.substr(4, text.find_first_of(",\r\n", 4) - 4);
    return lower_case(trimmed(std::string(name))) == wanted;
  };
  const auto first_line = text.substr(0, text.find_first_of("\r\n"));
  const bool is_whole_250 =
      first_line.starts_with("250,") && std::count(first_line.begin(), first_line.end(), ',') >= 19;
  return is_version("nem12") || is_version("nem13") || is_whole_250 ||
         (text.starts_with("200,") && has_line("300,")) ||
         (text.starts_with("HDR,") && has_line("DET,"));
}

Result<void> check_is_text(std::string_view file) {
  const std::string_view mark = "\xEF\xBB\xBF";
  if (is_foreign(file.starts_with(mark) ? file.substr(3) : file))
    return fail(Errc::refused, "no CSV");
  if (file.starts_with("\xFF\xFE") || file.starts_with("\xFE\xFF"))
    return fail(Errc::refused, "UTF-16");
  if (file.starts_with("\xEF\xBB\xBF")) file.remove_prefix(3);
  bool is_empty = true;
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_control = byte < 0x20;
    if (is_control && c != '\t' && !is_line_end(c)) return fail(Errc::refused, "binary or UTF-16");
    if (!is_line_end(c)) is_empty = false;
  }
  if (is_empty) return fail(Errc::refused, "empty");
  return {};
}

// --- Lines and rows ---

std::size_t line_end_from(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_line_end(text[at])) ++at;
  return at;
}

/// 2 for CRLF, 1 for LF or CR alone, 0 at the end of the text.
std::size_t line_end_bytes(std::string_view text, std::size_t at) {
  if (text.substr(at).starts_with("\r\n")) return 2;
  return at < text.size() ? 1 : 0;
}

std::int64_t count_line_ends(std::string_view text) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_line_end(text[i])) continue;
    ++count;
    if (text.substr(i).starts_with("\r\n")) ++i;
  }
  return count;
}

/// Where the row at the start of `text` ends, its line end not counted. Empty when a quote is
/// opened in its first row_bytes_max bytes and not closed there. Beyond them only a line end
/// counts.
std::optional<std::size_t> row_end(std::string_view text) {
  bool at_field_start = true;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i >= row_bytes_max) {
      if (is_quoted) return std::nullopt;
      return line_end_from(text, i);
    }
    if (is_quoted) {
      if (c != '"') continue;
      if (text.substr(i).starts_with("\"\""))
        ++i;
      else
        is_quoted = false;
    } else if (is_line_end(c)) {
      return i;
    } else if (c == ',') {
      at_field_start = true;
    } else if (c == '"' && at_field_start) {
      is_quoted = true;
      at_field_start = false;
    } else if (!is_blank(c)) {
      at_field_start = false;
    }
  }
  if (is_quoted) return std::nullopt;
  return text.size();
}

struct NaiveRow {
  std::string text;
  std::int64_t line = 0;
  bool has_unclosed_quote = false;
  bool has_line_end = false;

  bool is_overlong() const { return text.size() > row_bytes_max; }
};

/// All rows that are not empty lines.
std::vector<NaiveRow> rows_of(std::string_view text) {
  std::vector<NaiveRow> rows;
  std::int64_t line = 1;
  while (!text.empty()) {
    const auto closed_end = row_end(text);
    const std::size_t end = closed_end.value_or(line_end_from(text, 0));
    const std::size_t bytes = end + line_end_bytes(text, end);
    if (end > 0)
      rows.push_back({.text = std::string(text.substr(0, std::min(end, row_bytes_max + 1))),
                      .line = line,
                      .has_unclosed_quote = !closed_end,
                      .has_line_end = bytes > end});
    line += count_line_ends(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return rows;
}

// --- Fields ---

struct NaiveField {
  std::string text;
  bool has_bad_quoting = false;
};

/// The field at `at`, which is moved behind it: to the next comma or the end.
NaiveField take_field(std::string_view row, std::size_t& at) {
  NaiveField field;
  std::size_t i = at;
  while (i < row.size() && is_blank(row[i])) ++i;
  if (i == row.size() || row[i] != '"') {
    at = std::min(row.find(',', at), row.size());
    field.text = trimmed(std::string(row.substr(i, at - i)));
    field.has_bad_quoting = field.text.find('"') != std::string::npos;
    return field;
  }
  for (++i; i < row.size(); ++i) {
    if (row[i] == '"' && !row.substr(i).starts_with("\"\"")) break;
    if (row[i] == '"') ++i;
    field.text += row[i];
  }
  const bool is_closed = i < row.size();
  const std::size_t behind = std::min(i + 1, row.size());
  at = std::min(row.find(',', behind), row.size());
  const std::string rest = trimmed(std::string(row.substr(behind, at - behind)));
  field.has_bad_quoting = !is_closed || !rest.empty();
  field.text = trimmed(field.text);
  return field;
}

std::vector<NaiveField> fields_of(std::string_view row) {
  std::vector<NaiveField> fields;
  std::size_t at = 0;
  fields.push_back(take_field(row, at));
  while (at < row.size()) {
    ++at;  // the comma
    fields.push_back(take_field(row, at));
  }
  return fields;
}

bool any_bad_quoting(const std::vector<NaiveField>& fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [](const NaiveField& field) { return field.has_bad_quoting; });
}

// --- The header ---

/// Minutes after midnight of `H:mm` or `HH:mm`, 0:00 to 23:59.
std::optional<int> time_of_day(const std::string& text) {
  if (text.size() == 4) return time_of_day('0' + text);
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0U, 1U, 3U, 4U})
    if (!is_digit(text[i])) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

struct NaiveHeader {
  std::size_t columns = 0;
  std::size_t meter_column = 0;
  std::size_t date_column = 0;
  std::vector<std::optional<int>> minutes;          ///< Of each column; empty when it is no time.
  std::vector<std::optional<ColumnKind>> left_out;  ///< Of each column that is left out.
  IntervalLength interval;
};

Result<IntervalLength> interval_of(const std::set<int>& times) {
  if (times.size() < 2) return fail(Errc::refused, "fewer than two time columns");
  int gap = 24 * 60;
  for (auto later = std::next(times.begin()); later != times.end(); ++later)
    gap = std::min(gap, *later - *std::prev(later));
  const auto interval = IntervalLength::from_minutes(gap);
  if (!interval) return fail(Errc::refused, "the times are not regular");
  for (const int time : times)
    if (time % gap != 0) return fail(Errc::refused, "a time is not on the grid");
  return *interval;
}

/// Three columns of one name are flags.
void find_flags_by_their_number(const std::vector<NaiveField>& fields, NaiveHeader& header) {
  const std::set<ColumnKind> may_be_flags = {ColumnKind::flag, ColumnKind::label,
                                             ColumnKind::other};
  for (std::size_t column = 0; column < fields.size(); ++column) {
    if (!header.left_out[column] || fields[column].text.empty()) continue;
    const auto count = std::count_if(fields.begin(), fields.end(), [&](const NaiveField& field) {
      return field.text == fields[column].text;
    });
    if (count >= 3 && may_be_flags.contains(*header.left_out[column]))
      header.left_out[column] = ColumnKind::slot_flag;
  }
}

/// One finding for each code that tells of columns, at the first of them.
void tell_of_left_out(const std::vector<NaiveField>& fields, const NaiveHeader& header, Unit unit,
                      formats::DaySink& sink) {
  for (std::size_t number = 0; number < finding_codes_count; ++number) {
    const auto code = static_cast<FindingCode>(number);
    for (std::size_t column = 0; column < fields.size(); ++column) {
      const auto kind = header.left_out[column];
      if (!kind || formats::told_as(*kind, unit) != code) continue;
      sink.on_finding({.line = 1,
                       .column = static_cast<int>(column + 1),
                       .code = code,
                       .text = std::string(text_of(code)),
                       .excerpt = excerpt_of(fields[column].text)});
      break;
    }
  }
}

Result<NaiveHeader> header_of(const NaiveRow& row, Unit unit, formats::DaySink& sink) {
  if (row.has_unclosed_quote || row.is_overlong()) return fail(Errc::refused, "header row");
  auto fields = fields_of(row.text);
  if (any_bad_quoting(fields)) return fail(Errc::refused, "bad quoting in the header");
  if (fields.size() > header_columns_max) return fail(Errc::refused, "too many columns");
  while (fields.size() > 1 && fields.back().text.empty()) fields.pop_back();

  NaiveHeader header{.columns = fields.size()};
  std::set<int> times;
  header.left_out.resize(fields.size());
  int meter_columns = 0;
  int date_columns = 0;
  for (std::size_t column = 0; column < fields.size(); ++column) {
    const std::string& name = fields[column].text;
    const auto time = time_of_day(name);
    header.minutes.push_back(time);
    if (time) {
      if (!times.insert(*time).second) return fail(Errc::refused, "a time is repeated");
    } else if (lower_case(name) == "meter") {
      header.meter_column = column;
      ++meter_columns;
    } else if (lower_case(name) == "date") {
      header.date_column = column;
      ++date_columns;
    } else if (name == "24:00") {
      return fail(Errc::refused, "the times are ends of intervals");
    } else {
      header.left_out[column] = formats::column_kind(name, unit);
    }
  }
  if (meter_columns != 1 || date_columns != 1) return fail(Errc::refused, "Meter or Date column");
  METERLINE_TRY(header.interval, interval_of(times));
  std::vector<int> in_order;
  for (const auto& minute : header.minutes)
    if (minute) in_order.push_back(*minute);
  if (in_order.front() == header.interval.minutes() && in_order.back() == 0)
    return fail(Errc::refused, "the times are ends of intervals, the last one midnight");
  find_flags_by_their_number(fields, header);
  tell_of_left_out(fields, header, unit, sink);
  return header;
}

// --- Meters ---

bool is_all_of(const std::string& text, const std::string& chars) {
  return !text.empty() && text.find_first_not_of(chars) == std::string::npos;
}

/// `Total`, `Sum` and the like.
bool is_name_of_a_sum(const std::string& text) {
  std::string letters;
  for (const char c : lower_case(text))
    if (std::string(" _-:.").find(c) == std::string::npos) letters += c;
  const std::set<std::string> names = {"total",    "totals",   "sum",     "grandtotal",
                                       "subtotal", "totalsum", "sumtotal"};
  return text.size() <= 16 && names.contains(letters);
}

/// A number that was an id once: `7.22E+13`, `17.0`.
bool is_number_of_a_spreadsheet(const std::string& text) {
  const std::string digits = "0123456789";
  const std::string lower = lower_case(text);
  const auto e = lower.find('e');
  if (e == std::string::npos) {
    const auto point = lower.find_first_of(".,");
    return point != std::string::npos && is_all_of(lower.substr(0, point), digits) &&
           is_all_of(lower.substr(point + 1), "0");
  }
  const std::string number = lower.substr(0, e);
  std::string exponent = lower.substr(e + 1);
  if (exponent.starts_with('+') || exponent.starts_with('-')) exponent.erase(0, 1);
  const bool has_decimals = number.size() > 2 && (number[1] == '.' || number[1] == ',') &&
                            is_all_of(number.substr(2), digits);
  return !number.empty() && is_digit(number[0]) && (number.size() == 1 || has_decimals) &&
         is_all_of(exponent, digits) && exponent.size() <= 3;
}

// --- Cells ---

/// Whether it is `-`, digits, and a point with digits after it, however many.
bool is_plain_decimal(std::string text) {
  if (text.starts_with('-')) text.erase(0, 1);
  const auto point = text.find('.');
  if (point != std::string::npos) {
    if (point == 0 || point + 1 == text.size()) return false;
    text.erase(point, 1);
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

struct NaiveCell {
  std::size_t column = 0;
  std::size_t slot = 0;
  std::string text;
  std::optional<FindingCode> refused;
  std::string digits;  ///< With sign, without point.
  std::size_t decimals = 0;
  bool is_rounded = false;
};

/// One more behind the last digit, away from zero.
std::string incremented(std::string digits) {
  std::size_t at = digits.size();
  while (at > 0 && digits[at - 1] == '9') digits[--at] = '0';
  if (at > 0 && is_digit(digits[at - 1]))
    ++digits[at - 1];
  else
    digits.insert(at, 1, '1');
  return digits;
}

/// Leaves nine decimals, and of them none that are zeros at the end.
void round_decimals(NaiveCell& cell) {
  if (cell.decimals <= 9) return;
  const std::string cut = cell.digits.substr(cell.digits.size() - (cell.decimals - 9));
  cell.digits.resize(cell.digits.size() - cut.size());
  cell.decimals = 9;
  cell.is_rounded = !is_all_of(cut, "0");
  if (std::count_if(cell.digits.begin(), cell.digits.end(), is_digit) > decimal_digits_max) {
    cell.refused = FindingCode::value_too_large;
    return;
  }
  if (cut[0] >= '5') cell.digits = incremented(cell.digits);
  while (cell.decimals > 0 && cell.digits.ends_with('0')) {
    cell.digits.pop_back();
    --cell.decimals;
  }
}

NaiveCell cell_of(const std::string& text) {
  NaiveCell cell{.text = text};
  if (!is_plain_decimal(text)) {
    cell.refused = FindingCode::bad_value;
    return cell;
  }
  const auto point = text.find('.');
  cell.digits = text;
  if (point != std::string::npos) {
    cell.decimals = text.size() - point - 1;
    cell.digits.erase(point, 1);
  }
  if (cell.decimals > 9) {
    round_decimals(cell);
    return cell;
  }
  const auto digits =
      static_cast<std::size_t>(std::count_if(cell.digits.begin(), cell.digits.end(), is_digit));
  if (digits > decimal_digits_max) cell.refused = FindingCode::value_too_large;
  return cell;
}

/// Empty when it does not fit into 64 bits.
std::optional<std::int64_t> mantissa_of(const std::string& digits) {
  const bool is_negative = digits.starts_with('-');
  Int128 value = 0;
  for (const char c : digits) {
    if (c == '-') continue;
    value = value * 10 + (c - '0');
    if (value > (Int128{1} << 64)) return std::nullopt;
  }
  if (is_negative) value = -value;
  const auto narrow = static_cast<std::int64_t>(value);
  if (narrow != value) return std::nullopt;
  return narrow;
}

// --- Rows to days ---

class NaiveParser {
 public:
  NaiveParser(const NaiveHeader& header, Unit unit, formats::DaySink& sink)
      : header_(header), unit_(unit), sink_(sink) {}

  void parse(const NaiveRow& row) {
    row_ = &row;
    fields_ = fields_of(row.text);
    if (!report_bad_row()) {
      report_day();
      return;
    }
    sink_.on_rejected_row(sink_row());
  }

 private:
  formats::Row sink_row() const {
    return {.line = row_->line, .text = row_->text, .slots = header_.interval.slots_per_day()};
  }

  void report(FindingCode code, std::size_t column, std::string_view excerpt) {
    sink_.on_finding({.line = row_->line,
                      .column = static_cast<int>(column),
                      .code = code,
                      .text = std::string(text_of(code)),
                      .excerpt = excerpt_of(excerpt)});
  }

  bool reject(FindingCode code) {
    report(code, 0, row_->text);
    return true;
  }

  bool reject_field(FindingCode code, std::size_t column) {
    report(code, column + 1, fields_[column].text);
    return true;
  }

  /// The first thing that is wrong with the row as a whole; false when nothing is.
  bool report_bad_row() {
    const bool has_all_columns = fields_.size() >= header_.columns;
    if (row_->is_overlong()) return reject(FindingCode::row_too_long);
    if (!row_->has_line_end && (row_->has_unclosed_quote || !has_all_columns))
      return reject(FindingCode::truncated);
    if (row_->has_unclosed_quote) return reject(FindingCode::bad_quoting);
    const std::size_t columns = std::min(fields_.size(), header_.columns);
    for (std::size_t column = 0; column < columns; ++column) {
      if (!fields_[column].has_bad_quoting) continue;
      return reject_field(FindingCode::bad_quoting, column);
    }
    if (!has_all_columns) return reject(FindingCode::too_few_columns);
    for (std::size_t column = header_.columns; column < fields_.size(); ++column)
      if (!fields_[column].text.empty() || fields_[column].has_bad_quoting)
        return reject(FindingCode::too_many_columns);
    const std::string& meter = fields_[header_.meter_column].text;
    if (is_name_of_a_sum(meter))
      return reject_field(FindingCode::summary_row, header_.meter_column);
    if (!MeterId::parse(meter) || is_number_of_a_spreadsheet(meter))
      return reject_field(FindingCode::bad_meter_id, header_.meter_column);
    if (!Date::parse(fields_[header_.date_column].text))
      return reject_field(FindingCode::bad_date, header_.date_column);
    for (std::size_t column = 0; column < header_.columns; ++column) {
      const std::string& cell = fields_[column].text;
      if (header_.left_out[column] == ColumnKind::slot && formats::holds_reading(cell))
        return reject_field(FindingCode::readings_without_column, column);
      if (header_.left_out[column] == ColumnKind::unit && formats::is_other_unit(cell, unit_))
        return reject_field(FindingCode::other_unit, column);
    }
    return false;
  }

  /// Of the readings that are kept.
  void report_totals(const ReadingDay& day) {
    Sum sum;
    for (const auto mantissa : day.mantissas)
      (void)sum.add({.mantissa = mantissa, .exponent = day.exponent});
    for (std::size_t column = 0; column < header_.columns; ++column) {
      if (header_.left_out[column] != ColumnKind::total) continue;
      const NaiveCell cell = cell_of(fields_[column].text);
      if (cell.refused) continue;
      if (sum != Sum(*mantissa_of(cell.digits), -static_cast<int>(cell.decimals)))
        report(FindingCode::total_differs, column + 1, cell.text);
    }
  }

  std::vector<std::uint64_t> labels() const {
    std::vector<std::uint64_t> hashes;
    std::size_t count = 0;
    for (std::size_t column = 0; column < header_.columns; ++column) {
      const auto kind = header_.left_out[column];
      if (!kind || !formats::may_be_label(*kind)) continue;
      if (++count <= formats::labels_max) hashes.push_back(0);
      hashes.back() =
          formats::label_hash(hashes.back(), formats::label_of(*kind, fields_[column].text));
    }
    return hashes;
  }

  /// The cells that hold something, in column order.
  std::vector<NaiveCell> cells() const {
    std::vector<NaiveCell> cells;
    for (std::size_t column = 0; column < header_.columns; ++column) {
      const auto time = header_.minutes[column];
      if (!time || fields_[column].text.empty()) continue;
      cells.push_back(cell_of(fields_[column].text));
      cells.back().column = column;
      cells.back().slot = static_cast<std::size_t>(*time / header_.interval.minutes());
    }
    return cells;
  }

  void report_day() {
    const auto slots = static_cast<std::size_t>(header_.interval.slots_per_day());
    ReadingDay day;
    day.meter = *MeterId::parse(fields_[header_.meter_column].text);
    day.channel = {.name = "consumption", .flow = Flow::consumption, .unit = unit_};
    day.date = *Date::parse(fields_[header_.date_column].text);
    day.interval = header_.interval;
    day.mantissas.assign(slots, 0);
    day.qualities.assign(slots, Quality::missing);
    const auto filled = cells();
    std::size_t decimals = 0;
    for (const NaiveCell& cell : filled)
      if (!cell.refused) decimals = std::max(decimals, cell.decimals);
    day.exponent = static_cast<std::int8_t>(-static_cast<int>(decimals));

    int rejected = 0;
    for (NaiveCell cell : filled) {
      std::optional<std::int64_t> mantissa;
      if (!cell.refused) {
        mantissa = mantissa_of(cell.digits + std::string(decimals - cell.decimals, '0'));
        if (!mantissa) cell.refused = FindingCode::value_too_large;
      }
      if (cell.refused) {
        reject_field(*cell.refused, cell.column);
        ++rejected;
        continue;
      }
      if (cell.is_rounded) report(FindingCode::noise_dropped, cell.column + 1, cell.text);
      day.mantissas[cell.slot] = *mantissa;
      day.qualities[cell.slot] = Quality::actual;
    }
    report_totals(day);
    const auto hashes = labels();
    auto out = sink_row();
    out.labels = hashes;
    sink_.on_day(day, rejected, out);
  }

  const NaiveHeader& header_;
  Unit unit_;
  formats::DaySink& sink_;
  const NaiveRow* row_ = nullptr;
  std::vector<NaiveField> fields_;
};

}  // namespace

Result<void> parse_naive_wide_csv(std::string_view file, Unit unit, formats::DaySink& sink) {
  METERLINE_CHECK(check_is_text(file.substr(0, formats::recognise_bytes)));
  if (file.starts_with("\xEF\xBB\xBF")) file.remove_prefix(3);
  const auto rows = rows_of(file);
  if (rows.empty()) return fail(Errc::refused, "empty");
  METERLINE_TRY(const auto header, header_of(rows.front(), unit, sink));
  NaiveParser parser(header, unit, sink);
  for (std::size_t i = 1; i < rows.size(); ++i) parser.parse(rows[i]);
  return {};
}

}  // namespace meterline::testing
