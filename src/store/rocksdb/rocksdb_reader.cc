#include "store/rocksdb/rocksdb_reader.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/resolve.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/month_block.h"

namespace meterline::store {
namespace {

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged entry; restore it from the files");
}

Result<void> finished(const rocksdb::Iterator& iterator) {
  if (!iterator.status().ok()) return database_error("read the store", iterator.status());
  return {};
}

/// The days of `month` that are in the range: bit 0 is the first of the month.
std::uint32_t days_in(Month month, const DateRange& dates) {
  const int first = month.first_day().days();
  const int from = std::max(0, dates.from.days() - first);
  const int to = std::min(month.days() - 1, dates.to.days() - first);
  if (from > to) return 0;
  return ((std::uint32_t{2} << to) - 1) & ~((std::uint32_t{1} << from) - 1);
}

Date day_of(Month month, std::uint32_t day) {
  return *Date::from_days(month.first_day().days() + std::int64_t{day});
}

bool is_in(std::uint32_t days, std::uint32_t day) { return (days >> day & 1) != 0; }

/// Reads a block of a month and makes sure that its days are of that month.
Result<void> read_month(Month month, std::string_view block, std::vector<MonthEntry>& entries) {
  METERLINE_CHECK(read_month_block(block, entries));
  const auto days = static_cast<std::uint32_t>(month.days());
  for (const auto& entry : entries)
    if (entry.day >= days) return damaged();
  return {};
}

/// Looks deliveries up; neighbours in a block are mostly of the same one.
class DeliveryLookup {
 public:
  explicit DeliveryLookup(const DeliveryTable& table) : table_(table) {}

  Result<DeliveryTable::Entry> find(std::uint32_t number) {
    if (!last_ || number_ != number) last_ = table_.find(number);
    number_ = number;
    if (!last_) return damaged();
    return *last_;
  }

 private:
  const DeliveryTable& table_;
  std::uint32_t number_ = 0;
  std::optional<DeliveryTable::Entry> last_;
};

/// A day of one version, on its way to a visitor; points into blocks.
struct FoundDay {
  std::size_t channel;
  Date date;
  DeliveryTable::Entry delivery;
  PackedParts parts;
};

/// All that a meter has in one month, channel by channel.
class MonthOfMeter {
 public:
  /// `block` may change after the call.
  void add(const MonthKey& key, std::string_view block) {
    month_ = key.month;
    if (used_ == blocks_.size()) blocks_.emplace_back();
    blocks_[used_].first = key.channel;
    blocks_[used_++].second.assign(block);
  }
  void clear() { used_ = 0; }
  bool empty() const { return used_ == 0; }
  Month month() const { return month_; }

  Result<void> visit(const DaysQuery& query, const DeliveryTable& table, const DayVisitor& visit);

 private:
  Result<void> collect(std::size_t channel, const DaysQuery& query, const DeliveryTable& table);

  Month month_;
  std::vector<std::pair<Channel, std::string>> blocks_;
  std::size_t used_ = 0;
  std::vector<MonthEntry> entries_;
  std::vector<FoundDay> found_;
  std::string packed_;
};

Result<void> MonthOfMeter::collect(std::size_t channel, const DaysQuery& query,
                                   const DeliveryTable& table) {
  METERLINE_CHECK(read_month(month_, blocks_[channel].second, entries_));
  const std::uint32_t wanted = days_in(month_, query.dates);
  DeliveryLookup deliveries(table);
  for (const auto& entry : entries_) {
    if (!is_in(wanted, entry.day)) continue;
    METERLINE_TRY(const auto delivery, deliveries.find(entry.delivery));
    if (delivery.version.time > query.as_of) continue;
    found_.push_back({.channel = channel,
                      .date = day_of(month_, entry.day),
                      .delivery = delivery,
                      .parts = {.grid = entry.grid, .body = entry.body}});
  }
  return {};
}

Result<void> MonthOfMeter::visit(const DaysQuery& query, const DeliveryTable& table,
                                 const DayVisitor& visit) {
  found_.clear();
  for (std::size_t i = 0; i < used_; ++i) METERLINE_CHECK(collect(i, query, table));
  const auto order = [](const FoundDay& a, const FoundDay& b) {
    return std::tie(a.date, a.channel, b.delivery.version, b.delivery.id) <
           std::tie(b.date, b.channel, a.delivery.version, a.delivery.id);
  };
  if (!std::is_sorted(found_.begin(), found_.end(), order))
    std::sort(found_.begin(), found_.end(), order);
  for (const auto& day : found_) {
    join_packed_day(day.parts, packed_);
    METERLINE_CHECK(visit({.channel = blocks_[day.channel].first,
                           .date = day.date,
                           .version = day.delivery.version,
                           .delivery = day.delivery.id,
                           .packed = packed_}));
  }
  return {};
}

/// Answers the totals of one month of one channel of a meter.
class TotalsOfMonth {
 public:
  TotalsOfMonth(const Store& store, const DeliveryTable& table, const TotalsQuery& query,
                const TotalVisitor& visit)
      : store_(store), deliveries_(table), query_(query), visit_(visit) {}

  Result<void> visit(const MonthKey& key, std::string_view block);

 private:
  struct Newest {
    Version version;
    const MonthEntry* entry = nullptr;
  };
  Result<void> choose(std::uint32_t wanted);
  Result<void> plain(const MonthKey& key, const Newest& newest);
  Result<void> resolve(const MeterId& meter, const Channel& channel, Date date);

  const Store& store_;
  DeliveryLookup deliveries_;
  const TotalsQuery& query_;
  const TotalVisitor& visit_;
  std::vector<MonthEntry> entries_;
  std::array<Newest, month_days_max> newest_;
  DayTotal total_;
};

/// Finds the newest version of each wanted day.
Result<void> TotalsOfMonth::choose(std::uint32_t wanted) {
  newest_.fill({});
  for (const auto& entry : entries_) {
    if (!is_in(wanted, entry.day)) continue;
    METERLINE_TRY(const auto delivery, deliveries_.find(entry.delivery));
    if (delivery.version.time > query_.as_of) continue;
    auto& newest = newest_[entry.day];
    if (newest.entry == nullptr || newest.version < delivery.version)
      newest = {.version = delivery.version, .entry = &entry};
  }
  return {};
}

Result<void> TotalsOfMonth::plain(const MonthKey& key, const Newest& newest) {
  auto bytes = newest.entry->body;
  METERLINE_TRY(const auto grid, grid_info(newest.entry->grid));
  const auto sum = take_varint(bytes);
  if (!sum || !bytes.empty()) return damaged();
  total_.date = day_of(key.month, newest.entry->day);
  total_.sum = Sum(unzigzag(*sum), grid.exponent);
  total_.readings = grid.slots;
  total_.expected = grid.slots;
  total_.quality = {.actual = grid.slots};
  total_.version = newest.version;
  return visit_(total_);
}

Result<void> TotalsOfMonth::resolve(const MeterId& meter, const Channel& channel, Date date) {
  const DaysQuery query{.meter = meter, .dates = {.from = date, .to = date}, .as_of = query_.as_of};
  return read_resolved(store_, query, [&](const ResolvedDay& day) -> Result<void> {
    if (day.channel != channel) return {};
    METERLINE_TRY(const auto total, total_of(meter, day));
    return visit_(total);
  });
}

Result<void> TotalsOfMonth::visit(const MonthKey& key, std::string_view block) {
  METERLINE_CHECK(read_month(key.month, block, entries_));
  METERLINE_CHECK(choose(days_in(key.month, query_.dates)));
  auto meter = MeterId::parse(key.meter);
  if (!meter) return damaged();
  total_.meter = *std::move(meter);
  total_.channel = key.channel;
  for (const auto& newest : newest_) {
    if (newest.entry == nullptr) continue;
    METERLINE_CHECK(newest.entry->body.empty()
                        ? resolve(total_.meter, key.channel, day_of(key.month, newest.entry->day))
                        : plain(key, newest));
  }
  return {};
}

/// Gathers what is known of one meter from its months, given in order.
class MeterSummary {
 public:
  Result<void> add(const MonthKey& key, std::string_view block, const DeliveryTable& table) {
    METERLINE_CHECK(read_month(key.month, block, entries_));
    if (entries_.empty()) return damaged();
    std::uint32_t first = month_days_max;
    std::uint32_t last = 0;
    for (const auto& entry : entries_) {
      first = std::min(first, entry.day);
      last = std::max(last, entry.day);
    }
    const auto [found, is_new] = channels_.try_emplace(key.channel);
    ChannelInfo& info = found->second;
    if (is_new) info = {.channel = key.channel, .first = day_of(key.month, first)};
    info.last = day_of(key.month, last);
    METERLINE_TRY(info.interval, newest_interval(last, table));
    return {};
  }

  MeterInfo take(MeterId meter) {
    MeterInfo info{.meter = std::move(meter)};
    for (auto& [channel, known] : channels_) info.channels.push_back(known);
    channels_.clear();
    return info;
  }
  bool empty() const { return channels_.empty(); }

 private:
  Result<IntervalLength> newest_interval(std::uint32_t day, const DeliveryTable& table) const {
    DeliveryLookup deliveries(table);
    std::optional<Version> newest;
    std::string_view grid;
    for (const auto& entry : entries_) {
      if (entry.day != day) continue;
      METERLINE_TRY(const auto delivery, deliveries.find(entry.delivery));
      if (newest && delivery.version < *newest) continue;
      newest = delivery.version;
      grid = entry.grid;
    }
    METERLINE_TRY(const auto info, grid_info(grid));
    return info.interval;
  }

  std::map<Channel, ChannelInfo> channels_;
  std::vector<MonthEntry> entries_;
};

}  // namespace

std::unique_ptr<rocksdb::Iterator> RocksdbReader::iterate(
    Family family, const rocksdb::ReadOptions& options) const {
  return std::unique_ptr<rocksdb::Iterator>(
      database_.db().NewIterator(options, database_.family(family)));
}

Result<void> RocksdbReader::days(const DaysQuery& query, const DayVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  const Month last{.index = static_cast<std::uint16_t>(Month::of(query.dates.to).index + 1)};
  const std::string end = days_key_start(query.meter, last);
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::days, options);

  MonthOfMeter month;
  iterator->Seek(days_key_start(query.meter, Month::of(query.dates.from)));
  for (; iterator->Valid(); iterator->Next()) {
    const auto key = parse_days_key(view_of(iterator->key()));
    if (!key) return damaged();
    if (!month.empty() && month.month() != key->month) {
      METERLINE_CHECK(month.visit(query, table_, visit));
      month.clear();
    }
    month.add(*key, view_of(iterator->value()));
  }
  METERLINE_CHECK(finished(*iterator));
  return month.empty() ? Result<void>() : month.visit(query, table_, visit);
}

Result<void> RocksdbReader::day_totals(const Store& store, const TotalsQuery& query,
                                       const TotalVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  const std::string end =
      month_bytes({.index = static_cast<std::uint16_t>(Month::of(query.dates.to).index + 1)});
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::totals, options);

  TotalsOfMonth totals(store, table_, query, visit);
  iterator->Seek(month_bytes(Month::of(query.dates.from)));
  for (; iterator->Valid(); iterator->Next()) {
    const auto key = parse_totals_key(view_of(iterator->key()));
    if (!key) return damaged();
    METERLINE_CHECK(totals.visit(*key, view_of(iterator->value())));
  }
  return finished(*iterator);
}

Result<std::vector<MeterInfo>> RocksdbReader::meters(const MetersQuery& query) const {
  const auto iterator = iterate(Family::days, {});
  std::vector<MeterInfo> found;
  MeterSummary summary;
  iterator->Seek(query.after.text() < query.prefix ? query.prefix : days_key_end(query.after));
  while (iterator->Valid() && found.size() < query.limit) {
    const auto first = parse_days_key(view_of(iterator->key()));
    if (!first) return damaged();
    auto meter = MeterId::parse(first->meter);
    if (!meter) return damaged();
    if (!meter->text().starts_with(query.prefix)) break;
    for (; iterator->Valid(); iterator->Next()) {
      const auto key = parse_days_key(view_of(iterator->key()));
      if (!key) return damaged();
      if (key->meter != meter->text()) break;
      METERLINE_CHECK(summary.add(*key, view_of(iterator->value()), table_));
    }
    found.push_back(summary.take(*std::move(meter)));
  }
  METERLINE_CHECK(finished(*iterator));
  return found;
}

Result<std::optional<MeterInfo>> RocksdbReader::meter(const MeterId& meter) const {
  const std::string end = days_key_end(meter);
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::days, options);
  MeterSummary summary;
  for (iterator->Seek(days_key_start(meter, Month{})); iterator->Valid(); iterator->Next()) {
    const auto key = parse_days_key(view_of(iterator->key()));
    if (!key) return damaged();
    METERLINE_CHECK(summary.add(*key, view_of(iterator->value()), table_));
  }
  METERLINE_CHECK(finished(*iterator));
  if (summary.empty()) return std::optional<MeterInfo>();
  return std::optional<MeterInfo>(summary.take(meter));
}

Result<std::optional<DeliveryRecord>> RocksdbReader::delivery(const DeliveryId& id) const {
  rocksdb::PinnableSlice bytes;
  const auto status = database_.db().Get(
      rocksdb::ReadOptions(), database_.family(Family::deliveries), delivery_key(id), &bytes);
  if (status.IsNotFound()) return std::optional<DeliveryRecord>();
  if (!status.ok()) return database_error("read a delivery", status);
  METERLINE_TRY(auto record, decode_delivery(view_of(bytes)));
  return std::optional<DeliveryRecord>(std::move(record));
}

Result<std::vector<DeliveryRecord>> RocksdbReader::deliveries(const DeliveriesQuery& query) const {
  const std::string prefix = query.source ? source_prefix(*query.source) : "t";
  std::string from = prefix;
  if (query.after) {
    METERLINE_TRY(const auto after, delivery(*query.after));
    if (!after) return fail(Errc::not_found, "no such delivery: " + query.after->text());
    from = (query.source ? source_key(after->delivery) : time_key(after->delivery)) + '\0';
  }
  const auto iterator = iterate(Family::deliveries, {});
  std::vector<DeliveryRecord> found;
  for (iterator->Seek(from); iterator->Valid() && found.size() < query.limit; iterator->Next()) {
    const auto key = view_of(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto id = id_of_index_key(key);
    if (!id) return damaged();
    METERLINE_TRY(auto record, delivery(*id));
    if (!record) return damaged();
    found.push_back(*std::move(record));
  }
  METERLINE_CHECK(finished(*iterator));
  return found;
}

}  // namespace meterline::store
