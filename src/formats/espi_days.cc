#include "formats/espi_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/decimal.h"
#include "formats/reading_text.h"

namespace meterline::formats::espi {
namespace {

constexpr std::int64_t second_micros = 1'000'000;
/// Times that are longer ago or ahead are no times: the year 2200, and as far back.
constexpr std::int64_t seconds_max = std::int64_t{7'258'118'400};

constexpr std::array<std::int64_t, 19> powers_of_ten = [] {
  std::array<std::int64_t, 19> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers.at(i) = powers.at(i - 1) * 10;
  return powers;
}();

/// value * 10^power; empty when it is too large. What is left behind the decimals that are kept is
/// rounded away, half away from zero.
std::optional<std::int64_t> scaled(std::int64_t value, int power) {
  constexpr int power_max = static_cast<int>(powers_of_ten.size()) - 1;
  if (power > power_max) return value == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
  if (power >= 0) {
    std::int64_t product = 0;
    const auto factor = powers_of_ten.at(static_cast<std::size_t>(power));
    if (__builtin_mul_overflow(value, factor, &product)) return std::nullopt;
    return product;
  }
  if (-power > power_max) return 0;
  const auto divisor = powers_of_ten.at(static_cast<std::size_t>(-power));
  const auto half = value % divisor;
  const bool is_up = std::max(half, -half) >= divisor - std::max(half, -half);
  return value / divisor + (is_up ? (value < 0 ? -1 : 1) : 0);
}

/// How a reading's number stands: value * 10^exponent, of which at most reading_decimals_max are
/// kept.
int kept_exponent(int multiplier, int decimals) {
  return std::clamp(multiplier - decimals, -reading_decimals_max, 0);
}

std::string time_text(std::int64_t seconds) { return Instant{seconds * second_micros}.text(); }

bool is_same(const DayCutter::Owner& a, const DayCutter::Owner& b) {
  return a.meter == b.meter && a.series.channel == b.series.channel &&
         a.series.shape == b.series.shape && a.series.step == b.series.step &&
         a.series.multiplier == b.series.multiplier &&
         a.series.default_quality == b.series.default_quality && a.zone == b.zone;
}

/// What the zone's clock is ahead of UTC then.
std::int16_t offset_at(TimeZone zone, std::int64_t seconds) {
  const auto day = zone.day_at({seconds * second_micros});
  if (!day) return 0;
  const auto minute = (seconds - day->start.micros / second_micros) / 60;
  const auto shown = zone.shown_minute(day->date, static_cast<int>(minute));
  constexpr std::int64_t day_minutes = 24 * 60;
  const auto utc = seconds >= 0 ? seconds / 60 : -((59 - seconds) / 60);
  return static_cast<std::int16_t>(day->date.days() * day_minutes + shown - utc);
}

}  // namespace

void DayCutter::tell(FindingCode code, std::int64_t line, std::string text,
                     const std::string& excerpt) {
  sink_->on_finding({.line = line + lines_more_,
                     .code = code,
                     .text = std::move(text),
                     .excerpt = excerpt_of(excerpt)});
}

void DayCutter::begin(const Owner& owner) {
  if (has_day_ && !is_same(owner, owner_)) give_day();
  const bool is_other_clock = owner_.zone != owner.zone;
  owner_ = owner;
  if (is_other_clock) day_start_ = day_end_ = 0;
}

void DayCutter::add(const Owner& owner, const Block& block, DaySink& sink,
                    std::int64_t lines_more) {
  sink_ = &sink;
  lines_more_ = lines_more;
  begin(owner);
  const auto& series = owner_.series;
  std::int64_t next = block.start;
  for (const auto& reading : block.readings) {
    const auto line = block.line + reading.line;
    const auto start = reading.start == no_start ? next : reading.start;
    const std::int64_t duration = reading.duration > 0 ? reading.duration : series.step;
    if (start == no_start || start < -seconds_max || start > seconds_max) {
      tell(FindingCode::bad_interval, line,
           "a reading without a time of these centuries is left out", owner_.name);
      continue;
    }
    const Span span{.start = start, .end = start + duration};
    next = span.end;
    take(reading, span, line);
  }
  sink_ = nullptr;
}

void DayCutter::finish(DaySink& sink, std::int64_t lines_more) {
  sink_ = &sink;
  lines_more_ = lines_more;
  if (has_day_) give_day();
  sink_ = nullptr;
}

void DayCutter::take(const Reading& reading, Span span, std::int64_t line) {
  if (owner_.series.shape == Series::Shape::days) return take_interval(reading, span, line);
  take_read(reading, span, line);
}

/// Whether `start` is in the day that is open, which it makes so.
bool DayCutter::open_day(std::int64_t start) {
  if (has_day_) give_day();
  if (start < day_start_ || start >= day_end_) {
    const auto day = owner_.zone.day_at({start * second_micros});
    if (!day) return false;
    date_ = day->date;
    day_start_ = day->start.micros / second_micros;
    day_end_ = day->end.micros / second_micros;
  }
  has_day_ = true;
  day_name_ = owner_.name;
  day_stated_.reset();
  const auto slots =
      slots_in(owner_.zone.minutes_of(date_), static_cast<int>(owner_.series.step / 60));
  cells_.assign(static_cast<std::size_t>(slots), {});
  return true;
}

void DayCutter::take_interval(const Reading& reading, Span span, std::int64_t line) {
  const auto step = owner_.series.step;
  if (span.end - span.start != step)
    return tell(FindingCode::bad_interval, line,
                fmt::format("a reading of {} seconds from {} on, among such of {}, is left out",
                            span.end - span.start, time_text(span.start), step),
                owner_.name);
  const bool is_other_day = span.start < day_start_ || span.start >= day_end_;
  if (!has_day_ || is_other_day) {
    if (!open_day(span.start))
      return tell(FindingCode::bad_interval, line,
                  "a reading of no day that can be kept is left out", owner_.name);
    line_ = line;
  }
  const auto behind = span.start - day_start_;
  const auto slot = static_cast<std::size_t>(behind / step);
  if (behind % step != 0 || slot >= cells_.size()) {
    if (std::none_of(cells_.begin(), cells_.end(), [](const Cell& cell) { return cell.is_said; }))
      has_day_ = false;
    return tell(FindingCode::bad_interval, line,
                fmt::format("a reading from {} on is left out, as no interval of {} minutes begins "
                            "then in {}",
                            time_text(span.start), step / 60, owner_.zone.text()),
                owner_.name);
  }
  if (cells_[slot].is_said) {
    open_day(span.start);
    line_ = line;
  }
  // A day states the latest time of the blocks that it has readings of.
  day_stated_ = std::max(day_stated_, owner_.stated);
  cells_[slot] = {.value = reading.value,
                  .decimals = reading.decimals,
                  .quality = reading.quality,
                  .state = reading.state,
                  .is_said = true};
}

/// Writes the readings into the day.
void DayCutter::fill(ReadingDay& day, int& rejected) {
  const auto& series = owner_.series;
  int decimals = 0;
  bool is_rounded = false;
  for (const auto& cell : cells_)
    if (cell.state == ValueState::good) decimals = std::max<int>(decimals, cell.decimals);
  const int exponent = kept_exponent(series.multiplier, decimals);
  day.exponent = static_cast<std::int8_t>(exponent);
  for (std::size_t slot = 0; slot < cells_.size(); ++slot) {
    const auto& cell = cells_[slot];
    const auto code = cell.quality != no_quality
                          ? cell.quality
                          : static_cast<std::uint8_t>(series.default_quality);
    if (cell.is_said && code != no_quality && code != 0)
      append(day.notes, slot, slot + 1, {.flag = std::to_string(code)});
    rejected += cell.state == ValueState::bad ? 1 : 0;
    if (cell.state != ValueState::good) continue;
    const int power = series.multiplier - cell.decimals - exponent;
    is_rounded = is_rounded || power < 0;
    const auto mantissa = power == 0 ? std::optional(cell.value) : scaled(cell.value, power);
    if (!mantissa) {
      const auto text = Decimal{cell.value, static_cast<std::int8_t>(-cell.decimals)}.text();
      tell(FindingCode::value_too_large, line_,
           fmt::format("{} with powerOfTenMultiplier {} is too large", text, series.multiplier),
           text);
      ++rejected;
      continue;
    }
    day.mantissas[slot] = *mantissa;
    day.qualities[slot] = quality_of(code);
  }
  if (is_rounded) tell_rounding(line_);
}

void DayCutter::tell_rounding(std::int64_t line) {
  tell(FindingCode::noise_dropped, line,
       fmt::format("with powerOfTenMultiplier {}, readings are rounded to {} decimals, the most "
                   "that are kept",
                   owner_.series.multiplier, reading_decimals_max),
       owner_.name);
}

void DayCutter::give_day() {
  has_day_ = false;
  ReadingDay day{
      .meter = owner_.meter,
      .channel = owner_.series.channel,
      .date = date_,
      .interval = *IntervalLength::from_minutes(static_cast<int>(owner_.series.step / 60)),
      .mantissas = std::vector<std::int64_t>(cells_.size(), 0),
      .qualities = std::vector<Quality>(cells_.size(), Quality::missing),
      .stated = day_stated_,
      .zone = owner_.zone};
  int rejected = 0;
  fill(day, rejected);
  sink_->on_day(
      day, rejected,
      {.line = line_ + lines_more_, .text = owner_.name, .slots = static_cast<int>(cells_.size())});
}

/// What a register counted until the end of the span, or showed then.
void DayCutter::take_read(const Reading& reading, Span span, std::int64_t line) {
  const auto& series = owner_.series;
  const auto code = reading.quality != no_quality
                        ? reading.quality
                        : static_cast<std::uint8_t>(series.default_quality);
  const auto state_at = [&](std::int64_t seconds) {
    return RegisterState{.time = {.at = {seconds * second_micros},
                                  .offset_minutes = offset_at(owner_.zone, seconds)}};
  };
  RegisterRead read{.meter = owner_.meter,
                    .of = {.channel = series.channel, .id = owner_.register_id, .serial = ""},
                    .current = state_at(span.end),
                    .stated = owner_.stated};
  read.current.quality = quality_of(code);
  if (code != no_quality && code != 0) read.current.note.flag = std::to_string(code);
  if (series.shape == Series::Shape::counted) read.previous = state_at(span.start);
  const int exponent = kept_exponent(series.multiplier, reading.decimals);
  const int power = series.multiplier - reading.decimals - exponent;
  const auto mantissa = scaled(reading.value, power);
  if (power < 0) tell_rounding(line);
  const Row row{.line = line + lines_more_, .text = owner_.name, .is_register_read = true};
  if (reading.state == ValueState::good && mantissa) {
    auto& value = series.shape == Series::Shape::counted ? read.counted : read.current.value;
    value = Decimal{*mantissa, static_cast<std::int8_t>(exponent)};
  }
  const auto fault = fault_of(read);
  if (!fault) return sink_->on_read(read, row);
  tell(reading.state == ValueState::good && !mantissa ? FindingCode::value_too_large
                                                      : FindingCode::bad_record,
       line, fmt::format("a reading from {} on is left out: {}", time_text(span.start), *fault),
       owner_.name);
  sink_->on_rejected_row(row);
}

}  // namespace meterline::formats::espi
