#include "store/rocksdb/rocksdb_reader.h"

#include <algorithm>
#include <bit>
#include <span>
#include <tuple>

#include "core/try.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/resolve.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meter_channels.h"
#include "store/rocksdb/month_block.h"
#include "store/rocksdb/month_builder.h"
#include "store/rocksdb/month_days.h"
#include "store/rocksdb/month_merge.h"
#include "store/rocksdb/united_iterator.h"

namespace meterline::store {
namespace {

/// So many entries are read one by one; more of them, as neighbours.
constexpr std::size_t point_reads_max = 4;
/// Of a store with no more channels, each is looked for without asking which ones the meter has.
constexpr std::size_t few_channels_max = 2;
/// Values of totals that are read together.
constexpr std::size_t totals_per_read_max = 32;
/// From here on the months that the meter has are looked up before months are read.
constexpr int long_months_min = 24;

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged entry; restore it from the files");
}

Result<void> finished(const rocksdb::Iterator& iterator) {
  if (!iterator.status().ok()) return database_error("read the store", iterator.status());
  return {};
}

Result<MeterId> meter_of(const MonthKey& key) {
  auto meter = MeterId::parse(key.meter);
  if (!meter) return damaged();
  return *std::move(meter);
}

/// Reads a whole block of a month and makes sure that its days are of that month.
Result<void> read_month(Month month, std::string_view block, std::vector<MonthEntry>& entries) {
  METERLINE_CHECK(read_month_block(block, entries));
  const auto days = static_cast<std::uint32_t>(month.days());
  for (const auto& entry : entries)
    if (entry.day >= days) return damaged();
  return {};
}

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
  rocksdb::PinnableSlice& next_block() {
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
    rocksdb::PinnableSlice bytes;
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
    METERLINE_TRY(const auto delivery, deliveries.find(entry.delivery));
    if (!delivery.received) continue;
    METERLINE_TRY(const auto version, version_of(entry.grid, delivery.version));
    found_.push_back({.channel = channel,
                      .date = day_of(month_, entry.day),
                      .version = version,
                      .delivery = delivery.id,
                      .withdrawn = delivery.withdrawn,
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

/// Answers the totals of one month of all channels of a meter.
class TotalsOfMeter {
 public:
  TotalsOfMeter(const Store& store, const DeliveryTable& table, const DaysQuery& query,
                const MeterTotalVisitor& visit)
      : store_(store), deliveries_(table, query.as_of), query_(query), visit_(visit) {
    total_.meter = query.meter;
  }

  /// Begins a month: forgets the one before.
  void start(Month month) {
    month_ = month;
    used_ = 0;
  }
  /// Takes in the value of the next channel, channels ascending; it must live until visit().
  Result<void> add(const Channel& channel, std::string_view value);
  Result<void> visit();

 private:
  struct OfChannel {
    Channel channel;
    MonthDays days;
  };
  Result<void> resolve(std::uint32_t days);

  const Store& store_;
  DeliveryLookup deliveries_;
  const DaysQuery& query_;
  const MeterTotalVisitor& visit_;
  Month month_;
  std::vector<OfChannel> channels_;
  std::size_t used_ = 0;
  std::vector<std::pair<DayTotal, IntervalLength>> resolved_;  ///< By (date, channel).
  DayTotal total_;
};

Result<void> TotalsOfMeter::add(const Channel& channel, std::string_view value) {
  if (used_ == channels_.size()) channels_.emplace_back();
  OfChannel& added = channels_[used_];
  added.channel = channel;
  METERLINE_CHECK(added.days.read(month_, value, days_in(month_, query_.dates), deliveries_));
  ++used_;
  return {};
}

/// Resolves the days that are not plain in some channel.
Result<void> TotalsOfMeter::resolve(std::uint32_t days) {
  resolved_.clear();
  return resolve_days(store_, query_, month_, days,
                      [&](const DayTotal& total, IntervalLength interval) -> Result<void> {
                        resolved_.emplace_back(total, interval);
                        return {};
                      });
}

Result<void> TotalsOfMeter::visit() {
  std::uint32_t stored = 0;
  std::uint32_t others = 0;
  for (const auto& channel : std::span(channels_).first(used_)) {
    stored |= channel.days.stored();
    others |= channel.days.stored() & ~channel.days.plain();
  }
  METERLINE_CHECK(resolve(others));
  auto resolved = resolved_.begin();
  const std::int64_t first = month_.first_day().days();
  const OfChannel* in_total = nullptr;
  for (; stored != 0; stored &= stored - 1) {
    const auto day = static_cast<std::uint32_t>(std::countr_zero(stored));
    total_.date = *Date::from_days(first + day);
    for (const auto& channel : std::span(channels_).first(used_)) {
      if (is_in(channel.days.plain(), day)) {
        if (in_total != &channel) total_.channel = channel.channel;
        in_total = &channel;
        channel.days.fill(day, total_);
        METERLINE_CHECK(visit_(total_, channel.days.grid(day).interval));
        continue;
      }
      if (!is_in(channel.days.stored(), day)) continue;
      const auto is_before = [&](const auto& known) {
        return std::tie(known.first.date, known.first.channel) <
               std::tie(total_.date, channel.channel);
      };
      while (resolved != resolved_.end() && is_before(*resolved)) ++resolved;
      if (resolved == resolved_.end()) continue;
      if (resolved->first.date == total_.date && resolved->first.channel == channel.channel)
        METERLINE_CHECK(visit_(resolved->first, resolved->second));
    }
  }
  return {};
}

Month month_at(std::size_t index) { return {.index = static_cast<std::uint16_t>(index)}; }

/// Visits values of all channels in months from `first` on.
Result<void> visit_totals(std::size_t first, const std::vector<Channel>& channels,
                          std::span<const rocksdb::PinnableSlice> values, TotalsOfMeter& totals) {
  for (std::size_t at = 0; at < values.size(); ++first) {
    totals.start(month_at(first));
    for (const auto& channel : channels) {
      const auto value = view_of(values[at++]);
      if (!value.empty()) METERLINE_CHECK(totals.add(channel, value));
    }
    METERLINE_CHECK(totals.visit());
  }
  return {};
}

DateRange from_month(Month month, const DateRange& dates) {
  return {.from = std::max(dates.from, month.first_day()), .to = dates.to};
}

Result<void> visit_presence(const MonthOfMeters& all, Month month, std::uint32_t wanted,
                            const PresenceVisitor& visit) {
  for (const auto& channel : all.channels) {
    for (const auto& meter : channel.meters) {
      if ((meter.stored & wanted) == 0) continue;
      METERLINE_CHECK(visit({.meter = meter.meter,
                             .channel = channel.channel,
                             .first = month.first_day(),
                             .stored = meter.stored & wanted,
                             .complete = meter.complete & wanted}));
    }
  }
  return {};
}

/// Gathers what is known of the channels of one meter from the ends of their months.
class MeterSummary {
 public:
  MeterSummary(const DeliveryTable& table, Withdrawn withdrawn)
      : deliveries_(table, Instant::end_of_time(), withdrawn) {}

  /// Of `meter`, which has these channels; `days` goes over all of its days at least. Channels of
  /// which no day counts are left out.
  Result<MeterInfo> read(const MeterId& meter, const std::vector<Channel>& channels,
                         UnitedIterator& days);

 private:
  Result<void> read_counting(Month month, std::string_view block);
  /// Of the month in entries_, in which something counts.
  void note_first(Month month, ChannelInfo& info) const;
  Result<void> note_last(Month month, ChannelInfo& info);

  DeliveryLookup deliveries_;
  std::vector<MonthEntry> entries_;
};

/// Makes entries_ those of the month that count.
Result<void> MeterSummary::read_counting(Month month, std::string_view block) {
  METERLINE_CHECK(read_month(month, block, entries_));
  if (entries_.empty()) return damaged();
  if (!deliveries_.has_events()) return {};
  std::size_t kept = 0;
  for (const auto& entry : entries_) {
    METERLINE_TRY(const auto delivery, deliveries_.find(entry.delivery));
    if (!delivery.withdrawn) entries_[kept++] = entry;
  }
  entries_.resize(kept);
  return {};
}

void MeterSummary::note_first(Month month, ChannelInfo& info) const {
  std::uint32_t first = month_days_max;
  for (const auto& entry : entries_) first = std::min(first, entry.day);
  info.first = day_of(month, first);
}

Result<void> MeterSummary::note_last(Month month, ChannelInfo& info) {
  std::uint32_t last = 0;
  for (const auto& entry : entries_) last = std::max(last, entry.day);
  std::optional<Version> newest;
  std::string_view grid;
  for (const auto& entry : entries_) {
    if (entry.day != last) continue;
    METERLINE_TRY(const auto delivery, deliveries_.find(entry.delivery));
    METERLINE_TRY(const auto version, version_of(entry.grid, delivery.version));
    if (newest && version < *newest) continue;
    newest = version;
    grid = entry.grid;
  }
  METERLINE_TRY(const auto known, grid_info(grid));
  info.last = day_of(month, last);
  info.interval = known.interval;
  info.zone = known.zone;
  return {};
}

Result<MeterInfo> MeterSummary::read(const MeterId& meter, const std::vector<Channel>& channels,
                                     UnitedIterator& days) {
  MeterInfo info{.meter = meter, .channels = {}};
  for (const auto& channel : channels) info.channels.push_back({.channel = channel});
  std::vector<ChannelInfo*> open;
  const auto reopen = [&] {
    for (auto& channel : info.channels) open.push_back(&channel);
  };
  const auto each = [&](const auto& step, const auto& visit) -> Result<void> {
    for (; !open.empty() && days.is_valid(); step()) {
      const auto key = parse_days_key(days.key());
      if (!key) return damaged();
      if (key->meter != meter.text()) break;
      const auto channel = std::find_if(
          open.begin(), open.end(), [&](const auto* of) { return of->channel == key->channel; });
      if (channel == open.end()) continue;
      METERLINE_CHECK(read_counting(key->month, days.value()));
      if (entries_.empty()) continue;
      METERLINE_CHECK(visit(key->month, **channel));
      open.erase(channel);
    }
    return days.status();
  };
  reopen();
  days.seek(days_key_start(meter, Month{}));
  METERLINE_CHECK(each([&] { days.next(); },
                       [&](auto month, auto& to) -> Result<void> {
                         note_first(month, to);
                         return {};
                       }));
  // A channel is listed a moment before its first days can be read, or all of them are withdrawn.
  std::vector<Channel> unread;
  unread.reserve(open.size());
  for (const auto* listed : open) unread.push_back(listed->channel);
  std::erase_if(info.channels, [&](const ChannelInfo& channel) {
    return std::find(unread.begin(), unread.end(), channel.channel) != unread.end();
  });
  open.clear();
  reopen();
  days.seek_back(days_key_end(meter));
  METERLINE_CHECK(
      each([&] { days.previous(); }, [&](auto month, auto& to) { return note_last(month, to); }));
  return info;
}

/// Unites what is stored, if it is not empty, with those of the sorted entries that have the key.
Result<void> unite_recent(Family family, std::string_view key, const EntryBuffer& recent,
                          rocksdb::PinnableSlice& stored) {
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

}  // namespace

std::unique_ptr<rocksdb::Iterator> RocksdbReader::iterate(
    Family family, const rocksdb::ReadOptions& options) const {
  return std::unique_ptr<rocksdb::Iterator>(
      database_.db().NewIterator(options, database_.family(family)));
}

Result<bool> RocksdbReader::get(Family family, std::string_view key,
                                rocksdb::PinnableSlice& value) const {
  const auto status = database_.db().Get(options_, database_.family(family), slice_of(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return database_error("read the store", status);
  return true;
}

Result<void> RocksdbReader::get_all(Family family, std::span<const std::string> keys,
                                    std::vector<rocksdb::PinnableSlice>& values) const {
  values.clear();
  values.resize(keys.size());
  if (keys.size() == 1) {
    METERLINE_TRY(const bool is_there, get(family, keys[0], values[0]));
    if (!is_there) values[0].Reset();
    return {};
  }
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::Status> statuses(keys.size());
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
                                     rocksdb::PinnableSlice& value) const {
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
                                       std::vector<rocksdb::PinnableSlice>& values) const {
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

Result<std::vector<Channel>> RocksdbReader::channels(const MeterId& meter) const {
  std::vector<Channel> channels;
  rocksdb::PinnableSlice value;
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
  METERLINE_TRY(auto channels, this->channels(meter));
  return std::make_shared<const std::vector<Channel>>(std::move(channels));
}

Result<void> RocksdbReader::days(const DaysQuery& query, const DayVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  METERLINE_TRY(const auto channels, likely_channels(query.meter));
  const Month first = Month::of(query.dates.from);
  const Month last = Month::of(query.dates.to);
  const std::size_t months = std::size_t{last.index} - first.index + 1;
  if (months * channels->size() > point_reads_max) return days_of_many_months(query, visit);

  MonthOfMeter found;
  std::string key;
  for (Month month = first; month <= last; ++month.index) {
    found.start(month);
    for (const auto& channel : *channels) {
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
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto stored = iterate(Family::days, options);

  MonthOfMeter month;
  UnitedIterator blocks(Family::days, *stored, recent);
  for (blocks.seek(days_key_start(query.meter, months.first)); blocks.is_valid(); blocks.next()) {
    const auto key = parse_days_key(blocks.key());
    if (!key) return damaged();
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
  METERLINE_TRY(const auto info, summary(query.meter, Withdrawn::counted));
  Date first = query.dates.to;
  Date last = query.dates.from;
  for (const auto& channel : info.value_or(MeterInfo()).channels) {
    first = std::min(first, channel.first);
    last = std::max(last, channel.last);
  }
  return MonthRange{.first = std::max(months.first, Month::of(first)),
                    .last = std::min(months.last, Month::of(last))};
}

Result<void> RocksdbReader::meter_totals(const DaysQuery& query,
                                         const MeterTotalVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  METERLINE_TRY(const auto channels, likely_channels(query.meter));
  METERLINE_TRY(const auto months, months_of(query));
  if (channels->empty()) return {};
  TotalsOfMeter totals(store_, table_, query, visit);
  std::vector<rocksdb::PinnableSlice> values;
  const std::size_t months_max = std::max<std::size_t>(1, totals_per_read_max / channels->size());
  for (std::size_t first = months.first.index; first <= months.last.index; first += months_max) {
    const auto last = std::min(first + months_max - 1, std::size_t{months.last.index});
    METERLINE_CHECK(get_totals(query.meter, {month_at(first), month_at(last)}, *channels, values));
    METERLINE_CHECK(visit_totals(first, *channels, values, totals));
  }
  return {};
}

Result<void> RocksdbReader::scan_totals(MonthRange months, const TotalsVisitor& visit) const {
  EntryBuffer recent;
  recent_.of_all_meters(Family::totals, months, recent);
  recent.sort();
  const std::string end = month_bytes({.index = static_cast<std::uint16_t>(months.last.index + 1)});
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto stored = iterate(Family::totals, options);
  UnitedIterator totals(Family::totals, *stored, recent);
  for (totals.seek(month_bytes(months.first)); totals.is_valid(); totals.next()) {
    const auto key = parse_totals_key(totals.key());
    if (!key) return damaged();
    METERLINE_CHECK(visit(*key, totals.value()));
  }
  return totals.status();
}

Result<void> RocksdbReader::scan_days(const TotalsQuery& query, const DaysVisitor& visit) const {
  DeliveryLookup deliveries(table_, query.as_of);
  MonthDays days;
  return scan_totals(
      {.first = Month::of(query.dates.from), .last = Month::of(query.dates.to)},
      [&](const MonthKey& key, std::string_view value) -> Result<void> {
        METERLINE_CHECK(days.read(key.month, value, days_in(key.month, query.dates), deliveries));
        return days.stored() == 0 ? Result<void>() : visit(key, days);
      });
}

Result<void> RocksdbReader::day_totals(const TotalsQuery& query, const TotalVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  DayTotal total;
  return scan_days(query, [&](const MonthKey& key, const MonthDays& days) -> Result<void> {
    METERLINE_TRY(total.meter, meter_of(key));
    total.channel = key.channel;
    for (auto left = days.plain(); left != 0; left &= left - 1) {
      const auto day = static_cast<std::uint32_t>(std::countr_zero(left));
      total.date = day_of(key.month, day);
      days.fill(day, total);
      METERLINE_CHECK(visit(total));
    }
    return resolve_others(key, days, query.as_of,
                          [&](const DayTotal& other, IntervalLength) { return visit(other); });
  });
}

/// The days of one channel that are stored and have no plain total.
Result<void> RocksdbReader::resolve_others(const MonthKey& key, const MonthDays& days,
                                           Instant as_of, const MeterTotalVisitor& visit) const {
  const std::uint32_t others = days.stored() & ~days.plain();
  if (others == 0) return {};
  METERLINE_TRY(auto meter, meter_of(key));
  const DaysQuery query{.meter = std::move(meter), .dates = {}, .as_of = as_of};
  return resolve_days(store_, query, key.month, others,
                      [&](const DayTotal& total, IntervalLength interval) -> Result<void> {
                        return total.channel == key.channel ? visit(total, interval)
                                                            : Result<void>();
                      });
}

Result<void> RocksdbReader::day_presence(const TotalsQuery& query,
                                         const PresenceVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  Month month = Month::of(query.dates.from);
  const Month last = Month::of(query.dates.to);
  const bool is_long = last.index - month.index >= long_months_min;
  if (is_long || query.as_of != Instant::end_of_time()) return scan_presence(query, visit);
  for (; month <= last; ++month.index) {
    METERLINE_TRY(const auto known, month_of_meters(month));
    if (!known) return scan_presence({.dates = from_month(month, query.dates)}, visit);
    METERLINE_CHECK(visit_presence(*known, month, days_in(month, query.dates), visit));
  }
  return {};
}

Result<void> RocksdbReader::scan_presence(const TotalsQuery& query,
                                          const PresenceVisitor& visit) const {
  return scan_days(query, [&](const MonthKey& key, const MonthDays& days) -> Result<void> {
    METERLINE_TRY(const auto meter, meter_of(key));
    const Date first = key.month.first_day();
    std::uint32_t complete = days.plain();
    METERLINE_CHECK(resolve_others(
        key, days, query.as_of, [&](const DayTotal& total, IntervalLength) -> Result<void> {
          if (total.readings == total.expected)
            complete |= std::uint32_t{1} << (total.date.days() - first.days());
          return {};
        }));
    return visit({.meter = meter,
                  .channel = key.channel,
                  .first = first,
                  .stored = days.stored(),
                  .complete = complete});
  });
}

Result<std::shared_ptr<const MonthOfMeters>> RocksdbReader::month_of_meters(Month month) const {
  std::uint64_t ticket = 0;
  if (const auto known = cache_.find(month, ticket)) return *known;
  MonthBuilder builder(store_, table_, month);
  METERLINE_CHECK(scan_totals(
      {.first = month, .last = month},
      [&](const MonthKey& key, std::string_view value) { return builder.add(key, value); }));
  METERLINE_TRY(auto made, builder.take());
  if (!builder.fits()) return std::shared_ptr<const MonthOfMeters>();
  return cache_.put(month, ticket, std::move(made));
}

/// Those of `meters`, ascending.
Result<void> RocksdbReader::add_listed_channels(const MetersQuery& query,
                                                std::vector<Listed>& found) const {
  const auto iterator = iterate(Family::meters, {});
  iterator->Seek(query.after.text() < query.prefix ? query.prefix : meters_key_after(query.after));
  for (; iterator->Valid() && found.size() < query.limit; iterator->Next()) {
    if (view_of(iterator->key()) == all_meters_key) break;
    auto meter = MeterId::parse(view_of(iterator->key()));
    if (!meter) return damaged();
    if (!meter->text().starts_with(query.prefix)) break;
    auto& added = found.emplace_back().channels;
    added.meter = *std::move(meter);
    METERLINE_CHECK(read_meter_channels(view_of(iterator->value()), added.channels));
  }
  return finished(*iterator);
}

/// Of meters, ascending; those of which nothing counts, or can be read yet, are left out.
Result<std::vector<MeterInfo>> RocksdbReader::summaries(std::vector<Listed>& meters,
                                                        Withdrawn withdrawn) const {
  const bool looks_at_reads = table_.events() && withdrawn == Withdrawn::left_out;
  EntryBuffer recent;
  for (auto& [listed, has_reads] : meters) {
    recent_.of_meter(Family::days, listed.meter, all_months, recent);
    if (!has_reads || !looks_at_reads) continue;
    METERLINE_TRY(has_reads, counts_any_read(listed.meter));
  }
  recent.sort();
  const auto stored = iterate(Family::days, {});
  UnitedIterator days(Family::days, *stored, recent);
  MeterSummary summary(table_, withdrawn);
  std::vector<MeterInfo> found;
  for (const auto& [listed, has_reads] : meters) {
    METERLINE_TRY(auto info, summary.read(listed.meter, listed.channels, days));
    info.has_reads = has_reads;
    if (!info.channels.empty() || has_reads) found.push_back(std::move(info));
  }
  return found;
}

Result<std::vector<MeterInfo>> RocksdbReader::meters(const MetersQuery& query) const {
  std::vector<MeterInfo> found;
  MetersQuery rest = query;
  // A meter that is listed and has no day that counts does not fill the answer.
  while (found.size() < query.limit) {
    rest.limit = query.limit - found.size();
    METERLINE_TRY(auto listed, listed_meters(rest));
    const bool is_last = listed.size() < rest.limit;
    auto last = is_last ? MeterId() : listed.back().channels.meter;
    METERLINE_TRY(auto some, summaries(listed, query.withdrawn));
    std::move(some.begin(), some.end(), std::back_inserter(found));
    if (is_last) break;
    rest.after = std::move(last);
  }
  return found;
}

/// Where something is withdrawn, only their days tell which meters are left.
Result<std::vector<MeterChannels>> RocksdbReader::meter_channels(const MetersQuery& query) const {
  if (!table_.events() || query.withdrawn == Withdrawn::counted) {
    METERLINE_TRY(auto listed, listed_meters(query));
    std::vector<MeterChannels> found;
    found.reserve(listed.size());
    for (auto& meter : listed) found.push_back(std::move(meter.channels));
    return found;
  }
  METERLINE_TRY(auto meters, this->meters(query));
  return channels_of(std::move(meters));
}

Result<std::optional<MeterInfo>> RocksdbReader::meter(const MeterId& meter) const {
  return summary(meter, Withdrawn::left_out);
}

Result<std::optional<MeterInfo>> RocksdbReader::summary(const MeterId& meter,
                                                        Withdrawn withdrawn) const {
  METERLINE_TRY(auto channels, this->channels(meter));
  METERLINE_TRY(const bool has_reads, has_any_read(meter));
  if (channels.empty() && !has_reads) return std::optional<MeterInfo>();
  std::vector<Listed> listed;
  listed.push_back(
      {.channels = {.meter = meter, .channels = std::move(channels)}, .has_reads = has_reads});
  METERLINE_TRY(auto found, summaries(listed, withdrawn));
  if (found.empty()) return std::optional<MeterInfo>();
  return std::optional(std::move(found.front()));
}

Result<std::optional<DeliveryRecord>> RocksdbReader::delivery(const DeliveryId& id) const {
  rocksdb::PinnableSlice bytes;
  const auto status = database_.db().Get(
      rocksdb::ReadOptions(), database_.family(Family::deliveries), delivery_key(id), &bytes);
  if (status.IsNotFound()) return std::optional<DeliveryRecord>();
  if (!status.ok()) return database_error("read a delivery", status);
  METERLINE_TRY(auto record, decode_delivery(view_of(bytes)));
  if (const auto events = table_.events()) {
    const auto own = events->of(id);
    record.events.assign(own.begin(), own.end());
  }
  return std::optional<DeliveryRecord>(std::move(record));
}

Result<std::vector<DeliveryRecord>> RocksdbReader::deliveries(const DeliveriesQuery& query) const {
  const auto events = query.only == DeliveriesOf::all ? nullptr : table_.events();
  if (query.only != DeliveriesOf::all && !events) return std::vector<DeliveryRecord>();
  const auto index_key = query.received_after ? receipt_key : query.source ? source_key : time_key;
  const std::string prefix = query.received_after ? "r"
                             : query.source       ? source_prefix(*query.source)
                                                  : "t";
  std::string from = prefix;
  if (query.after) {
    METERLINE_TRY(const auto after, delivery(*query.after));
    if (!after) return fail(Errc::not_found, "no such delivery: " + query.after->text());
    from = index_key(after->delivery) + '\0';
  }
  const auto iterator = iterate(Family::deliveries, {});
  std::vector<DeliveryRecord> found;
  for (iterator->Seek(from); iterator->Valid() && found.size() < query.limit; iterator->Next()) {
    const auto key = view_of(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto id = id_of_index_key(key);
    if (!id) return damaged();
    if (events && !events->has(query.only, *id)) continue;
    METERLINE_TRY(auto record, delivery(*id));
    if (!record) return damaged();
    if (query.received_after && record->delivery.received_at <= *query.received_after) break;
    if (!query.source || record->delivery.source == *query.source)
      found.push_back(*std::move(record));
  }
  METERLINE_CHECK(finished(*iterator));
  return found;
}

}  // namespace meterline::store
