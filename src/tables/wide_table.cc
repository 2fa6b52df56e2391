#include "tables/wide_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/time_zone.h"
#include "core/try.h"
#include "tables/rows.h"

namespace meterline::tables {
namespace {

constexpr int day_minutes = 24 * 60;
constexpr std::size_t meters_step = 1000;
/// A batch has so many values, as far as its rows are whole.
constexpr std::size_t batch_values = 1 << 16;

constexpr std::array first_columns = {
    Column{"meter", ColumnType::text}, Column{"channel", ColumnType::text},
    Column{"flow", ColumnType::text},  Column{"unit", ColumnType::text},
    Column{"date", ColumnType::date},  Column{"interval", ColumnType::int16}};
constexpr std::array last_columns = {Column{"quality", ColumnType::text},
                                     Column{"stated", ColumnType::instant},
                                     Column{"received", ColumnType::instant}};
constexpr std::size_t date_column = 4;
constexpr std::size_t interval_column = 5;

/// One for each value of Quality, and one for times that a day does not have.
constexpr std::string_view quality_letters = "ASEM";
constexpr char no_such_time = '-';

using Clock = WideLayout::Clock;

/// When each slot of a day begins.
std::vector<Clock> clocks_of(const TimeZone& zone, Date date, std::int64_t slots, int interval) {
  std::vector<Clock> clocks;
  std::map<int, int> shown;
  for (int slot = 0; slot < slots; ++slot) {
    const int behind = slot * interval;
    const int minute = zone.is_known() ? zone.shown_minute(date, behind) : behind;
    clocks.emplace_back(minute, ++shown[minute]);
  }
  return clocks;
}

/// Whether a day of 24 hours has it.
bool is_plain(const Clock& clock, int interval) {
  return clock.second == 1 && clock.first < day_minutes && clock.first % interval == 0;
}

/// `01:30`, or `01:30_2` of the second one.
std::string name_of(const Clock& clock) {
  auto name = fmt::format("{:02}:{:02}", clock.first / 60, clock.first % 60);
  return clock.second == 1 ? name : fmt::format("{}_{}", name, clock.second);
}

/// Looks at the channels of a selection.
class LayoutSearch {
 public:
  explicit LayoutSearch(const DateRange& dates) : dates_(dates) {}

  Result<void> add(const store::MeterInfo& info) {
    for (const auto& channel : info.channels) METERLINE_CHECK(add(info.meter, channel));
    return {};
  }
  std::optional<IntervalLength> interval() const { return interval_; }
  std::set<Clock> odd() const {
    std::set<Clock> odd;
    if (!interval_) return odd;
    const int minutes = interval_->minutes();
    for (const auto& [zone, dates] : zones_)
      for (const auto& day : zone.odd_days(dates))
        for (const auto& clock : clocks_of(zone, day.date, slots_in(day.minutes, minutes), minutes))
          if (!is_plain(clock, minutes)) odd.insert(clock);
    return odd;
  }

 private:
  Result<void> add(const MeterId& meter, const store::ChannelInfo& channel) {
    const DateRange dates{.from = std::max(dates_.from, channel.first),
                          .to = std::min(dates_.to, channel.last)};
    if (dates.to < dates.from) return {};
    if (!interval_) {
      interval_ = channel.interval;
      first_ = meter.text();
    }
    if (*interval_ != channel.interval)
      return fail(
          Errc::invalid_argument,
          fmt::format("the wide form has readings of one length: those of {} are of {} "
                      "minutes, and those of {} of {}: ask for them apart, or for the long "
                      "form",
                      first_, interval_->minutes(), meter.text(), channel.interval.minutes()));
    if (channel.zone.is_known()) add_zone(channel.zone, dates);
    return {};
  }
  /// There are few, and neighbours mostly have the same.
  void add_zone(const TimeZone& zone, const DateRange& dates) {
    const auto found = std::find_if(zones_.begin(), zones_.end(),
                                    [&](const auto& known) { return known.first == zone; });
    if (found == zones_.end()) {
      zones_.emplace_back(zone, dates);
      return;
    }
    found->second.from = std::min(found->second.from, dates.from);
    found->second.to = std::max(found->second.to, dates.to);
  }

  const DateRange dates_;
  std::optional<IntervalLength> interval_;
  std::string first_;  ///< The meter that set it.
  std::vector<std::pair<TimeZone, DateRange>> zones_;
};

Result<void> search_all(const store::Store& store, LayoutSearch& search, StopFlag stop) {
  store::MetersQuery query{.limit = meters_step};
  for (;;) {
    METERLINE_CHECK(check_stop(stop));
    METERLINE_TRY(const auto meters, store.meters(query));
    for (const auto& info : meters) METERLINE_CHECK(search.add(info));
    if (meters.size() < query.limit) return {};
    query.after = meters.back().meter;
  }
}

tl::unexpected<Error> does_not_fit(const MeterId& meter, Date date, std::string_view why) {
  return fail(Errc::invalid_argument,
              fmt::format("{} does not fit into the wide form on {}: {}: ask for days of one kind, "
                          "or for the long form",
                          meter.text(), date.text(), why));
}

class WideTable {
 public:
  WideTable(const store::Store& store, const WideLayout& layout, const TableSelection& selection,
            TableWriter& writer, const TableHooks& hooks)
      : store_(store),
        layout_(layout),
        selection_(selection),
        hooks_(hooks),
        rows_(layout.columns(), writer, batch_values / layout.columns().size()) {}

  Result<TableSummary> write() {
    METERLINE_CHECK(
        each_meter(store_, selection_, [&](const MeterId& meter) { return add(meter); }));
    METERLINE_CHECK(rows_.flush());
    return TableSummary{.meters = meters_, .rows = rows_.count()};
  }

 private:
  Result<void> add(const MeterId& meter) {
    METERLINE_CHECK(check_stop(hooks_.stop));
    const auto before = rows_.count();
    METERLINE_CHECK(store::read_resolved(
        store_, {.meter = meter, .dates = selection_.dates, .as_of = selection_.as_of},
        [&](const store::ResolvedDay& day) { return add(meter, day); }));
    if (rows_.count() > before) ++meters_;
    if (hooks_.meters != nullptr) ++*hooks_.meters;
    return {};
  }

  Result<void> add(const MeterId& meter, const store::ResolvedDay& day) {
    METERLINE_CHECK(check_stop(hooks_.stop));
    if (hooks_.days != nullptr) ++*hooks_.days;
    METERLINE_CHECK(fill(meter, day));
    rows_.add_channel(meter, day.channel, 1);
    rows_.numbers(date_column).add(day.date.days());
    rows_.numbers(interval_column).add(day.interval.minutes());
    auto column = first_columns.size();
    for (const auto& value : values_) {
      auto& values = rows_.decimals(column++);
      if (value)
        values.add(*value);
      else
        values.add_none();
    }
    rows_.texts(column++).add(qualities_);
    const auto newest = newest_of(day);
    rows_.numbers(column++).add(newest.stated.micros);
    rows_.numbers(column).add(newest.received.micros);
    return rows_.added(1);
  }

  /// Value and quality of each column of readings.
  Result<void> fill(const MeterId& meter, const store::ResolvedDay& day) {
    METERLINE_TRY(const auto places, layout_.places_of(meter, day));
    values_.assign(layout_.slots(), std::nullopt);
    qualities_.assign(layout_.slots(), no_such_time);
    for (std::size_t slot = 0; slot < places.size(); ++slot) {
      const auto quality = day.qualities[slot];
      qualities_[places[slot]] = quality_letters[static_cast<std::size_t>(quality)];
      if (quality == Quality::missing) continue;
      const auto reading = day.reading(slot);
      METERLINE_TRY(values_[places[slot]], scaled(Sum(reading.mantissa, reading.exponent)));
    }
    return {};
  }

  static Version newest_of(const store::ResolvedDay& day) {
    Version newest = day.main.version;
    for (const auto& part : day.others) newest = std::max(newest, part.version);
    return newest;
  }

  const store::Store& store_;
  const WideLayout& layout_;
  const TableSelection& selection_;
  const TableHooks& hooks_;
  Rows rows_;
  std::vector<std::optional<Int128>> values_;
  std::string qualities_;
  std::int64_t meters_ = 0;
};

}  // namespace

Result<void> check_wide(TableFormat format, TableOf table) {
  if (table != TableOf::readings)
    return fail(Errc::invalid_argument,
                "the wide form is one of readings: days and months have a row for each as it is");
  if (format != TableFormat::csv)
    return fail(Errc::invalid_argument,
                "the wide form comes as CSV only: programs that read Parquet and Arrow make it "
                "of the long form (pivot)");
  return {};
}

WideLayout::WideLayout(std::optional<IntervalLength> interval, const std::set<Clock>& odd)
    : interval_(interval) {
  std::vector<Clock> clocks;
  if (interval)
    clocks = clocks_of(TimeZone(), Date(), interval->slots_per_day(), interval->minutes());
  clocks.insert(clocks.end(), odd.begin(), odd.end());
  for (const auto& clock : clocks) {
    places_.emplace(clock, names_.size());
    names_.push_back(name_of(clock));
  }
  columns_.assign(first_columns.begin(), first_columns.end());
  for (const auto& name : names_) columns_.push_back({name, ColumnType::decimal});
  columns_.insert(columns_.end(), last_columns.begin(), last_columns.end());
}

Result<std::shared_ptr<const WideLayout>> WideLayout::of(const store::Store& store,
                                                         const TableSelection& selection,
                                                         StopFlag stop) {
  LayoutSearch search(selection.dates);
  if (selection.meters) {
    for (const auto& meter : *selection.meters) {
      METERLINE_CHECK(check_stop(stop));
      METERLINE_TRY(const auto info, store.meter(meter));
      if (info) METERLINE_CHECK(search.add(*info));
    }
  } else {
    METERLINE_CHECK(search_all(store, search, stop));
  }
  return std::shared_ptr<const WideLayout>(new WideLayout(search.interval(), search.odd()));
}

Result<std::vector<std::size_t>> WideLayout::places_of(const MeterId& meter,
                                                       const store::ResolvedDay& day) const {
  if (interval_ != day.interval)
    return does_not_fit(meter, day.date,
                        fmt::format("it has readings of {} minutes, and the columns are of {}",
                                    day.interval.minutes(), interval_ ? interval_->minutes() : 0));
  std::vector<std::size_t> places(static_cast<std::size_t>(day.slots()));
  const bool is_plain_day = !day.zone.is_known() || day.zone.minutes_of(day.date) == day_minutes;
  if (is_plain_day && day.slots() == interval_->slots_per_day()) {
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
  }
  const auto clocks = clocks_of(day.zone, day.date, day.slots(), day.interval.minutes());
  for (std::size_t slot = 0; slot < clocks.size(); ++slot) {
    const auto found = places_.find(clocks[slot]);
    if (found == places_.end())
      return does_not_fit(meter, day.date,
                          fmt::format("there is no column {} for it", name_of(clocks[slot])));
    places[slot] = found->second;
  }
  return places;
}

Result<TableSummary> write_wide_table(const store::Store& store, const WideLayout& layout,
                                      const TableSelection& selection, TableWriter& writer,
                                      const TableHooks& hooks) {
  return WideTable(store, layout, selection, writer, hooks).write();
}

}  // namespace meterline::tables
