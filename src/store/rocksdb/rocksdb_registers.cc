#include <algorithm>
#include <tuple>
#include <vector>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_read.h"
#include "store/register_reads.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/month_days.h"
#include "store/rocksdb/rocksdb_reader.h"

namespace meterline::store {
namespace {

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged entry; restore it from the files");
}

Result<void> finished(const rocksdb::Iterator& iterator) {
  if (!iterator.status().ok()) return database_error("read the store", iterator.status());
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

/// The versions of one register at one time follow each other, but in no order.
Result<void> RocksdbReader::registers(const ReadsQuery& query, const ReadVisitor& visit) const {
  if (query.to < query.from) return {};
  const std::string end = registers_key_end(query.meter);
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const auto iterator = iterate(Family::registers, options);
  DeliveryLookup deliveries(table_, query.as_of);
  ReadsOfTime reads(visit);
  RegisterRead read;
  for (iterator->Seek(registers_key_start(query.meter, query.from)); iterator->Valid();
       iterator->Next()) {
    if (!parse_registers_key(view_of(iterator->key()), read)) return damaged();
    if (read.current.time.at > query.to) break;
    auto value = view_of(iterator->value());
    const auto number = take_varint(value);
    if (!number || *number > UINT32_MAX) return damaged();
    METERLINE_TRY(const auto delivery, deliveries.find(static_cast<std::uint32_t>(*number)));
    if (!delivery.received) continue;
    METERLINE_CHECK(unpack_read(value, read));
    METERLINE_CHECK(reads.add(read, read.version(delivery.version), delivery));
  }
  METERLINE_CHECK(finished(*iterator));
  return reads.finish();
}

/// The meters that are listed, with the channels that are.
Result<std::vector<RocksdbReader::Listed>> RocksdbReader::listed_meters(
    const MetersQuery& query) const {
  std::vector<Listed> found;
  METERLINE_CHECK(add_listed_channels(query, found));
  METERLINE_CHECK(add_listed_reads(query, found));
  return found;
}

/// Adds the meters that have register reads: of a full list those up to its end, so that what is
/// behind falls off.
Result<void> RocksdbReader::add_listed_reads(const MetersQuery& query,
                                             std::vector<Listed>& found) const {
  const auto iterator = iterate(Family::registers, {});
  const bool is_from_prefix = query.after.text() < query.prefix;
  iterator->Seek(is_from_prefix ? query.prefix : registers_key_end(query.after));
  std::size_t at = 0;
  while (iterator->Valid()) {
    const auto text = meter_of_registers_key(view_of(iterator->key()));
    auto meter = text ? MeterId::parse(*text) : std::nullopt;
    if (!meter) return damaged();
    if (!meter->text().starts_with(query.prefix)) break;
    while (at < found.size() && found[at].channels.meter < *meter) ++at;
    if (at == query.limit) break;
    iterator->Seek(registers_key_end(*meter));
    if (at < found.size() && found[at].channels.meter == *meter) {
      found[at].has_reads = true;
      continue;
    }
    found.insert(found.begin() + static_cast<std::ptrdiff_t>(at),
                 {.channels = {.meter = *std::move(meter), .channels = {}}, .has_reads = true});
    if (found.size() > query.limit) found.pop_back();
  }
  return finished(*iterator);
}

Result<bool> RocksdbReader::has_any_read(const MeterId& meter) const {
  const std::string end = registers_key_end(meter);
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions options;
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

}  // namespace meterline::store
