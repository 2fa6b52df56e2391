// What is asked of all meters, and of deliveries.

#include <algorithm>
#include <span>

#include "core/try.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/month_sums.h"
#include "store/rocksdb/rocksdb_reader.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {
namespace {

/// A meter with its channels, and no more.
MeterInfo listed_as(const MeterId& meter, const std::vector<Channel>& channels) {
  MeterInfo info{.meter = meter, .channels = {}};
  for (const auto& channel : channels) info.channels.push_back({.channel = channel});
  return info;
}

/// Reads a whole block of a month and makes sure that its days are of that month.
Result<void> read_month(Month month, std::string_view block, std::vector<MonthEntry>& entries) {
  METERLINE_CHECK(read_month_block(block, entries));
  const auto days = static_cast<std::uint32_t>(month.days());
  for (const auto& entry : entries)
    if (entry.day >= days) return damaged_entry();
  return {};
}

/// Gathers what is known of the channels of one meter from the ends of their months.
class MeterSummary {
 public:
  MeterSummary(const DeliveryTable& table, Withdrawn withdrawn)
      : deliveries_(table, Instant::end_of_time(), withdrawn) {}

  /// Completes the channels of `info`, and leaves out those of which no day counts; `days` goes
  /// over all days of the meter at least.
  Result<void> read(MeterInfo& info, UnitedIterator& days);

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
  if (entries_.empty()) return damaged_entry();
  if (!deliveries_.has_events()) return {};
  std::size_t kept = 0;
  for (const auto& entry : entries_) {
    METERLINE_TRY(const auto* const delivery, deliveries_.find(entry.delivery));
    if (!delivery->withdrawn) entries_[kept++] = entry;
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
    METERLINE_TRY(const auto* const delivery, deliveries_.find(entry.delivery));
    METERLINE_TRY(const auto version, version_of(entry.grid, delivery->version));
    if (newest && version < *newest) continue;
    newest = version;
    grid = entry.grid;
  }
  METERLINE_TRY(const auto known, grid_info(grid));
  info.last = day_of(month, last);
  info.interval = known.interval;
  info.zone = known.zone;
  METERLINE_TRY(info.facts, facts_of(grid));
  return {};
}

Result<void> MeterSummary::read(MeterInfo& info, UnitedIterator& days) {
  std::vector<ChannelInfo*> open;
  const auto reopen = [&] {
    for (auto& channel : info.channels) open.push_back(&channel);
  };
  const auto each = [&](const auto& step, const auto& visit) -> Result<void> {
    for (; !open.empty() && days.is_valid(); step()) {
      const auto key = parse_days_key(days.key());
      if (!key) return damaged_entry();
      if (key->meter != info.meter.text()) break;
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
  days.seek(days_key_start(info.meter, Month{}));
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
  days.seek_back(days_key_end(info.meter));
  return each([&] { days.previous(); }, [&](auto month, auto& to) { return note_last(month, to); });
}

}  // namespace

std::unique_ptr<::rocksdb::Iterator> RocksdbReader::iterate(
    Family family, const ::rocksdb::ReadOptions& options) const {
  return std::unique_ptr<::rocksdb::Iterator>(
      database_.db().NewIterator(options, database_.family(family)));
}

/// Of every channel of every meter of the span the days asked for, where there are any.
Result<void> RocksdbReader::scan_months(const TotalsQuery& query, const MonthVisitor& visit) const {
  const DateRange& dates = query.dates;
  if (dates.size() == 0) return {};
  const MonthRange months{.first = Month::of(dates.from), .last = Month::of(dates.to)};
  EntryBuffer recent;
  recent_.of_all_meters(Family::totals, months, recent);
  recent.sort();
  const std::string end = month_bytes({.index = static_cast<std::uint16_t>(months.last.index + 1)});
  const ::rocksdb::Slice upper = end;
  ::rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto stored = iterate(Family::totals, options);
  MonthReading reading(table_, dates, query.as_of);
  MeterId meter;
  const MeterSpan& span = query.span;
  const auto start_of = [&](Month month) {
    const std::string& after = span.after.text();
    return after.empty() ? month_bytes(month) : totals_key_after(month, span.after);
  };
  UnitedIterator totals(Family::totals, *stored, recent);
  for (totals.seek(start_of(months.first)); totals.is_valid(); totals.next()) {
    auto key = parse_totals_key(totals.key());
    // The end of the span, or the meters before it in the month that follows.
    while (key && !span.contains(key->meter)) {
      const bool is_before = key->meter <= span.after.text();
      const auto next = static_cast<std::uint16_t>(key->month.index + (is_before ? 0 : 1));
      totals.seek(start_of({.index = next}));
      if (!totals.is_valid()) return totals.status();
      key = parse_totals_key(totals.key());
    }
    if (!key) return damaged_entry();
    if (key->meter != meter.text()) {
      auto parsed = MeterId::parse(key->meter);
      if (!parsed) return damaged_entry();
      meter = *std::move(parsed);
    }
    METERLINE_CHECK(visit_month({meter, key->month, key->channel}, totals.value(), reading, visit));
  }
  return totals.status();
}

Result<void> RocksdbReader::months(const TotalsQuery& query, const MonthsVisitor& visit) const {
  if (query.dates.size() == 0) return {};
  const auto each = [&](const MeterMonth& month) { return visit.days(month); };
  if (query.meters) {
    for (const auto& meter : *query.meters)
      METERLINE_CHECK(
          months_of_meter({.meter = meter, .dates = query.dates, .as_of = query.as_of}, each));
    return {};
  }
  if (!visit.month || query.as_of != Instant::end_of_time() || !query.span.is_all())
    return scan_months(query, each);
  Date next = query.dates.from;  // The first that is not told yet.
  const Month last = Month::of(query.dates.to);
  for (Month month = Month::of(next); month <= last; ++month.index) {
    METERLINE_TRY(const auto all, month_of_meters(month));
    if (!all) break;  // As those behind it will be.
    METERLINE_TRY(const bool is_taken, visit.month(month, *all));
    if (!is_taken) continue;
    const auto before = Date::from_days(month.first_day().days() - 1);
    if (before) METERLINE_CHECK(scan_months({.dates = {.from = next, .to = *before}}, each));
    if (month == last) return {};
    next = day_of(month, static_cast<std::uint32_t>(month.days()));
  }
  return scan_months({.dates = {.from = next, .to = query.dates.to}}, each);
}

/// Null where it is too much to keep, or does not add up.
Result<std::shared_ptr<const MonthOfMeters>> RocksdbReader::month_of_meters(Month month) const {
  std::uint64_t ticket = 0;
  if (const auto known = cache_.find(month, ticket)) return *known;
  MonthBuilder builder(month);
  const auto days = static_cast<std::uint32_t>(month.days());
  METERLINE_CHECK(scan_months({.dates = {.from = month.first_day(), .to = day_of(month, days - 1)}},
                              [&](const MeterMonth& of) -> Result<void> {
                                builder.add(of);
                                return {};
                              }));
  auto made = builder.take();
  if (!builder.fits()) return std::shared_ptr<const MonthOfMeters>();
  return cache_.put(month, ticket, std::move(made));
}

/// Those of `meters`, ascending.
Result<void> RocksdbReader::add_listed_channels(const MetersQuery& query,
                                                std::vector<MeterInfo>& found) const {
  std::vector<Channel> channels;
  const auto iterator = iterate(Family::meters, {});
  iterator->Seek(query.after.text() < query.prefix ? query.prefix : meters_key_after(query.after));
  for (; iterator->Valid() && found.size() < query.limit; iterator->Next()) {
    if (view_of(iterator->key()) == all_meters_key) break;
    auto meter = MeterId::parse(view_of(iterator->key()));
    if (!meter) return damaged_entry();
    if (!meter->text().starts_with(query.prefix)) break;
    METERLINE_CHECK(read_meter_channels(view_of(iterator->value()), channels));
    found.push_back(listed_as(*meter, channels));
  }
  return finished(*iterator);
}

/// Of meters as they are listed, ascending, all there is to know; those of which nothing counts, or
/// can be read yet, are left out.
Result<void> RocksdbReader::complete(std::vector<MeterInfo>& meters, Withdrawn withdrawn) const {
  const bool looks_at_reads = table_.events() && withdrawn == Withdrawn::left_out;
  EntryBuffer recent;
  for (auto& info : meters) {
    recent_.of_meter(Family::days, info.meter, all_months, recent);
    if (!info.has_reads || !looks_at_reads) continue;
    METERLINE_TRY(info.has_reads, counts_any_read(info.meter));
  }
  recent.sort();
  const auto stored = iterate(Family::days, {});
  UnitedIterator days(Family::days, *stored, recent);
  MeterSummary summary(table_, withdrawn);
  for (auto& info : meters) METERLINE_CHECK(summary.read(info, days));
  std::erase_if(meters, [](const auto& info) { return info.channels.empty() && !info.has_reads; });
  return {};
}

/// Where something is withdrawn, only their days tell which meters are left.
Result<std::vector<MeterInfo>> RocksdbReader::meters(const MetersQuery& query) const {
  const bool is_list_enough =
      query.names_only && (query.withdrawn == Withdrawn::counted || !table_.events());
  if (query.only) {
    METERLINE_TRY(auto only, listed_meter(*query.only));
    if (!is_list_enough) METERLINE_CHECK(complete(only, query.withdrawn));
    return only;
  }
  if (is_list_enough) return listed_meters(query);
  std::vector<MeterInfo> found;
  MetersQuery rest = query;
  // A meter that is listed and has no day that counts does not fill the answer.
  while (found.size() < query.limit) {
    rest.limit = query.limit - found.size();
    METERLINE_TRY(auto some, listed_meters(rest));
    const bool is_last = some.size() < rest.limit;
    if (!is_last) rest.after = some.back().meter;
    METERLINE_CHECK(complete(some, query.withdrawn));
    std::move(some.begin(), some.end(), std::back_inserter(found));
    if (is_last) break;
  }
  return found;
}

/// None where the meter is not known.
Result<std::vector<MeterInfo>> RocksdbReader::listed_meter(const MeterId& meter) const {
  METERLINE_TRY(const auto channels, listed_channels(meter));
  std::vector<MeterInfo> found{listed_as(meter, channels)};
  METERLINE_TRY(found[0].has_reads, has_any_read(meter));
  if (channels.empty() && !found[0].has_reads) found.clear();
  return found;
}

/// The meters that are listed, with the channels that are.
Result<std::vector<MeterInfo>> RocksdbReader::listed_meters(const MetersQuery& query) const {
  std::vector<MeterInfo> found;
  METERLINE_CHECK(add_listed_channels(query, found));
  METERLINE_CHECK(add_listed_reads(query, found));
  return found;
}

/// Adds the meters that have register reads: of a full list those up to its end, so that what is
/// behind falls off.
Result<void> RocksdbReader::add_listed_reads(const MetersQuery& query,
                                             std::vector<MeterInfo>& found) const {
  const auto iterator = iterate(Family::registers, {});
  const bool is_from_prefix = query.after.text() < query.prefix;
  iterator->Seek(is_from_prefix ? query.prefix : registers_key_end(query.after));
  std::size_t at = 0;
  while (iterator->Valid()) {
    const auto text = meter_of_registers_key(view_of(iterator->key()));
    auto meter = text ? MeterId::parse(*text) : std::nullopt;
    if (!meter) return damaged_entry();
    if (!meter->text().starts_with(query.prefix)) break;
    while (at < found.size() && found[at].meter < *meter) ++at;
    if (at == query.limit) break;
    iterator->Seek(registers_key_end(*meter));
    if (at < found.size() && found[at].meter == *meter) {
      found[at].has_reads = true;
      continue;
    }
    found.insert(found.begin() + static_cast<std::ptrdiff_t>(at),
                 {.meter = *std::move(meter), .channels = {}, .has_reads = true});
    if (found.size() > query.limit) found.pop_back();
  }
  return finished(*iterator);
}

Result<std::optional<DeliveryRecord>> RocksdbReader::delivery(const DeliveryId& id) const {
  ::rocksdb::PinnableSlice bytes;
  const auto status = database_.db().Get(
      ::rocksdb::ReadOptions(), database_.family(Family::deliveries), delivery_key(id), &bytes);
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
  std::vector<DeliveryRecord> found;
  if (query.id) {
    METERLINE_TRY(auto one, delivery(*query.id));
    if (one) found.push_back(*std::move(one));
    return found;
  }
  const auto events = query.only == DeliveriesOf::all ? nullptr : table_.events();
  if (query.only != DeliveriesOf::all && !events) return found;
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
  for (iterator->Seek(from); iterator->Valid() && found.size() < query.limit; iterator->Next()) {
    const auto key = view_of(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto id = id_of_index_key(key);
    if (!id) return damaged_entry();
    if (events && !events->has(query.only, *id)) continue;
    METERLINE_TRY(auto record, delivery(*id));
    if (!record) return damaged_entry();
    if (query.received_after && record->delivery.received_at <= *query.received_after) break;
    if (!query.source || record->delivery.source == *query.source)
      found.push_back(*std::move(record));
  }
  METERLINE_CHECK(finished(*iterator));
  return found;
}

}  // namespace meterline::store::rocksdb
