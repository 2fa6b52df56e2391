// Rows with a column for each interval. On a day on which the clock changes, columns are either
// counted from midnight on, or are those of a clock: then one of them may stand for a time that
// there was not, or for one that came twice.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/feed/gathered_day.h"
#include "formats/feed/row_reader.h"
#include "formats/quick_readings.h"

namespace meterline::formats {
namespace {

constexpr int no_slot = -1;
constexpr const char* halved = "half of two hours that share a column";

/// The slots of a column: none, one, or two.
struct Target {
  int first = no_slot;
  int second = no_slot;
};

class WideRows {
 public:
  WideRows(const FeedPlan& plan, const Piece& piece, DaySink& sink)
      : plan_(plan), wide_(*plan.wide), sink_(sink), reader_(plan, piece.first_line, sink) {}

  std::int64_t read(const Piece& piece);

 private:
  /// Which of the plan's columns.
  enum class Extra { clock, again };

  void read_row();
  bool start(const MeterId& meter, const Channel& channel, Date date);
  void aim(Date date);
  bool fill_quickly();
  bool fill();
  bool fill_cell(const CellPlan& cell, Target target, Extra kind);
  bool check_extra(const CellPlan& cell, Extra kind);
  void put(const CellPlan& cell, const CellReading& reading, int slot);
  void put_halves(const CellPlan& cell, CellReading reading, Target target);
  void put_value(const CellPlan& cell, GatheredDay& day, const CellReading& reading, int slot);
  void check_total();

  const FeedPlan& plan_;
  const WideLayout& wide_;
  DaySink& sink_;
  const Measured of_feed_;  ///< No row says more than the feed.
  RowReader reader_;
  GatheredDay day_;
  GatheredDay negative_;
  Date aimed_;
  bool is_odd_ = false;  ///< aimed_
  int slots_ = 0;
  std::vector<Target> targets_;  ///< Of every cell, on aimed_.
  std::vector<int> repeated_;    ///< The second slots of that day, in order.
};

/// Finds the slots of all columns on that day.
void WideRows::aim(Date date) {
  const auto& day = reader_.days().of(date);
  const bool is_as_before = !targets_.empty() && (aimed_ == date || (!is_odd_ && !day.is_odd()));
  aimed_ = date;
  if (is_as_before) return;
  is_odd_ = day.is_odd();
  slots_ = day.minutes() / plan_.step;
  targets_.assign(plan_.cells.size(), {});
  repeated_.clear();
  const bool is_elapsed = wide_.counts == WideLayout::Counts::elapsed;
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    const int index = plan_.cells[i].index;
    const int shown = index * plan_.step;
    if (is_elapsed || !is_odd_) {
      if (index < slots_) targets_[i].first = index;
    } else if (shown < ZoneDay::day_minutes) {
      const auto& places = day.places_of(shown);
      if (!places.empty()) targets_[i].first = places.front() / plan_.step;
      if (places.size() < 2) continue;
      targets_[i].second = places.back() / plan_.step;
      repeated_.push_back(targets_[i].second);
    }
  }
}

bool WideRows::start(const MeterId& meter, const Channel& channel, Date date) {
  const int minutes = reader_.days().of(date).minutes();
  if (minutes == 0 || minutes % plan_.step != 0 || minutes > slots_max) {
    reader_.reject(plan_.date.columns.front(), FindingCode::other_zone,
                   fmt::format("{} has {} minutes in {}", date.text(), minutes, plan_.zone.text()));
    return false;
  }
  aim(date);
  const auto interval = *IntervalLength::from_minutes(plan_.step);
  const GatheredDay::Frame frame{
      .date = date, .interval = interval, .slots = slots_, .zone = plan_.zone};
  day_.start(meter, channel, frame, reader_.row(slots_));
  if (!plan_.negative) return true;
  Channel negative = channel;
  negative.flow = plan_.negative->flow.value_or(Flow::generation);
  negative.name = plan_.negative->name.empty() ? text_of(negative.flow) : plan_.negative->name;
  negative_.start(meter, negative, frame, reader_.row(slots_));
  return true;
}

void WideRows::put_value(const CellPlan& cell, GatheredDay& day, const CellReading& reading,
                         int slot) {
  const auto place = static_cast<std::size_t>(slot);
  if (reading.note != 0) day.put_note(place, reading.note);
  if (!reading.value) return day.put_missing(place);
  const auto put = day.put(place, *reading.value, reading.quality, GatheredDay::Same::refuse);
  if (put != GatheredDay::Put::too_large) return;
  day.find(reader_.finding(cell.column, FindingCode::value_too_large,
                           "does not fit beside another reading of this row"));
  day.put_missing(place);
  day.reject_reading();
}

void WideRows::put(const CellPlan& cell, const CellReading& reading, int slot) {
  if (!plan_.negative) return put_value(cell, day_, reading, slot);
  auto positive = reading;
  auto negative = reading;
  if (reading.value) {
    const auto mantissa = reading.value->mantissa;
    positive.value->mantissa = std::max<std::int64_t>(mantissa, 0);
    negative.value->mantissa = std::max<std::int64_t>(-mantissa, 0);
  }
  put_value(cell, day_, positive, slot);
  put_value(cell, negative_, negative, slot);
}

/// A column that has two hours together: each gets half of it, as an estimate.
void WideRows::put_halves(const CellPlan& cell, CellReading reading, Target target) {
  if (reading.value) {
    if (reading.value->mantissa % 2 != 0 && reading.value->exponent > -reading_decimals_max &&
        std::abs(reading.value->mantissa) < powers_of_ten.back() / 10) {
      reading.value->mantissa *= 10;
      --reading.value->exponent;
    }
    reading.quality = Quality::estimated;
    reading.note = reader_.note_number({.reason_text = halved});
  }
  auto second = reading;
  if (reading.value) {
    reading.value->mantissa /= 2;
    second.value->mantissa -= reading.value->mantissa;
  }
  put(cell, reading, target.first);
  put(cell, second, target.second);
}

/// A column that no interval of the day takes must be empty, or zero.
bool WideRows::check_extra(const CellPlan& cell, Extra kind) {
  const auto reading = reader_.cell(cell.column, cell.flag, 0);
  reader_.found().clear();
  const bool is_zero = reading && reading->value && reading->value->mantissa == 0;
  if (reading && !reading->value) return true;
  const bool is_clock =
      is_odd_ && wide_.counts == WideLayout::Counts::clock && kind == Extra::clock;
  if (is_zero && (!is_clock || wide_.spring != WideLayout::Spring::empty)) {
    if (is_clock && wide_.spring == WideLayout::Spring::either)
      day_.find(reader_.finding(cell.column, FindingCode::no_such_time,
                                "the clock left this time out, so its zero is left out"));
    return true;
  }
  reader_.reject(cell.column,
                 is_clock ? FindingCode::other_zone : FindingCode::readings_without_column,
                 is_clock ? fmt::format("the clock of {} left this time out on {}",
                                        plan_.zone.text(), aimed_.text())
                          : "a reading of an interval that the day does not have");
  return false;
}

/// False when the row was rejected.
bool WideRows::fill_cell(const CellPlan& cell, Target target, Extra kind) {
  if (target.first == no_slot) return check_extra(cell, kind);
  const int flag = cell.flag != no_column ? cell.flag : plan_.flag_column;
  auto reading = reader_.cell(cell.column, flag, plan_.step);
  for (auto& finding : reader_.found()) day_.find(std::move(finding));
  reader_.found().clear();
  if (!reading) {
    day_.reject_reading();
    if (target.second != no_slot && wide_.autumn == WideLayout::Autumn::sum) day_.reject_reading();
    return true;
  }
  if (reading->value) reader_.count(*reading->value);
  if (target.second == no_slot) {
    put(cell, *reading, target.first);
    return true;
  }
  switch (wide_.autumn) {
    case WideLayout::Autumn::extra:
    case WideLayout::Autumn::first_only:
      put(cell, *reading, target.first);
      return true;
    case WideLayout::Autumn::second_only:
      put(cell, *reading, target.second);
      return true;
    case WideLayout::Autumn::sum:
      put_halves(cell, *reading, target);
      return true;
    case WideLayout::Autumn::unknown:
      if (!reading->value) return true;
      day_.find(reader_.finding(cell.column, FindingCode::time_comes_twice,
                                "this time comes twice on that day, and the feed does not say "
                                "which is meant"));
      day_.reject_reading();
      return true;
  }
  return true;
}

/// Takes what was read of all cells at once; false where the day or its channel ask for more.
bool WideRows::fill_quickly() {
  const auto* const quick = reader_.quick();
  if (quick == nullptr) return false;
  const bool is_plain = !is_odd_ && slots_ == static_cast<int>(plan_.cells.size()) &&
                        !plan_.negative && !reader_.makes_energy();
  if (is_plain)
    day_.put_all(quick->mantissas(), quick->exponent());
  else
    reader_.split_all();
  return is_plain;
}

bool WideRows::fill() {
  if (fill_quickly()) return true;
  for (std::size_t i = 0; i < plan_.cells.size(); ++i)
    if (!fill_cell(plan_.cells[i], targets_[i], Extra::clock)) return false;
  for (std::size_t i = 0; i < plan_.again.size(); ++i) {
    const bool has_slot = i < repeated_.size();
    const Target target{.first = has_slot ? repeated_[i] : no_slot};
    if (!fill_cell(plan_.again[i], target, Extra::again)) return false;
  }
  return true;
}

void WideRows::check_total() {
  if (plan_.total == no_column || reader_.is_average_power() || plan_.negative) return;
  const auto total = reader_.cell(plan_.total, no_column, 0);
  reader_.found().clear();
  if (!total || !total->value) return;
  Int128 sum = 0;  // Of at most slots_max readings of 64 bits.
  for (const auto mantissa : day_.day().mantissas) sum += mantissa;
  const Sum exact(sum, day_.day().exponent);
  if (exact == Sum(total->value->mantissa, total->value->exponent)) return;
  day_.find(reader_.finding(plan_.total, FindingCode::total_differs,
                            fmt::format("the readings add up to {}", exact.text())));
}

void WideRows::read_row() {
  const auto* const meter = reader_.meter();
  if (meter == nullptr) return;
  const auto stamp = reader_.stamp(plan_.date, "the day");
  if (!stamp) return;
  const auto* const channel = reader_.channel(of_feed_);
  std::optional<Instant> stated;
  if (channel == nullptr || !reader_.stated(stated)) return;
  if (!start(*meter, *channel, stamp->date) || !fill()) return;
  check_total();
  day_.changed().stated = stated;
  day_.give(reader_.notes(), sink_);
  if (!plan_.negative) return;
  negative_.changed().stated = stated;
  negative_.give(reader_.notes(), sink_);
}

std::int64_t WideRows::read(const Piece& piece) {
  reader_.rejected_slots = ZoneDay::day_minutes / plan_.step;
  const bool may_have_quotes = piece.text.find('"') != std::string_view::npos;
  for (auto rest = piece.text; !rest.empty() && !reader_.is_stopped();)
    if (reader_.next(rest, may_have_quotes)) read_row();
  if (piece.is_last) reader_.check_totals();
  return reader_.line() - piece.first_line;
}

}  // namespace

std::int64_t read_wide_rows(const FeedPlan& plan, const Piece& piece, DaySink& sink) {
  return WideRows(plan, piece, sink).read(piece);
}

}  // namespace meterline::formats
