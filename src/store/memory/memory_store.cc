#include "store/memory/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "core/try.h"
#include "store/delivery_events.h"
#include "store/packed_day.h"
#include "store/resolve.h"
#include "store/write_order.h"

namespace meterline::store::memory {
namespace {

/// Whose day it is; ordered as read_days visits.
struct DayKey {
  MeterId meter;
  Date date;
  Channel channel;
  auto operator<=>(const DayKey&) const = default;
};

/// Newest first.
struct VersionKey {
  Version version;
  DeliveryId delivery;
  bool operator<(const VersionKey& other) const {
    return std::tie(other.version, other.delivery) < std::tie(version, delivery);
  }
};

using Versions = std::map<VersionKey, std::string>;  ///< To the packed day.
using Days = std::map<DayKey, Versions>;

/// Whose read it is; ordered as read_registers visits.
struct ReadKey {
  MeterId meter;
  Instant at;
  MeterRegister of;
  auto operator<=>(const ReadKey&) const = default;
};
using Reads = std::map<ReadKey, std::map<VersionKey, RegisterRead>>;

class MemoryStore final : public Store {
 public:
  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override;

  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override;
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override;
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override;
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override;
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override;
  Result<void> amend(const Amendment& amendment) override;
  Result<Unit> remember_unit(Unit unit) override {
    const std::scoped_lock lock(mutex_);
    if (!settings_.unit) settings_.unit = unit;
    return *settings_.unit;
  }
  Result<StoreStatus> status(StatusOf what) const override;

  void keep(std::vector<DeliveryRecord> records, const Days& days, const Reads& reads);

 private:
  // Copies, so that a visitor may call the store.
  Days days_of(const MeterId& meter) const;
  Days all_days() const;
  Reads all_reads() const;
  DeliveryEvents events() const;
  DeliveryRecord with_events(DeliveryRecord record) const;

  mutable std::mutex mutex_;
  Days days_;
  Reads reads_;
  std::map<DeliveryId, DeliveryRecord> deliveries_;  ///< Without their events.
  DeliveryEvents events_;
  StoreSettings settings_;
};

class MemoryWriter final : public DeliveryWriter {
 public:
  MemoryWriter(MemoryStore& store, std::span<const Delivery> deliveries)
      : store_(store),
        deliveries_(deliveries.begin(), deliveries.end()),
        order_(deliveries.size()) {}

  Result<void> add(const DayToStore& day) override {
    METERLINE_CHECK(order_.check(day));
    const Delivery& delivery = deliveries_.at(day.delivery);
    const DayKey key{.meter = day.meter, .date = day.date, .channel = day.channel};
    METERLINE_TRY(const auto parts, split_packed_day(day.packed));
    METERLINE_TRY(const auto version, version_of(parts.grid, delivery.version()));
    days_[key][{version, delivery.id}] = day.packed;
    return {};
  }

  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    METERLINE_CHECK(order_.check(read, delivery));
    const Delivery& from = deliveries_.at(delivery);
    const ReadKey key{.meter = read.meter, .at = read.current.time.at, .of = read.of};
    reads_[key][{read.version(from.version()), from.id}] = read;
    return {};
  }

  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override {
    METERLINE_CHECK(order_.check(reports));
    std::vector<DeliveryRecord> records;
    records.reserve(reports.size());
    for (std::size_t i = 0; i < reports.size(); ++i)
      records.push_back({.delivery = deliveries_[i], .report = reports[i], .days = order_.days(i)});
    store_.keep(std::move(records), days_, reads_);
    return {};
  }

 private:
  MemoryStore& store_;
  const std::vector<Delivery> deliveries_;
  WriteOrder order_;
  Days days_;
  Reads reads_;
};

/// Resolves what was known at a time; the resolver stays empty when nothing was.
Result<void> resolve(const DayKey& key, const Versions& versions, Instant as_of,
                     const DeliveryEvents& events, DayResolver& resolver) {
  for (const auto& [at, packed] : versions) {
    if (at.version.received > as_of) continue;
    METERLINE_CHECK(resolver.add({.channel = key.channel,
                                  .date = key.date,
                                  .version = at.version,
                                  .delivery = at.delivery,
                                  .packed = packed,
                                  .withdrawn = events.is_withdrawn(at.delivery, as_of)}));
  }
  return {};
}

bool any_counts(const Reads& reads, const DeliveryEvents& events) {
  for (const auto& [key, versions] : reads)
    for (const auto& [at, read] : versions)
      if (!events.is_withdrawn(at.delivery)) return true;
  return false;
}

/// From all days and reads of one meter, ascending; of what counts.
Result<MeterInfo> info_of(const MeterId& meter, const Days& days, const Reads& reads,
                          const DeliveryEvents& events) {
  std::map<Channel, ChannelInfo> channels;
  for (const auto& [key, versions] : days) {
    const auto counting = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
      return !events.is_withdrawn(version.first.delivery);
    });
    if (counting == versions.end()) continue;
    ReadingDay newest;
    METERLINE_CHECK(unpack_day(counting->second, newest));
    const auto [found, is_new] = channels.try_emplace(key.channel);
    ChannelInfo& info = found->second;
    if (is_new) info.first = key.date;
    info.channel = key.channel;
    info.interval = newest.interval;
    info.zone = newest.zone;
    info.facts = newest.facts;
    info.last = key.date;
  }
  MeterInfo out{.meter = meter, .channels = {}, .has_reads = any_counts(reads, events)};
  for (const auto& [channel, info] : channels) out.channels.push_back(info);
  return out;
}

Result<std::unique_ptr<DeliveryWriter>> MemoryStore::write(std::span<const Delivery> deliveries) {
  return std::make_unique<MemoryWriter>(*this, deliveries);
}

void MemoryStore::keep(std::vector<DeliveryRecord> records, const Days& days, const Reads& reads) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, versions] : days)
    for (const auto& [at, packed] : versions) days_[key][at] = packed;
  for (const auto& [key, versions] : reads)
    for (const auto& [at, read] : versions) reads_[key][at] = read;
  for (auto& record : records) deliveries_[record.delivery.id] = std::move(record);
}

Days MemoryStore::days_of(const MeterId& meter) const {
  Days found;
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, versions] : days_)
    if (key.meter == meter) found.emplace(key, versions);
  return found;
}

Days MemoryStore::all_days() const {
  const std::scoped_lock lock(mutex_);
  return days_;
}

Reads MemoryStore::all_reads() const {
  const std::scoped_lock lock(mutex_);
  return reads_;
}

DeliveryEvents MemoryStore::events() const {
  const std::scoped_lock lock(mutex_);
  return events_;
}

Result<void> MemoryStore::read_days(const DaysQuery& query, const DayVisitor& visit) const {
  const auto events = this->events();
  for (const auto& [key, versions] : days_of(query.meter)) {
    if (!query.dates.contains(key.date)) continue;
    for (const auto& [at, packed] : versions) {
      if (at.version.received > query.as_of) continue;
      METERLINE_CHECK(visit({.channel = key.channel,
                             .date = key.date,
                             .version = at.version,
                             .delivery = at.delivery,
                             .packed = packed,
                             .withdrawn = events.is_withdrawn(at.delivery, query.as_of)}));
    }
  }
  return {};
}

Result<void> MemoryStore::read_registers(const ReadsQuery& query, const ReadVisitor& visit) const {
  const auto events = this->events();
  for (const auto& [key, versions] : all_reads()) {
    if (key.meter != query.meter || key.at < query.from || key.at > query.to) continue;
    for (const auto& [at, read] : versions) {
      if (at.version.received > query.as_of) continue;
      METERLINE_CHECK(visit({.read = read,
                             .version = at.version,
                             .delivery = at.delivery,
                             .withdrawn = events.is_withdrawn(at.delivery, query.as_of)}));
    }
  }
  return {};
}

Result<void> MemoryStore::read_months(const TotalsQuery& query, const MonthsVisitor& visit) const {
  if (query.meters) return read_resolved_months(*this, query, visit);
  const auto events = this->events();
  for (const auto& [key, versions] : all_days()) {
    if (!query.dates.contains(key.date) || !query.span.contains(key.meter.text())) continue;
    DayResolver resolver;
    METERLINE_CHECK(resolve(key, versions, query.as_of, events, resolver));
    if (resolver.empty()) continue;
    METERLINE_TRY(const DayTotal total, total_of(key.meter, resolver.day()));
    METERLINE_CHECK(visit.days(ResolvedDays(total)));
  }
  return {};
}

Result<std::vector<MeterInfo>> MemoryStore::meters(const MetersQuery& query) const {
  std::map<MeterId, std::pair<Days, Reads>> by_meter;
  for (const auto& [key, versions] : all_days()) by_meter[key.meter].first[key] = versions;
  for (const auto& [key, versions] : all_reads()) by_meter[key.meter].second[key] = versions;

  const auto events = query.withdrawn == Withdrawn::left_out ? this->events() : DeliveryEvents();
  std::vector<MeterInfo> found;
  for (const auto& [meter, known] : by_meter) {
    if (found.size() == query.limit) break;
    if (query.only ? meter != *query.only
                   : meter <= query.after || !meter.text().starts_with(query.prefix))
      continue;
    METERLINE_TRY(MeterInfo info, info_of(meter, known.first, known.second, events));
    if (!info.channels.empty() || info.has_reads) found.push_back(std::move(info));
  }
  return found;
}

Result<void> MemoryStore::add_event(const DeliveryId& delivery, const DeliveryEvent& event) {
  const std::scoped_lock lock(mutex_);
  return events_.add(delivery, event);
}

DeliveryRecord MemoryStore::with_events(DeliveryRecord record) const {
  const auto events = events_.of(record.delivery.id);
  record.events.assign(events.begin(), events.end());
  return record;
}

Result<std::vector<DeliveryRecord>> MemoryStore::deliveries(const DeliveriesQuery& query) const {
  const std::scoped_lock lock(mutex_);
  std::vector<DeliveryRecord> found;
  if (query.id) {
    const auto one = deliveries_.find(*query.id);
    if (one != deliveries_.end()) found.push_back(with_events(one->second));
    return found;
  }
  std::map<std::pair<Instant, DeliveryId>, const DeliveryRecord*> by_time;
  for (const auto& [id, record] : deliveries_)
    by_time[{query.received_after ? record.delivery.received_at : record.delivery.delivered_at,
             id}] = &record;

  bool begun = !query.after;
  for (auto at = by_time.rbegin(); at != by_time.rend(); ++at) {
    const DeliveryRecord& record = *at->second;
    const bool wanted =
        (!query.source || record.delivery.source == *query.source) &&
        (!query.received_after || record.delivery.received_at > *query.received_after) &&
        events_.has(query.only, record.delivery.id);
    if (begun && wanted && found.size() < query.limit) found.push_back(with_events(record));
    if (record.delivery.id == query.after) begun = true;
  }
  return found;
}

Result<void> MemoryStore::amend(const Amendment& amendment) {
  const std::scoped_lock lock(mutex_);
  METERLINE_CHECK(change_settings(amendment, settings_));
  for (const auto& [meter, channel, date, version, delivery] : amendment.days) {
    const auto found = days_.find({.meter = meter, .date = date, .channel = channel});
    if (found == days_.end()) continue;
    found->second.erase({version, delivery});
    if (found->second.empty()) days_.erase(found);
  }
  for (const auto& [meter, at, of, version, delivery] : amendment.reads) {
    const auto found = reads_.find({.meter = meter, .at = at, .of = of});
    if (found == reads_.end()) continue;
    found->second.erase({version, delivery});
    if (found->second.empty()) reads_.erase(found);
  }
  for (const auto& record : amendment.records) {
    const auto& id = record.delivery.id;
    for (const auto& event : record.events) events_.restate(id, event);
    const auto found = deliveries_.find(id);
    if (found == deliveries_.end()) continue;
    found->second = record;
    found->second.events.clear();
  }
  return {};
}

Result<StoreStatus> MemoryStore::status(StatusOf what) const {
  const std::scoped_lock lock(mutex_);
  if (what == StatusOf::settings) return StoreStatus{.settings = settings_};
  if (what != StatusOf::size) return StoreStatus();
  std::int64_t bytes = 0;
  for (const auto& [key, versions] : days_)
    for (const auto& [at, packed] : versions) bytes += static_cast<std::int64_t>(packed.size());
  return StoreStatus{.figures = {{.name = "packed_bytes", .value = bytes}}};
}

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace meterline::store::memory
