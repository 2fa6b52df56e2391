#include "query/portfolio.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/try.h"

namespace meterline::query {
namespace {

/// 40 years with their leap days.
constexpr std::int64_t days_max = 14'610;
constexpr int day_minutes = 24 * 60;

/// One point of the series: days counted from the start of the question.
struct Span {
  Date start;
  std::size_t begin;
  std::size_t end;  ///< behind the last
};

std::vector<Span> spans_of(const PortfolioQuestion& question) {
  std::vector<Span> spans;
  for (std::int64_t i = 0; i < question.dates.size(); ++i) {
    const auto day = static_cast<std::size_t>(i);
    const Date date = *Date::from_days(question.dates.from.days() + i);
    const Date start = span_start(date, question.resolution, question.dates.from);
    if (spans.empty() || spans.back().start != start)
      spans.push_back({.start = start, .begin = day, .end = day});
    spans.back().end = day + 1;
  }
  return spans;
}

/// Slots of a day of 24 hours in the interval length of a day that may have 23 or 25 of them.
std::int32_t slots_of_24_hours(std::int64_t slots) {
  std::int32_t nearest = 0;
  for (const int minutes : {60, 30, 15, 10, 5, 1}) {
    const std::int32_t nominal = 24 * 60 / minutes;
    if (nearest == 0 || slots * 24 >= std::int64_t{nominal} * 23) nearest = nominal;
  }
  return nearest;
}

/// slots_of_24_hours(), which is mostly asked for the same number again.
class NominalSlots {
 public:
  std::int32_t operator()(std::int64_t slots) {
    if (slots != slots_) nominal_ = slots_of_24_hours(slots);
    slots_ = slots;
    return nominal_;
  }

 private:
  std::int64_t slots_ = 0;
  std::int32_t nominal_ = slots_of_24_hours(0);
};

/// Whether each meter keeps to one number of slots of 24 hours: then it does not matter which of
/// the month's days are asked for.
bool is_uniform(const store::ChannelMonth& month) {
  NominalSlots fewest;
  NominalSlots most;
  return std::all_of(month.meters.begin(), month.meters.end(), [&](const auto& meter) {
    return fewest(meter.slots_min) == most(meter.slots_max);
  });
}

Total total_of(const store::ChannelMonth::Day& day) {
  Total total{.readings = day.readings, .expected = day.expected, .quality = day.quality};
  if (day.readings > 0) total.sum = day.sum;
  total.version = day.version;
  return total;
}

/// What is kept of each day of each meter.
enum class Mark : std::size_t { known, complete, with_reading };
constexpr std::size_t marks_count = 3;

/// A bit for each meter, mark and day.
class DayMarks {
 public:
  explicit DayMarks(std::size_t days) : words_((days + 63) / 64) {}

  void add_meter() { bits_.resize(bits_.size() + marks_count * words_); }
  void set(std::size_t meter, Mark mark, std::size_t day) {
    bits_[word_of(meter, mark, day)] |= std::uint64_t{1} << day % 64;
  }
  /// Marks the days whose bits are set; bit 0 is day `first`, which may lie before the question.
  void set_all(std::size_t meter, Mark mark, std::int64_t first, std::uint32_t days) {
    for (; days != 0; days &= days - 1)
      set(meter, mark, static_cast<std::size_t>(first + std::countr_zero(days)));
  }
  bool has(std::size_t meter, Mark mark, std::size_t day) const {
    return (bits_[word_of(meter, mark, day)] >> day % 64 & 1) != 0;
  }
  /// Marked days from `begin` to before `end`.
  std::int64_t count(std::size_t meter, Mark mark, const Span& span) const {
    std::int64_t found = 0;
    for (std::size_t day = span.begin; day < span.end; day = (day / 64 + 1) * 64) {
      std::uint64_t word = bits_[word_of(meter, mark, day)] >> day % 64;
      const std::size_t width = span.end - day;
      if (width < 64) word &= (std::uint64_t{1} << width) - 1;
      found += std::popcount(word);
    }
    return found;
  }

 private:
  std::size_t word_of(std::size_t meter, Mark mark, std::size_t day) const {
    return (meter * marks_count + static_cast<std::size_t>(mark)) * words_ + day / 64;
  }

  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

/// What is known of one channel of all meters of a span, or of several together.
struct ChannelSums {
  std::vector<PortfolioTotal> points;  ///< By span of days.
  PortfolioTotal whole;                ///< Its meters only.
  bool empty = true;                   ///< No meter has a day of it in the question.

  Result<void> add(const ChannelSums& part) {
    empty = empty && part.empty;
    points.resize(part.points.size());
    for (std::size_t i = 0; i < points.size(); ++i)
      METERLINE_CHECK(add_to(points[i], part.points[i]));
    return add_to(whole, part.whole);
  }

 private:
  static Result<void> add_to(PortfolioTotal& all, const PortfolioTotal& part) {
    all.meters += part.meters;
    all.meters_incomplete += part.meters_incomplete;
    return all.total.add(part.total);
  }
};

/// Of a name among others, a number, and what finds them; without the bits of days.
constexpr std::size_t meter_bytes = 160;

/// One channel of all meters of a span. Keeps for each meter its name, a number, and three bits a
/// day; of a question of one day nothing, for each meter then comes once.
class ChannelTally {
 public:
  /// `held` counts the meters that are kept.
  ChannelTally(const PortfolioQuestion& question, const std::vector<Span>& spans, std::size_t& held)
      : dates_(question.dates),
        spans_(spans),
        held_(held),
        marks_(static_cast<std::size_t>(dates_.size())) {
    sums_.points.resize(spans.size());
  }

  static std::size_t bytes_of_meter(const DateRange& dates) {
    const auto words = static_cast<std::size_t>(dates.size() + 63) / 64;
    return meter_bytes + marks_count * words * sizeof(std::uint64_t);
  }

  Result<void> add(const store::DayTotal& total) {
    const auto day = static_cast<std::size_t>(total.date.days() - dates_.from.days());
    METERLINE_CHECK(sums_.points[span_at(day)].total.add(total));
    sums_.empty = false;
    if (is_one_day()) {
      count_meter(total.readings > 0, total.readings == total.expected);
      return {};
    }
    const std::size_t meter = index_of(total.meter);
    note_day(meter, nominal_(total.expected), total.date.days(), total.zone);
    marks_.set(meter, Mark::known, day);
    if (total.readings == total.expected) marks_.set(meter, Mark::complete, day);
    if (total.readings > 0) marks_.set(meter, Mark::with_reading, day);
    return {};
  }

  /// Of a month that begins on `first`, those of its days that lie in the question.
  Result<void> add(const store::ChannelMonth& month, Date first) {
    const std::int64_t offset = first.days() - dates_.from.days();
    std::uint32_t wanted = 0;
    for (std::size_t i = 0; i < month.days.size(); ++i) {
      const Date date = *Date::from_days(first.days() + static_cast<std::int64_t>(i));
      if (!dates_.contains(date)) continue;
      wanted |= std::uint32_t{1} << i;
      const auto day = static_cast<std::size_t>(offset + static_cast<std::int64_t>(i));
      METERLINE_CHECK(sums_.points[span_at(day)].total.add(total_of(month.days[i])));
    }
    for (const auto& known : month.meters) {
      if ((known.stored & wanted) == 0) continue;
      sums_.empty = false;
      if (is_one_day()) {
        count_meter((known.with_reading & wanted) != 0, (known.complete & wanted) != 0);
        continue;
      }
      const std::size_t meter = index_of(known.meter);
      const auto last = static_cast<std::int32_t>(std::bit_width(known.stored)) - 1;
      note_day(meter, nominal_(known.slots_max), first.days() + last, known.zone);
      marks_.set_all(meter, Mark::known, offset, known.stored & wanted);
      marks_.set_all(meter, Mark::complete, offset, known.complete & wanted);
      marks_.set_all(meter, Mark::with_reading, offset, known.with_reading & wanted);
    }
    return {};
  }

  Result<ChannelSums> finish(StopFlag stop) {
    if (is_one_day()) {
      sums_.points.front().meters = sums_.whole.meters;
      sums_.points.front().meters_incomplete = sums_.whole.meters_incomplete;
      return std::move(sums_);
    }
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      METERLINE_CHECK(check_stop(stop));
      add_absent_days(spans_[i], sums_.points[i].total);
      count_meters(spans_[i], sums_.points[i]);
    }
    count_meters({.start = dates_.from, .begin = 0, .end = spans_.back().end}, sums_.whole);
    return std::move(sums_);
  }

 private:
  bool is_one_day() const { return dates_.size() == 1; }

  void count_meter(bool has_reading, bool is_complete) {
    sums_.whole.meters += has_reading ? 1 : 0;
    sums_.whole.meters_incomplete += is_complete ? 0 : 1;
  }

  std::size_t span_at(std::size_t day) const {
    if (spans_.size() == static_cast<std::size_t>(dates_.size())) return day;
    const auto behind =
        std::upper_bound(spans_.begin(), spans_.end(), day,
                         [](std::size_t d, const Span& span) { return d < span.end; });
    return static_cast<std::size_t>(behind - spans_.begin());
  }

  /// What a day of which nothing is stored is expected to have.
  struct Meter {
    std::int32_t slots = 0;                                            ///< Of 24 hours.
    std::int32_t last_day = std::numeric_limits<std::int32_t>::min();  ///< The zone is of that day.
    TimeZone zone;
  };

  void note_day(std::size_t meter, std::int32_t slots, std::int32_t day, TimeZone zone) {
    Meter& known = meters_[meter];
    known.slots = std::max(known.slots, slots);
    if (day < known.last_day) return;
    known.last_day = day;
    known.zone = zone;
  }

  std::size_t new_meter() {
    marks_.add_meter();
    meters_.emplace_back();
    ++held_;
    return meters_.size() - 1;
  }

  /// Stores go meter by meter or day by day, so the next is mostly the last one again or the
  /// one that followed it before.
  std::size_t index_of(const MeterId& meter) {
    for (const std::size_t guess : {last_, last_ + 1})
      if (guess < names_.size() && *names_[guess] == meter.text()) return last_ = guess;
    const auto [found, is_new] = indices_.try_emplace(meter.text(), meters_.size());
    if (is_new) {
      names_.push_back(&found->first);
      new_meter();
    }
    return last_ = found->second;
  }

  void add_absent_days(const Span& span, Total& total) const {
    const auto days = static_cast<std::int64_t>(span.end - span.begin);
    for (std::size_t meter = 0; meter < meters_.size(); ++meter) {
      const std::int64_t slots = meters_[meter].slots;
      std::int64_t absent = (days - marks_.count(meter, Mark::known, span)) * slots;
      for (const auto& odd : odd_days(span, meters_[meter].zone)) {
        const auto day = static_cast<std::size_t>(odd.date.days() - dates_.from.days());
        if (!marks_.has(meter, Mark::known, day))
          absent += slots_in(odd.minutes, day_minutes / static_cast<int>(slots)) - slots;
      }
      total.add_missing(absent);
    }
  }

  std::span<const OddDay> odd_days(const Span& span, TimeZone zone) const {
    if (!zone.is_known()) return {};
    const std::int64_t from = dates_.from.days() + static_cast<std::int64_t>(span.begin);
    const std::int64_t to = dates_.from.days() + static_cast<std::int64_t>(span.end) - 1;
    return zone.odd_days({.from = *Date::from_days(from), .to = *Date::from_days(to)});
  }

  void count_meters(const Span& span, PortfolioTotal& out) const {
    const auto days = static_cast<std::int64_t>(span.end - span.begin);
    for (std::size_t meter = 0; meter < meters_.size(); ++meter) {
      if (marks_.count(meter, Mark::with_reading, span) > 0) ++out.meters;
      if (marks_.count(meter, Mark::complete, span) < days) ++out.meters_incomplete;
    }
  }

  const DateRange dates_;
  const std::vector<Span>& spans_;
  std::size_t& held_;
  std::unordered_map<std::string, std::size_t> indices_;
  std::vector<const std::string*> names_;  ///< Into indices_, by index.
  std::size_t last_ = 0;
  std::vector<Meter> meters_;
  NominalSlots nominal_;
  DayMarks marks_;
  ChannelSums sums_;
};

Result<void> average(PortfolioTotal& of) {
  if (of.meters == 0) return {};
  METERLINE_TRY(of.average, average_of(*of.total.sum, of.meters));
  return {};
}

Result<PortfolioChannel> answer_of(const Channel& channel, ChannelSums sums,
                                   const std::vector<Span>& spans) {
  PortfolioChannel out{.channel = channel, .total = sums.whole, .series = {}};
  out.total.total = {};
  out.series.reserve(spans.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    METERLINE_CHECK(out.total.total.add(sums.points[i].total));
    METERLINE_CHECK(average(sums.points[i]));
    out.series.push_back({.day = spans[i].start, .total = std::move(sums.points[i])});
  }
  METERLINE_CHECK(average(out.total));
  return out;
}

Result<void> check(const PortfolioQuestion& question) {
  const DateRange& dates = question.dates;
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (question.resolution == Resolution::interval || question.resolution == Resolution::hour)
    return fail(Errc::invalid_argument,
                fmt::format("all meters together are summed by {}, not by {}",
                            long_resolution_names, text_of(question.resolution)));
  if (dates.size() > days_max)
    return fail(Errc::too_large, "more than 40 years asked for: ask for a shorter time");
  return {};
}

/// Readings that do not add up have no sum; what they rest on is counted all the same.
void leave_out_sums(PortfolioChannel& channel) {
  if (adds_up(channel.channel.unit)) return;
  const auto leave_out = [](PortfolioTotal& all) {
    all.total.sum.reset();
    all.average.reset();
  };
  leave_out(channel.total);
  for (auto& point : channel.series) leave_out(point.total);
}

/// Tells all sums in the unit that is asked for, if the channel's quantity has it.
Result<void> tell_in_unit(const PortfolioQuestion& question, PortfolioChannel& answer) {
  const auto kept = answer.channel.unit;
  const auto unit = told_unit(kept, question.unit);
  if (unit == kept) return {};
  answer.channel.unit = unit;
  const auto tell = [&](PortfolioTotal& all) -> Result<void> {
    METERLINE_CHECK(convert(all.total.sum, kept, unit));
    return convert(all.average, kept, unit);
  };
  METERLINE_CHECK(tell(answer.total));
  for (auto& point : answer.series) METERLINE_CHECK(tell(point.total));
  return {};
}

/// Gathers what a span of meters adds to the answer, from days or from whole months.
class Tallies {
 public:
  Tallies(const PortfolioQuestion& question, const std::vector<Span>& spans, std::size_t meters_max,
          StopFlag stop)
      : question_(question),
        spans_(spans),
        meters_max_(meters_max),
        stop_(stop),
        last_(tallies_.end()) {}

  /// False where there are too many meters.
  Result<bool> read(const store::Store& store, const store::TotalsQuery& query) {
    const auto read = store.read_months(
        query, {.days = [&](const store::MeterDays& days) { return add_days(days); },
                .month = [&](Month month, const auto& all) { return add_month(month, all); }});
    if (held_ > meters_max_) return false;
    METERLINE_CHECK(read);
    return true;
  }

  Result<void> add_to(std::map<Channel, ChannelSums>& sums) {
    for (auto& [channel, tally] : tallies_) {
      METERLINE_TRY(const auto part, tally.finish(stop_));
      METERLINE_CHECK(sums[channel].add(part));
    }
    return {};
  }

 private:
  Result<void> check_held() const {
    if (held_ <= meters_max_) return {};
    return fail(Errc::too_large, "too many meters to keep at once");
  }

  Result<void> add_days(const store::MeterDays& days) {
    METERLINE_CHECK(check_stop(stop_));
    if (!is_wanted(days.channel, question_.channel, question_.flow)) return {};
    ChannelTally& tally = tally_of(days.channel);
    METERLINE_CHECK(store::each_total(
        days, total_, [&](const store::DayTotal& total) { return tally.add(total); }));
    return check_held();
  }

  /// Whether the month's days need not be told one by one.
  Result<bool> add_month(Month month, const store::MonthOfMeters& all) {
    METERLINE_CHECK(check_stop(stop_));
    if (!std::all_of(all.channels.begin(), all.channels.end(), is_uniform)) return false;
    for (const auto& channel : all.channels) {
      if (!is_wanted(channel.channel, question_.channel, question_.flow)) continue;
      METERLINE_CHECK(tally_of(channel.channel).add(channel, month.first_day()));
      METERLINE_CHECK(check_held());
    }
    return true;
  }

  ChannelTally& tally_of(const Channel& channel) {
    if (last_ == tallies_.end() || last_->first != channel)
      last_ = tallies_.try_emplace(channel, question_, spans_, held_).first;
    return last_->second;
  }

  const PortfolioQuestion& question_;
  const std::vector<Span>& spans_;
  const std::size_t meters_max_;
  const StopFlag stop_;
  std::size_t held_ = 0;  ///< Meters of all tallies.
  std::map<Channel, ChannelTally> tallies_;
  std::map<Channel, ChannelTally>::iterator last_;
  store::DayTotal total_;  ///< Of the day in work.
};

}  // namespace

Result<Portfolio> portfolio(const store::Store& store, const PortfolioQuestion& question,
                            StopFlag stop, std::size_t held_bytes) {
  METERLINE_CHECK(check(question));
  const auto spans = spans_of(question);
  const std::size_t meters_max = held_bytes / ChannelTally::bytes_of_meter(question.dates);
  const store::TotalsQuery all{.dates = question.dates,
                               .as_of = question.as_of.value_or(Instant::end_of_time())};
  std::map<Channel, ChannelSums> sums;
  const auto add_span = [&](const store::MeterSpan& span) -> Result<bool> {
    Tallies tallies(question, spans, meters_max, stop);
    store::TotalsQuery query = all;
    query.span = span;
    METERLINE_TRY(const bool is_read, tallies.read(store, query));
    if (is_read) METERLINE_CHECK(tallies.add_to(sums));
    return is_read;
  };
  METERLINE_CHECK(each_span(store, all, meters_max, add_span, stop));
  Portfolio out{.question = question, .channels = {}};
  for (auto& [channel, all_meters] : sums) {
    if (all_meters.empty) continue;
    METERLINE_TRY(auto answer, answer_of(channel, std::move(all_meters), spans));
    leave_out_sums(answer);
    METERLINE_CHECK(tell_in_unit(question, answer));
    out.channels.push_back(std::move(answer));
  }
  return out;
}

}  // namespace meterline::query
