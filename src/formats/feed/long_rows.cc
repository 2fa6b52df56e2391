// Rows with a reading each. Readings of a meter, a channel and a day are gathered until another day
// of them begins, or the piece ends; what other pieces have of a day is united with it behind the
// parser.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "formats/feed/gathered_day.h"
#include "formats/feed/row_reader.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

constexpr std::size_t open_days_max = 256;

class LongRows {
 public:
  LongRows(const FeedPlan& plan, const Piece& piece, DaySink& sink)
      : plan_(plan), rows_(*plan.rows), sink_(sink), reader_(plan, piece.first_line, sink) {}

  std::int64_t read(const Piece& piece);

 private:
  /// Of what interval a row tells, and when it states that this was said.
  struct At {
    DayMinute begin;
    int step = 0;  ///< Minutes.
    std::optional<Instant> stated;
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
  void read_value(const ValuePlan& value, const At& at);
  void share_out(const MeterId& meter, const Channel& channel, At at, CellReading reading);
  void put(const MeterId& meter, const Channel& channel, const At& at, const CellReading& reading);
  GatheredDay& day_of(const MeterId& meter, const Channel& channel, const At& at);
  GatheredDay& begin_day(GatheredDay& day, const MeterId& meter, const Channel& channel,
                         const At& at);

  const FeedPlan& plan_;
  const LongLayout& rows_;
  DaySink& sink_;
  RowReader reader_;
  std::vector<GatheredDay> open_;
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
  if (!is_on_grid) {
    reader_.reject(
        time_column(), FindingCode::bad_date,
        fmt::format("is not where an interval of {} minutes {}", step, start ? "begins" : "ends"));
    return false;
  }
  begin = *first;
  if (rows_.has_longer_steps) steps_ = steps_ended(*place);
  return true;
}

GatheredDay& LongRows::begin_day(GatheredDay& day, const MeterId& meter, const Channel& channel,
                                 const At& at) {
  const int slots = reader_.days().of(at.begin.date).minutes() / at.step;
  day.start(meter, channel,
            {.date = at.begin.date,
             .interval = *IntervalLength::from_minutes(at.step),
             .slots = slots,
             .zone = plan_.zone},
            reader_.row(slots));
  day.changed().stated = at.stated;
  return day;
}

GatheredDay& LongRows::day_of(const MeterId& meter, const Channel& channel, const At& at) {
  const auto is_series = [&](const GatheredDay& day) {
    return day.day().meter == meter && day.day().channel == channel;
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
    open_[found].give(reader_.notes(), sink_);
    last_ = found;
    return begin_day(open_[found], meter, channel, at);
  }
  last_ = found;
  auto& day = open_[found];
  const bool goes_on = day.day().date == at.begin.date && day.day().interval.minutes() == at.step &&
                       day.day().stated == at.stated;
  if (goes_on) return day;
  day.give(reader_.notes(), sink_);
  return begin_day(day, meter, channel, at);
}

void LongRows::put(const MeterId& meter, const Channel& channel, const At& at,
                   const CellReading& reading) {
  auto* day = &day_of(meter, channel, at);
  const auto slot = static_cast<std::size_t>(at.begin.minute / at.step);
  const auto same = rows_.adds_up ? GatheredDay::Same::add : GatheredDay::Same::refuse;
  if (reading.value) {
    if (day->put(slot, *reading.value, reading.quality, same) != GatheredDay::Put::done) {
      // Which of the two counts is for those to say who unite days.
      day->give(reader_.notes(), sink_);
      day = &begin_day(*day, meter, channel, at);
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

void LongRows::read_row() {
  At at;
  if (!find_interval(at.begin, at.step) || !reader_.stated(at.stated)) return;
  for (const auto& value : plan_.values) read_value(value, at);
}

std::int64_t LongRows::read(const Piece& piece) {
  const bool may_have_quotes = piece.text.find('"') != std::string_view::npos;
  for (auto rest = piece.text; !rest.empty() && !reader_.is_stopped();)
    if (reader_.next(rest, may_have_quotes)) read_row();
  for (auto& day : open_) day.give(reader_.notes(), sink_);
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
