// Rows with a reading each. Readings of a meter, a channel and a day are gathered until another day
// of them begins, or the piece ends; what other pieces have of a day is united with it behind the
// parser.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "formats/feed/gathered_day.h"
#include "formats/feed/register_steps.h"
#include "formats/feed/row_reader.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

constexpr std::size_t open_days_max = 256;

class LongRows {
 public:
  LongRows(const FeedPlan& plan, const Piece& piece, DaySink& sink)
      : plan_(plan),
        rows_(*plan.rows),
        sink_(sink),
        reader_(plan, piece.first_line, sink),
        registers_(plan.step, rows_.register_digits) {}

  std::int64_t read(const Piece& piece);

 private:
  /// Of what interval a row tells, and when it states that this was said.
  struct At {
    DayMinute begin;
    int step = 0;  ///< Minutes.
    std::optional<Instant> stated;
  };

  /// A day that readings still come to.
  struct OpenDay {
    GatheredDay day;
    std::string series;
    int strays = 0;  ///< Rows of the series and day at times that are no ends of an interval.
    std::optional<IntervalLength> refuted_by = {};  ///< The interval of most rows of that day.
  };

  void read_row();
  bool find_interval(DayMinute& begin, int& step);
  int steps_ended(DayMinute end);
  bool find_period(DayMinute& begin, int step);
  std::optional<int> step_of_row(const std::optional<Stamp>& start,
                                 const std::optional<Stamp>& end);
  std::optional<DayMinute> place_of(const Stamp& stamp, bool is_end);
  std::optional<DayMinute> odd_place(const ZoneDay& day, const Stamp& stamp, bool is_end);
  bool is_second(const Stamp& stamp);
  std::string series() const;
  std::int64_t absolute(const Stamp& stamp) const;
  std::optional<int> offset_of(const Stamp& stamp) const {
    if (stamp.offset_minutes) return stamp.offset_minutes;
    return plan_.clock.is_known() ? std::optional(plan_.clock.offset_minutes()) : std::nullopt;
  }
  int time_column() const;
  bool reject_stray(const std::optional<DayMinute>& begin, int step, bool is_start);
  void read_value(const ValuePlan& value, const At& at);
  void read_register(const ValuePlan& value, std::string_view unit, const CellReading& reading,
                     const At& at);
  void put_difference(const ValuePlan& value, const RegisterSteps::Outcome& outcome, At at);
  void tell_lone_registers();
  void give(OpenDay& open);
  std::string objection_to(const OpenDay& open);
  void share_out(const MeterId& meter, const Channel& channel, At at, CellReading reading);
  void put(const MeterId& meter, const Channel& channel, const At& at, const CellReading& reading);
  OpenDay& day_of(const MeterId& meter, const Channel& channel, const At& at);
  OpenDay& begin_day(OpenDay& open, const MeterId& meter, const Channel& channel, const At& at);

  const FeedPlan& plan_;
  const LongLayout& rows_;
  DaySink& sink_;
  RowReader reader_;
  RegisterSteps registers_;
  std::vector<OpenDay> open_;
  std::size_t last_ = 0;  ///< Of open_: what the reading before went to.
  /// How far a series has come in an hour that comes twice.
  struct Repeat {
    Date date;
    int shown = 0;
    bool is_second = false;
  };
  std::map<std::string, Repeat> repeats_;          ///< By meter and channel.
  std::map<std::string, std::int64_t> last_ends_;  ///< By meter and channel, in minutes.
  int steps_ = 1;                                  ///< That the row's reading is of.
};

int LongRows::time_column() const {
  for (const auto* const stamp : {&plan_.start, &plan_.end, &plan_.date})
    if (stamp->is_given()) return stamp->columns.front();
  return no_column;
}

/// In minutes since 1970: of UTC, or of the clock where nobody knows more.
std::int64_t LongRows::absolute(const Stamp& stamp) const {
  return std::int64_t{stamp.date.days()} * ZoneDay::day_minutes + stamp.minute -
         offset_of(stamp).value_or(0);
}

std::string LongRows::series() const {
  std::string series(reader_.fields().at(plan_.meter_column));
  series += '\0';
  if (plan_.channel_column != no_column) series += reader_.fields().at(plan_.channel_column);
  return series;
}

/// How many steps the reading is of that ends at `end`.
int LongRows::steps_ended(DayMinute end) {
  const auto now = reader_.days().of(end.date).midnight() + end.minute;
  const auto [found, is_first] = last_ends_.try_emplace(series(), now);
  const auto minutes = now - found->second;
  found->second = now;
  constexpr int longest = 60;
  const bool is_longer =
      !is_first && minutes > plan_.step && minutes <= longest && minutes % plan_.step == 0;
  return is_longer ? static_cast<int>(minutes) / plan_.step : 1;
}

/// Whether a time that comes twice is the second one, by the order of rows.
bool LongRows::is_second(const Stamp& stamp) {
  const bool is_reversed = rows_.repeated == LongLayout::Repeated::newest_first;
  const auto [found, is_new] = repeats_.try_emplace(series());
  auto& repeat = found->second;
  if (is_new || repeat.date != stamp.date)
    repeat = {.date = stamp.date, .shown = stamp.minute, .is_second = is_reversed};
  else if (is_reversed ? stamp.minute >= repeat.shown : stamp.minute <= repeat.shown)
    repeat.is_second = !is_reversed;
  repeat.shown = stamp.minute;
  return repeat.is_second;
}

/// Where a time is on a day that has not 24 hours. Empty when the row was rejected.
std::optional<DayMinute> LongRows::odd_place(const ZoneDay& day, const Stamp& stamp, bool is_end) {
  const auto& places = day.places_of(stamp.minute);
  if (places.size() == 1) return DayMinute{stamp.date, places.front()};
  if (places.empty()) {
    // The moment in which the clock was put forward has two names, and ends may have the first.
    const auto& before = is_end && stamp.minute > 0 ? day.places_of(stamp.minute - 1) : places;
    if (!before.empty()) return DayMinute{stamp.date, before.front() + 1};
    reader_.reject(time_column(), FindingCode::other_zone,
                   fmt::format("the clock of {} showed no {:02}:{:02} on {}", plan_.zone.text(),
                               stamp.minute / 60, stamp.minute % 60, stamp.date.text()));
    return std::nullopt;
  }
  if (rows_.repeated == LongLayout::Repeated::refused) {
    reader_.reject(
        time_column(), FindingCode::time_comes_twice,
        fmt::format("{:02}:{:02} comes twice on {} in {}, and nothing says which is "
                    "meant",
                    stamp.minute / 60, stamp.minute % 60, stamp.date.text(), plan_.zone.text()));
    return std::nullopt;
  }
  return DayMinute{stamp.date, is_second(stamp) ? places.back() : places.front()};
}

/// Empty when the row was rejected.
std::optional<DayMinute> LongRows::place_of(const Stamp& stamp, bool is_end) {
  auto& days = reader_.days();
  std::optional<DayMinute> place;
  if (plan_.needs_offset && !stamp.offset_minutes) {
    reader_.reject(time_column(), FindingCode::bad_date,
                   "the time has no offset, as the first row's has: say of which clock it is with "
                   "--zone");
    return std::nullopt;
  }
  if (offset_of(stamp)) {
    place = days.at(absolute(stamp));
  } else if (const auto& day = days.of(stamp.date); !day.is_odd()) {
    place = days.normal({stamp.date, stamp.minute});
  } else {
    place = odd_place(day, stamp, is_end);
    return place ? days.normal(*place) : std::nullopt;
  }
  if (!place)
    reader_.reject(time_column(), FindingCode::bad_date, "the time is beyond the range of days");
  return place;
}

/// The minutes of the row's interval; empty when it was rejected.
std::optional<int> LongRows::step_of_row(const std::optional<Stamp>& start,
                                         const std::optional<Stamp>& end) {
  if (plan_.step > 0) return plan_.step;
  if (plan_.step_column != no_column) {
    const auto step = step_minutes(reader_.fields().at(plan_.step_column));
    if (!step)
      reader_.reject(plan_.step_column, FindingCode::bad_record,
                     "want an interval of 1, 5, 10, 15, 30 or 60 minutes");
    return step;
  }
  if (!start || !end) return std::nullopt;
  auto minutes = absolute(*end) - absolute(*start);
  const auto is_step = [&] {
    return 0 < minutes && minutes <= 60 &&
           IntervalLength::from_minutes(static_cast<int>(minutes)).has_value();
  };
  // By a clock that changes in between, the interval seems longer or shorter by that.
  if (!is_step() && !offset_of(*start))
    minutes += reader_.days().of(start->date).minutes() - ZoneDay::day_minutes;
  if (is_step()) return static_cast<int>(minutes);
  reader_.reject(
      time_column(), FindingCode::bad_date,
      fmt::format("from start to end are {} minutes: want 1, 5, 10, 15, 30 or 60", minutes));
  return std::nullopt;
}

/// `date` and a number of the interval, from 1. False when the row was rejected.
bool LongRows::find_period(DayMinute& begin, int step) {
  const auto date = reader_.stamp(plan_.date, "the day");
  if (!date) return false;
  auto text = reader_.fields().at(plan_.period);
  if (rows_.is_period_time) text = text.substr(0, text.find(':'));
  int period = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), period);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  const int periods = reader_.days().of(date->date).minutes() / step;
  if (!is_number || period < 1 || period > periods) {
    reader_.reject(
        plan_.period, FindingCode::bad_date,
        fmt::format("want the number of an interval, 1 to {} on {}", periods, date->date.text()));
    return false;
  }
  begin = {date->date, (period - 1) * step};
  return true;
}

/// False when the row was rejected.
bool LongRows::find_interval(DayMinute& begin, int& step) {
  std::optional<Stamp> start;
  std::optional<Stamp> end;
  const bool needs_end = plan_.end.is_given() && (!plan_.start.is_given() || plan_.step == 0);
  if (plan_.start.is_given()) {
    start = reader_.stamp(plan_.start, "the start");
    if (!start) return false;
  }
  if (needs_end) {
    end = reader_.stamp(plan_.end, "the end");
    if (!end) return false;
  }
  if (end && rows_.end_is == LongLayout::End::last_minute) ++end->minute;
  if (end && rows_.end_is == LongLayout::End::last_second && end->second == 59) {
    ++end->minute;
    end->second = 0;
  }
  // Below a line with a day, midnight is where that day ends.
  if (end && rows_.date_line && end->minute == 0) end->minute = ZoneDay::day_minutes;
  const bool is_whole = (!start || start->second == 0) && (!end || end->second == 0);
  if (!is_whole) {
    reader_.reject(time_column(), FindingCode::bad_date, "want a whole minute");
    return false;
  }
  const auto minutes = step_of_row(start, end);
  if (!minutes) return false;
  step = *minutes;
  if (plan_.period != no_column) return find_period(begin, step);
  const auto place = start ? place_of(*start, false) : place_of(*end, true);
  if (!place) return false;
  const auto first = start ? place : reader_.days().before(*place, step);
  const bool is_on_grid =
      first && first->minute % step == 0 && reader_.days().of(first->date).minutes() % step == 0;
  if (!is_on_grid) return reject_stray(first, step, start.has_value());
  begin = *first;
  if (rows_.has_longer_steps) steps_ = steps_ended(*place);
  return true;
}

/// Always false. That day may be one of shorter intervals: give() is told of it.
bool LongRows::reject_stray(const std::optional<DayMinute>& begin, int step, bool is_start) {
  if (begin) {
    const auto series = this->series();
    for (auto& open : open_)
      if (open.day.day().date == begin->date && open.series == series) ++open.strays;
  }
  reader_.reject(
      time_column(), FindingCode::bad_date,
      fmt::format("is not where an interval of {} minutes {}", step, is_start ? "begins" : "ends"));
  return false;
}

LongRows::OpenDay& LongRows::begin_day(OpenDay& open, const MeterId& meter, const Channel& channel,
                                       const At& at) {
  const int slots = reader_.days().of(at.begin.date).minutes() / at.step;
  open.day.start(meter, channel,
                 {.date = at.begin.date,
                  .interval = *IntervalLength::from_minutes(at.step),
                  .slots = slots,
                  .zone = plan_.zone},
                 reader_.row(slots));
  open.day.changed().stated = at.stated;
  open.series = series();
  open.strays = 0;
  open.refuted_by.reset();
  return open;
}

/// Why the day is not what its file says of it; empty when it is.
std::string LongRows::objection_to(const OpenDay& open) {
  const auto& day = open.day.day();
  const auto minutes_of = [](const OpenDay& one) {
    return one.day.readings() * one.day.day().interval.minutes();
  };
  for (auto& other : open_) {
    const auto& its = other.day.day();
    const bool is_rival = its.date == day.date && its.interval != day.interval &&
                          its.meter == day.meter && its.channel == day.channel;
    if (is_rival && minutes_of(other) < minutes_of(open)) other.refuted_by = day.interval;
    if (is_rival && minutes_of(other) > minutes_of(open))
      return fmt::format("most rows of this meter and day are of {} minutes, and not of {}",
                         its.interval.minutes(), day.interval.minutes());
  }
  if (open.refuted_by)
    return fmt::format("most rows of this meter and day are of {} minutes, and not of {}",
                       open.refuted_by->minutes(), day.interval.minutes());
  constexpr int strays_part = 4;
  if (open.strays < 2 || open.strays * strays_part <= open.day.readings()) return {};
  return fmt::format(
      "{} rows of this meter and day are between intervals of {} minutes, so those that seem to be "
      "of such intervals are not either: say of how many minutes they are",
      open.strays, day.interval.minutes());
}

void LongRows::give(OpenDay& open) {
  const auto objection = objection_to(open);
  if (objection.empty()) return open.day.give(reader_.notes(), sink_);
  const auto& row = open.day.row();
  sink_.on_finding({.line = row.line,
                    .code = FindingCode::bad_interval,
                    .text = objection,
                    .excerpt = excerpt_of(row.text)});
  sink_.on_rejected_row(row);
}

LongRows::OpenDay& LongRows::day_of(const MeterId& meter, const Channel& channel, const At& at) {
  const auto is_series = [&](const OpenDay& open) {
    const auto& day = open.day.day();
    return day.meter == meter && day.channel == channel && day.interval.minutes() == at.step;
  };
  // Series that take turns do so in the same order again and again.
  std::size_t found = last_;
  if (found >= open_.size() || !is_series(open_[found])) {
    found = last_ + 1 < open_.size() ? last_ + 1 : 0;
    if (found >= open_.size() || !is_series(open_[found]))
      found = static_cast<std::size_t>(std::find_if(open_.begin(), open_.end(), is_series) -
                                       open_.begin());
  }
  if (found == open_.size()) {
    if (open_.size() < open_days_max) {
      last_ = found;
      return begin_day(open_.emplace_back(), meter, channel, at);
    }
    found = last_ + 1 < open_.size() ? last_ + 1 : 0;
    give(open_[found]);
    last_ = found;
    return begin_day(open_[found], meter, channel, at);
  }
  last_ = found;
  auto& open = open_[found];
  const auto& day = open.day.day();
  if (day.date == at.begin.date && day.stated == at.stated) return open;
  give(open);
  return begin_day(open, meter, channel, at);
}

void LongRows::put(const MeterId& meter, const Channel& channel, const At& at,
                   const CellReading& reading) {
  auto& open = day_of(meter, channel, at);
  auto* day = &open.day;
  const auto slot = static_cast<std::size_t>(at.begin.minute / at.step);
  const auto same = rows_.adds_up ? GatheredDay::Same::add : GatheredDay::Same::refuse;
  if (reading.value) {
    if (day->put(slot, *reading.value, reading.quality, same) != GatheredDay::Put::done) {
      // Which of the two counts is for those to say who unite days.
      give(open);
      begin_day(open, meter, channel, at);
      day->put(slot, *reading.value, reading.quality, same);
    }
  }
  if (reading.note != 0) day->put_note(slot, reading.note);
  for (auto& finding : reader_.found()) day->find(std::move(finding));
  reader_.found().clear();
}

/// The mean power of an interval of steps_ steps, of which the last begins at `begin`, is that of
/// each.
void LongRows::share_out(const MeterId& meter, const Channel& channel, At at, CellReading reading) {
  if (reading.value) {
    reading.quality = Quality::estimated;
    reading.note = reader_.note_number({.reason_text = "a part of a longer interval"});
  }
  for (int left = steps_; left > 0; --left) {
    put(meter, channel, at, reading);
    const auto before = reader_.days().before(at.begin, at.step);
    if (!before) return;
    at.begin = *before;
  }
}

void LongRows::read_value(const ValuePlan& value, const At& at) {
  const bool has_own_meter = !value.meter.text().empty();
  const auto* const meter = has_own_meter ? &value.meter : reader_.meter();
  if (meter == nullptr) return;
  const auto* const channel = reader_.channel(value.measured);
  if (channel == nullptr) return;
  const int flag = value.flag != no_column ? value.flag : plan_.flag_column;
  auto reading = reader_.cell(value.column, flag, at.step);
  if (!reading) {
    auto finding = std::move(reader_.found().back());
    reader_.found().clear();
    return reader_.reject(std::move(finding));
  }
  if (rows_.is_register) return read_register(value, text_of(channel->unit), *reading, at);
  if (reading->value) reader_.count(*reading->value);
  if (steps_ > 1) return share_out(*meter, *channel, at, *reading);
  if (!plan_.negative) return put(*meter, *channel, at, *reading);
  Channel other = *channel;
  other.flow = plan_.negative->flow.value_or(Flow::generation);
  other.name = plan_.negative->name.empty() ? text_of(other.flow) : plan_.negative->name;
  auto negative = *reading;
  if (reading->value) {
    negative.value->mantissa = std::max<std::int64_t>(-reading->value->mantissa, 0);
    reading->value->mantissa = std::max<std::int64_t>(reading->value->mantissa, 0);
  }
  put(*meter, *channel, at, *reading);
  put(*meter, other, at, negative);
}

/// A value of a register, whose neighbour in the same unit gives the energy between them.
void LongRows::read_register(const ValuePlan& value, std::string_view unit,
                             const CellReading& reading, const At& at) {
  for (auto& finding : reader_.found()) sink_.on_finding(std::move(finding));
  reader_.found().clear();
  if (!reading.value) return;
  auto name = series();
  name += fmt::format("\n{}\n{}", unit, value.column);
  const auto minute = reader_.days().of(at.begin.date).midnight() + at.begin.minute + at.step;
  const auto outcome = registers_.add(name, {.minute = minute,
                                             .value = *reading.value,
                                             .factor = reader_.factor(),
                                             .quality = reading.quality,
                                             .note = reading.note,
                                             .line = reader_.row(1).line});
  using Kind = RegisterSteps::Kind;
  switch (outcome.kind) {
    case Kind::first:
    case Kind::gap:
    case Kind::same:
      return;
    case Kind::differs:
      return reader_.reject(value.column, FindingCode::bad_value,
                            fmt::format("line {} says that the register showed {} at this time",
                                        outcome.before.line, outcome.before.value.text()));
    case Kind::turned:
      return sink_.on_finding(reader_.finding(
          time_column(), FindingCode::not_standard,
          "the rows of a register are not in order of time: intervals of which both ends do not "
          "stand together are missing"));
    case Kind::step:
    case Kind::fell:
    case Kind::other_factor:
    case Kind::too_large:
      put_difference(value, outcome, at);
  }
}

void LongRows::put_difference(const ValuePlan& value, const RegisterSteps::Outcome& outcome,
                              At at) {
  const auto begin = reader_.days().at(outcome.begin);
  const auto* const meter = value.meter.text().empty() ? reader_.meter() : &value.meter;
  const auto* const channel = meter == nullptr ? nullptr : reader_.channel(value.measured);
  if (!begin || channel == nullptr) return;
  at.begin = *begin;
  CellReading made{.quality = outcome.quality, .note = outcome.note};
  const auto refuse = [&](std::string text) {
    made = {.quality = Quality::missing};
    reader_.found().push_back(
        reader_.finding(value.column, FindingCode::bad_value, std::move(text)));
  };
  using Kind = RegisterSteps::Kind;
  if (outcome.kind == Kind::step) {
    made.value = reader_.energy(outcome.difference, 0, made.is_rounded);
    if (!made.value) refuse("times its factor, the difference has too many digits");
    if (made.is_rounded)
      reader_.found().push_back(reader_.finding(
          value.column, FindingCode::noise_dropped,
          fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max)));
  } else if (outcome.kind == Kind::fell) {
    refuse(
        fmt::format("beside line {}, where it showed {}, the register fell: it was set back or "
                    "exchanged, or ran over (`register_digits`), so what came between is missing",
                    outcome.before.line, outcome.before.value.text()));
  } else {
    refuse(outcome.kind == Kind::other_factor
               ? fmt::format("line {} has another factor, so what came between is missing",
                             outcome.before.line)
               : std::string("the difference has too many digits"));
  }
  if (made.value) reader_.count(*made.value);
  put(*meter, *channel, at, made);
}

void LongRows::tell_lone_registers() {
  registers_.every_lone([&](const Shown& shown) {
    sink_.on_finding({.line = shown.line,
                      .code = FindingCode::bad_interval,
                      .text = "the register has no neighbour an interval before or behind this "
                              "time, so it says nothing of any"});
  });
}

void LongRows::read_row() {
  At at;
  if (!find_interval(at.begin, at.step) || !reader_.stated(at.stated)) return;
  for (const auto& value : plan_.values) read_value(value, at);
}

std::int64_t LongRows::read(const Piece& piece) {
  const bool may_have_quotes = piece.text.find('"') != std::string_view::npos;
  for (auto rest = piece.text; !rest.empty() && !reader_.is_stopped();)
    if (reader_.next(rest, may_have_quotes)) read_row();
  for (auto& open : open_) give(open);
  tell_lone_registers();
  if (piece.is_last) reader_.check_totals();
  return reader_.line() - piece.first_line;
}

}  // namespace

std::optional<int> step_minutes(std::string_view text) {
  if (is_same_word(text, "hour") || is_same_word(text, "hourly")) return 60;
  const bool is_iso = text.starts_with("PT");
  if (is_iso) text.remove_prefix(2);
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || value < 1 || value > 60) return std::nullopt;
  const auto unit =
      without_blanks_around(text.substr(static_cast<std::size_t>(read.ptr - text.data())));
  for (const std::string_view hours : {"h", "hour", "hours"})
    if (is_same_word(unit, hours)) value *= 60;
  const bool is_known = unit.empty() || fits("h*", unit) || fits("m*", unit);
  return is_known && IntervalLength::from_minutes(value) ? std::optional(value) : std::nullopt;
}

std::int64_t read_long_rows(const FeedPlan& plan, const Piece& piece, DaySink& sink) {
  return LongRows(plan, piece, sink).read(piece);
}

}  // namespace meterline::formats
