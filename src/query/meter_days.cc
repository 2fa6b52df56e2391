#include "query/meter_days.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/try.h"

namespace meterline::query {
namespace {

constexpr std::int64_t days_max = 14'610;

Result<void> check(const DateRange& dates) {
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (dates.size() > days_max)
    return fail(Errc::too_large, "more than 40 years asked for: ask for a shorter time");
  return {};
}

tl::unexpected<Error> unknown(const MeterId& meter) {
  return fail(Errc::not_found, fmt::format("meter {} is not known: no file loaded so far has a day "
                                           "of it",
                                           meter.text()));
}

/// One channel, whose days are visited one after the other.
class ChannelWalk {
 public:
  ChannelWalk(Channel channel, const DateRange& dates, const MeterDayVisitor& visit)
      : channel_(std::move(channel)), visit_(visit), next_(dates.from.days()) {}

  const Channel& channel() const { return channel_; }
  bool has_days() const { return has_days_; }

  Result<void> add(const store::ResolvedDay& day) {
    if (!has_days_) expect(day.interval, day.zone);
    has_days_ = true;
    METERLINE_CHECK(add_absent(day.date.days()));
    expect(day.interval, day.zone);
    next_ = day.date.days() + 1;
    return visit_({.channel = channel_,
                   .date = day.date,
                   .interval = day.interval,
                   .zone = day.zone,
                   .slots = day.slots(),
                   .stored = &day});
  }
  /// What days of which nothing is stored are taken to be like.
  void expect(IntervalLength interval, TimeZone zone) {
    interval_ = interval;
    zone_ = zone;
  }
  /// Those before `end`, as days since 1970.
  Result<void> add_absent(std::int32_t end) {
    for (; next_ < end; ++next_) {
      const Date date = *Date::from_days(next_);
      METERLINE_CHECK(visit_({.channel = channel_,
                              .date = date,
                              .interval = interval_,
                              .zone = zone_,
                              .slots = slots_in(zone_.minutes_of(date), interval_.minutes())}));
    }
    return {};
  }

 private:
  Channel channel_;
  const MeterDayVisitor& visit_;
  std::int32_t next_;  ///< The first day that was not visited yet.
  bool has_days_ = false;
  IntervalLength interval_;
  TimeZone zone_;
};

/// Gives the walks without days their channel's last day to go by; those whose channel has none any
/// more, as all of them were withdrawn, are dropped.
Result<void> drop_withdrawn(const store::Store& store, const MeterId& meter,
                            std::vector<ChannelWalk>& walks) {
  const auto has_days = [](const ChannelWalk& walk) { return walk.has_days(); };
  if (!walks.empty() && std::all_of(walks.begin(), walks.end(), has_days)) return {};
  METERLINE_TRY(auto info, store.meter(meter));
  const auto known = std::move(info).value_or(store::MeterInfo()).channels;
  std::vector<ChannelWalk> kept;
  kept.reserve(walks.size());
  for (auto& walk : walks) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto& each) {
      return each.channel == walk.channel();
    });
    if (!walk.has_days() && found == known.end()) continue;
    if (!walk.has_days()) walk.expect(found->interval, found->zone);
    kept.push_back(std::move(walk));
  }
  walks = std::move(kept);
  if (walks.empty() && known.empty()) return unknown(meter);
  return {};
}

}  // namespace

Result<std::vector<Channel>> each_meter_day(const store::Store& store,
                                            const MeterDaysQuestion& question,
                                            const MeterDayVisitor& visit, StopFlag stop) {
  METERLINE_CHECK(check(question.dates));
  METERLINE_TRY(const auto known, store.channels(question.meter));
  if (known.empty()) return unknown(question.meter);
  std::vector<ChannelWalk> walks;
  walks.reserve(known.size());
  for (const auto& channel : known)
    if (is_wanted(channel, question.channel, question.flow))
      walks.emplace_back(channel, question.dates, visit);

  const store::DaysQuery days{.meter = question.meter,
                              .dates = question.dates,
                              .as_of = question.as_of.value_or(Instant::end_of_time())};
  METERLINE_CHECK(
      store::read_resolved(store, days, [&](const store::ResolvedDay& day) -> Result<void> {
        METERLINE_CHECK(check_stop(stop));
        // A channel that became known since the meter was looked up is left to the next question.
        for (auto& walk : walks)
          if (walk.channel() == day.channel) return walk.add(day);
        return {};
      }));
  METERLINE_CHECK(drop_withdrawn(store, question.meter, walks));
  std::vector<Channel> channels;
  channels.reserve(walks.size());
  for (auto& walk : walks) {
    METERLINE_CHECK(walk.add_absent(question.dates.to.days() + 1));
    channels.push_back(walk.channel());
  }
  return channels;
}

}  // namespace meterline::query
