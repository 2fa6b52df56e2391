#include "testing/model.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "testing/must.h"

namespace meterline::testing {
namespace {

using query::is_wanted;
using query::Resolution;
using query::Total;

std::vector<Date> list_of(const DateRange& dates) {
  std::vector<Date> list;
  for (auto day = dates.from.days(); day <= dates.to.days(); ++day)
    list.push_back(*Date::from_days(day));
  return list;
}

void add(const std::optional<NaiveReading>& reading, Total& total) {
  ++total.expected;
  if (!reading) ++total.quality.missing;
  if (!reading) return;
  if (!total.sum) total.sum.emplace();
  must(total.sum->add(reading->value));
  ++total.readings;
  if (reading->quality == Quality::actual) ++total.quality.actual;
  if (reading->quality == Quality::substituted) ++total.quality.substituted;
  if (reading->quality == Quality::estimated) ++total.quality.estimated;
  total.version = std::max(total.version, std::optional(reading->version));
}

/// Without a sum where readings do not add up.
Total told(const NaiveDay& day) {
  Total total;
  for (const auto& slot : day.slots) add(slot, total);
  if (!adds_up(day.channel.unit)) total.sum.reset();
  return total;
}

/// Where the point begins that a slot belongs to.
std::pair<Date, int> start_of(Date date, int minute, Resolution resolution, Date from) {
  auto [year, month, day] = date.civil();
  if (resolution == Resolution::interval) return {date, minute};
  if (resolution == Resolution::hour) return {date, minute / 60 * 60};
  if (resolution == Resolution::day) return {date, 0};
  if (resolution == Resolution::week) {
    auto monday = date;
    while ((monday.days() + 3) % 7 != 0) monday = *Date::from_days(monday.days() - 1);
    return {std::max(from, monday), 0};
  }
  if (resolution == Resolution::quarter) month = (month - 1) / 3 * 3 + 1;
  if (resolution == Resolution::year) month = 1;
  return {std::max(from, *Date::from_civil({.year = year, .month = month, .day = 1})), 0};
}

struct Said {
  std::optional<Decimal> reading;
  Quality quality = Quality::missing;
  std::optional<Note> note;
  bool operator==(const Said&) const = default;
};

Said said(const NaiveDay& day, std::size_t slot) {
  const auto& reading = day.slots[slot];
  if (!reading) return {.reading = {}, .note = day.notes[slot]};
  return {.reading = reading->value, .quality = reading->quality, .note = day.notes[slot]};
}

bool have_one_shape(const NaiveDay& a, const NaiveDay& b) {
  return a.interval == b.interval && a.slots.size() == b.slots.size();
}

/// Of deliveries of one day; without slots where none counts.
NaiveDay answer_of(const std::vector<TestDelivery>& deliveries, Instant as_of) {
  auto days = naive_days(deliveries, as_of);
  return days.empty() ? NaiveDay{} : std::move(days.front());
}

void append_at(Notes& notes, std::size_t place, const std::optional<Note>& note) {
  if (note) append(notes, place, place + 1, *note);
}

void tell_changes(const NaiveDay& before, const NaiveDay& after, query::DayVersion& line) {
  for (std::size_t slot = 0; slot < after.slots.size(); ++slot) {
    const auto now = said(after, slot);
    const auto then = have_one_shape(before, after) ? said(before, slot) : Said();
    if (now == then) continue;
    append_at(line.notes_before, line.changes.size(), then.note);
    append_at(line.notes_after, line.changes.size(), now.note);
    const int minute = static_cast<int>(slot) * after.interval.minutes();
    line.changes.push_back({minute, then.reading, now.reading, then.quality, now.quality});
  }
}

/// Null: nothing is stored. Where the interval is another, all that have a reading.
std::int64_t slots_changed(const NaiveDay* before, const NaiveDay* after) {
  query::DayVersion line;
  if (before == nullptr) return told(*after).readings;
  if (after == nullptr) return told(*before).readings;
  if (!have_one_shape(*before, *after))
    return std::max(told(*before).readings, told(*after).readings);
  tell_changes(*before, *after, line);
  return std::ssize(line.changes);
}

}  // namespace

const std::vector<NaiveDay>& Model::known(Instant as_of) const {
  const auto [found, is_new] = known_.try_emplace(as_of);
  if (is_new) found->second = naive_days(deliveries_, as_of);
  return found->second;
}

bool Model::is_known_now(const MeterId& meter) const {
  const auto& days = known(Instant::end_of_time());
  return std::any_of(days.begin(), days.end(), [&](const auto& day) { return day.meter == meter; });
}

std::map<std::pair<MeterId, Channel>, Model::Days> Model::channels(std::optional<Instant> as_of,
                                                                   const DateRange& dates) const {
  std::map<std::pair<MeterId, Channel>, Days> found;
  for (const auto& day : known(Instant::end_of_time())) found[{day.meter, day.channel}];
  for (const auto& day : known(as_of.value_or(Instant::end_of_time())))
    if (dates.contains(day.date)) found[{day.meter, day.channel}][day.date] = &day;
  return found;
}

std::vector<store::MeterInfo> Model::meters() const {
  std::vector<store::MeterInfo> list;
  for (const auto& [key, days] : channels({}, {Date::min(), Date::max()})) {
    if (list.empty() || list.back().meter != key.first) list.push_back({key.first, {}});
    const auto& [last, day] = *days.rbegin();
    list.back().channels.push_back({key.second, day->newest_interval, day->newest_zone,
                                    days.begin()->first, last, day->newest_facts});
  }
  return list;
}

/// It has the interval and the zone of the day stored before it in the time asked for, else of the
/// first one in it, else of the channel's last.
NaiveDay Model::absent_day(const MeterId& meter, const Channel& channel, const Days& days,
                           Date date) const {
  NaiveDay day{};
  for (const auto& last : known(Instant::end_of_time()))
    if (last.meter == meter && last.channel == channel)
      std::tie(day.interval, day.zone) = std::tie(last.newest_interval, last.newest_zone);
  const auto take = [&](const NaiveDay& given) {
    std::tie(day.interval, day.zone) = std::tie(given.interval, given.zone);
  };
  if (!days.empty()) take(*days.begin()->second);
  for (const auto& [stored, given] : days)
    if (stored < date) take(*given);
  day.slots.resize(static_cast<std::size_t>(day.zone.minutes_of(date) / day.interval.minutes()));
  day.notes.resize(day.slots.size());
  return day;
}

NaiveDay Model::day_of(const MeterId& meter, const Channel& channel, const Days& days,
                       Date date) const {
  return days.contains(date) ? *days.at(date) : absent_day(meter, channel, days, date);
}

std::optional<query::Consumption> Model::consumption(
    const query::ConsumptionQuestion& asked) const {
  query::Consumption answer{.question = asked, .channels = {}};
  for (const auto& [key, days] : channels(asked.as_of, asked.dates)) {
    const auto& [meter, channel] = key;
    if (meter != asked.meter || !is_wanted(channel, asked.channel, asked.flow)) continue;
    query::ChannelConsumption line{.channel = channel, .total = {}, .series = {}, .notes = {}};
    for (const Date date : list_of(asked.dates)) {
      const auto day = day_of(meter, channel, days, date);
      for (std::size_t slot = 0; slot < day.slots.size(); ++slot) {
        const int begin = static_cast<int>(slot) * day.interval.minutes();
        const auto [start, minute] = start_of(date, begin, asked.resolution, asked.dates.from);
        if (line.series.empty() || line.series.back().day != start ||
            line.series.back().minute != minute)
          line.series.push_back({.day = start, .minute = minute, .total = {}});
        add(day.slots[slot], line.series.back().total);
        add(day.slots[slot], line.total);
        if (asked.resolution == Resolution::interval)
          append_at(line.notes, line.series.size() - 1, day.notes[slot]);
      }
    }
    if (!adds_up(channel.unit)) line.total.sum.reset();
    if (!adds_up(channel.unit) && asked.resolution != Resolution::interval)
      for (auto& point : line.series) point.total.sum.reset();
    answer.channels.push_back(std::move(line));
  }
  if (answer.channels.empty() && !is_known_now(asked.meter)) return std::nullopt;
  return answer;
}

std::optional<Sum> Model::daily_sum(const MeterId& meter, Date date) const {
  std::optional<Sum> sum;
  std::optional<Unit> unit;                                // Of the first that has a reading.
  for (const auto& day : known(Instant::end_of_time())) {  // Ascending by channel.
    if (day.meter != meter || day.date != date || day.channel.flow != Flow::consumption) continue;
    const auto total = told(day);
    if (!total.sum || day.channel.unit != unit.value_or(day.channel.unit)) continue;
    unit = day.channel.unit;
    if (!sum) sum.emplace();
    must(sum->add(*total.sum));
  }
  return sum;
}

query::Portfolio Model::portfolio(const query::PortfolioQuestion& asked) const {
  std::map<Date, std::vector<Date>> spans;
  for (const Date date : list_of(asked.dates))
    spans[start_of(date, 0, asked.resolution, asked.dates.from).first].push_back(date);
  std::map<Channel, std::vector<Days>> meters;
  for (const auto& [key, days] : channels(asked.as_of, asked.dates))
    if (!days.empty() && is_wanted(key.second, asked.channel, asked.flow))
      meters[key.second].push_back(days);

  const auto total_of = [&](const Channel& channel, const std::vector<Date>& dates) {
    query::PortfolioTotal out;
    for (const auto& days : meters[channel]) {
      int slots = 0;  // Expected of a day of 24 hours of which nothing is stored.
      for (const auto& [date, day] : days) slots = std::max(slots, day->interval.slots_per_day());
      const auto zone = days.rbegin()->second->zone;
      Total own;
      for (const Date date : dates) {
        if (!days.contains(date)) own.add_missing(slots * zone.minutes_of(date) / (24 * 60));
        if (!days.contains(date)) continue;
        for (const auto& slot : days.at(date)->slots) add(slot, own);
      }
      if (own.readings > 0) ++out.meters;
      if (own.readings < own.expected) ++out.meters_incomplete;
      must(out.total.add(own));
    }
    if (out.meters > 0) out.average = must(query::average_of(*out.total.sum, out.meters));
    if (!adds_up(channel.unit)) out.total.sum = out.average = std::nullopt;
    return out;
  };
  query::Portfolio answer{.question = asked, .channels = {}};
  for (const auto& [channel, days] : meters) {
    const auto total = total_of(channel, list_of(asked.dates));
    answer.channels.push_back({.channel = channel, .total = total, .series = {}});
    for (const auto& [start, dates] : spans)
      answer.channels.back().series.push_back({.day = start, .total = total_of(channel, dates)});
  }
  return answer;
}

std::optional<query::MeterGaps> Model::meter_gaps(const query::MeterGapsQuestion& asked) const {
  query::MeterGaps answer{.question = asked, .channels = {}};
  for (const auto& [key, days] : channels(asked.as_of, asked.dates)) {
    if (key.first != asked.meter || !is_wanted(key.second, asked.channel, asked.flow)) continue;
    query::ChannelGaps line{.channel = key.second, .gaps = {}};
    for (const Date date : list_of(asked.dates)) {
      const bool is_stored = days.contains(date);
      const auto total = is_stored ? told(*days.at(date)) : Total();
      if (is_stored) ++line.stored;
      if (is_stored && total.quality.missing == 0) ++line.complete;
      if (is_stored && total.quality.missing == 0) continue;
      query::Gap gap{.dates = {date, date}, .readings = total.readings, .expected = {}};
      if (is_stored) gap.expected = total.expected;
      const bool goes_on = !is_stored && !line.gaps.empty() && !line.gaps.back().expected;
      if (!goes_on || line.gaps.back().dates.to.next() != date) line.gaps.push_back(gap);
      line.gaps.back().dates.to = date;
    }
    answer.channels.push_back(std::move(line));
  }
  if (answer.channels.empty() && !is_known_now(asked.meter)) return std::nullopt;
  return answer;
}

query::Gaps Model::gaps(const query::GapsQuestion& asked) const {
  query::Gaps answer{.question = asked, .total = {}, .meters = {}};
  std::set<MeterId> meters;
  for (const auto& [key, days] : channels(asked.as_of, asked.dates)) meters.insert(key.first);
  for (const auto& meter : meters) {
    query::MeterDays own{.meter = meter, .channels = {}};
    const auto days_before = answer.total.days;
    const auto of_meter = meter_gaps({meter, asked.dates, asked.channel, asked.flow, asked.as_of})
                              .value_or(query::MeterGaps());
    for (const auto& [channel, stored, complete, gaps] : of_meter.channels) {
      if (stored == 0 && asked.absent == query::Absent::left_out) continue;
      answer.total.days += asked.dates.size();
      answer.total.stored += stored;
      answer.total.complete += complete;
      if (!gaps.empty())
        own.channels.push_back({channel, stored, complete, gaps.front().dates.from});
    }
    if (answer.total.days > days_before) ++answer.total.meters;
    if (own.channels.empty()) continue;
    ++answer.total.meters_with_gaps;
    answer.meters.push_back(std::move(own));
  }
  return answer;
}

std::optional<query::History> Model::history(const query::HistoryQuestion& asked) const {
  // By channel, and in the order of receipt: each delivery with that day alone.
  using Order = std::tuple<Instant, Version, DeliveryId>;
  std::map<Channel, std::map<Order, TestDelivery>> channels;
  bool is_known = false;
  for (auto each : deliveries_)
    for (const auto& day : std::exchange(each.days, {})) {
      if (day.meter == asked.meter) is_known = true;
      if (day.meter != asked.meter || day.date != asked.date) continue;
      if (!is_wanted(day.channel, asked.channel, asked.flow)) continue;
      each.days = {day};
      const auto version = version_of(each.delivery, day);
      channels[day.channel].try_emplace({version.received, version, each.delivery.id}, each);
    }
  if (!is_known) return std::nullopt;
  query::History answer{.question = asked, .channels = {}};
  for (const auto& [channel, all] : channels) {
    auto& versions = answer.channels.emplace_back(query::ChannelHistory{channel, {}}).versions;
    std::vector<TestDelivery> so_far;
    for (const auto& [order, each] : all) {
      const auto& day = each.days.front();
      auto& line = *versions.insert(versions.begin(), query::DayVersion());
      std::tie(std::ignore, line.version, line.delivery) = order;
      line.record = {.delivery = each.delivery, .report = each.report, .events = each.events};
      line.interval = day.interval;
      line.zone = day.zone;
      line.facts = day.facts;
      line.total = told(answer_of({{each.delivery, each.report, {day}}}, line.version.received));
      line.notes = day.notes;
      line.withdrawn = is_withdrawn(each.events);
      const auto before = answer_of(so_far, line.version.received);
      so_far.push_back(each);
      tell_changes(before, answer_of(so_far, line.version.received), line);
    }
    const auto now = answer_of(so_far, Instant::end_of_time());
    for (auto& line : versions)
      for (const auto& slot : now.slots)
        if (!line.withdrawn && slot && slot->version == line.version) line.counts = true;
  }
  return answer;
}

query::Changes Model::changes(const query::ChangesQuestion& asked) const {
  std::map<std::tuple<MeterId, Date, Channel>, std::pair<const NaiveDay*, const NaiveDay*>> days;
  for (const auto& day : known(asked.since)) days[{day.meter, day.date, day.channel}].first = &day;
  for (const auto& day : known(Instant::end_of_time()))
    days[{day.meter, day.date, day.channel}].second = &day;
  query::Changes answer{.question = asked, .days = {}, .next = {}};
  for (const auto& [key, both] : days) {
    const auto& [meter, date, channel] = key;
    if (asked.meter.value_or(meter) != meter) continue;
    if (asked.dates && !asked.dates->contains(date)) continue;
    query::ChangedDay line{.meter = meter, .channel = channel, .date = date, .before = {}};
    if (both.first != nullptr) line.before = told(*both.first);
    if (both.second != nullptr) line.after = told(*both.second);
    line.slots = slots_changed(both.first, both.second);
    if (line.slots > 0) answer.days.push_back(std::move(line));
  }
  return answer;
}

std::optional<query::Comparison> Model::compare(const query::CompareQuestion& asked) const {
  std::map<Channel, std::pair<query::PortfolioTotal, query::PortfolioTotal>> both;
  const auto read = [&](const DateRange& dates, auto side) {
    if (!asked.meter) {
      const query::PortfolioQuestion all{dates, Resolution::year, asked.channel, asked.flow,
                                         asked.as_of};
      for (const auto& channel : portfolio(all).channels)
        both[channel.channel].*side = channel.total;
      return true;
    }
    const auto one = consumption(
        {*asked.meter, dates, Resolution::year, asked.channel, asked.flow, asked.as_of});
    if (one)
      for (const auto& channel : one->channels) (both[channel.channel].*side).total = channel.total;
    return one.has_value();
  };
  using Pair = std::pair<query::PortfolioTotal, query::PortfolioTotal>;
  const bool is_known = read(asked.dates, &Pair::first);
  if (!is_known || !read(asked.against, &Pair::second)) return std::nullopt;
  query::Comparison answer{.question = asked, .channels = {}};
  for (const auto& [channel, pair] : both) {
    query::ComparedChannel line{channel, pair.first, pair.second, {}, {}};
    const auto& sum = pair.first.total.sum;
    const auto& base = pair.second.total.sum;
    if (sum && base) {
      line.difference = sum;
      must(line.difference->add(Sum(-base->mantissa(), base->exponent())));
      Sum hundredfold;
      for (int i = 0; i < 100; ++i) must(hundredfold.add(*line.difference));
      const Int128 size = base->mantissa() < 0 ? -base->mantissa() : base->mantissa();
      if (size != 0)
        line.percent = must(query::ratio_of(hundredfold, Sum(size, base->exponent()), 1));
    }
    answer.channels.push_back(std::move(line));
  }
  return answer;
}

std::optional<query::TimeOfUse> Model::time_of_use(const query::TimeOfUseQuestion& asked) const {
  query::TimeOfUse answer{.question = asked, .channels = {}};
  const std::vector<query::BandTotal> none(asked.tariff.bands().size());
  for (const auto& [key, days] : channels(asked.as_of, asked.dates)) {
    const auto& [meter, channel] = key;
    if (meter != asked.meter || !is_wanted(channel, asked.channel, asked.flow)) continue;
    query::ChannelTimeOfUse line{.channel = channel, .total = {}, .bands = none, .series = {}};
    for (const Date date : list_of(asked.dates)) {
      const auto day = day_of(meter, channel, days, date);
      const int length = day.interval.minutes();
      const auto bands_of_day = asked.tariff.bands_of(date);
      std::vector<std::size_t> band_of_minute;  // By the clock as it is written.
      for (int minute = 0; minute < static_cast<int>(day.slots.size()) * length; ++minute) {
        const auto label = day.zone.label(date, minute);
        const int shown = std::stoi(label.substr(11, 2)) * 60 + std::stoi(label.substr(14, 2));
        band_of_minute.push_back(bands_of_day.at(static_cast<std::size_t>(shown) % 1440));
      }
      const auto band_at = [&](int minute) {
        return band_of_minute[static_cast<std::size_t>(minute)];
      };
      const auto start =
          start_of(date, 0, asked.resolution.span.value_or(Resolution::day), asked.dates.from);
      if (asked.resolution.span && (line.series.empty() || line.series.back().day != start.first))
        line.series.push_back({.day = start.first, .bands = none});
      for (std::size_t slot = 0; slot < day.slots.size(); ++slot) {
        const int begin = static_cast<int>(slot) * length;
        const bool is_within = begin < day.zone.minutes_of(date);
        const int end =
            is_within ? std::min(begin + length, day.zone.minutes_of(date)) : begin + length;
        bool straddles = false;
        for (int minute = begin; minute < end; ++minute)
          straddles |= band_at(minute) != band_at(begin);
        const auto count = [&](std::vector<query::BandTotal>& bands) {
          add(day.slots[slot], bands[band_at(begin)].total);
          if (day.slots[slot] && straddles) ++bands[band_at(begin)].straddling;
        };
        add(day.slots[slot], line.total);
        count(line.bands);
        if (asked.resolution.span) count(line.series.back().bands);
      }
    }
    if (!adds_up(channel.unit)) {
      const auto clear = [](std::vector<query::BandTotal>& bands) {
        for (auto& band : bands) band.total.sum.reset();
      };
      line.total.sum.reset();
      clear(line.bands);
      for (auto& point : line.series) clear(point.bands);
    }
    answer.channels.push_back(std::move(line));
  }
  if (answer.channels.empty() && !is_known_now(asked.meter)) return std::nullopt;
  return answer;
}

std::optional<query::BaseLoad> Model::base_load(const query::MeterDaysQuestion& asked) const {
  query::BaseLoad answer{.question = asked, .channels = {}};
  for (const auto& [key, days] : channels(asked.as_of, asked.dates)) {
    if (key.first != asked.meter || !is_wanted(key.second, asked.channel, asked.flow)) continue;
    query::ChannelBaseLoad line{.channel = key.second};
    Sum bases;
    for (const auto& [date, day] : days) {
      if (std::any_of(day->slots.begin(), day->slots.end(), [](auto& slot) { return !slot; }))
        continue;
      const auto is_less = [](Decimal a, Decimal b) {
        Sum difference(a.mantissa, a.exponent);
        must(difference.add(Sum(-Int128{b.mantissa}, b.exponent)));
        return difference.mantissa() < 0;
      };
      std::vector<Decimal> loads;
      for (const auto& slot : day->slots) loads.push_back(slot->value);
      std::sort(loads.begin(), loads.end(), is_less);
      std::size_t rank = 1;  // The first of which 2.5 % are at most.
      while (rank * 40 < loads.size()) ++rank;
      const int interval = adds_up(key.second.unit) ? day->interval.minutes() : 60;
      for (int minutes = 0; minutes < 60; minutes += interval) must(bases.add(loads[rank - 1]));
      ++line.days;
      line.intervals += std::ssize(day->slots);
    }
    if (line.days > 0) line.base = must(query::average_of(bases, line.days));
    answer.channels.push_back(std::move(line));
  }
  if (answer.channels.empty() && !is_known_now(asked.meter)) return std::nullopt;
  return answer;
}

query::Late Model::late(const query::LateQuestion& asked) const {
  query::Late answer{.question = asked, .meters = {}, .next = {}};
  for (auto info : meters()) {
    std::erase_if(info.channels, [&](const auto& known) {
      return !is_wanted(known.channel, asked.channel, asked.flow);
    });
    bool is_silent = !info.channels.empty();
    for (const auto& known : info.channels)
      if (asked.by() == query::LateBy::day && known.last >= std::get<Date>(asked.since))
        is_silent = false;
    for (const auto& each : deliveries_)
      for (const auto& day : each.days)
        if (asked.by() == query::LateBy::receipt && !is_withdrawn(each.events) &&
            day.meter == info.meter && is_wanted(day.channel, asked.channel, asked.flow) &&
            each.delivery.received_at > std::get<Instant>(asked.since))
          is_silent = false;
    if (is_silent) answer.meters.push_back(std::move(info));
  }
  return answer;
}

}  // namespace meterline::testing
