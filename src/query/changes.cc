#include "query/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "core/try.h"
#include "store/resolve.h"

namespace meterline::query {
namespace {

constexpr std::size_t records_at_once = 500;
constexpr std::size_t meters_at_once = 1000;

void extend(std::optional<DateRange>& dates, const DateRange& by) {
  if (!dates) dates = by;
  dates->from = std::min(dates->from, by.from);
  dates->to = std::max(dates->to, by.to);
}

std::optional<DateRange> within(const DateRange& dates, const std::optional<DateRange>& wanted) {
  if (!wanted) return dates;
  const DateRange both{.from = std::max(dates.from, wanted->from),
                       .to = std::min(dates.to, wanted->to)};
  return both.size() > 0 ? std::optional(both) : std::nullopt;
}

/// Where a page has to look: meters behind the page before, and their days.
class Suspects {
 public:
  explicit Suspects(const ChangesQuestion& question) : question_(question) {}

  void add(const store::DeliveredDays& days) {
    if (!days.dates) return;
    const auto dates = within(*days.dates, question_.dates);
    if (!dates) return;
    const bool names_all = days.meter_ids.empty();
    if (names_all) extend(all_, *dates);
    for (const auto& meter : days.meter_ids) add(meter, *dates);
  }

  /// The days of every meter; empty when all are named.
  const std::optional<DateRange>& all() const { return all_; }
  /// The meters that are named, ascending: the first changes_meters_max, and one more if there is.
  const std::map<MeterId, std::optional<DateRange>>& named() const { return named_; }

  std::optional<DateRange> days_of(const MeterId& meter) const {
    auto days = all_;
    if (const auto found = named_.find(meter); found != named_.end()) extend(days, *found->second);
    return days;
  }

 private:
  void add(const MeterId& meter, const DateRange& dates) {
    if (meter <= question_.after || (question_.meter && meter != *question_.meter)) return;
    extend(named_[meter], dates);
    if (named_.size() > changes_meters_max + 1) named_.erase(std::prev(named_.end()));
  }

  const ChangesQuestion& question_;
  std::optional<DateRange> all_;
  std::map<MeterId, std::optional<DateRange>> named_;
};

Result<void> visit_records(const store::Store& store, store::DeliveriesQuery query, StopFlag stop,
                           const std::function<void(const store::DeliveryRecord&)>& visit) {
  query.limit = records_at_once;
  for (;;) {
    METERLINE_CHECK(check_stop(stop));
    METERLINE_TRY(const auto records, store.deliveries(query));
    std::for_each(records.begin(), records.end(), visit);
    if (records.size() < query.limit) return {};
    query.after = records.back().delivery.id;
  }
}

/// What was received since, withdrawn since, or brought back since.
Result<Suspects> read_suspects(const store::Store& store, const ChangesQuestion& question,
                               StopFlag stop) {
  Suspects suspects(question);
  METERLINE_CHECK(
      visit_records(store, {.received_after = question.since}, stop,
                    [&](const store::DeliveryRecord& record) { suspects.add(record.days); }));
  METERLINE_CHECK(visit_records(store, {.only = store::DeliveriesOf::events}, stop,
                                [&](const store::DeliveryRecord& record) {
                                  if (record.events.back().at > question.since)
                                    suspects.add(record.days);
                                }));
  return suspects;
}

/// The meters to look at, ascending: at most changes_meters_max, and one more if there is.
Result<std::vector<MeterId>> meters_of(const store::Store& store, const ChangesQuestion& question,
                                       const Suspects& suspects) {
  std::vector<MeterId> meters;
  if (question.meter) {
    if (*question.meter > question.after) meters.push_back(*question.meter);
    return meters;
  }
  if (!suspects.all()) {
    for (const auto& [meter, dates] : suspects.named()) meters.push_back(meter);
    return meters;
  }
  store::MetersQuery query{.after = question.after, .limit = meters_at_once, .names_only = true};
  while (meters.size() <= changes_meters_max) {
    METERLINE_TRY(auto found, store.meters(query));
    for (auto& each : found) meters.push_back(std::move(each.meter));
    if (found.size() < query.limit) break;
    query.after = meters.back();
  }
  if (meters.size() > changes_meters_max + 1) meters.resize(changes_meters_max + 1);
  return meters;
}

struct Slot {
  std::optional<Decimal> reading;
  Quality quality = Quality::missing;
  Note note;
  bool operator==(const Slot&) const = default;
};

Slot slot_of(const store::ResolvedDay& day, std::size_t slot) {
  const auto quality = day.qualities[slot];
  const Note* const note = note_at(day.notes, slot);
  return {.reading = quality == Quality::missing ? std::nullopt : std::optional(day.reading(slot)),
          .quality = quality,
          .note = note == nullptr ? Note() : *note};
}

std::int64_t readings_of(const store::ResolvedDay& day) {
  return day.slots() - std::count(day.qualities.begin(), day.qualities.end(), Quality::missing);
}

/// Null: nothing is stored.
std::int64_t slots_changed(const store::ResolvedDay* before, const store::ResolvedDay* after) {
  if (before == nullptr) return readings_of(*after);
  if (after == nullptr) return readings_of(*before);
  if (before->interval != after->interval || before->slots() != after->slots())
    return std::max(readings_of(*before), readings_of(*after));
  std::int64_t changed = 0;
  for (std::size_t slot = 0; slot < after->qualities.size(); ++slot)
    if (slot_of(*before, slot) != slot_of(*after, slot)) ++changed;
  return changed;
}

Result<std::optional<Total>> total_of(const MeterId& meter, const store::ResolvedDay* day) {
  if (day == nullptr) return std::optional<Total>();
  METERLINE_TRY(const auto total, store::total_of(meter, *day));
  Total found;
  METERLINE_CHECK(found.add(total));
  if (!adds_up(total.channel.unit)) found.sum.reset();
  return std::optional(found);
}

/// Compares the days of one meter, a month at a time: a day has up to 1,500 readings.
class MeterChanges {
 public:
  MeterChanges(const store::Store& store, const ChangesQuestion& question, const MeterId& meter,
               StopFlag stop, std::vector<ChangedDay>& changed)
      : store_(store), question_(question), meter_(meter), stop_(stop), changed_(changed) {}

  Result<void> find(const DateRange& dates) {
    for (auto month = Month::of(dates.from); month <= Month::of(dates.to); ++month.index) {
      METERLINE_CHECK(check_stop(stop_));
      const Date first = month.first_day();
      const auto last = Date::from_days(first.days() + month.days() - 1);
      METERLINE_CHECK(find_in(
          {.from = std::max(first, dates.from), .to = std::min(last.value_or(first), dates.to)}));
    }
    return {};
  }

 private:
  using Key = std::pair<Date, Channel>;
  struct Days {
    std::optional<store::ResolvedDay> before;
    std::optional<store::ResolvedDay> after;
  };

  Result<void> find_in(const DateRange& dates) {
    std::map<Key, Days> days;
    METERLINE_CHECK(read(dates, question_.since, &Days::before, days));
    METERLINE_CHECK(read(dates, Instant::end_of_time(), &Days::after, days));
    for (const auto& [key, both] : days) METERLINE_CHECK(compare(key, both));
    return {};
  }

  Result<void> read(const DateRange& dates, Instant as_of,
                    std::optional<store::ResolvedDay> Days::*which, std::map<Key, Days>& days) {
    return store::read_resolved(store_, {.meter = meter_, .dates = dates, .as_of = as_of},
                                [&](const store::ResolvedDay& day) -> Result<void> {
                                  if (is_wanted(day.channel, question_.channel, question_.flow))
                                    days[{day.date, day.channel}].*which = day;
                                  return {};
                                });
  }

  Result<void> compare(const Key& key, const Days& days) {
    const auto* const before = days.before ? &*days.before : nullptr;
    const auto* const after = days.after ? &*days.after : nullptr;
    const auto slots = slots_changed(before, after);
    if (slots == 0) return {};
    ChangedDay changed{
        .meter = meter_, .channel = key.second, .date = key.first, .slots = slots, .before = {}};
    METERLINE_TRY(changed.before, total_of(meter_, before));
    METERLINE_TRY(changed.after, total_of(meter_, after));
    changed_.push_back(std::move(changed));
    return {};
  }

  const store::Store& store_;
  const ChangesQuestion& question_;
  const MeterId& meter_;
  const StopFlag stop_;
  std::vector<ChangedDay>& changed_;
};

}  // namespace

Result<Changes> changes(const store::Store& store, const ChangesQuestion& question, StopFlag stop) {
  if (question.dates && question.dates->to < question.dates->from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", question.dates->to.text(),
                            question.dates->from.text()));
  METERLINE_TRY(const auto suspects, read_suspects(store, question, stop));
  METERLINE_TRY(const auto meters, meters_of(store, question, suspects));
  Changes answer{.question = question, .days = {}, .next = {}};
  for (std::size_t i = 0; i < meters.size(); ++i) {
    if (answer.days.size() >= question.limit || i == changes_meters_max) {
      answer.next = meters[i - 1];
      break;
    }
    if (const auto dates = suspects.days_of(meters[i]))
      METERLINE_CHECK(MeterChanges(store, question, meters[i], stop, answer.days).find(*dates));
  }
  return answer;
}

}  // namespace meterline::query
