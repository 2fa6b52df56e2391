#include "query/portfolio.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/try.h"

namespace meterline::query {
namespace {

/// 40 years with their leap days.
constexpr std::int64_t days_max = 14'610;

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

/// One channel of all meters. Keeps for each meter its name, a number, and three bits a day.
class ChannelTally {
 public:
  ChannelTally(const PortfolioQuestion& question, const std::vector<Span>& spans)
      : dates_(question.dates),
        spans_(spans),
        marks_(static_cast<std::size_t>(dates_.size())),
        points_(spans.size()) {}

  Result<void> add(const store::DayTotal& total) {
    const auto day = static_cast<std::size_t>(total.date.days() - dates_.from.days());
    METERLINE_CHECK(points_[span_at(day)].total.add(total));
    const std::size_t meter = index_of(total.meter);
    slots_[meter] = std::max(slots_[meter], slots_of_24_hours(total.expected));
    marks_.set(meter, Mark::known, day);
    if (total.readings == total.expected) marks_.set(meter, Mark::complete, day);
    if (total.readings > 0) marks_.set(meter, Mark::with_reading, day);
    return {};
  }

  Result<PortfolioChannel> finish(const Channel& channel) {
    PortfolioChannel out{.channel = channel, .total = {}, .series = {}};
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      add_absent_days(spans_[i], points_[i].total);
      METERLINE_CHECK(count_meters(spans_[i], points_[i]));
      METERLINE_CHECK(out.total.total.add(points_[i].total));
      out.series.push_back({.day = spans_[i].start, .total = points_[i]});
    }
    const Span whole{.start = dates_.from, .begin = 0, .end = spans_.back().end};
    METERLINE_CHECK(count_meters(whole, out.total));
    return out;
  }

 private:
  std::size_t span_at(std::size_t day) const {
    if (spans_.size() == static_cast<std::size_t>(dates_.size())) return day;
    const auto behind =
        std::upper_bound(spans_.begin(), spans_.end(), day,
                         [](std::size_t d, const Span& span) { return d < span.end; });
    return static_cast<std::size_t>(behind - spans_.begin());
  }

  std::size_t new_meter() {
    marks_.add_meter();
    slots_.push_back(0);
    return slots_.size() - 1;
  }

  /// Stores go meter by meter or day by day, so the next is mostly the last one again or the
  /// one that followed it before.
  std::size_t index_of(const MeterId& meter) {
    if (dates_.size() == 1) return new_meter();  // Each comes once.
    for (const std::size_t guess : {last_, last_ + 1})
      if (guess < names_.size() && *names_[guess] == meter.text()) return last_ = guess;
    const auto [found, is_new] = indices_.try_emplace(meter.text(), slots_.size());
    if (is_new) {
      names_.push_back(&found->first);
      new_meter();
    }
    return last_ = found->second;
  }

  void add_absent_days(const Span& span, Total& total) const {
    const auto days = static_cast<std::int64_t>(span.end - span.begin);
    for (std::size_t meter = 0; meter < slots_.size(); ++meter)
      total.add_missing((days - marks_.count(meter, Mark::known, span)) * slots_[meter]);
  }

  Result<void> count_meters(const Span& span, PortfolioTotal& out) const {
    const auto days = static_cast<std::int64_t>(span.end - span.begin);
    for (std::size_t meter = 0; meter < slots_.size(); ++meter) {
      if (marks_.count(meter, Mark::with_reading, span) > 0) ++out.meters;
      if (marks_.count(meter, Mark::complete, span) < days) ++out.meters_incomplete;
    }
    if (out.meters == 0) return {};
    METERLINE_TRY(out.average, average_of(*out.total.sum, out.meters));
    return {};
  }

  const DateRange dates_;
  const std::vector<Span>& spans_;
  std::unordered_map<std::string, std::size_t> indices_;
  std::vector<const std::string*> names_;  ///< Into indices_, by index.
  std::size_t last_ = 0;
  std::vector<std::int32_t> slots_;  ///< By meter: of a day of which nothing is stored.
  DayMarks marks_;
  std::vector<PortfolioTotal> points_;  ///< By span.
};

Result<void> check(const PortfolioQuestion& question) {
  const DateRange& dates = question.dates;
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (question.resolution == Resolution::interval || question.resolution == Resolution::hour)
    return fail(Errc::invalid_argument,
                fmt::format("all meters together are summed by day, month or year, not by {}",
                            text_of(question.resolution)));
  if (dates.size() > days_max)
    return fail(Errc::too_large, "more than 40 years asked for: ask for a shorter time");
  return {};
}

}  // namespace

Result<Portfolio> portfolio(const store::Store& store, const PortfolioQuestion& question) {
  METERLINE_CHECK(check(question));
  const std::vector<Span> spans = spans_of(question);
  std::map<Channel, ChannelTally> tallies;
  auto last = tallies.end();
  const store::TotalsQuery query{.dates = question.dates,
                                 .as_of = question.as_of.value_or(Instant::end_of_time())};
  METERLINE_CHECK(store.read_day_totals(query, [&](const store::DayTotal& total) -> Result<void> {
    if (!is_wanted(total.channel, question.channel, question.flow)) return {};
    if (last == tallies.end() || last->first != total.channel)
      last = tallies.try_emplace(total.channel, question, spans).first;
    return last->second.add(total);
  }));

  Portfolio out{.question = question, .channels = {}};
  for (auto& [channel, tally] : tallies) {
    METERLINE_TRY(PortfolioChannel answer, tally.finish(channel));
    out.channels.push_back(std::move(answer));
  }
  return out;
}

}  // namespace meterline::query
