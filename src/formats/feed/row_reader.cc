#include "formats/feed/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/feed/wildcard.h"
#include "formats/meter_text.h"
#include "formats/quick_readings.h"

namespace meterline::formats {
namespace {

constexpr std::int64_t minute_micros = 60'000'000;
constexpr int hour_minutes = 60;

bool fits_one(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fits(pattern, text); });
}

/// The energy of a mean power over an hour; empty when the unit is none of power.
std::optional<Unit> hourly(Unit unit) {
  switch (unit) {
    case Unit::W:
      return Unit::Wh;
    case Unit::kW:
      return Unit::kWh;
    case Unit::MW:
      return Unit::MWh;
    case Unit::var:
      return Unit::varh;
    case Unit::kvar:
      return Unit::kvarh;
    case Unit::Mvar:
      return Unit::Mvarh;
    case Unit::VA:
      return Unit::VAh;
    case Unit::kVA:
      return Unit::kVAh;
    case Unit::MVA:
      return Unit::MVAh;
    default:
      return std::nullopt;
  }
}

std::string_view wanted_of(std::string_view text) {
  if (text.find(',') != std::string_view::npos)
    return "is no number as the feed writes them: is the comma for decimals or thousands?";
  return "is no number as the feed writes them";
}

/// As first_row(), of text without quotes.
RawRow plain_row(std::string_view text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return first_row(text);
  const auto carriage = text.substr(0, end).find('\r');
  const bool is_crlf = carriage != std::string_view::npos && carriage + 1 == end;
  if (carriage != std::string_view::npos && !is_crlf) return first_row(text);
  return {.text = text.substr(0, is_crlf ? carriage : end), .bytes = end + 1, .lines = 1};
}

bool starts_with_digit(std::string_view text) { return '0' <= text.front() && text.front() <= '9'; }

}  // namespace

RowReader::RowReader(const FeedPlan& plan, std::int64_t first_line, DaySink& sink)
    : plan_(plan),
      sink_(sink),
      line_(first_line),
      fields_(plan.delimiter),
      days_(plan.zone),
      quick_(plan),
      said_sum_(plan.sum),
      said_rows_(plan.rows_count),
      is_register_(plan.rows && plan.rows->is_register),
      may_digits_be_missing_(std::any_of(
          plan.missing.begin(), plan.missing.end(),
          [](const std::string& word) { return !word.empty() && starts_with_digit(word); })) {
  for (auto* const total : {&said_sum_, &said_rows_})
    if (total->line) *total->line += first_line;
}

bool RowReader::take_fields(const RawRow& raw, bool may_have_quotes) {
  is_quick_ = false;
  row_line_ = line_;
  row_text_ = raw.text.substr(0, row_bytes_max + 1);
  if (raw.text.size() > row_bytes_max) {
    reject(no_column, FindingCode::row_too_long,
           fmt::format("the row is longer than {} bytes", row_bytes_max));
    return false;
  }
  if (!may_have_quotes) {
    is_quick_ = quick_.head() > 0 && take_quick(raw);
    if (!is_quick_) fields_.split_plain(raw.text);
    return true;
  }
  if (fields_.split(raw.text)) return true;
  const bool is_cut = raw.state == RowState::unclosed_last;
  reject(no_column, is_cut ? FindingCode::truncated : FindingCode::bad_quoting,
         is_cut ? "the file ends in the middle of this row" : "quotes must enclose a whole field");
  return false;
}

bool RowReader::take_quick(const RawRow& raw) {
  const bool has_line_end = raw.bytes > raw.text.size();
  const char* const rest = has_line_end ? fields_.split_head(raw.text, quick_.head()) : nullptr;
  return rest != nullptr && quick_.read(rest, raw.text.data() + raw.text.size());
}

void RowReader::split_all() {
  is_quick_ = false;
  fields_.split_plain(row_text_);
}

bool RowReader::is_kept() {
  for (const auto& filter : plan_.filters) {
    const bool is_fitting = fits_one(filter.patterns, fields_.at(filter.column));
    if (is_fitting == (filter.action == RowFilter::Action::keep)) continue;
    is_stopped_ = filter.action == RowFilter::Action::stop;
    sink_.on_finding(
        finding(filter.column, FindingCode::row_left_out,
                is_stopped_ ? "here the rows end, by the feed" : "the feed leaves such rows out"));
    return false;
  }
  return true;
}

/// Whether there are enough fields, and nothing in those that the header lacks.
bool RowReader::fit_columns(const RawRow& raw) {
  const auto wanted = plan_.names.size();
  if (plan_.has_unquoted_decimals && fields_.size() == wanted + 1 && !plan_.values.empty() &&
      plan_.values.front().column + 1 < static_cast<int>(fields_.size()))
    fields_.join(plan_.values.front().column, plan_.numbers.decimal);
  if (fields_.size() < static_cast<std::size_t>(plan_.columns_needed)) {
    const bool is_cut = raw.state == RowState::unended;
    reject(no_column, is_cut ? FindingCode::truncated : FindingCode::too_few_columns,
           is_cut ? "the file ends in the middle of this row"
                  : fmt::format("{} columns, but {} are wanted", fields_.size(),
                                plan_.columns_needed));
    return false;
  }
  if (wanted == 0) return true;
  const auto& all = fields_.all();
  for (std::size_t i = wanted; i < all.size(); ++i) {
    if (all[i].empty()) continue;
    reject(no_column, FindingCode::too_many_columns,
           fmt::format("{} columns, but the header has {}", all.size(), wanted));
    return false;
  }
  return true;
}

bool RowReader::next(std::string_view& rest, bool may_have_quotes) {
  const RawRow raw = may_have_quotes ? first_row(rest) : plain_row(rest);
  rest.remove_prefix(raw.bytes);
  const bool is_row = raw.text.find_first_not_of(" \t") != std::string_view::npos;
  const bool is_read = is_row && take_fields(raw, may_have_quotes);
  const bool has_line_end = raw.bytes > raw.text.size();
  const bool is_overlong_start = !has_line_end && raw.text.size() > row_bytes_max;
  line_ += raw.lines + (is_overlong_start ? 1 : 0);
  if (!is_read) return false;
  const auto& all = fields_.all();
  if (!is_quick_ &&
      std::all_of(all.begin(), all.end(), [](std::string_view field) { return field.empty(); }))
    return false;
  found_.clear();
  if (plan_.rows && plan_.rows->date_line && take_date_line()) return false;
  take_total(said_sum_);
  take_total(said_rows_);
  if (!plan_.filters.empty() && !is_kept()) return false;
  ++rows_;
  return is_quick_ || fit_columns(raw);
}

/// Whether the line has nothing but the day of the rows below it.
bool RowReader::take_date_line() {
  const auto& all = fields_.all();
  const bool is_alone =
      std::all_of(all.begin() + 1, all.end(), [](std::string_view field) { return field.empty(); });
  const auto stamp = is_alone ? plan_.rows->date_line->read(all.front()) : std::nullopt;
  if (stamp) date_above_ = stamp->date;
  return stamp.has_value();
}

/// A line among the rows that has a total of the file.
void RowReader::take_total(TotalPlan& total) {
  if (total.record.empty() || total.line || fields_.at(0) != total.record) return;
  total.said = fields_.at(total.column);
  total.line = row_line_;
}

/// Readings have up to 18 digits, and a file that is read whole has fewer than 10^8 of them: the
/// sum fits.
void RowReader::add_to_sum(Decimal reading) {
  Int128 scaled = reading.mantissa;
  for (int i = reading.exponent; i > -reading_decimals_max; --i) scaled *= 10;
  sum_ += scaled;
}

void RowReader::check_total(const TotalPlan& total, Int128 found, std::string_view what) {
  if (!total.is_given()) return;
  Finding told{.line = total.line.value_or(line_), .code = FindingCode::file_total_differs};
  const auto text = Sum(found, -reading_decimals_max).text();
  const auto said = read_number(total.said, plan_.numbers);
  if (!total.line) {
    told.text = fmt::format("the file has no record `{}`, in which it says a total", total.record);
  } else if (!said) {
    told.text = "the file's own total is no number as the feed writes them";
  } else if (Sum(said->value.mantissa, said->value.exponent) != Sum(found, -reading_decimals_max)) {
    told.text = fmt::format("{} {}, and not what the file says of itself", what, text);
  } else {
    return;
  }
  told.excerpt = excerpt_of(total.said);
  sink_.on_finding(std::move(told));
}

void RowReader::check_totals() {
  constexpr Int128 whole = 1'000'000'000;  // reading_decimals_max decimals.
  check_total(said_sum_, sum_, "the readings add up to");
  check_total(said_rows_, rows_ * whole, "the number of rows is");
}

const MeterId* RowReader::meter() {
  if (plan_.meter_column == no_column) return &plan_.meter;
  const auto text = fields_.at(plan_.meter_column);
  if (text == meter_text_ && !text.empty()) return &meter_;
  auto cleaned = text;
  if (cleaned.starts_with('\'')) cleaned.remove_prefix(1);
  std::string without_blanks;
  if (plan_.removes_blanks && cleaned.find(' ') != std::string_view::npos) {
    for (const char c : cleaned)
      if (c != ' ') without_blanks += c;
    cleaned = without_blanks;
  }
  if (const auto objection = objection_to_meter(cleaned)) {
    reject(plan_.meter_column, objection->code, std::string(objection->wanted));
    return nullptr;
  }
  meter_ = *MeterId::parse(cleaned);
  meter_text_ = text;
  return &meter_;
}

const Channel* RowReader::channel(const Measured& measured) {
  if (&measured == channel_is_of_) return &channel_;
  const Measured* of_row = nullptr;
  if (plan_.channel_column != no_column) {
    const auto text = fields_.at(plan_.channel_column);
    for (const auto& channel : plan_.channels)
      if (fits_one(channel.is, text)) {
        of_row = &channel.measured;
        break;
      }
    if (of_row == nullptr) {
      reject(plan_.channel_column, FindingCode::unknown_channel,
             "the feed does not say which channel this is");
      return nullptr;
    }
  }
  const auto first = [&](auto Measured::*part) -> const auto& {
    if (of_row != nullptr && (of_row->*part)) return of_row->*part;
    return measured.*part ? measured.*part : plan_.measured.*part;
  };
  channel_.flow = first(&Measured::flow).value_or(Flow::consumption);
  auto unit = of_row != nullptr && of_row->unit ? of_row->unit : measured.unit;
  if (!unit && plan_.unit_column != no_column) {
    const auto text = fields_.at(plan_.unit_column);
    unit = parse_unit(text);
    if (!unit) {
      reject(plan_.unit_column, FindingCode::other_unit,
             fmt::format("want a unit: one of {}", unit_choices));
      return nullptr;
    }
  }
  channel_.unit = unit.value_or(plan_.unit);
  factor_ = first(&Measured::factor).value_or(Decimal{.mantissa = 1});
  if (plan_.factor_column != no_column && !take_factor()) return nullptr;
  const bool is_mean = plan_.measured.is_average_power || measured.is_average_power ||
                       (of_row != nullptr && of_row->is_average_power);
  const auto energy_unit = is_mean ? hourly(channel_.unit) : std::nullopt;
  is_average_power_ = energy_unit.has_value();
  const bool has_factor = factor_ != Decimal{.mantissa = 1};
  makes_energy_ = !is_register_ && (is_average_power_ || has_factor);
  channel_.unit = energy_unit.value_or(channel_.unit);
  const auto& name = of_row != nullptr && !of_row->name.empty() ? of_row->name
                     : !measured.name.empty()                   ? measured.name
                                                                : plan_.measured.name;
  if (!name.empty())
    channel_.name = name;
  else
    channel_.name =
        channel_.flow == Flow::consumption ? default_channel_name : text_of(channel_.flow);
  const bool is_of_row = plan_.channel_column != no_column || plan_.unit_column != no_column ||
                         plan_.factor_column != no_column;
  channel_is_of_ = is_of_row ? nullptr : &measured;
  return &channel_;
}

/// Multiplies the factor by that of the row. False when the row was rejected.
bool RowReader::take_factor() {
  const auto text = fields_.at(plan_.factor_column);
  if (text != factor_text_ || text.empty()) {
    const auto read = read_number(text, plan_.numbers);
    if (!read || read->value.mantissa <= 0 || read->is_rounded) {
      reject(plan_.factor_column, FindingCode::bad_value,
             "want what the row's numbers are multiplied by: a number over 0");
      return false;
    }
    row_factor_ = read->value;
    factor_text_ = text;
  }
  const Int128 product = Int128{factor_.mantissa} * row_factor_.mantissa;
  if (product >= powers_of_ten.back()) {
    reject(plan_.factor_column, FindingCode::value_too_large,
           fmt::format("the factor has over {} digits", decimal_digits_max));
    return false;
  }
  factor_ = {.mantissa = static_cast<std::int64_t>(product),
             .exponent = static_cast<std::int8_t>(factor_.exponent + row_factor_.exponent)};
  return true;
}

/// The text of a stamp: of one column as it is, of several with blanks between them.
std::string_view RowReader::joined(const StampPlan& plan) {
  if (plan.columns.size() == 1) return fields_.at(plan.columns.front());
  stamp_text_.clear();
  for (const int column : plan.columns) {
    if (!stamp_text_.empty()) stamp_text_ += ' ';
    stamp_text_ += fields_.at(column);
  }
  return stamp_text_;
}

std::optional<Stamp> RowReader::stamp(const StampPlan& plan, std::string_view what) {
  const auto text = joined(plan);
  auto stamp = plan.pattern.read(text, known_day_);
  if (stamp && !plan.pattern.has_date()) {
    if (date_above_) {
      stamp->date = *date_above_;
      return stamp;
    }
    reject(plan.columns.front(), FindingCode::bad_date,
           "no line with a day stands above this time");
    return std::nullopt;
  }
  if (stamp) return stamp;
  auto told = finding(plan.columns.front(), FindingCode::bad_date,
                      fmt::format("want {} as {}", what, plan.pattern.text()));
  told.excerpt = excerpt_of(text);
  reject(std::move(told));
  return std::nullopt;
}

bool RowReader::stated(std::optional<Instant>& instant) {
  instant.reset();
  if (!plan_.stated.is_given()) return true;
  const auto said = stamp(plan_.stated, "when it was made");
  if (!said) return false;
  std::int64_t minutes = days_.of(said->date).midnight() + said->minute;
  if (said->offset_minutes)
    minutes = std::int64_t{said->date.days()} * ZoneDay::day_minutes + said->minute -
              *said->offset_minutes;
  instant = Instant{minutes * minute_micros + std::int64_t{said->second} * 1'000'000};
  return true;
}

const FlagPlan& RowReader::flag_of(std::string_view text) {
  if (last_flag_ != nullptr && last_flag_->flag == text) return *last_flag_;
  for (const auto& flag : plan_.flags)
    if (flag.flag == text) return *(last_flag_ = &flag);
  if (text.empty()) return no_flag_;
  if (plan_.other_flag) return *plan_.other_flag;
  const auto known = std::find_if(unknown_flags_.begin(), unknown_flags_.end(),
                                  [&](const FlagPlan& flag) { return flag.flag == text; });
  if (known != unknown_flags_.end()) return *known;
  constexpr std::size_t unknown_max = 64;
  if (unknown_flags_.size() == unknown_max) unknown_flags_.clear();
  FlagPlan made{.flag = std::string(text), .quality = Quality::estimated, .is_known = false};
  if (const Note note{.flag = made.flag}; !fault_of(note)) made.note = note;
  last_flag_ = nullptr;
  unknown_flags_.push_back(std::move(made));
  return unknown_flags_.back();
}

std::uint8_t RowReader::note_number(const Note& note) {
  const auto known = std::find(notes_.begin(), notes_.end(), note);
  constexpr std::size_t notes_max = 255;
  if (known == notes_.end() && notes_.size() == notes_max) return 0;
  const auto place = known - notes_.begin();
  if (known == notes_.end()) notes_.push_back(note);
  return static_cast<std::uint8_t>(place + 1);
}

/// Exact where the decimals that are kept can hold it, else rounded once. Products have up to 36
/// digits, 38 with the minutes, which Int128 holds.
std::optional<Decimal> RowReader::energy(Decimal value, int step, bool& is_rounded) const {
  Int128 scaled = Int128{value.mantissa} * factor_.mantissa;
  int exponent = value.exponent + factor_.exponent;
  Int128 divisor = 1;
  if (is_average_power_ && step > 0) {
    scaled *= step;
    divisor = hour_minutes;
  }
  for (; exponent < -reading_decimals_max; ++exponent) divisor *= 10;
  const auto is_below = [&](Int128 digits) {
    return scaled < divisor * digits && scaled > -divisor * digits;
  };
  const Int128 digits_max = powers_of_ten.back();
  while (scaled % divisor != 0 && exponent > -reading_decimals_max && is_below(digits_max / 10)) {
    scaled *= 10;
    --exponent;
  }
  for (; exponent < 0 && scaled % 10 == 0 && !is_below(digits_max); ++exponent) scaled /= 10;
  const Int128 rest = scaled % divisor;
  scaled /= divisor;
  if (rest * 2 >= divisor) ++scaled;
  if (rest * 2 <= -divisor) --scaled;
  if (scaled >= digits_max || scaled <= -digits_max) return std::nullopt;
  is_rounded |= rest != 0;
  return Decimal{.mantissa = static_cast<std::int64_t>(scaled),
                 .exponent = static_cast<std::int8_t>(exponent)};
}

bool RowReader::is_missing(std::string_view text) const {
  if (text.empty()) return true;
  if (!may_digits_be_missing_ && starts_with_digit(text)) return false;
  return std::any_of(plan_.missing.begin(), plan_.missing.end(),
                     [&](const std::string& word) { return is_same_word(word, text); });
}

std::optional<CellReading> RowReader::cell(int column, int flag, int step) {
  const auto text = fields_.at(column);
  CellReading reading;
  const auto said = flag == no_column ? std::string_view() : fields_.at(flag);
  const bool has_flag = flag != no_column;
  const FlagPlan& meant = has_flag ? flag_of(said) : no_flag_;
  reading.quality = meant.quality;
  if (meant.note) reading.note = note_number(*meant.note);
  if (!meant.is_known)
    found_.push_back(finding(flag, FindingCode::unknown_flag,
                             "the feed does not say what this flag means; the reading is taken as "
                             "estimated"));
  if (is_missing(text) || meant.quality == Quality::missing) {
    reading.quality = Quality::missing;
    return reading;
  }
  const auto number = read_number(text, plan_.numbers);
  if (!number) {
    found_.push_back(finding(column, FindingCode::bad_value, std::string(wanted_of(text))));
    return std::nullopt;
  }
  reading.value = number->value;
  reading.is_rounded = number->is_rounded;
  if (makes_energy_) {
    reading.value = energy(number->value, step, reading.is_rounded);
    if (!reading.value) {
      found_.push_back(finding(
          column, FindingCode::value_too_large,
          fmt::format("times its factor, the reading has over {} digits", decimal_digits_max)));
      return std::nullopt;
    }
  }
  if (reading.is_rounded)
    found_.push_back(finding(
        column, FindingCode::noise_dropped,
        fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max)));
  return reading;
}

Finding RowReader::finding(int column, FindingCode code, std::string text) const {
  if (column == no_column)
    return {
        .line = row_line_, .code = code, .text = std::move(text), .excerpt = excerpt_of(row_text_)};
  const auto place = static_cast<std::size_t>(column);
  const auto name =
      place < plan_.names.size() ? fmt::format("column `{}`: ", plan_.names[place]) : std::string();
  return {.line = row_line_,
          .column = column + 1,
          .code = code,
          .text = name + text,
          .excerpt = excerpt_of(fields_.at(column))};
}

void RowReader::reject(Finding finding) {
  sink_.on_finding(std::move(finding));
  sink_.on_rejected_row(row(rejected_slots));
}

}  // namespace meterline::formats
