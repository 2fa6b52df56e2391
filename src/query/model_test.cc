// Every question, on every store, against the reference model: whatever is delivered, withdrawn and
// brought back in whatever order, and as of every time.

#include "testing/model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "store/contract_test.h"
#include "store/prune.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::any_steps;
using meterline::testing::Model;
using meterline::testing::must;
using meterline::testing::second;
using meterline::testing::Step;
using meterline::testing::TestDelivery;

// --- Answers as lines -----------------------------------------------------------------------

using Lines = std::vector<std::string>;

std::string shown(const Total& total);
template <class T>
std::string shown(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "-";
}
std::string shown(const Total& total) {
  const auto& quality = total.quality;
  return fmt::format("{} of {}/{} a{} s{} e{} m{} @{}", shown(total.sum), total.readings,
                     total.expected, quality.actual, quality.substituted, quality.estimated,
                     quality.missing, shown(total.version));
}
std::string shown(const PortfolioTotal& total) {
  return fmt::format("{}, {} meters, {} incomplete, average {}", shown(total.total), total.meters,
                     total.meters_incomplete, shown(total.average));
}
std::string shown(const Notes& notes) {
  std::string text;
  for (const auto& run : notes) text += ' ' + shown(run);
  return text;
}

Lines lines_of(const Consumption& answer) {
  Lines lines;
  for (const auto& channel : answer.channels) {
    lines.push_back(shown(channel.channel) + ": " + shown(channel.total) + shown(channel.notes));
    for (const auto& point : channel.series)
      lines.push_back(fmt::format("{}+{} {}", shown(point.day), point.minute, shown(point.total)));
  }
  return lines;
}

Lines lines_of(const Portfolio& answer) {
  Lines lines;
  for (const auto& channel : answer.channels) {
    lines.push_back(shown(channel.channel) + ": " + shown(channel.total));
    for (const auto& point : channel.series)
      lines.push_back(shown(point.day) + ' ' + shown(point.total));
  }
  return lines;
}

Lines lines_of(const Gaps& answer) {
  const auto& total = answer.total;
  Lines lines = {fmt::format("{} of {} meters, {} of {} of {} days", total.meters_with_gaps,
                             total.meters, total.complete, total.stored, total.days)};
  for (const auto& meter : answer.meters)
    for (const auto& channel : meter.channels)
      lines.push_back(fmt::format("{} {} {} of {} days, first gap {}", shown(meter.meter),
                                  shown(channel.channel), channel.complete, channel.stored,
                                  shown(channel.first_gap)));
  return lines;
}

Lines lines_of(const MeterGaps& answer) {
  Lines lines;
  for (const auto& channel : answer.channels) {
    lines.push_back(
        fmt::format("{} {} of {} days", shown(channel.channel), channel.complete, channel.stored));
    for (const auto& gap : channel.gaps)
      lines.push_back(fmt::format("{} {} to {} {}/{}", kind_of(gap), shown(gap.dates.from),
                                  shown(gap.dates.to), gap.readings, shown(gap.expected)));
  }
  return lines;
}

Lines lines_of(const History& answer) {
  Lines lines;
  for (const auto& channel : answer.channels)
    for (const auto& version : channel.versions) {
      auto line =
          fmt::format("{} @{} {} {} min {} {}{}{}{}", shown(channel.channel),
                      shown(version.version), shown(version.delivery), version.interval.minutes(),
                      shown(version.total), version.zone.text(), shown(version.notes),
                      version.counts ? " counts" : "", version.withdrawn ? " withdrawn" : "");
      if (version.record) line += " of " + version.record->delivery.source;
      if (version.record)
        for (const auto& event : version.record->events) line += ", " + shown(event);
      lines.push_back(line);
      for (const auto& change : version.changes)
        lines.push_back(fmt::format("  {} {}{} -> {}{}", change.minute, shown(change.before),
                                    text_of(change.quality_before), shown(change.after),
                                    text_of(change.quality_after)));
      lines.push_back(shown(version.notes_before) + " ->" + shown(version.notes_after));
    }
  return lines;
}

Lines lines_of(const Changes& answer) {
  Lines lines;
  for (const auto& day : answer.days)
    lines.push_back(fmt::format("{} {} {}: {} slots, {} -> {}", shown(day.meter), shown(day.date),
                                shown(day.channel), day.slots, shown(day.before),
                                shown(day.after)));
  return lines;
}

Lines lines_of(const Comparison& answer) {
  Lines lines;
  for (const auto& channel : answer.channels)
    lines.push_back(fmt::format("{}: {} against {}: {}, {} %", shown(channel.channel),
                                shown(channel.total), shown(channel.against),
                                shown(channel.difference), shown(channel.percent)));
  return lines;
}

Lines lines_of(const TimeOfUse& answer) {
  Lines lines;
  const auto add = [&](const std::string& start, const std::vector<BandTotal>& bands) {
    for (std::size_t i = 0; i < bands.size(); ++i)
      lines.push_back(fmt::format("{} {}: {}, {} straddle", start,
                                  answer.question.tariff.bands()[i], shown(bands[i].total),
                                  bands[i].straddling));
  };
  for (const auto& channel : answer.channels) {
    lines.push_back(shown(channel.channel) + ": " + shown(channel.total));
    for (const auto& point : channel.series) add(shown(point.day), point.bands);
    add("total", channel.bands);
  }
  return lines;
}

Lines lines_of(const BaseLoad& answer) {
  Lines lines;
  for (const auto& channel : answer.channels)
    lines.push_back(fmt::format("{}: {} of {} days, {} intervals", shown(channel.channel),
                                shown(channel.base), channel.days, channel.intervals));
  return lines;
}

Lines lines_of(const std::vector<store::MeterInfo>& meters) {
  Lines lines;
  for (const auto& meter : meters)
    for (const auto& known : meter.channels)
      lines.push_back(fmt::format("{} {} {} min {}, {} to {}", shown(meter.meter),
                                  shown(known.channel), known.interval.minutes(), known.zone.text(),
                                  shown(known.first), shown(known.last)));
  return lines;
}

template <class T>
Lines lines_of(const std::optional<T>& answer) {
  return answer ? lines_of(*answer) : Lines{"unknown"};
}
template <class T>
Lines lines_of(const Result<T>& answer) {
  if (answer) return lines_of(*answer);
  return {answer.error().code == Errc::not_found ? "unknown" : answer.error().message};
}

Lines lines_of(const Late& answer) { return lines_of(answer.meters); }

// --- Pages put together ---------------------------------------------------------------------

Gaps all_gaps(const store::Store& store, GapsQuestion asked) {
  auto all = must(gaps(store, asked));
  for (bool more = all.more; more;) {
    asked.after = all.meters.back().meter;
    const auto page = must(gaps(store, asked));
    all.meters.insert(all.meters.end(), page.meters.begin(), page.meters.end());
    more = page.more;
  }
  return all;
}

Changes all_changes(const store::Store& store, ChangesQuestion asked) {
  Changes all;
  for (;;) {
    auto page = must(changes(store, asked));
    all.days.insert(all.days.end(), page.days.begin(), page.days.end());
    if (!page.next) return all;
    asked.after = *page.next;
  }
}

Late all_late(const store::Store& store, LateQuestion asked) {
  Late all{.question = asked, .meters = {}, .next = {}};
  for (;;) {
    auto page = must(late(store, asked));
    all.meters.insert(all.meters.end(), page.meters.begin(), page.meters.end());
    if (!page.next) return all;
    asked.after = *page.next;
  }
}

/// Its edges lie within intervals, too.
const Tariff& tariff() {
  static const auto read = must(Tariff::parse(
      "otherwise = 'rest'\nholidays = ['01-01', '2019-01-08']\n[seasons]\nyule = '12-24..01-06'\n"
      "[[rule]]\nband = 'quiet'\ndays = ['sun', 'holiday']\n"
      "[[rule]]\nband = 'peak'\ndays = 'weekday'\nseasons = 'yule'\n"
      "times = ['00:20-01:40', '17:00-20:10']\n"
      "[[rule]]\nband = 'night'\ntimes = '22:30-02:00'\n",
      "test"));
  return read;
}

// --- Questions ------------------------------------------------------------------------------

/// Asks a store and the model the same.
class Asker {
 public:
  Asker(const store::Store& store, const Model& model, std::mt19937& dice)
      : store_(store), model_(model), dice_(dice) {}

  /// About all meters, and about each; those of whom nothing was ever said, too.
  void ask(std::optional<Instant> as_of) {
    as_of_ = as_of;
    ask_of_all();
    for (const char* meter : {"A", "A1", "A.", "A-b", "B", "nobody"})
      ask_of(*MeterId::parse(meter));
  }

  /// What is not asked as of a time.
  void ask_now() {
    compare("meters", lines_of(must(store_.meters({.prefix = "", .limit = 1000}))),
            lines_of(model_.meters()));
    for (int i = 0; i < 4; ++i) ask_of_all_lately();
    for (const auto& info : model_.meters())
      for (const auto& known : info.channels)
        for (const Date date : {known.first, known.last}) ask_of_day(info.meter, date);
  }

 private:
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + dice_() % choices.size());
  }
  int below(int sides) { return static_cast<int>(dice_() % static_cast<unsigned>(sides)); }

  /// Mostly around the days that deliveries of these tests have.
  DateRange any_dates(int days_max) {
    const int days = below(days_max);
    if (below(8) == 0) return {Date::min(), *Date::from_days(Date::min().days() + days)};
    if (below(8) == 0) return {*Date::from_days(Date::max().days() - days), Date::max()};
    const int from = Date::parse("2018-12-27")->days() + below(40);
    return {*Date::from_days(from), *Date::from_days(from + days)};
  }
  std::optional<std::string> any_channel() {
    return one_of<std::optional<std::string>>({{}, {}, {}, "consumption", "B1"});
  }
  std::optional<Flow> any_flow() {
    return one_of<std::optional<Flow>>({{}, {}, {}, Flow::consumption, Flow::generation});
  }

  void ask_of_all() {
    using enum Resolution;
    const auto dates = any_dates(70);
    const PortfolioQuestion portfolio_asked{.dates = dates,
                                            .resolution = one_of({day, week, month, quarter, year}),
                                            .channel = any_channel(),
                                            .flow = any_flow(),
                                            .as_of = as_of_};
    compare("portfolio", dates, lines_of(portfolio(store_, portfolio_asked)),
            lines_of(model_.portfolio(portfolio_asked)));
    const GapsQuestion gaps_asked{.dates = dates,
                                  .channel = any_channel(),
                                  .flow = any_flow(),
                                  .as_of = as_of_,
                                  .absent = one_of({Absent::listed, Absent::left_out}),
                                  .after = {},
                                  .limit = one_of<std::size_t>({2, 100})};
    compare("gaps", dates, lines_of(all_gaps(store_, gaps_asked)),
            lines_of(model_.gaps(gaps_asked)));
    // A delivery may be of 1900 and of 2199, and each month between them would be looked at.
    ChangesQuestion changes_asked{.since = as_of_.value_or(second(0)),
                                  .dates = dates,
                                  .limit = one_of<std::size_t>({1, 1000})};
    if (below(4) == 0) changes_asked.meter = *MeterId::parse("A");
    compare("changes", dates, lines_of(all_changes(store_, changes_asked)),
            lines_of(model_.changes(changes_asked)));
    ask_to_compare({});
  }

  void ask_of_all_lately() {
    const auto asked = [&](std::variant<Date, Instant> since) {
      return LateQuestion{.since = since,
                          .channel = any_channel(),
                          .flow = any_flow(),
                          .after = {},
                          .limit = one_of<std::size_t>({1, 100})};
    };
    for (const auto& question : {asked(any_dates(1).from), asked(second(below(9) - 1))})
      compare(fmt::format("late by {}", text_of(question.by())),
              lines_of(all_late(store_, question)), lines_of(model_.late(question)));
  }

  void ask_to_compare(std::optional<MeterId> meter) {
    const CompareQuestion asked{.meter = std::move(meter),
                                .dates = any_dates(40),
                                .against = any_dates(40),
                                .channel = any_channel(),
                                .flow = any_flow(),
                                .as_of = as_of_};
    compare("periods of " + shown(asked.meter), asked.dates,
            lines_of(query::compare(store_, asked)), lines_of(model_.compare(asked)));
  }

  void ask_of(const MeterId& meter) {
    using enum Resolution;
    const auto resolution = one_of({interval, hour, day, week, month, quarter, year});
    const ConsumptionQuestion asked{.meter = meter,
                                    .dates = any_dates(resolution < day ? 9 : 70),
                                    .resolution = resolution,
                                    .channel = any_channel(),
                                    .flow = any_flow(),
                                    .as_of = as_of_};
    compare(fmt::format("{} of {}", text_of(resolution), meter.text()), asked.dates,
            lines_of(consumption(store_, asked)), lines_of(model_.consumption(asked)));
    const MeterGapsQuestion gaps_asked{.meter = meter,
                                       .dates = asked.dates,
                                       .channel = any_channel(),
                                       .flow = any_flow(),
                                       .as_of = as_of_};
    compare("gaps of " + meter.text(), asked.dates, lines_of(meter_gaps(store_, gaps_asked)),
            lines_of(model_.meter_gaps(gaps_asked)));
    ask_to_compare(meter);
    ask_of_loads(meter);
  }

  void ask_of_loads(const MeterId& meter) {
    const MeterDaysQuestion days{.meter = meter,
                                 .dates = any_dates(20),
                                 .channel = any_channel(),
                                 .flow = any_flow(),
                                 .as_of = as_of_};
    compare("base load of " + meter.text(), days.dates, lines_of(base_load(store_, days)),
            lines_of(model_.base_load(days)));
    if (dice_() % 3 != 0) return;  // The model looks at every minute of the time asked for.
    const TimeOfUseQuestion bands{
        .meter = meter,
        .dates = any_dates(5),
        .tariff = tariff(),
        .resolution = *BandResolution::parse(one_of({"day", "week", "month", "total"})),
        .channel = days.channel,
        .flow = days.flow,
        .as_of = as_of_};
    compare("time of use of " + meter.text(), bands.dates, lines_of(time_of_use(store_, bands)),
            lines_of(model_.time_of_use(bands)));
  }

  void ask_of_day(const MeterId& meter, Date date) {
    const HistoryQuestion asked{.meter = meter, .date = date};
    compare("history of " + meter.text(), {date, date}, lines_of(history(store_, asked)),
            lines_of(model_.history(asked)));
    compare("sum of " + meter.text(), {date, date}, {shown(must(daily_sum(store_, meter, date)))},
            {shown(model_.daily_sum(meter, date))});
  }

  void compare(const std::string& asked, const Lines& said, const Lines& wanted) const {
    if (said == wanted) return;
    const auto [got, want] = std::mismatch(said.begin(), said.end(), wanted.begin(), wanted.end());
    RC_FAIL(fmt::format("{} as of {}, line {}:\n  the store: {}\n  the model: {}", asked,
                        shown(as_of_), got - said.begin() + 1, got == said.end() ? "no more" : *got,
                        want == wanted.end() ? "no more" : *want));
  }
  void compare(const std::string& asked, const DateRange& dates, const Lines& said,
               const Lines& wanted) const {
    compare(fmt::format("{} {} to {}", asked, shown(dates.from), shown(dates.to)), said, wanted);
  }

  const store::Store& store_;
  const Model& model_;
  std::mt19937& dice_;
  std::optional<Instant> as_of_;
};

// --- Deliveries -----------------------------------------------------------------------------

/// What a store was told until now: deliveries with those of their events.
class Told {
 public:
  explicit Told(const std::vector<TestDelivery>& deliveries) : all_(deliveries) {
    is_loaded_.resize(all_.size());
    for (auto& each : all_) each.events.clear();
  }

  void tell(const Step& step) {
    if (!step.event) is_loaded_[step.delivery] = true;
    if (!step.event) return;
    auto& events = all_[step.delivery].events;
    events.push_back(*step.event);
    std::sort(events.begin(), events.end());
  }
  Model model() const {
    std::vector<TestDelivery> loaded;
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (is_loaded_[i]) loaded.push_back(all_[i]);
    return Model(loaded);
  }

 private:
  std::vector<TestDelivery> all_;
  std::vector<bool> is_loaded_;
};

/// Some are begun and dropped before, or loaded once more.
void apply(const Step& step, const TestDelivery& to, std::mt19937& dice, store::Store& store) {
  if (step.event) return must(store.add_event(to.delivery.id, *step.event));
  if (dice() % 4 == 0) must(load_piece(store, to, dice() % 4));
  must(load(store, to));
  if (dice() % 4 == 0) must(load(store, to));
}

class EveryStore : public store::StoreContract {
 protected:
  void play() const {
    auto deliveries = *any_deliveries();
    const auto steps = any_steps(deliveries);
    std::mt19937 dice(*rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>()));
    auto store = open();
    Told told(deliveries);
    for (const auto& step : steps) {
      apply(step, deliveries[step.delivery], dice, *store);
      told.tell(step);
      if (dice() % 4 == 0) Asker(*store, told.model(), dice).ask({});
      if (dice() % 8 == 0 && GetParam().kept == store::Kept::outside) store.reopen();
    }
    const auto model = told.model();
    Asker asker(*store, model, dice);
    asker.ask({});
    asker.ask_now();
    for (int seconds = -1; seconds < 9; ++seconds) asker.ask(second(seconds));
  }
};

TEST_P(EveryStore, AnswersAsTheModelDoes) {
  store::expect_holds(
      GetParam(), [this] { play(); }, 5);
}

/// As of every time from the receipt of what is kept for itself on, and now.
class EveryPrunedStore : public EveryStore {
 protected:
  void play_pruned() const {
    auto deliveries = *any_deliveries();
    const auto steps = any_steps(deliveries);
    std::mt19937 dice(*rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>()));
    auto store = open();
    Told told(deliveries);
    for (const auto& step : steps) {
      apply(step, deliveries[step.delivery], dice, *store);
      told.tell(step);
    }
    const auto since = static_cast<std::int64_t>(dice() % 8);
    const bool by_time = dice() % 2 == 0;
    store::PruneRequest request{.now = second(100)};
    if (by_time) request.versions_since = second(since);
    if (!by_time) request.versions = 1 + dice() % 3;
    store::PruneReport report;
    must(store::prune(*store, request, store::PruneMode::prune, {}, report));
    const auto model = told.model();
    Asker asker(*store, model, dice);
    asker.ask({});
    if (!by_time) return;
    for (auto seconds = since; seconds < 9; ++seconds) asker.ask(second(seconds));
  }
};

TEST_P(EveryPrunedStore, AnswersAsBeforeAsOfWhatIsKept) {
  store::expect_holds(
      GetParam(), [this] { play_pruned(); }, 5);
}

INSTANTIATE_TEST_SUITE_P(All, EveryPrunedStore, ::testing::ValuesIn(store::backends()),
                         store::name_of);
INSTANTIATE_TEST_SUITE_P(All, EveryStore, ::testing::ValuesIn(store::backends()), store::name_of);

}  // namespace
}  // namespace meterline::query
