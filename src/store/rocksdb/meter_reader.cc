// What is asked of one meter.

#include <algorithm>
#include <bit>
#include <span>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/register_reads.h"
#include "store/resolve.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/month_sums.h"
#include "store/rocksdb/rocksdb_reader.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {
namespace {

/// So many entries are read one by one; more of them, as neighbours.
constexpr std::size_t point_reads_max = 4;
/// Of a store with no more channels, each is looked for without asking which ones the meter has.
constexpr std::size_t few_channels_max = 2;
/// Values of totals that are read together.
constexpr std::size_t totals_per_read_max = 32;
/// From here on the months that the meter has are looked up before months are read.
constexpr int long_months_min = 24;

/// A day of one version, on its way to a visitor; points into blocks.
struct FoundDay {
  std::size_t channel;
  Date date;
  Version version;
  DeliveryId delivery;
  bool withdrawn;
  PackedParts parts;
};

/// All that a meter has in one month, channel by channel.
class MonthOfMeter {
 public:
  /// Begins a month: forgets the one before.
  void start(Month month) {
    month_ = month;
    used_ = 0;
  }
  bool empty() const { return used_ == 0; }
  Month month() const { return month_; }
  /// Where the next block is to be put; add() then counts it in.
  ::rocksdb::PinnableSlice& next_block() {
    if (used_ == blocks_.size()) blocks_.emplace_back();
    blocks_[used_].bytes.Reset();
    return blocks_[used_].bytes;
  }
  void add(const Channel& channel) { blocks_[used_++].channel = channel; }

  /// Visits the days asked for of what was added.
  Result<void> visit(const DaysQuery& query, const DeliveryTable& table, const DayVisitor& visit);

 private:
  struct Block {
    Channel channel;
    ::rocksdb::PinnableSlice bytes;
  };
  Result<void> collect(std::size_t channel, const DaysQuery& query, const DeliveryTable& table);

  Month month_;
  std::vector<Block> blocks_;  ///< Kept from month to month for their memory.
  std::size_t used_ = 0;
  std::vector<MonthEntry> entries_;
  std::vector<FoundDay> found_;
  std::string packed_;
};

Result<void> MonthOfMeter::collect(std::size_t channel, const DaysQuery& query,
                                   const DeliveryTable& table) {
  const std::uint32_t wanted = days_in(month_, query.dates);
  METERLINE_CHECK(read_month_block(view_of(blocks_[channel].bytes), wanted, entries_));
  DeliveryLookup deliveries(table, query.as_of);
  for (const auto& entry : entries_) {
    METERLINE_TRY(const auto* const delivery, deliveries.find(entry.delivery));
    if (!delivery->received) continue;
    METERLINE_TRY(const auto version, version_of(entry.grid, delivery->version));
    found_.push_back({.channel = channel,
                      .date = day_of(month_, entry.day),
                      .version = version,
                      .delivery = delivery->id,
                      .withdrawn = delivery->withdrawn,
                      .parts = {.grid = entry.grid, .body = entry.body}});
  }
  return {};
}

Result<void> MonthOfMeter::visit(const DaysQuery& query, const DeliveryTable& table,
                                 const DayVisitor& visit) {
  found_.clear();
  for (std::size_t i = 0; i < used_; ++i) METERLINE_CHECK(collect(i, query, table));
  const auto order = [this](const FoundDay& a, const FoundDay& b) {
    if (a.date == b.date && a.channel != b.channel)
      return blocks_[a.channel].channel < blocks_[b.channel].channel;
    return std::tie(a.date, b.version, b.delivery) < std::tie(b.date, a.version, a.delivery);
  };
  if (!std::is_sorted(found_.begin(), found_.end(), order))
    std::sort(found_.begin(), found_.end(), order);
  for (const auto& day : found_) {
    join_packed_day(day.parts, packed_);
    METERLINE_CHECK(visit({.channel = blocks_[day.channel].channel,
                           .date = day.date,
                           .version = day.version,
                           .delivery = day.delivery,
                           .packed = packed_,
                           .withdrawn = day.withdrawn}));
  }
  return {};
}

std::uint32_t first_of(std::uint32_t days) {
  return static_cast<std::uint32_t>(std::countr_zero(days));
}
std::uint32_t last_of(std::uint32_t days) {
  return static_cast<std::uint32_t>(std::bit_width(days)) - 1;
}

Month month_at(std::size_t index) { return {.index = static_cast<std::uint16_t>(index)}; }

/// Unites what is stored, if it is not empty, with those of the sorted entries that have the key.
Result<void> unite_recent(Family family, std::string_view key, const EntryBuffer& recent,
                          ::rocksdb::PinnableSlice& stored) {
  std::vector<std::string_view> values;
  for (std::size_t i = recent.count_before(key); i < recent.size() && recent.key(i) == key; ++i)
    values.push_back(recent.value(i));
  if (values.empty()) return {};
  if (!stored.empty()) values.push_back(view_of(stored));
  std::string united(values[0]);
  if (values.size() > 1) METERLINE_CHECK(unite_values(family, values, united));
  stored.Reset();
  stored.PinSelf(united);
  return {};
}

/// Brings the reads of each time into the order of registers and versions.
class ReadsOfTime {
 public:
  explicit ReadsOfTime(const ReadVisitor& visit) : visit_(visit) {}

  /// Times ascending.
  Result<void> add(const RegisterRead& read, const Version& version,
                   const FoundDelivery& delivery) {
    if (!held_.empty() && held_.back().read.current.time.at != read.current.time.at)
      METERLINE_CHECK(finish());
    held_.push_back({.read = read,
                     .version = version,
                     .delivery = delivery.id,
                     .withdrawn = delivery.withdrawn});
    return {};
  }

  /// Visits what is held.
  Result<void> finish() {
    std::sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) {
      if (a.read.of != b.read.of) return a.read.of < b.read.of;
      return std::tie(b.version, b.delivery) < std::tie(a.version, a.delivery);
    });
    for (const auto& held : held_)
      METERLINE_CHECK(visit_({.read = held.read,
                              .version = held.version,
                              .delivery = held.delivery,
                              .withdrawn = held.withdrawn}));
    held_.clear();
    return {};
  }

 private:
  struct Held {
    RegisterRead read;
    Version version;
    DeliveryId delivery;
    bool withdrawn = false;
  };
  const ReadVisitor& visit_;
  std::vector<Held> held_;
};

}  // namespace

Result<bool> RocksdbReader::get(Family family, std::string_view key,
                                ::rocksdb::PinnableSlice& value) const {
  const auto status = database_.db().Get(options_, database_.family(family), slice_of(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return database_error("read the store", status);
  return true;
}

Result<void> RocksdbReader::get_all(Family family, std::span<const std::string> keys,
                                    std::vector<::rocksdb::PinnableSlice>& values) const {
  values.clear();
  values.resize(keys.size());
  if (keys.size() == 1) {
    METERLINE_TRY(const bool is_there, get(family, keys[0], values[0]));
    if (!is_there) values[0].Reset();
    return {};
  }
  const std::vector<::rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<::rocksdb::Status> statuses(keys.size());
  database_.db().MultiGet(options_, database_.family(family), keys.size(), slices.data(),
                          values.data(), statuses.data());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound())
      values[i].Reset();
    else if (!statuses[i].ok())
      return database_error("read the store", statuses[i]);
  }
  return {};
}

Result<bool> RocksdbReader::get_days(const MonthOfChannel& month, std::string& key,
                                     ::rocksdb::PinnableSlice& value) const {
  days_key(month.meter, month.month, month.channel, key);
  EntryBuffer recent;  // Looked up first: what is folded meanwhile is found in both.
  if (!recent_.empty()) recent_.find(key, recent);
  METERLINE_TRY(const bool is_stored, get(Family::days, key, value));
  if (recent.empty()) return is_stored;
  if (!is_stored) value.Reset();
  METERLINE_CHECK(unite_recent(Family::days, key, recent, value));
  return true;
}

Result<void> RocksdbReader::get_totals(const MeterId& meter, MonthRange months,
                                       const std::vector<Channel>& channels,
                                       std::vector<::rocksdb::PinnableSlice>& values) const {
  std::vector<std::string> keys;
  for (Month month = months.first; month <= months.last; ++month.index)
    for (const auto& channel : channels) totals_key(meter, month, channel, keys.emplace_back());
  EntryBuffer recent;  // Looked up first, as above.
  if (!recent_.empty()) recent_.of_meter(Family::totals, meter, months, recent);
  METERLINE_CHECK(get_all(Family::totals, keys, values));
  if (recent.empty()) return {};
  recent.sort();
  for (std::size_t i = 0; i < keys.size(); ++i)
    METERLINE_CHECK(unite_recent(Family::totals, keys[i], recent, values[i]));
  return {};
}

Result<std::vector<Channel>> RocksdbReader::listed_channels(const MeterId& meter) const {
  std::vector<Channel> channels;
  ::rocksdb::PinnableSlice value;
  METERLINE_TRY(const bool is_known, get(Family::meters, meters_key(meter), value));
  if (is_known) METERLINE_CHECK(read_meter_channels(view_of(value), channels));
  return channels;
}

KnownMeters::Channels RocksdbReader::few_channels() const {
  auto all = known_.channels();
  return all->size() <= few_channels_max ? std::move(all) : nullptr;
}

Result<KnownMeters::Channels> RocksdbReader::likely_channels(const MeterId& meter) const {
  if (auto few = few_channels()) return few;
  METERLINE_TRY(auto channels, listed_channels(meter));
  return std::make_shared<const std::vector<Channel>>(std::move(channels));
}

Result<void> RocksdbReader::days(const DaysQuery& query, const DayVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  METERLINE_TRY(const auto channels, likely_channels(query.meter));
  return days_of(query, *channels, visit);
}

/// Where months are read one by one, of these channels only.
Result<void> RocksdbReader::days_of(const DaysQuery& query, std::span<const Channel> channels,
                                    const DayVisitor& visit) const {
  const Month first = Month::of(query.dates.from);
  const Month last = Month::of(query.dates.to);
  const std::size_t months = std::size_t{last.index} - first.index + 1;
  if (months * channels.size() > point_reads_max) return days_of_many_months(query, visit);

  MonthOfMeter found;
  std::string key;
  for (Month month = first; month <= last; ++month.index) {
    found.start(month);
    for (const auto& channel : channels) {
      METERLINE_TRY(const bool is_there,
                    get_days({query.meter, month, channel}, key, found.next_block()));
      if (is_there) found.add(channel);
    }
    METERLINE_CHECK(found.visit(query, table_, visit));
  }
  return {};
}

Result<void> RocksdbReader::days_of_many_months(const DaysQuery& query,
                                                const DayVisitor& visit) const {
  const MonthRange months{.first = Month::of(query.dates.from), .last = Month::of(query.dates.to)};
  EntryBuffer recent;
  recent_.of_meter(Family::days, query.meter, months, recent);
  recent.sort();
  const std::string end =
      days_key_start(query.meter, {.index = static_cast<std::uint16_t>(months.last.index + 1)});
  const ::rocksdb::Slice upper = end;
  ::rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto stored = iterate(Family::days, options);

  MonthOfMeter month;
  UnitedIterator blocks(Family::days, *stored, recent);
  for (blocks.seek(days_key_start(query.meter, months.first)); blocks.is_valid(); blocks.next()) {
    const auto key = parse_days_key(blocks.key());
    if (!key) return damaged_entry();
    if (month.month() != key->month) {
      METERLINE_CHECK(month.visit(query, table_, visit));
      month.start(key->month);
    }
    month.next_block().PinSelf(slice_of(blocks.value()));
    month.add(key->channel);
  }
  METERLINE_CHECK(blocks.status());
  return month.visit(query, table_, visit);
}

/// A question of many years is cut to the months that the meter has: as of an earlier time, days
/// may count that are withdrawn now.
Result<MonthRange> RocksdbReader::months_of(const DaysQuery& query) const {
  MonthRange months{.first = Month::of(query.dates.from), .last = Month::of(query.dates.to)};
  if (months.last.index - months.first.index < long_months_min) return months;
  METERLINE_TRY(const auto info, meters({.withdrawn = Withdrawn::counted, .only = query.meter}));
  Date first = query.dates.to;
  Date last = query.dates.from;
  for (const auto& known : info)
    for (const auto& channel : known.channels) {
      first = std::min(first, channel.first);
      last = std::max(last, channel.last);
    }
  return MonthRange{.first = std::max(months.first, Month::of(first)),
                    .last = std::min(months.last, Month::of(last))};
}

Result<void> RocksdbReader::months_of_meter(const DaysQuery& query,
                                            const MonthVisitor& visit) const {
  METERLINE_TRY(const auto channels, likely_channels(query.meter));
  METERLINE_TRY(const auto months, months_of(query));
  if (channels->empty()) return {};
  MonthReading reading(table_, query.dates, query.as_of);
  std::vector<::rocksdb::PinnableSlice> values;
  const std::size_t months_max = std::max<std::size_t>(1, totals_per_read_max / channels->size());
  for (std::size_t first = months.first.index; first <= months.last.index; first += months_max) {
    const auto last = std::min(first + months_max - 1, std::size_t{months.last.index});
    METERLINE_CHECK(get_totals(query.meter, {month_at(first), month_at(last)}, *channels, values));
    auto value = values.begin();
    for (std::size_t month = first; month <= last; ++month)
      for (const auto& channel : *channels) {
        const auto bytes = view_of(*value++);
        if (bytes.empty()) continue;
        METERLINE_CHECK(
            visit_month({query.meter, month_at(month), channel}, bytes, reading, visit));
      }
  }
  return {};
}

/// Visits the days asked for of a value of `totals`, if there is one.
Result<void> RocksdbReader::visit_month(const MonthOfChannel& of, std::string_view value,
                                        MonthReading& reading, const MonthVisitor& visit) const {
  METERLINE_CHECK(
      reading.days.read(of.month, value, days_in(of.month, reading.dates), reading.deliveries));
  if (reading.days.stored() == 0) return {};
  METERLINE_CHECK(resolve_others(of, reading));
  const MeterMonth month(of.meter, of.channel, of.month, reading.days, reading.others);
  return month.stored == 0 ? Result<void>() : visit(month);
}

/// Makes the totals of days whose newest version is not complete out of all that is stored of them.
Result<void> RocksdbReader::resolve_others(const MonthOfChannel& of, MonthReading& reading) const {
  OtherDays& others = reading.others;
  others.clear();
  const std::uint32_t wanted = reading.days.stored() & ~reading.days.plain();
  if (wanted == 0) return {};
  const DaysQuery query{.meter = of.meter,
                        .dates = {.from = day_of(of.month, first_of(wanted)),
                                  .to = day_of(of.month, last_of(wanted))},
                        .as_of = reading.as_of};
  const Date first = of.month.first_day();
  Resolving resolving([&](const ResolvedDay& day) -> Result<void> {
    const auto at = static_cast<std::uint32_t>(day.date.days() - first.days());
    if (!is_in(wanted, at)) return {};
    METERLINE_TRY(auto total, total_of(of.meter, day));
    others.add(at, std::move(total), day.interval);
    return {};
  });
  METERLINE_CHECK(days_of(query, {&of.channel, 1}, std::ref(resolving)));
  return resolving.finish();
}

/// The versions of one register at one time follow each other, but in no order.
Result<void> RocksdbReader::registers(const ReadsQuery& query, const ReadVisitor& visit) const {
  if (query.to < query.from) return {};
  const std::string end = registers_key_end(query.meter);
  const ::rocksdb::Slice upper = end;
  ::rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::registers, options);
  DeliveryLookup deliveries(table_, query.as_of);
  ReadsOfTime reads(visit);
  RegisterRead read;
  for (iterator->Seek(registers_key_start(query.meter, query.from)); iterator->Valid();
       iterator->Next()) {
    if (!parse_registers_key(view_of(iterator->key()), read)) return damaged_entry();
    if (read.current.time.at > query.to) break;
    auto value = view_of(iterator->value());
    const auto number = take_varint(value);
    if (!number || *number > UINT32_MAX) return damaged_entry();
    METERLINE_TRY(const auto* const delivery, deliveries.find(static_cast<std::uint32_t>(*number)));
    if (!delivery->received) continue;
    METERLINE_CHECK(unpack_read(value, read));
    METERLINE_CHECK(reads.add(read, read.version(delivery->version), *delivery));
  }
  METERLINE_CHECK(finished(*iterator));
  return reads.finish();
}

Result<bool> RocksdbReader::has_any_read(const MeterId& meter) const {
  const std::string end = registers_key_end(meter);
  const ::rocksdb::Slice upper = end;
  ::rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::registers, options);
  iterator->Seek(meter.text() + '\0');
  METERLINE_CHECK(finished(*iterator));
  return iterator->Valid();
}

Result<bool> RocksdbReader::counts_any_read(const MeterId& meter) const {
  bool any = false;
  const auto read = registers(all_reads_of(meter), [&](const StoredRead& stored) -> Result<void> {
    any = !stored.withdrawn;
    return any ? fail(Errc::cancelled, "enough was read") : Result<void>();
  });
  if (!any) METERLINE_CHECK(read);
  return any;
}

}  // namespace meterline::store::rocksdb
