#include "query/consumption.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/try.h"
#include "query/meter_days.h"
#include "store/resolve.h"

namespace meterline::query {
namespace {

bool is_below_a_day(Resolution resolution) {
  return resolution == Resolution::interval || resolution == Resolution::hour;
}

/// How many intervals make a point of a resolution below a day.
std::size_t slots_per_point(Resolution resolution, IntervalLength interval) {
  return resolution == Resolution::interval ? 1 : static_cast<std::size_t>(60 / interval.minutes());
}

constexpr auto points_max = static_cast<std::int64_t>(series_points_max);

/// What the channels of an answer may still add to their series.
class PointBudget {
 public:
  Result<void> take(std::int64_t points) {
    used_ += points;
    if (used_ <= points_max) return {};
    return fail(Errc::too_large,
                fmt::format("the answer would have more than {} points: ask for a shorter time or "
                            "a coarser resolution",
                            series_points_max));
  }

 private:
  std::int64_t used_ = 0;
};

/// `end` is behind the last.
Result<Total> total_of_slots(const store::ResolvedDay& day, std::size_t begin, std::size_t end) {
  Total total = total_of_slot(day, begin);
  for (std::size_t slot = begin + 1; slot < end; ++slot)
    METERLINE_CHECK(total.add(total_of_slot(day, slot)));
  return total;
}

/// Points of a channel whose interval does not change.
std::int64_t points_of(const ConsumptionQuestion& question, IntervalLength interval) {
  if (question.resolution == Resolution::interval)
    return question.dates.size() * interval.slots_per_day();
  if (question.resolution == Resolution::hour) return question.dates.size() * 24;
  return spans_in(question.dates, question.resolution);
}

/// What days of which nothing is stored take from another day.
struct LastDay {
  IntervalLength interval;
  TimeZone zone;
};

/// One channel's part of the answer, made day by day.
class ChannelAnswer {
 public:
  ChannelAnswer(const Channel& channel, const ConsumptionQuestion& question, PointBudget& budget)
      : question_(question), budget_(budget), next_day_(question.dates.from.days()) {
    answer_.channel = channel;
  }

  const Channel& channel() const { return answer_.channel; }
  bool has_days() const { return any_day_; }

  /// For a resolution of a day or coarser; days ascending.
  Result<void> add(const store::DayTotal& day, IntervalLength interval) {
    METERLINE_CHECK(add_to_whole(day, interval));
    if (question_.resolution == Resolution::day) return add_point(day);
    METERLINE_TRY(Point* const point, point_at(day.date));
    return point->total.add(day);
  }
  /// For a resolution below a day; days ascending.
  Result<void> add(const store::ResolvedDay& day) {
    METERLINE_TRY(const store::DayTotal total, store::total_of(question_.meter, day));
    METERLINE_CHECK(add_to_whole(total, day.interval));
    return add_points_within(day);
  }

  /// `last` is the day of a channel that has none here.
  Result<ChannelConsumption> finish(const LastDay& last) {
    if (!any_day_) begin(last);
    METERLINE_CHECK(add_absent_days(question_.dates.to.days() + 1));
    return std::move(answer_);
  }

 private:
  Result<void> add_to_whole(const store::DayTotal& day, IntervalLength interval) {
    if (!any_day_) begin({.interval = interval, .zone = day.zone});
    any_day_ = true;
    if (next_day_ != day.date.days()) METERLINE_CHECK(add_absent_days(day.date.days()));
    last_ = {.interval = interval, .zone = day.zone};
    next_day_ = day.date.days() + 1;
    return answer_.total.add(day);
  }

  void begin(const LastDay& day) {
    last_ = day;
    const auto points = std::min(points_of(question_, day.interval), points_max);
    answer_.series.reserve(static_cast<std::size_t>(points));
  }

  /// Those before `end`, as days since 1970, of which nothing is stored.
  Result<void> add_absent_days(std::int32_t end) {
    for (; next_day_ < end; ++next_day_) {
      const Date date = *Date::from_days(next_day_);
      const auto slots = slots_in(last_.zone.minutes_of(date), last_.interval.minutes());
      answer_.total.add_missing(slots);
      if (is_below_a_day(question_.resolution)) {
        METERLINE_CHECK(add_absent_points(date, slots));
        continue;
      }
      METERLINE_TRY(Point* const point, point_at(date));
      point->total.add_missing(slots);
    }
    return {};
  }

  Result<void> add_absent_points(Date date, std::int64_t slots) {
    const auto per_point =
        static_cast<std::int64_t>(slots_per_point(question_.resolution, last_.interval));
    METERLINE_CHECK(budget_.take((slots + per_point - 1) / per_point));
    for (std::int64_t slot = 0; slot < slots; slot += per_point)
      new_point(date, slot).total.add_missing(std::min(per_point, slots - slot));
    return {};
  }

  /// Of a whole day: what point_at() and adding would make, in fewer steps.
  Result<void> add_point(const store::DayTotal& day) {
    METERLINE_CHECK(budget_.take(1));
    Point& point = answer_.series.emplace_back();
    point.day = day.date;
    point.total.readings = day.readings;
    point.total.expected = day.expected;
    point.total.quality = day.quality;
    if (day.readings == 0) return {};
    point.total.sum = day.sum;
    point.total.version = day.version;
    return {};
  }

  Result<void> add_points_within(const store::ResolvedDay& day) {
    const std::size_t slots = day.mantissas.size();
    const std::size_t per_point = slots_per_point(question_.resolution, day.interval);
    METERLINE_CHECK(budget_.take(static_cast<std::int64_t>((slots + per_point - 1) / per_point)));
    if (question_.resolution == Resolution::interval) add_notes(day.notes);
    for (std::size_t slot = 0; slot < slots; slot += per_point) {
      Point& point = new_point(day.date, static_cast<std::int64_t>(slot));
      if (per_point == 1) {
        tell_of_slot(day, slot, point.total);
        continue;
      }
      METERLINE_TRY(point.total, total_of_slots(day, slot, std::min(slot + per_point, slots)));
    }
    return {};
  }

  /// Of a day whose points come next.
  void add_notes(const Notes& notes) {
    const std::size_t begin = answer_.series.size();
    for (const auto& run : notes)
      append(answer_.notes, begin + run.first, begin + run.end, run.note);
  }

  Point& new_point(Date date, std::int64_t slot) {
    Point& point = answer_.series.emplace_back();
    point.day = date;
    point.minute = static_cast<int>(slot) * last_.interval.minutes();
    point.zone = last_.zone;
    return point;
  }

  /// The point of a day or coarser that the date belongs to.
  Result<Point*> point_at(Date date) {
    const bool is_day = question_.resolution == Resolution::day;
    const Date start = is_day ? date : span_start(date, question_.resolution, question_.dates.from);
    if (answer_.series.empty() || answer_.series.back().day != start) {
      METERLINE_CHECK(budget_.take(1));
      answer_.series.emplace_back().day = start;
    }
    return &answer_.series.back();
  }

  const ConsumptionQuestion& question_;
  PointBudget& budget_;
  std::int32_t next_day_;  ///< The first that is not yet in the answer.
  LastDay last_;           ///< The day before, or what stands for it.
  bool any_day_ = false;
  ChannelConsumption answer_;
};

Result<void> check(const ConsumptionQuestion& question) {
  if (question.dates.to < question.dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", question.dates.to.text(),
                            question.dates.from.text()));
  return {};
}

tl::unexpected<Error> unknown(const MeterId& meter) {
  return fail(Errc::not_found, fmt::format("meter {} is not known: no file loaded so far has a day "
                                           "of it",
                                           meter.text()));
}

/// The last days of channels: looked up once, and only when they are needed.
class LastDays {
 public:
  LastDays(const store::Store& store, const MeterId& meter) : store_(store), meter_(meter) {}

  /// Empty for a channel without any day that counts now.
  Result<std::optional<LastDay>> find(const Channel& channel) {
    METERLINE_CHECK(look_up());
    for (const auto& known : info_->channels)
      if (known.channel == channel)
        return std::optional<LastDay>({.interval = known.interval, .zone = known.zone});
    return std::optional<LastDay>();
  }
  /// Whether the meter has any day that counts now.
  Result<bool> has_any() {
    METERLINE_CHECK(look_up());
    return !info_->channels.empty();
  }

 private:
  Result<void> look_up() {
    if (info_) return {};
    METERLINE_TRY(auto info, store_.meter(meter_));
    info_ = std::move(info).value_or(store::MeterInfo());
    return {};
  }

  const store::Store& store_;
  const MeterId& meter_;
  std::optional<store::MeterInfo> info_;
};

std::vector<Channel> wanted_of(std::vector<Channel> channels, const ConsumptionQuestion& question) {
  std::erase_if(channels, [&](const Channel& channel) {
    return !is_wanted(channel, question.channel, question.flow);
  });
  return channels;
}

Result<std::vector<Channel>> wanted_channels(const store::Store& store,
                                             const ConsumptionQuestion& question) {
  METERLINE_TRY(auto channels, store.channels(question.meter));
  if (channels.empty()) return unknown(question.meter);
  return wanted_of(std::move(channels), question);
}

/// Whether the points are few enough whatever the channels' intervals are.
bool is_short(const ConsumptionQuestion& question, std::size_t channels) {
  const auto shortest = *IntervalLength::from_minutes(1);
  return points_of(question, shortest) <= points_max / static_cast<std::int64_t>(channels);
}

/// `too_large` where the answer is known to be, before it is made.
Result<void> check_points(const ConsumptionQuestion& question, const std::vector<Channel>& channels,
                          LastDays& last_days) {
  PointBudget budget;
  for (const auto& channel : channels) {
    std::optional<LastDay> day = LastDay();
    if (question.resolution == Resolution::interval && !is_short(question, channels.size())) {
      METERLINE_TRY(day, last_days.find(channel));
    }
    if (day) METERLINE_CHECK(budget.take(points_of(question, day->interval)));
  }
  return {};
}

/// Channels of the store that the meter may have: of these, those that have days in a short answer
/// are the meter's, and need not be asked for. Empty where they must be.
std::vector<Channel> possible_channels(const store::Store& store,
                                       const ConsumptionQuestion& question) {
  const auto few = store.traits().few_channels;
  if (!few) return {};
  auto channels = wanted_of(*few, question);
  if (!channels.empty() && !is_short(question, channels.size())) channels.clear();
  return channels;
}

/// Null for a channel that became known since the meter was looked up: it is left to the next
/// question.
ChannelAnswer* answer_of(const Channel& channel, std::vector<ChannelAnswer>& answers) {
  for (auto& answer : answers)
    if (answer.channel() == channel) return &answer;
  return nullptr;
}

/// Readings that do not add up are told one by one only.
void leave_out_sums(ChannelConsumption& channel, Resolution resolution) {
  if (adds_up(channel.channel.unit)) return;
  channel.total.sum.reset();
  if (resolution == Resolution::interval) return;
  for (auto& point : channel.series) point.total.sum.reset();
}

/// Tells all sums in the unit that is asked for, if the channel's quantity has it.
Result<void> tell_in_unit(const ConsumptionQuestion& question, ChannelConsumption& answer) {
  const auto kept = answer.channel.unit;
  const auto unit = told_unit(kept, question.unit);
  if (unit == kept) return {};
  answer.channel.unit = unit;
  METERLINE_CHECK(convert(answer.total.sum, kept, unit));
  for (auto& point : answer.series) METERLINE_CHECK(convert(point.total.sum, kept, unit));
  return {};
}

Result<void> read_into(const store::Store& store, const store::DaysQuery& days,
                       Resolution resolution, std::vector<ChannelAnswer>& answers) {
  if (is_below_a_day(resolution))
    return store::read_resolved(store, days, [&](const store::ResolvedDay& day) -> Result<void> {
      auto* const answer = answer_of(day.channel, answers);
      return answer == nullptr ? Result<void>() : answer->add(day);
    });
  return store.read_meter_totals(
      days, [&](const store::DayTotal& day, IntervalLength interval) -> Result<void> {
        auto* const answer = answer_of(day.channel, answers);
        return answer == nullptr ? Result<void>() : answer->add(day, interval);
      });
}

}  // namespace

Result<Consumption> consumption(const store::Store& store, const ConsumptionQuestion& question) {
  METERLINE_CHECK(check(question));
  LastDays last_days(store, question.meter);
  auto channels = possible_channels(store, question);
  const bool are_possible = !channels.empty();
  if (!are_possible) {
    METERLINE_TRY(channels, wanted_channels(store, question));
    METERLINE_CHECK(check_points(question, channels, last_days));
  }
  PointBudget budget;
  std::vector<ChannelAnswer> answers;
  answers.reserve(channels.size());
  for (const auto& channel : channels) answers.emplace_back(channel, question, budget);

  const store::DaysQuery days{.meter = question.meter,
                              .dates = question.dates,
                              .as_of = question.as_of.value_or(Instant::end_of_time())};
  METERLINE_CHECK(read_into(store, days, question.resolution, answers));
  const bool all_have_days = std::all_of(answers.begin(), answers.end(),
                                         [](const auto& answer) { return answer.has_days(); });
  if (are_possible && !all_have_days) {
    METERLINE_TRY(channels, wanted_channels(store, question));
  }

  Consumption out{.question = question, .channels = {}};
  for (ChannelAnswer& answer : answers) {
    std::optional<LastDay> last = LastDay();
    if (!answer.has_days()) {
      const bool is_of_meter =
          std::find(channels.begin(), channels.end(), answer.channel()) != channels.end();
      if (!is_of_meter) continue;
      METERLINE_TRY(last, last_days.find(answer.channel()));
    }
    if (!last) continue;  // Its first day is being loaded, or all of them are withdrawn.
    METERLINE_TRY(ChannelConsumption channel, answer.finish(*last));
    leave_out_sums(channel, question.resolution);
    METERLINE_CHECK(tell_in_unit(question, channel));
    out.channels.push_back(std::move(channel));
  }
  if (!out.channels.empty()) return out;
  METERLINE_TRY(const bool is_known, last_days.has_any());
  if (!is_known) return unknown(question.meter);
  return out;
}

Result<std::optional<Sum>> daily_sum(const store::Store& store, const MeterId& meter, Date date) {
  std::optional<Sum> sum;
  Unit unit = Unit::unknown;
  const store::DaysQuery query{.meter = meter, .dates = {.from = date, .to = date}};
  METERLINE_CHECK(store.read_meter_totals(
      query, [&](const store::DayTotal& day, IntervalLength /*interval*/) -> Result<void> {
        if (day.channel.flow != Flow::consumption || day.readings == 0) return {};
        if (!adds_up(day.channel.unit)) return {};
        if (sum && day.channel.unit != unit) return {};
        unit = day.channel.unit;
        if (!sum) sum.emplace();
        return sum->add(day.sum);
      }));
  return sum;
}

}  // namespace meterline::query
