// Three readers of one row: for rows that are all alike (plain_row.h), a quick one for rows of
// plain numbers, each of which gives up at the first thing that it does not know, and a careful
// one, which reads any row and explains it.

#include "formats/wide_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/decimal.h"
#include "formats/csv_rows.h"
#include "formats/fit_to_zone.h"
#include "formats/meter_text.h"
#include "formats/plain_row.h"
#include "formats/quick_readings.h"
#include "formats/reading_text.h"

namespace meterline::formats {
namespace {

constexpr std::size_t date_chars = 10;
constexpr int sure_days_of_month = 28;  ///< That every month has.

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// What a field that is no reading should be.
std::string_view wanted_of(std::string_view text) {
  if (text.find(',') != std::string_view::npos)
    return "want a plain decimal like 0.305, with a point, and no comma for decimals or thousands";
  return "want a plain decimal like 0.305";
}

/// A plain decimal but for its number of digits.
bool has_too_many_digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto point = text.find('.');
  if (point == 0 || text.ends_with('.')) return false;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (!is_digit(text[i])) return false;
    ++digits;
  }
  return digits > decimal_digits_max;
}

}  // namespace

/// Reads the rows of one piece. Holds the day that is filled anew for each row.
class WideCsvRows {
 public:
  WideCsvRows(const WideCsv& csv, std::int64_t first_line, DaySink& sink)
      : csv_(csv),
        sink_(sink),
        line_(first_line),
        slots_(static_cast<std::size_t>(csv.interval_.slots_per_day())) {
    day_.interval = csv.interval_;
    day_.channel.unit = csv.unit_;
    day_.zone = csv.zone_;
    day_.mantissas.resize(slots_);
    day_.qualities.resize(slots_);
    decimals_.resize(slots_);
    is_rounded_.resize(slots_);
  }

  std::int64_t read(std::string_view piece) {
    const std::int64_t first_line = line_;
    const bool may_be_quick = csv_.is_plain_ && piece.find('"') == std::string_view::npos;
    // Inside this part every row has a line end, so the quick reader needs no other bound.
    const auto last_end = piece.find_last_of("\r\n");
    const std::size_t ended = may_be_quick && last_end != std::string_view::npos ? last_end + 1 : 0;
    const char* at = piece.data();
    const char* const ended_at = at + ended;
    while (at < ended_at) {
      if (const char* next = read_quick(at, ended_at); next != nullptr) {
        at = next;
        ++line_;
      } else {
        at += read_careful(std::string_view(at, static_cast<std::size_t>(ended_at - at)));
      }
    }
    for (auto rest = piece.substr(ended); !rest.empty();) rest.remove_prefix(read_careful(rest));
    return line_ - first_line;
  }

 private:
  const char* read_quick(const char* row, const char* end);
  bool read_quick_date(const char* at);
  const char* read_readings(const char* at, const char* end);

  std::size_t read_careful(std::string_view rest);
  std::optional<Finding> check_row(const RawRow& raw);
  std::optional<Finding> check_columns(std::string_view row, std::size_t columns);
  std::optional<Finding> check_left_out() const;
  void check_totals();
  void read_labels();
  int read_cells();
  int align(int decimals_max);
  void give(int rejected, const Row& row);
  void give_odd_day(int rejected, Row row);
  void set_missing(std::size_t slot);
  Finding cell_finding(std::size_t column, FindingCode code, std::string_view wanted) const;
  Row row_of(std::string_view text) const {
    return {.line = line_, .text = text, .slots = static_cast<int>(slots_)};
  }

  const WideCsv& csv_;
  DaySink& sink_;
  std::int64_t line_;
  const std::size_t slots_;
  ReadingDay day_;
  bool is_all_actual_ = false;  ///< day_, of the row before.
  std::string month_;           ///< Of the row before: `yyyy-MM-`.
  Date month_first_;
  std::vector<std::uint8_t> decimals_;  ///< Of each slot's reading, as written.
  std::vector<bool> is_rounded_;        ///< Each slot's reading, in the careful reader.
  std::vector<Field> fields_;
  std::vector<std::uint64_t> labels_;  ///< Of the row, in the careful reader.
};

/// Reads the date at `at`, of date_chars characters; false when it is none.
bool WideCsvRows::read_quick_date(const char* at) {
  const std::string_view text(at, date_chars);
  const auto tens = static_cast<unsigned char>(at[date_chars - 2] - '0');
  const auto ones = static_cast<unsigned char>(at[date_chars - 1] - '0');
  const int day = tens * 10 + ones;
  if (tens < 10 && ones < 10 && text.starts_with(month_) && !month_.empty() && 1 <= day &&
      day <= sure_days_of_month) {
    day_.date = *Date::from_days(month_first_.days() + day - 1);
    return true;
  }
  const auto date = Date::parse(text);
  if (!date) return false;
  day_.date = *date;
  month_first_ = Month::of(*date).first_day();
  month_.assign(text, 0, date_chars - 2);
  return true;
}

/// Reads a row `Meter,yyyy-MM-dd,v,v,...,v` of plain values, at most 18 digits each, empty ones
/// included; null when the row is anything else. `row` has a line end before `end`.
const char* WideCsvRows::read_quick(const char* row, const char* end) {
  const char* at = row;
  while (*at != ',' && *at != '\n' && *at != '\r') ++at;
  if (*at != ',') return nullptr;
  const std::string_view meter(row, static_cast<std::size_t>(at - row));
  if (meter.empty() || meter != day_.meter.text()) {
    auto parsed = MeterId::parse(meter);
    if (!parsed || is_no_meter(meter)) return nullptr;
    day_.meter = *std::move(parsed);
  }
  ++at;
  if (end - at <= static_cast<std::ptrdiff_t>(date_chars) || at[date_chars] != ',') return nullptr;
  if (!read_quick_date(at)) return nullptr;
  at = read_readings(at + date_chars, end);
  if (at == nullptr) return nullptr;
  give(0, row_of({row, static_cast<std::size_t>(at - row)}));
  return at + (at[0] == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1);
}

/// Reads the readings behind the comma at `at`, up to the line end, which it returns; null when
/// one of them is not plain.
const char* WideCsvRows::read_readings(const char* at, const char* end) {
  const auto plain = read_plain_row(at + 1, end, day_.mantissas);
  if (plain.end != nullptr && (*plain.end == '\n' || *plain.end == '\r')) {
    if (!is_all_actual_) std::fill(day_.qualities.begin(), day_.qualities.end(), Quality::actual);
    is_all_actual_ = true;
    day_.exponent = static_cast<std::int8_t>(-plain.decimals);
    return plain.end;
  }
  is_all_actual_ = false;
  at = read_quick_readings(at, day_, decimals_);
  return at != nullptr && (*at == '\n' || *at == '\r') ? at : nullptr;
}

/// Fields at the end that the header lacks cost nothing as long as there is nothing in them: many
/// writers end their rows with a delimiter.
std::optional<Finding> WideCsvRows::check_columns(std::string_view row, std::size_t columns) {
  const std::size_t wanted = csv_.columns_.size();
  if (columns == wanted) return std::nullopt;
  if (columns > wanted) {
    split_fields(row, columns, fields_);
    const bool is_all_empty =
        std::all_of(fields_.begin() + static_cast<std::ptrdiff_t>(wanted), fields_.end(),
                    [](const Field& field) { return field.text.empty() && !field.bad_quoting; });
    fields_.resize(wanted);
    if (is_all_empty) return std::nullopt;
  }
  const auto code = columns < wanted ? FindingCode::too_few_columns : FindingCode::too_many_columns;
  return Finding{.code = code,
                 .text = fmt::format("{} columns, but the header has {}", columns, wanted)};
}

/// Splits the row and reads its meter and date. What is wrong with the row as a whole, if
/// anything; then it is rejected.
std::optional<Finding> WideCsvRows::check_row(const RawRow& raw) {
  const bool is_unclosed = raw.state == RowState::unclosed || raw.state == RowState::unclosed_last;
  if (raw.text.size() > row_bytes_max)
    return Finding{.code = FindingCode::row_too_long,
                   .text = fmt::format("the row is longer than {} bytes", row_bytes_max)};
  if (raw.state == RowState::unclosed)
    return Finding{.code = FindingCode::bad_quoting, .text = "a quote is not closed"};
  const std::size_t columns = split_fields(raw.text, csv_.columns_.size(), fields_);
  if (is_unclosed || (raw.state == RowState::unended && columns < csv_.columns_.size()))
    return Finding{.code = FindingCode::truncated,
                   .text = "the file ends in the middle of this row"};
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].bad_quoting)
      return cell_finding(i, FindingCode::bad_quoting, "quotes must enclose the whole field");
  if (auto finding = check_columns(raw.text, columns)) return finding;

  for (const int special : {WideCsv::column_meter, WideCsv::column_date}) {
    const auto found = std::find(csv_.columns_.begin(), csv_.columns_.end(), special);
    const auto column = static_cast<std::size_t>(found - csv_.columns_.begin());
    if (special == WideCsv::column_meter) {
      const auto& text = fields_[column].text;
      if (const auto objection = objection_to_meter(text))
        return cell_finding(column, objection->code, objection->wanted);
      day_.meter = *MeterId::parse(text);
      continue;
    }
    const auto date = Date::parse(fields_[column].text);
    if (!date)
      return cell_finding(column, FindingCode::bad_date,
                          "want a day as yyyy-MM-dd from 1900-01-01 to 2199-12-31");
    day_.date = *date;
  }
  return check_left_out();
}

/// What the columns that are left out say against taking the row.
std::optional<Finding> WideCsvRows::check_left_out() const {
  for (const auto column : csv_.checked_) {
    const auto& cell = fields_[column].text;
    const bool is_slot = csv_.kinds_[column] == ColumnKind::slot;
    if (is_slot && holds_reading(cell))
      return cell_finding(column, FindingCode::readings_without_column,
                          "a reading of an interval that the times do not have, so that the day "
                          "would be short of it");
    if (!is_slot && is_other_unit(cell, csv_.unit_))
      return cell_finding(column, FindingCode::other_unit,
                          fmt::format("the file was loaded as {}", text_of(csv_.unit_)));
  }
  return std::nullopt;
}

/// Compares the row's own totals with the sum of what is stored of it. One that is no plain decimal
/// checks nothing.
void WideCsvRows::check_totals() {
  for (const auto column : csv_.totals_) {
    const auto total = parse_reading(fields_[column].text);
    if (!total) continue;
    Int128 sum = 0;  // Of at most slots_max readings of 64 bits.
    for (const auto mantissa : day_.mantissas) sum += mantissa;
    const Sum exact(sum, day_.exponent);
    if (exact == Sum(total->value.mantissa, total->value.exponent)) continue;
    sink_.on_finding(cell_finding(column, FindingCode::total_differs,
                                  fmt::format("the readings add up to {}", exact.text())));
  }
}

/// What tells the row apart from others of its meter and day.
void WideCsvRows::read_labels() {
  labels_.assign(std::min(csv_.labels_.size(), labels_max), 0);
  for (std::size_t i = 0; i < csv_.labels_.size(); ++i) {
    const auto column = csv_.labels_[i];
    auto& hash = labels_[std::min(i, labels_max - 1)];
    hash = label_hash(hash, label_of(csv_.kinds_[column], fields_[column].text));
  }
}

Finding WideCsvRows::cell_finding(std::size_t column, FindingCode code,
                                  std::string_view wanted) const {
  return {.line = line_,
          .column = static_cast<int>(column) + 1,
          .code = code,
          .text = fmt::format("column `{}`: {}", csv_.names_[column], wanted),
          .excerpt = excerpt_of(fields_[column].text)};
}

void WideCsvRows::set_missing(std::size_t slot) {
  day_.mantissas[slot] = 0;
  day_.qualities[slot] = Quality::missing;
}

/// Reads the fields into the day. Returns how many readings were rejected.
int WideCsvRows::read_cells() {
  is_all_actual_ = false;
  for (std::size_t slot = 0; slot < slots_; ++slot) set_missing(slot);
  int decimals_max = 0;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (csv_.columns_[i] < 0) continue;
    const auto reading = parse_reading(fields_[i].text);
    if (!reading) continue;
    const auto slot = static_cast<std::size_t>(csv_.columns_[i]);
    const auto [mantissa, exponent] = reading->value;
    day_.mantissas[slot] = mantissa;
    day_.qualities[slot] = Quality::actual;
    decimals_[slot] = static_cast<std::uint8_t>(-exponent);
    decimals_max = std::max(decimals_max, -exponent);
    is_rounded_[slot] = reading->is_rounded;
  }
  day_.exponent = static_cast<std::int8_t>(-decimals_max);
  return align(decimals_max);
}

/// Brings all readings to one exponent, and tells of the fields that are no reading, do not fit, or
/// were rounded.
int WideCsvRows::align(int decimals_max) {
  int rejected = 0;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (csv_.columns_[i] < 0 || fields_[i].text.empty()) continue;
    const auto slot = static_cast<std::size_t>(csv_.columns_[i]);
    if (day_.qualities[slot] == Quality::missing) {
      const bool is_long = has_too_many_digits(fields_[i].text);
      sink_.on_finding(is_long
                           ? cell_finding(i, FindingCode::value_too_large, "at most 18 digits")
                           : cell_finding(i, FindingCode::bad_value, wanted_of(fields_[i].text)));
      ++rejected;
      continue;
    }
    const auto power = static_cast<std::size_t>(decimals_max - decimals_[slot]);
    if (__builtin_mul_overflow(day_.mantissas[slot], powers_of_ten.at(power),
                               &day_.mantissas[slot])) {
      sink_.on_finding(cell_finding(
          i, FindingCode::value_too_large,
          fmt::format("does not fit beside a reading of this row with {} decimals", decimals_max)));
      set_missing(slot);
      ++rejected;
      continue;
    }
    if (is_rounded_[slot])
      sink_.on_finding(cell_finding(
          i, FindingCode::noise_dropped,
          fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max)));
  }
  return rejected;
}

void WideCsvRows::give(int rejected, const Row& row) {
  if (csv_.zone_.is_known() && is_odd(day_)) return give_odd_day(rejected, row);
  sink_.on_day(day_, rejected, row);
}

void WideCsvRows::give_odd_day(int rejected, Row row) {
  auto fitted = fit_to_zone(day_);
  row.slots = static_cast<int>(fitted.day.mantissas.size());
  for (auto& finding : fitted.findings) {
    finding.line = line_;
    const auto column = std::find(csv_.columns_.begin(), csv_.columns_.end(), finding.column - 1);
    if (finding.column > 0) finding.column = static_cast<int>(column - csv_.columns_.begin()) + 1;
    sink_.on_finding(std::move(finding));
  }
  if (fitted.is_rejected) return sink_.on_rejected_row(row);
  // A field of a time that was left out may have been rejected, too.
  const auto missing =
      std::count(fitted.day.qualities.begin(), fitted.day.qualities.end(), Quality::missing);
  sink_.on_day(fitted.day, std::min(rejected + fitted.rejected_readings, static_cast<int>(missing)),
               row);
}

/// Reads the row at the start of `rest`; returns its bytes with the line end.
std::size_t WideCsvRows::read_careful(std::string_view rest) {
  const RawRow raw = first_row(rest);
  if (!raw.text.empty()) {
    Row row = row_of(raw.text.substr(0, row_bytes_max + 1));
    if (auto finding = check_row(raw)) {
      finding->line = line_;
      if (finding->column == 0) finding->excerpt = excerpt_of(raw.text);
      sink_.on_finding(*std::move(finding));
      sink_.on_rejected_row(row);
    } else {
      const int rejected = read_cells();
      check_totals();
      read_labels();
      row.labels = labels_;
      give(rejected, row);
    }
  }
  const bool has_line_end = raw.bytes > raw.text.size();
  const bool is_overlong_start = !has_line_end && raw.text.size() > row_bytes_max;
  line_ += raw.lines + (is_overlong_start ? 1 : 0);
  return raw.bytes;
}

std::int64_t WideCsv::parse(const Piece& piece, DaySink& sink) const {
  return WideCsvRows(*this, piece.first_line, sink).read(piece.text);
}

}  // namespace meterline::formats
