#include "store/prune.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "core/try.h"
#include "store/packed_day.h"
#include "store/register_reads.h"

namespace meterline::store {
namespace {

constexpr std::size_t meters_step = 1000;
constexpr std::size_t deliveries_step = 50;
/// Versions that are taken out by one amendment.
constexpr std::size_t batch_versions = 20'000;

/// Deliveries that were withdrawn or brought back. What they say is neither taken away nor relied
/// on: it counts at some times and at others not.
using Unsteady = std::set<DeliveryId>;

Result<Unsteady> read_unsteady(const Store& store) {
  Unsteady found;
  DeliveriesQuery query{.limit = deliveries_step, .only = DeliveriesOf::events};
  for (;;) {
    METERLINE_TRY(const auto page, store.deliveries(query));
    for (const auto& record : page) found.insert(record.delivery.id);
    if (page.size() < query.limit) return found;
    query.after = page.back().delivery.id;
  }
}

/// From which receipt on versions are kept for themselves; empty: all of them.
std::optional<Instant> kept_since(const PruneRequest& request, std::vector<Instant> received) {
  if (request.versions_since) return request.versions_since;
  if (!request.versions || received.size() <= *request.versions) return std::nullopt;
  const auto nth = received.begin() + static_cast<std::ptrdiff_t>(*request.versions - 1);
  std::nth_element(received.begin(), nth, received.end(), std::greater<>());
  return *nth;
}

/// Versions of one day of a channel, or of one register read, the newest first.
template <class Content>
struct Versions {
  struct Each {
    Version version;
    DeliveryId delivery;
    bool is_steady = true;
    Content content;
  };
  std::vector<Each> all;

  std::vector<Instant> steady_receipts() const {
    std::vector<Instant> received;
    received.reserve(all.size());
    for (const auto& each : all)
      if (each.is_steady) received.push_back(each.version.received);
    return received;
  }

  /// Those that no answer as of `since` or later needs: `covers(newer, old)` takes one newer
  /// version after another, and tells whether all that was taken leaves nothing of the old one.
  template <class Covers>
  std::vector<const Each*> unneeded(Instant since, const Covers& covers) const {
    std::vector<const Each*> found;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (!all[i].is_steady || all[i].version.received >= since) continue;
      std::vector<const Content*> newer;
      for (std::size_t j = 0; j < i; ++j)
        if (all[j].is_steady && all[j].version.received <= since) newer.push_back(&all[j].content);
      if (!newer.empty() && covers(newer, all[i].content)) found.push_back(&all[i]);
    }
    return found;
  }
};

/// What versions of a day complete each other by: see ResolvedDay.
struct DayShape {
  IntervalLength interval;
  TimeZone zone;
  std::vector<bool> has_reading;  ///< One a slot.
};

/// Versions of another shape may be left aside when it comes to a later one: only those of its own
/// shape cover a version at all times from then on.
bool covers_day(const std::vector<const DayShape*>& newer, const DayShape& old) {
  for (std::size_t slot = 0; slot < old.has_reading.size(); ++slot) {
    if (!old.has_reading[slot]) continue;
    const bool is_covered = std::any_of(newer.begin(), newer.end(), [&](const DayShape* shape) {
      return shape->interval == old.interval && shape->zone == old.zone &&
             shape->has_reading.size() == old.has_reading.size() && shape->has_reading[slot];
    });
    if (!is_covered) return false;
  }
  return true;
}

struct NoContent {};

class Pruning {
 public:
  Pruning(Store& store, const PruneRequest& request, PruneMode mode, const PruneHooks& hooks,
          PruneReport& report)
      : store_(store), request_(request), mode_(mode), hooks_(hooks), report_(report) {}

  Result<void> run() {
    METERLINE_TRY(unsteady_, read_unsteady(store_));
    MetersQuery query{.prefix = "",
                      .after = request_.after,
                      .limit = meters_step,
                      .withdrawn = Withdrawn::counted};
    for (;;) {
      METERLINE_TRY(const auto page, store_.meters(query));
      for (const auto& info : page) METERLINE_CHECK(take_meter(info));
      if (page.size() < query.limit) break;
      query.after = page.back().meter;
    }
    METERLINE_CHECK(flush());
    if (!request_.before || mode_ == PruneMode::dry_run) return {};
    return store_.amend({.at = request_.now, .before = request_.before, .pace = hooks_.pace});
  }

 private:
  bool by_versions() const { return request_.versions || request_.versions_since; }
  Result<void> take_meter(const MeterInfo& info);
  Result<void> take_days(const MeterInfo& info);
  Result<void> take_reads(const MeterInfo& info);
  void take(const MeterId& meter, const StoredDay& day);
  Result<void> hold(const MeterId& meter, const StoredDay& day);
  void end_day(const MeterId& meter);
  void hold(const MeterId& meter, const StoredRead& stored);
  void end_read(const MeterId& meter);
  Result<void> flush();
  void pace(std::size_t requests) const {
    if (hooks_.pace) hooks_.pace(requests);
  }
  Result<void> check_stop() const {
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(Errc::cancelled, "stopped on request");
    return {};
  }

  Store& store_;
  const PruneRequest& request_;
  const PruneMode mode_;
  const PruneHooks& hooks_;
  PruneReport& report_;
  Unsteady unsteady_;

  std::vector<DayPlace> days_;  ///< To go, and so are reads and meters.
  std::vector<ReadPlace> reads_;
  std::vector<MeterId> meters_;
  MeterId last_;

  Date held_date_;  ///< And channel: of the versions that are held.
  Channel held_channel_;
  Versions<DayShape> held_;
  Instant held_at_;  ///< And register.
  MeterRegister held_register_;
  Versions<NoContent> held_reads_;
  bool any_read_stays_ = false;
  ReadingDay scratch_;
};

Result<void> Pruning::take_meter(const MeterInfo& info) {
  METERLINE_CHECK(check_stop());
  const auto days_before = days_.size();
  const auto reads_before = reads_.size();
  METERLINE_CHECK(take_days(info));
  any_read_stays_ = false;
  if (info.has_reads) METERLINE_CHECK(take_reads(info));
  ++report_.meters;
  if (hooks_.meters != nullptr) ++*hooks_.meters;
  if (days_.size() > days_before || reads_.size() > reads_before) ++report_.meters_changed;
  const bool is_emptied =
      request_.before && !any_read_stays_ &&
      std::all_of(info.channels.begin(), info.channels.end(),
                  [&](const ChannelInfo& known) { return known.last < *request_.before; });
  if (is_emptied) meters_.push_back(info.meter);
  if (is_emptied) ++report_.meters_emptied;
  last_ = info.meter;
  return days_.size() + reads_.size() < batch_versions ? Result<void>() : flush();
}

/// A meter that has nothing to go is not read.
Result<void> Pruning::take_days(const MeterInfo& info) {
  DateRange dates{.from = Date::max(), .to = Date::min()};
  for (const auto& known : info.channels) {
    dates.from = std::min(dates.from, known.first);
    dates.to = std::max(dates.to, known.last);
  }
  const auto before = request_.before.value_or(Date::min());
  if (!by_versions() && dates.from >= before) return {};
  if (!by_versions()) dates.to = std::min(dates.to, *Date::from_days(before.days() - 1));
  if (dates.to < dates.from) return {};
  const std::int64_t years = std::int64_t{1} + dates.to.civil().year - dates.from.civil().year;
  pace(static_cast<std::size_t>(years));
  METERLINE_CHECK(
      store_.read_days({.meter = info.meter, .dates = dates}, [&](const StoredDay& day) {
        if (day.date >= before) return hold(info.meter, day);
        take(info.meter, day);
        return Result<void>();
      }));
  end_day(info.meter);
  return {};
}

void Pruning::take(const MeterId& meter, const StoredDay& day) {
  days_.push_back({.meter = meter,
                   .channel = day.channel,
                   .date = day.date,
                   .version = day.version,
                   .delivery = day.delivery});
  ++report_.days;
  if (hooks_.days != nullptr) ++*hooks_.days;
  auto& dates = report_.dates;
  if (!dates) dates = {.from = day.date, .to = day.date};
  dates->from = std::min(dates->from, day.date);
  dates->to = std::max(dates->to, day.date);
}

Result<void> Pruning::hold(const MeterId& meter, const StoredDay& day) {
  METERLINE_CHECK(check_stop());
  if (day.date != held_date_ || day.channel != held_channel_) end_day(meter);
  held_date_ = day.date;
  held_channel_ = day.channel;
  METERLINE_CHECK(unpack_day(day.packed, scratch_));
  DayShape shape{.interval = scratch_.interval, .zone = scratch_.zone, .has_reading = {}};
  shape.has_reading.reserve(scratch_.qualities.size());
  for (const auto quality : scratch_.qualities)
    shape.has_reading.push_back(quality != Quality::missing);
  held_.all.push_back({.version = day.version,
                       .delivery = day.delivery,
                       .is_steady = !unsteady_.contains(day.delivery),
                       .content = std::move(shape)});
  return {};
}

void Pruning::end_day(const MeterId& meter) {
  if (const auto since = kept_since(request_, held_.steady_receipts()))
    for (const auto* each : held_.unneeded(*since, covers_day))
      take(meter, {.channel = held_channel_,
                   .date = held_date_,
                   .version = each->version,
                   .delivery = each->delivery});
  held_.all.clear();
}

Result<void> Pruning::take_reads(const MeterInfo& info) {
  pace(1);
  METERLINE_CHECK(store_.read_registers(
      all_reads_of(info.meter), [&](const StoredRead& stored) -> Result<void> {
        METERLINE_CHECK(check_stop());
        const auto& read = stored.read;
        if (!request_.before || read.current.time.date() >= *request_.before) {
          any_read_stays_ = true;
          if (by_versions()) hold(info.meter, stored);
          return {};
        }
        reads_.push_back({.meter = info.meter,
                          .at = read.current.time.at,
                          .of = read.of,
                          .version = stored.version,
                          .delivery = stored.delivery});
        ++report_.reads;
        return {};
      }));
  end_read(info.meter);
  return {};
}

void Pruning::hold(const MeterId& meter, const StoredRead& stored) {
  const auto& read = stored.read;
  if (read.current.time.at != held_at_ || read.of != held_register_) end_read(meter);
  held_at_ = read.current.time.at;
  held_register_ = read.of;
  held_reads_.all.push_back({.version = stored.version,
                             .delivery = stored.delivery,
                             .is_steady = !unsteady_.contains(stored.delivery),
                             .content = {}});
}

/// The newest version of a read counts as a whole.
void Pruning::end_read(const MeterId& meter) {
  const auto any_covers = [](const auto&, const NoContent&) { return true; };
  if (const auto since = kept_since(request_, held_reads_.steady_receipts()))
    for (const auto* each : held_reads_.unneeded(*since, any_covers)) {
      reads_.push_back({.meter = meter,
                        .at = held_at_,
                        .of = held_register_,
                        .version = each->version,
                        .delivery = each->delivery});
      ++report_.reads;
    }
  held_reads_.all.clear();
}

Result<void> Pruning::flush() {
  if (mode_ == PruneMode::prune && days_.size() + reads_.size() + meters_.size() > 0)
    METERLINE_CHECK(store_.amend({.at = request_.now,
                                  .days = days_,
                                  .reads = reads_,
                                  .before = request_.before,
                                  .meters = meters_,
                                  .pace = hooks_.pace}));
  days_.clear();
  reads_.clear();
  meters_.clear();
  report_.last = last_;
  return {};
}

}  // namespace

Result<void> prune(Store& store, const PruneRequest& request, PruneMode mode,
                   const PruneHooks& hooks, PruneReport& report) {
  if (!request.before && !request.versions && !request.versions_since)
    return fail(Errc::invalid_argument, "nothing is named that is not to be kept");
  if (request.versions == std::size_t{0})
    return fail(Errc::invalid_argument, "at least one version of a day is kept");
  return Pruning(store, request, mode, hooks, report).run();
}

}  // namespace meterline::store
